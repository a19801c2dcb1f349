"""Requests for more tokens, and the board's decisions on them."""
