"""What a job used and the bot has not heard yet, in a file of its own: it survives the job and the machine."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateways.jobs.bot import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateways.jobs.bot import Bot

ALREADY_SETTLED, UNKNOWN_HOLD = "already_settled", "unknown_hold"
WITHOUT_A_HOLD = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One CloudEvent of usage; `hold_id` is what it is taken from, empty where nothing was held."""

    hold_id: str
    final: bool
    event: Mapping[str, Any]


def folder() -> Path:
    """Where reports wait: `TOKENS_JOBS_FOLDER`, else where a user's programs keep their state."""
    if chosen := os.environ.get("TOKENS_JOBS_FOLDER"):
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "tokens-bot" / "jobs"


@dataclass(frozen=True, slots=True)
class Spool:
    """The reports of a folder, oldest first; what was sent is gone from it."""

    folder: Path

    def keep(self, report: Report) -> Path:
        """Write a report down before it is sent. It is there whole or not at all, whenever the machine stops."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{file_name(str(report.event['id']))}.json"
        beside = path.with_suffix(f".{os.getpid()}.part")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"hold_id": report.hold_id, "final": report.final, "event": report.event}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync(self.folder)
        return path

    def waiting(self) -> Iterator[tuple[Path, Report]]:
        """Reports that have not been taken yet, in the order of their time."""
        found = []
        for path in self.folder.glob("*.json"):
            # Another job of the same user may have delivered it meanwhile.
            with contextlib.suppress(FileNotFoundError):
                told = json.loads(path.read_text(encoding="utf-8"))
                found.append((str(told["event"]["time"]), path, Report(told["hold_id"], told["final"], told["event"])))
        for _, path, report in sorted(found, key=lambda one: one[:2]):
            yield path, report

    def send(self, bot: Bot) -> dict[str, Any]:
        """Deliver what waits; the last answer. Away leaves the rest for the next time.

        A report may be sent twice: its id is its own, so the bot takes it once. One that is refused holds up none of
        the others: it is put aside for somebody to look at, and Refused is raised in the end.
        """
        answer: dict[str, Any] = {}
        refusal: Refused | None = None
        for path, report in self.waiting():
            try:
                answer = deliver(bot, report)
            except Refused as error:
                refusal = error
                path.replace(path.with_suffix(".refused"))
            else:
                path.unlink(missing_ok=True)
        if refusal:
            raise refusal
        return answer


def deliver(bot: Bot, report: Report) -> dict[str, Any]:
    """Send one report: from its hold, or as plain usage where the hold is over or never was."""
    if report.hold_id == WITHOUT_A_HOLD:
        return bot.report(report.event)
    try:
        return bot.settle(report.hold_id, report.event, final=report.final)
    except Refused as refusal:
        if refusal.code not in {ALREADY_SETTLED, UNKNOWN_HOLD}:
            raise
        return bot.report(report.event)


def file_name(name: str) -> str:
    """A name without anything that a folder could take for its own."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[:200]


def _sync(path: Path) -> None:
    """A new name is only there for good once its folder is written, too."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
