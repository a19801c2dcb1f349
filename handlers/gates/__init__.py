"""Gates between the phases of the roll-out."""
