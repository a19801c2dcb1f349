"""The ledger beside the vendors' own figures: what differs, why, and what is done about it."""
