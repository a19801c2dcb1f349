"""What is held about people, how what names them is taken away, and how far that came."""
