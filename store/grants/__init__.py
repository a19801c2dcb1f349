"""The monthly grants, from sizing to lapse."""
