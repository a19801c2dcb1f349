"""What is held about people: handed out, erased on request, and taken away when its time is over."""
