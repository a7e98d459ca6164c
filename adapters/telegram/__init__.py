"""Chat on Telegram, by the Bot API."""
