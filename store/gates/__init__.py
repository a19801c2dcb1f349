"""Gates between the phases of the roll-out: what the board was asked, and what it said."""
