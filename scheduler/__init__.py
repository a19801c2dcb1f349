"""What the calendar asks for."""
