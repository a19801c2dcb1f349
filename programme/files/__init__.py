"""Files as spreadsheets and other programs write them: encodings, lines, separators, headers, and what is in a cell."""
