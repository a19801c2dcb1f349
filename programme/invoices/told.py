"""What files tell of bills, added up, and what that changes about what stands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from policy import bills as policy
from policy.bills import Sum
from policy.reasons import Refusal
from policy.units import NanoUSD
from store.invoices import bills as store
from store.invoices.bills import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from policy.bills import BillName, Place
    from programme.moment import Moment
    from store.invoices.bills import Bill, File

NOTHING = Sum(0, 0)
STAYS, TAKEN, CONTINUED, SUPERSEDED, WAITS = "unchanged", "taken", "continued", "superseded", "waits"
"""What becomes of a bill: nothing is new, the file is what stands from now on, an import that was interrupted goes on,
a file that was issued later stands already, or what it changes waits for a second person."""
MISSING_PERCENT = 25
"""From here on what a later file leaves out looks like a part of a bill."""


@dataclass(frozen=True, slots=True)
class Told:
    """What files say together: the places of each bill, with their digest and how many rows they had."""

    digest: str
    name: str
    bills: Mapping[BillName, Mapping[Place, Sum]]
    rows: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a file makes of a bill: lines that are new, that come to something else, and that are there no more."""

    name: BillName
    becomes: str
    told: Mapping[Place, Sum]
    stood: Bill | None = None
    added: tuple[Line, ...] = ()
    changed: tuple[Line, ...] = ()
    gone: tuple[Line, ...] = ()
    before: Mapping[bytes, Line] = field(default_factory=dict)

    @property
    def whole(self) -> Sum:
        """All rows, whatever becomes of them."""
        return total(self.told.values())

    @property
    def fresh_rows(self) -> int:
        """Rows of lines that are new or come to something else."""
        if self.becomes == WAITS:
            return 0
        return sum(one.cost.rows for one in (*self.added, *self.changed))

    @property
    def moved(self) -> NanoUSD:
        """What it puts right of lines that somebody bears, up and down."""
        differs = 0
        for one in (*self.added, *self.changed, *self.gone):
            if one.place.bears not in policy.NOT_POSTED:
                before = self.before.get(one.key)
                differs += abs(one.cost.nano_usd - (before.cost.nano_usd if before else 0))
        return NanoUSD(differs)


def total(costs: Iterable[Sum]) -> Sum:
    rows = atto = 0
    for cost in costs:
        rows, atto = rows + cost.rows, atto + cost.atto_usd
    return Sum(rows, atto)


def by_fate(lines: Iterable[tuple[Place, Sum]]) -> dict[str, Sum]:
    """What a bill comes to by whose it is: what tags name, each key of the handbook, and what is not posted."""
    found: defaultdict[str, Sum] = defaultdict(lambda: NOTHING)
    for place, cost in lines:
        found[place.bears] = found[place.bears].plus(cost)
    return dict(found)


def changes(moment: Moment, told: Told, issued_at: datetime | None) -> list[Change]:
    """What files change about each of their bills."""
    file = store.file_of(moment.session, told.digest)
    return [_change(moment, name, places, told, file, issued_at) for name, places in sorted(told.bills.items())]


def _change(  # noqa: PLR0917 - private, called once
    moment: Moment,
    name: BillName,
    places: Mapping[Place, Sum],
    told: Told,
    file: File | None,
    issued_at: datetime | None,
) -> Change:
    stood = store.find(moment.session, name)
    if stood is None:
        return Change(name, TAKEN, places, added=tuple(Line(place.key, place, cost) for place, cost in places.items()))
    if stood.file.digest != told.digest:
        # A file that was here before is not a new one, unless somebody says when it was issued.
        is_old = file is not None or moment.now < stood.file.issued_at
        if is_old if issued_at is None else (issued_at, told.digest) < stood.file.rank:
            return Change(name, SUPERSEDED, places, stood)
        return _compared(name, places, stood, store.lines(moment.session, stood.id))
    # The rules of the handbook may be others by now.
    again = _compared(name, places, stood, store.lines(moment.session, stood.id))
    if again.added or again.changed or again.gone:
        return again
    return replace(again, becomes=STAYS if stood.posted_at else CONTINUED)


def _compared(name: BillName, places: Mapping[Place, Sum], stood: Bill, before: Mapping[bytes, Line]) -> Change:
    now = {place.key: Line(place.key, place, cost) for place, cost in places.items()}
    # A line that named somebody who was erased since keeps its key, and names nobody.
    changed = (
        one._replace(place=before[key].place)
        for key, one in now.items()
        if key in before and one.cost != before[key].cost
    )
    return Change(
        name,
        TAKEN,
        places,
        stood,
        added=tuple(one for key, one in now.items() if key not in before),
        changed=tuple(changed),
        gone=tuple(one._replace(cost=NOTHING) for key, one in before.items() if key not in now and one.cost != NOTHING),
        before=before,
    )


def require_whole(change: Change) -> None:
    """A Refusal where a file looks like a part of the bill that stands, which it would take the place of."""
    before = {one.place: one.cost for one in change.before.values() if one.cost != NOTHING}
    gone, all_of_it = policy.missing(before, change.told)
    if all_of_it and gone * 100 > all_of_it * MISSING_PERCENT:
        assert change.stood is not None  # noqa: S101 - something stands
        raise Refusal(
            "bill_shrinks",
            f"The bill of {change.name.account} for {change.name.period:%Y-%m} has {change.stood.rows:,} rows by"
            f" {change.stood.file.name}, and {gone * 100 // all_of_it} % of its cost is for services and days that this"
            f" file says nothing of.",
            next_step="Import all parts of a bill in one command. If the file is the whole bill, say --whole.",
        )
