"""How the owner's command line speaks to the running process."""
