"""Installed hooks, and the chain that runs them without letting any do harm."""
