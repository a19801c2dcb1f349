"""What a token is worth in a quarter, and what is put aside for what is outstanding."""
