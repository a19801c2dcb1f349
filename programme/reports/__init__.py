"""What managers are told of their team's spend."""
