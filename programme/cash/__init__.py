"""The programme's cash cap: telling the board how much is used, and asking it once all is."""
