"""Recruiters in Slack: the form of an offer and what comes of it, and the text of a listing."""
