"""What a person has left, why, and until when."""
