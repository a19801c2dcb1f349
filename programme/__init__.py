"""What the programme does: one function per use case, inside a transaction that the edge opened."""
