"""What a model may do, and the one way in which any of it is run."""
