"""Files of vendors' bills, read as a stream."""
