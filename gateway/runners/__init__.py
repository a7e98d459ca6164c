"""Doing a turn: the loop between a model and its tools."""
