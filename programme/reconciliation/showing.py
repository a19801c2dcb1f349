"""A month beside each vendor, as it was last compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme import decisions
from programme.reconciliation.deciding import FINDING
from store.reconciliation import findings as store
from views import codec
from views.reconciliation import GONE, UNSETTLED, Found, Sums

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Month
    from programme.moment import Moment


@dataclass(frozen=True, slots=True)
class Shown:
    """How a month adds up beside a vendor, and the differences that are or were there."""

    sums: Sums
    made_at: datetime
    findings: tuple[Found, ...]

    @property
    def undecided(self) -> tuple[Found, ...]:
        return tuple(one for one in self.findings if one.state in UNSETTLED)


def of(moment: Moment, month: Month) -> list[Shown]:
    """Each vendor that the month was compared with."""
    found = store.of_month(moment.session, str(month))
    return [
        Shown(
            codec.read(Sums, content),
            made_at,
            tuple(one for one in found if one.vendor == vendor and one.state != GONE),
        )
        for vendor, (made_at, content) in store.kept(moment.session, str(month)).items()
    ]


def require(moment: Moment, finding_id: str) -> Found:
    return decisions.require_known(store.get(moment.session, finding_id), FINDING, finding_id)
