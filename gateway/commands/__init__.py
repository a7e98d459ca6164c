"""Slash commands: one registry, one file for each command."""
