"""The command line: parse, one call of the API, show."""
