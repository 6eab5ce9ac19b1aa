"""What the command line, HTTP and notebooks call: one file a noun."""
