"""Vendors' bills taken in: usage where a tag names whose it is, else shares by the keys of the handbook."""
