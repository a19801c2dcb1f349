"""How charges are told to finance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from policy.declared import Between, OneOf

COST_CENTRE, PERSON = "cost_centre", "person"


@dataclass(frozen=True, slots=True)
class FinanceRules:
    """How charges are told to finance.

    `rows` says whether a row of the export is of a cost centre or of a person under their id. A month's figures are
    final `settle_days` days after its last: what is posted later is an adjustment in the month in which it is posted.
    """

    rows: Annotated[str, OneOf((COST_CENTRE, PERSON))]
    billing_account: str
    settle_days: Annotated[int, Between(0, 25)]
