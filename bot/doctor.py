"""`tokens-bot doctor`: is everything in place, and if not, what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot import access, wiring
from bot.checks import board, copies, running, slack
from bot.findings import MOST_NAMED, Finding, some
from policy.counting import many
from policy.parameters.retention import KINDS
from policy.reasons import Refusal
from programme.usage import months_ahead, second_opinion
from scheduler import remedies
from store import pulses, runs, schema, time_zones
from store.grants import leavers
from store.outbox import backlog, messages
from store.people import cost_centres, directory
from store.usage import events as usage_store
from store.usage import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Settings
    from programme.app import App

LATE = timedelta(hours=1)
"""A message that waits longer than that after it was due is late."""
LATELY = timedelta(days=7)
"""So long it is told that usage was refused."""


def examine(settings: Settings, app: App) -> Iterator[Finding]:
    """Everything, in the order in which it has to work."""
    ready = True
    for finding in _database(app):
        ready = ready and finding.level != "problem"
        yield finding
    yield from access.files(app)
    yield from slack.examine(settings, app)
    if ready:
        yield from copies.examine(app)
        yield from access.keys_of_gateways(app)
        yield from board.examine(settings, app)
        yield from _zones(app)
        yield from running.examine(settings, app)
        yield from _months(app)
        yield from _quarantine(app)
        yield from _answers(app)
        yield from _differences(app)
        yield from _retention(app)
        yield from _cost_centres(app)
        yield from _calendar(app)
        yield from _outbox(app)


def _database(app: App) -> Iterator[Finding]:
    try:
        wiring.require_ready(app)
    except Refusal as refusal:
        yield Finding("problem", refusal.text, refusal.next_step)
    except sa.exc.OperationalError as error:
        yield Finding("problem", f"The database does not answer: {error.orig}", "Check TOKENS_DATABASE_URL.")
    else:
        yield Finding("good", f"The database ({app.database.dialect}) is at revision {schema.head_revision()}.")
        yield Finding("good", f"Days, months and quarters are those of {app.zone.key}, for ever.")


def _zones(app: App) -> Iterator[Finding]:
    """People whose zone the packaged `tzdata` has no longer: their hours are the programme's until it is corrected."""
    with app.database.reading() as session:
        lost = {name: some for name, some in directory.by_zone(session).items() if time_zones.known(name) is None}
    for name, emails in sorted(lost.items()):
        what = f"There is no time zone {name!r}; {some(emails)} are treated as in {app.zone.key}."
        yield Finding("warning", what, "Correct their time_zone with `tokens-bot people import`.", tuple(emails))


def _months(app: App) -> Iterator[Finding]:
    """Whether the months ahead have room, where each is kept by itself; where none is, nothing is said."""
    if app.database.dialect == "sqlite":
        return
    with app.reading() as moment:
        lacking = [f"{month // 100}-{month % 100:02}" for month in months_ahead.missing(moment)]
    if lacking:
        what = f"There is no room yet for events of {' and '.join(lacking)}; the first batch of such a month makes it."
        yield Finding("warning", what, "The calendar makes it ahead: is a `tick` running?")
    else:
        yield Finding("good", f"Events of this month and the next {months_ahead.AHEAD} have room.")


def _quarantine(app: App) -> Iterator[Finding]:
    with app.database.reading() as session:
        held = usage_store.count_held(session)
    if held:
        total = ", ".join(f"{count:,} {reason}" for reason, count in sorted(held.items()))
        yield Finding("warning", f"Usage is waiting in quarantine: {total}.", "See `tokens-bot quarantine list`.")
    else:
        yield Finding("good", "No usage is waiting in quarantine.")


def _answers(app: App) -> Iterator[Finding]:
    """What gateways were told and may not have read."""
    with app.reading() as moment:
        lately = refusals.totals(moment.session, since=moment.today - LATELY)
        conflicts = refusals.count_conflicts(moment.session)
    ways_out = {
        "rejected": "`tokens-bot usage rejected list` names them; correct what sends them, then send them again.",
        "conflict": "`tokens-bot usage conflicts list` shows what stands and what was offered.",
    }
    for status, remedy in ways_out.items():
        if named := [f"{one.events:,} of {one.source} ({one.reason})" for one in lately if one.status == status]:
            more = f", and {many(len(named) - MOST_NAMED, 'more reason')}" if len(named) > MOST_NAMED else ""
            told = f"{', '.join(named[:MOST_NAMED])}{more}"
            yield Finding("warning", f"Answered with {status} in the last {LATELY.days} days: {told}.", remedy)
    if not lately:
        ever = f"; {many(conflicts, 'conflict is', 'conflicts are')} on record" if conflicts else ""
        yield Finding("good", f"No usage was refused in the last {LATELY.days} days{ever}.")


