"""Chat in the terminal: the adapter to copy when you write one for another platform."""
