"""Requests for more tokens, and the board's decisions on them."""

# Slack's ids of the buttons and forms (`fast_track_…`) keep an older name of the topic: sent messages carry them.
