"""Reports of the return, each with all that it follows from."""
