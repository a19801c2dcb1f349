"""How bills stand: what of each became usage, who bears the rest, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from policy.metering import BILLED
from programme.invoices import posting, told
from store.invoices import bills as store
from store.invoices import shares, waiting_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.bills import BillName, Sum
    from policy.period import Month
    from programme.moment import Moment
    from store.invoices.bills import Bill


class Waiting(NamedTuple):
    """What of a bill is in quarantine: its lines, the rows that they stand for, and nano-USD."""

    lines: int
    rows: int
    nano_usd: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A bill with what it comes to by whose it is, and by service."""

    bill: Bill
    by_fate: Mapping[str, Sum]
    by_service: Mapping[tuple[str, str], Sum]
    waiting: Waiting
    borne: Mapping[str, int]
    """How many accounts bear what is shared, by key."""


def waiting(moment: Moment, name: BillName) -> Waiting:
    """What of a bill's usage waits in quarantine."""
    held = waiting_lines.held(moment.session, posting.source_of(name), posting.id_begins(name))
    bill = store.find(moment.session, name)
    rows = store.rows_of(moment.session, bill.id, [posting.key_in(one.event_id) for one in held]) if bill else 0
    return Waiting(len(held), rows, sum(one.meters.get(BILLED, 0) for one in held))


def bills_of(moment: Moment, month: Month | None = None) -> list[Bill]:
    """Every bill, or those of a month."""
    return store.all_of(moment.session, period=(month.first_day, month.next().first_day) if month else None)


def show(moment: Moment, bill: Bill) -> Shown:
    """A bill as it stands."""
    lines = [one for one in store.lines(moment.session, bill.id).values() if one.cost.rows]
    by_service: dict[tuple[str, str], Sum] = {}
    for one in lines:
        key = (one.place.bears, one.place.service)
        by_service[key] = told.total([by_service.get(key, told.NOTHING), one.cost])
    borne: dict[str, set[int]] = {}
    for bearing, standing in shares.standing(moment.session, bill.id).items():
        if any(standing.share):
            borne.setdefault(bearing.bears, set()).add(bearing.account_id)
    fates = told.by_fate((one.place, one.cost) for one in lines)
    counts = {bears: len(accounts) for bears, accounts in borne.items()}
    return Shown(bill, fates, by_service, waiting(moment, bill.name), counts)
