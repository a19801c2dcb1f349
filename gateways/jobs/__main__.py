"""`python -m gateways.jobs`: the same as `tokens-bot job run`, where only this folder is installed."""

from __future__ import annotations

import sys

from gateways.jobs.arguments import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
