"""Drawing a chat in a terminal; nothing here is needed for other platforms."""
