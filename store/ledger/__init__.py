"""Double entry: accounts, entries with their postings, lots, wallets."""
