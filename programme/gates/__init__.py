"""Gates between the phases of the roll-out: asking the board, counting its votes, standing still meanwhile."""
