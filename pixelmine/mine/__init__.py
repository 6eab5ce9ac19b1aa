"""What is in the pile, what is wrong with it, and what has changed: arrays in, findings out."""
