"""What `make bench` measures: ratios to floors taken in the same run, with their growth (docs/performance.md)."""
