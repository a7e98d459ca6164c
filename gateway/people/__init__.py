"""Who may talk to the bot, and in which role."""
