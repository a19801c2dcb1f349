"""What the ledger would cost, and keep, on a cluster of PostgreSQL servers under Citus."""
