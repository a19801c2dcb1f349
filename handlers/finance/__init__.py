"""Files of FOCUS, the FinOps Open Cost and Usage Specification, written and read."""
