"""The gateway: keeps messages, runs turns, sends replies. Knows no platform by name."""
