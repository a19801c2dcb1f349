"""A vendor's report is taken in: lines that changed are replaced, and what was said before stays on record."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from policy.reasons import Refusal
from policy.units import NanoUSD
from policy.vendors import Line, Place
from store import audit, locks
from store.vendors import lines as store
from store.vendors.lines import Standing, Sync, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from programme.moment import Moment

MOST_TOLD = 50
"""So many changed lines are named; all of them are kept."""


class Changed(NamedTuple):
    """A line as it stood, and as it stands now; None where it was not there."""

    before: Line | None
    after: Line | None

    @property
    def place(self) -> Place:
        line = self.after or self.before
        assert line is not None  # noqa: S101 - one of them is there
        return line.place


class Taken(NamedTuple):
    """What a sync did, and the first of the lines that an earlier one had said otherwise."""

    sync: Sync
    told: tuple[Changed, ...]


def require_days(moment: Moment, first: date, last: date) -> None:
    """A Refusal of days that no vendor can have a report of."""
    if last < first:
        raise Refusal("days_reversed", f"{last} is before {first}.", next_step="Name the earlier day first.")
    if last > moment.now.date():
        raise Refusal(
            "days_ahead", f"{last} is not over anywhere.", next_step=f"Name days up to {moment.now.date()} (UTC)."
        )


def take(moment: Moment, window: Window, report: Iterable[Line], *, actor: str) -> Taken:
    """Make a report what stands of its days.

    Lines of one place are added up: a vendor may page in the midst of them. What the vendor says no more has gone.
    """
    locks.hold_sources(moment.session, "usage", [f"vendor:{window.vendor}"])
    said = merged(report)
    before = {one.line.place: one for one in store.standing(moment.session, window)}
    changes = _changes(before, said)
    added = sum(one.before is None for one in changes)
    gone = sum(one.after is None for one in changes)
    sync = Sync(*window, moment.now, actor, len(said), added, len(changes) - added - gone, gone)
    sync_id = store.note_sync(moment.session, sync)
    store.end(moment.session, sync_id, [before[one.place].id for one in changes if one.before])
    store.add(moment.session, sync_id, window.vendor, [one.after for one in changes if one.after])
    if actor != audit.POLICY:
        days = {"first_day": str(window.first), "last_day": str(window.last)}
        audit.note(moment.session, actor, "vendors.sync", window.vendor, at=moment.now, after=days)
    return Taken(sync, tuple(one for one in changes if one.before)[:MOST_TOLD])


def merged(report: Iterable[Line]) -> dict[Place, Line]:
    """One line for each place."""
    found: defaultdict[Place, list[Line]] = defaultdict(list)
    for line in report:
        found[line.place].append(line)
    return {place: some[0] if len(some) == 1 else _sum(some) for place, some in found.items()}


def _sum(some: Sequence[Line]) -> Line:
    meters: dict[str, int] = {}
    for line in some:
        for meter, count in line.meters.items():
            meters[meter] = meters.get(meter, 0) + count
    calls = [line.calls for line in some if line.calls is not None]
    amounts = [int(line.amount) for line in some if line.amount is not None]
    usd = NanoUSD(sum(amounts)) if amounts else None
    return Line(some[0].place, meters, sum(calls) if calls else None, usd)  # type: ignore[arg-type]  # meters' names


def _changes(before: dict[Place, Standing], said: dict[Place, Line]) -> list[Changed]:
    changed = [
        Changed(known.line if known else None, line)
        for place, line in sorted(said.items())
        for known in [before.get(place)]
        if known is None or known.line != line
    ]
    return changed + [Changed(known.line, None) for place, known in sorted(before.items()) if place not in said]
