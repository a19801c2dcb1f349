"""People, their teams and terms, and who sits on the board."""
