"""`make denial-trial`: what clients do with a denial; how often they ask again, what they raise, what they show.

Each client is fetched into an environment of its own under var/denial-clients, and asks a server on this machine that
refuses every call. The ones that cannot be fetched are named and left out. The tables are those of
docs/decisions/0046-denials.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.denials import clients
from benchmarks.denials.clients import CLIENTS, Client
from benchmarks.denials.server import STATUSES, WAYS, Refusing, Way, refusing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

START_SECONDS, PATIENCE_SECONDS = 180, 90
"""Agents that ask again for longer after their first call are ended, and said to be still asking."""
POLL_SECONDS = 0.1
LINES = 12


@dataclass(frozen=True)
class Seen:
    """What one client did with one way of refusing."""

    client: str
    way: Way
    asked: int
    ended: bool
    shown: str

    @property
    def count(self) -> str:
        return f"{self.asked}" if self.ended else f"{self.asked}, still asking"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="a client's name; may be given several times")
    parser.add_argument("--newest", action="store_true", help="fetch every client anew, as it is today")
    options = parser.parse_args()
    chosen = [client for client in CLIENTS if not options.only or client.name in options.only]
    versions = dict(_installed(chosen, newest=options.newest))
    there = [client for client in chosen if client.name in versions]
    with refusing() as server, ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = [(client, way) for client in there for way in WAYS]
        found = list(pool.map(lambda pair: _ask(server, *pair), asked))
    by_client = {client.name: [seen for seen in found if seen.client == client.name] for client in there}
    for name, seen in by_client.items():
        _show(f"{name} {versions[name]}", seen)
    _show_counts(by_client, versions)
    return 0 if there else 1


def _installed(chosen: Iterable[Client], *, newest: bool) -> Iterable[tuple[str, str]]:
    """Each client that could be had, with its version."""
    for client in chosen:
        print(f"Fetching {client.name} …", flush=True)
        try:
            yield client.name, clients.install(client, newest=newest)
        except LookupError as error:
            print(f"{client.name} is left out: {error}")


def _ask(server: Refusing, client: Client, way: Way) -> Seen:
    tag = str(CLIENTS.index(client))
    url = server.base(way, tag)
    with tempfile.TemporaryDirectory(prefix="denial-", ignore_cleanup_errors=True) as home:
        clients.configure(Path(home), url)
        process = subprocess.Popen(
            list(client.command(client.folder, url)),
            env=clients.environment_of(home, url),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until = time.monotonic() + START_SECONDS
        while not server.asked[way.path, tag] and process.poll() is None and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        try:
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
            ended = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            ended = False
    return Seen(client.name, way, server.asked[way.path, tag], ended, shown(output.replace(url, "…")))


def shown(output: str) -> str:
    """The libraries' exception and its text, or the end of what a program wrote."""
    lines = output.strip().splitlines()
    try:
        told = json.loads(lines[-1])
    except (json.JSONDecodeError, IndexError):
        return "\n".join(lines[-LINES:])
    if not (isinstance(told, dict) and "raised" in told):
        return output
    raised = f"{told['raised']}: {told['text']}" if told["raised"] else "raises nothing"
    return "\n".join([*lines[:-1][-LINES:], raised]) if not told["raised"] else raised


def _show(name: str, found: Sequence[Seen]) -> None:
    print(f"\n## {name}")
    for seen in found:
        headers = ", ".join(f"{header}: {value}" for header, value in seen.way.headers.items()) or "no header"
        print(f"  {seen.way.status} {headers:<42} asked {seen.count}")
    for status in STATUSES:
        texts: dict[str, list[str]] = {}
        for seen in found:
            if seen.way.status == status:
                texts.setdefault(seen.shown, []).append(seen.way.path)
        for text, paths in texts.items():
            print(f"  {status} shows{f' ({paths[0]})' if len(texts) > 1 else ''}: {text}")


def _show_counts(by_client: dict[str, list[Seen]], versions: dict[str, str]) -> None:
    """How often a model was asked, as a table; a second number is with `retry-after`."""
    print(f"\n| client | {' | '.join(f'{status} | {status} told' for status in STATUSES)} |")
    print("|---" * (1 + 2 * len(STATUSES)) + "|")
    for name, found in by_client.items():
        counts = {seen.way: seen.count for seen in found}
        cells = [
            " / ".join(dict.fromkeys(counts[Way(status, told, after)] for after in ("", "2")))
            for status in STATUSES
            for told in (False, True)
        ]
        print(f"| {name} {versions[name]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