def _differences(app: App) -> Iterator[Finding]:
    with app.reading() as moment:
        apart = second_opinion.count(moment)
    if apart:
        what = f"Gateways reckon with another price for {many(apart, 'event')}."
        yield Finding("warning", what, "See `tokens-bot usage differences`.")
    else:
        yield Finding("good", "Gateways reckon with the same prices as we do, as far as they name any.")


def _retention(app: App) -> Iterator[Finding]:
    """Whether anything that is held about people ever goes by itself."""
    with app.reading() as moment:
        rules = moment.handbook.retention
    kept = [kind for kind in KINDS if not rules.days(kind)]
    if len(kept) == len(KINDS):
        what = "The handbook has no [retention]: names and texts of people are kept for ever."
        yield Finding("warning", what, "docs/operators/privacy.md says what goes when; propose a handbook with it.")
    else:
        ever = f"; kept for ever: {', '.join(kept)}" if kept else ""
        yield Finding("good", f"What names people goes after its time by the handbook's [retention]{ever}.")


def _cost_centres(app: App) -> Iterator[Finding]:
    """Whether anyone is told what each cost centre bears that somebody owned; where all are well, nothing is said."""
    with app.reading() as moment:
        gone = leavers.left_before(moment.session, moment.today)
        left = [key for key, one in cost_centres.all_of(moment.session).items() if one.owner_id in gone]
    if left:
        what = f"The owners of cost centres have left, so no one is told what they bear: {some(left)}."
        yield Finding("warning", what, "Name others with `tokens-bot cost-centres import`, column owner_email.")


def _calendar(app: App) -> Iterator[Finding]:
    with app.database.reading() as session:
        failed = runs.failures(session)
    for failure in failed:
        what = f"{failure.job} of {failure.period} failed {many(failure.attempts, 'time')}: {failure.reason}"
        yield Finding("problem", what, "Fix the cause; the next tick tries again.")
    if not failed:
        yield Finding("good", "All scheduled runs are done.")


def _outbox(app: App) -> Iterator[Finding]:
    with app.database.reading() as session:
        parked = messages.parked_by_problem(session)
        late = messages.overdue(session, app.clock() - LATE)
        bare = messages.count_bare(session, since=app.clock() - LATELY)
    for problem, count in sorted(parked.items()):
        yield Finding("problem", f"{_messages(count, 'is', 'are')} parked: {problem}.", remedies.remedy(problem))
    for problem, count in sorted(late.items()):
        said = f": {problem}" if problem else ""
        remedy = remedies.remedy(problem) if problem else "Is the bot running? `tokens-bot deliver` sends them now."
        what = f"{_messages(count, 'has', 'have')} waited for more than an hour{said}."
        yield Finding("warning", what, remedy)
    if bare:
        what = f"In the last week {_messages(bare, 'went', 'went')} out without a picture."
        yield Finding("warning", what, remedies.remedy(messages.WITHOUT_PICTURE))
    if not parked and not late:
        yield Finding("good", "Every message that was due is delivered.")


def _messages(count: int, one: str, several: str) -> str:
    return f"1 message {one}" if count == 1 else f"{count:,} messages {several}"


def measure(app: App) -> dict[str, object]:
    """What a monitoring system keeps: counts and instants, no name and no amount; nothing of a database that is away.

    Ages are seconds; `well_at` and `ailing_at` are when a process last told the one or the other of its part.
    """
    try:
        with app.database.reading() as session:
            owed, now = backlog.read(session, app.clock()), app.clock()
            return {
                "at": now,
                "parts": {part: pulse._asdict() for part, pulse in sorted(pulses.latest(session).items())},
                "processes": [process._asdict() for process in pulses.running(session, now)],
                "outbox": {
                    **owed._asdict(),
                    "oldest_due_seconds": (now - owed.oldest_due_at).total_seconds() if owed.oldest_due_at else 0,
                    "parked_by_problem": messages.parked_by_problem(session),
                },
                "failed_runs": len(runs.failures(session)),
                "quarantine": usage_store.count_held(session),
            }
    except sa.exc.DBAPIError:
        return {}
