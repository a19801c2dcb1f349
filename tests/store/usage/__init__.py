"""Events by month, and what they are known by."""
