"""Offers that were worked out, until they are deleted."""
