"""How a turn's events become one growing message on any platform, delivered once."""
