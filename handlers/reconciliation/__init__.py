"""Differences with vendors' bills, decided in Slack."""
