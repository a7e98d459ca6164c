"""The command `parley`: one file for each of its commands."""
