"""Discord, by discord.py: servers, channels, threads and direct messages."""
