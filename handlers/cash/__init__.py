"""What the board decides about a cash cap that is reached."""
