"""What we say: message templates, their renderer, and the collector that builds blocks within Slack's limits."""
