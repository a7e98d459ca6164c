"""Migrations from every released schema to the newest; run by `upgrade`, or from scratch."""
