"""Offers to candidates, and what job listings say of the allowance."""
