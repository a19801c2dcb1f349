"""`python -m tokens_bot_litellm doctor | refused | retry`, in the environment of the proxy."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from . import doctor, settings
from .journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tokens_bot_litellm", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for a program")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="whether settings, journal, bot and key are as they should be")
    commands.add_parser("refused", help="events that the bot did not take, and why")
    commands.add_parser("retry", help="send refused events once more")
    chosen = parser.parse_args(arguments)
    if chosen.command == "doctor":
        return _doctor(as_json=chosen.json)
    try:
        path = settings.load(os.environ).journal
    except settings.Misconfigured as reason:
        print(reason, file=sys.stderr)
        return USAGE
    journal = Journal(path)
    return (
        _refused(journal, as_json=chosen.json) if chosen.command == "refused" else _retry(journal, as_json=chosen.json)
    )


def _doctor(*, as_json: bool) -> int:
    findings = doctor.examine(os.environ, time.time)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            print(f"{finding.verdict:<5} {finding.what:<9} {finding.detail}")
    return 1 if any(finding.verdict == "bad" for finding in findings) else 0


def _refused(journal: Journal, *, as_json: bool) -> int:
    events = journal.refused()
    if as_json:
        print(json.dumps([{"event": event_id, "reason": reason} for event_id, reason in events]))
    else:
        for event_id, reason in events:
            print(f"{event_id}  {reason}")
    return 0


def _retry(journal: Journal, *, as_json: bool) -> int:
    again = journal.retry_refused()
    print(
        json.dumps({"sent_again": again})
        if as_json
        else f"{again} {'event' if again == 1 else 'events'} will be sent again."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
