"""What every command, button and form has in common."""
