"""The way in: keep a message, find its session, take its turn."""
