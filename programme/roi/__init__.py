"""What the programme brought about: panels, reports of the return, and what the board decides of them."""
