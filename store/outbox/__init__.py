"""Messages owed to Slack, and the Homes that were shown."""
