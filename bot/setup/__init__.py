"""From an empty folder to settings, a first handbook and a ledger: `tokens-bot setup` asks, or reads a file."""
