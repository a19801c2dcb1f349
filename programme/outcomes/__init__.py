"""What came of the work: merged pull requests, tasks and bugs."""
