"""What is held for calls before they run, and the running sums of caps."""
