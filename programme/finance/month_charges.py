"""Everything that a month's file has: charges of the ledger, those of vendors' bills, and differences with bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.finance import bill_charges, differences
from programme.finance.charges import Ledger
from programme.finance.months import LATEST
from store.finance import charges as store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.finance.charges import Charge
    from programme.finance.months import Months


def of(told: Months) -> Iterator[Charge]:
    """A month's charges, in one order whenever it is asked for."""
    ledger = Ledger(told)
    yield from ledger.charges()
    yield from bill_charges.of(told, ledger)
    yield from differences.of(told, ledger)


def stands_later(told: Months) -> bool:
    """Whether use of the month was posted once it was settled: that is in the files of later months."""
    month = told.month
    posted = (told.settled_at(month), LATEST)
    return any(True for _ in store.late(told.moment.session, month.bounds(told.moment.zone), posted))
