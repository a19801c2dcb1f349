"""A month, and by which rules its charges are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from policy import billing

if TYPE_CHECKING:
    from policy.parameters.finance import FinanceRules
    from policy.period import Month
    from programme.moment import Moment

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Months:
    """A month, and how it is told."""

    moment: Moment
    month: Month

    @cached_property
    def rules(self) -> FinanceRules:
        """Of the handbook that held on the month's last day."""
        last = max(self.month.days())
        return self.moment.handbooks.on(last).finance

    @property
    def least_people(self) -> int:
        return self.moment.handbooks.on(max(self.month.days())).disclosure.least_people

    @property
    def is_final(self) -> bool:
        """Whether everything that is posted about the month from now on stands in a later one."""
        return self.moment.now >= self.settled_at(self.month)

    def settled_at(self, month: Month) -> datetime:
        """By the rules of that month, whatever those of later ones say: else a posting could be in none, or in two."""
        rules = self.moment.handbooks.on(max(month.days())).finance
        return billing.settled_at(month, rules.settle_days, self.moment.zone)
