"""What finance gets: charges by cost centre, and the bills of vendors."""
