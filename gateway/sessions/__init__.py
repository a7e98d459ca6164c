"""Sessions: what may be asked of them, their titles, and folding what grew too long."""
