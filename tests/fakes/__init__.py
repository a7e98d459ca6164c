"""Small stateful servers and parts that stand in for the outside world."""
