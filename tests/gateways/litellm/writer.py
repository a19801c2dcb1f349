"""Runs as a process of its own: keeps one event after another, says so on standard output, until it is killed."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

from gateways.litellm.journal import Journal


def main() -> None:
    journal, name = Journal(Path(sys.argv[1]), checkpoints=False), sys.argv[2]
    for number in itertools.count():
        event = f"{name}-{number}"
        journal.keep(event, "lease_1", "{}", now=time.time())
        sys.stdout.write(f"{event}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
