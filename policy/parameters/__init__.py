"""The parameters of the rules, as one version of the handbook gives them, and how each table of it is read."""
