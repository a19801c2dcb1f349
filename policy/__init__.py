"""What the company decided: pure rules, without input, output, clock or third-party code."""
