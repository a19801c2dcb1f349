"""Whether every figure can be proved: the checks of `tokens-bot verify`."""
