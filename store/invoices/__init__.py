"""Vendors' bills, what stands of them, and what was posted for them."""
