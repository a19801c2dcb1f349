"""Months that are closed: their journal, its digest, and what is booked after them."""
