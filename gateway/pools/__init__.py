"""Pools: each agent's sessions at work, one turn at a time in each."""
