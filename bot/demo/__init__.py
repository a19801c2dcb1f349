"""The demo: an invented company, in a workspace on your own machine, with the real bot."""
