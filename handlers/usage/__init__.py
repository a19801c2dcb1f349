"""Usage of AI services, priced and debited, and the keys of the gateways that report it."""
