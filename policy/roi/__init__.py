"""What the programme brings about: effects in teams that had it against teams that did not yet, with intervals."""
