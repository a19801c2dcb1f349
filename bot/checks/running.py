"""Which parts of the bot run, in how many processes, and how they do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bot.findings import Finding
from programme import vitals
from scheduler import remedies
from store import pulses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from bot.findings import Level
    from bot.settings import Settings
    from programme.app import App

PULSES = {
    vitals.BOT: "The bot has not been connected to Slack",
    vitals.COURIER: "The courier has not made a pass",
    vitals.TICK: "The calendar has not ticked",
}


INTAKE = "http"
UNHEARD: dict[str, tuple[Level, str]] = {
    INTAKE: ("warning", "Parts of the bot run, and none takes in usage and outcomes."),
    vitals.BOT: ("problem", "Parts of the bot run, and none answers people in Slack."),
}
"""Of parts that cannot fall silent as long as their process runs."""


def examine(settings: Settings, app: App) -> Iterator[Finding]:
    """How the parts do that some process runs, or ran, on this database."""
    now = app.clock()
    with app.database.reading() as session:
        known, processes = pulses.latest(session), pulses.running(session, now)
    expected = [part for part in PULSES if part != vitals.BOT or settings.socket_mode]
    if known.keys().isdisjoint(expected):
        yield Finding("good", "No part of the bot but the intake has run on this database yet.")
        return
    silent = [part for part in expected if part not in known or not _is_fresh(known[part].well_at, now)]
    for part in silent:
        yield _silent(part, known.get(part), now)
    counts = Counter(process.part for process in processes)
    for part, (level, what) in UNHEARD.items():
        if processes and not counts[part] and part not in silent:
            yield Finding(level, what, f"`tokens-bot run` runs all parts; `--only {part}` runs this one.")
    ailing = [process for process in processes if process.problem and process.part not in silent]
    yield from (_ails_beside(process, counts) for process in ailing)
    if not silent:
        well = [_in_processes(part, counts[part]) for part in (INTAKE, *PULSES) if part in expected or counts[part]]
        yield Finding("good", f"Running and well: {', '.join(well)}.")


def _in_processes(part: str, count: int) -> str:
    return f"{part} ({count} processes)" if count > 1 else part


def _ails_beside(one: pulses.Process, counts: Mapping[str, int]) -> Finding:
    """A process in which a part is not well, while others do its work."""
    where = f"in 1 of {counts[one.part]} processes, {one.process}"
    return Finding("warning", f"The part {one.part} is not well {where}: {one.problem}.", _remedy(one.problem or ""))


def _is_fresh(at: datetime | None, now: datetime) -> bool:
    """Also of an instant that is still to come: the clock was put back since."""
    return at is not None and abs(now - at) <= pulses.LATELY


def _silent(part: str, pulse: pulses.Pulse | None, now: datetime) -> Finding:
    since = f"since {pulse.well_at:%Y-%m-%d %H:%M} UTC" if pulse and pulse.well_at else "yet"
    what = f"{PULSES[part]} {since}"
    if pulse is None or not _is_fresh(pulse.ailing_at, now):
        return Finding("problem", f"{what}.", f"Is `tokens-bot run` up, with the part {part}?")
    return Finding("problem", f"{what}: {pulse.problem}.", _remedy(pulse.problem or ""))


def _remedy(problem: str) -> str:
    known = problem in remedies.REMEDIES
    return remedies.remedy(problem) if known else "The log of that process has more; /readyz says how it is now."
