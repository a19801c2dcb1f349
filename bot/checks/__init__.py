"""What `doctor` looks at, a file for each thing; and `setup` before it writes anything down."""
