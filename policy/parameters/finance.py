"""How charges are told to finance, compared with vendors' bills, and booked in the company's accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, OneOf, Share
from policy.units import NanoUSD  # noqa: TC001 - the types of fields are read at run time
from policy.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorKey:
    """A vendor's API key, by the vendor's id of it, and the gateway that calls with it."""

    vendor: Annotated[str, OneOf(VENDORS)]
    key: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRules:
    """What is too small to tell of, what takes two people, and which days are asked for anew each night."""

    tolerance_share: Share
    tolerance_usd: NanoUSD
    second_person_above_usd: NanoUSD
    resync_days: Annotated[int, Between(1, 31)]
    keys: tuple[VendorKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRules:
    """The company's accounts, as its accounting system calls them."""

    expense: str
    liability: str
    pool: str
    consumed: str
    company: str
    buffer: str
    held_back: str


def key_contradictions(rules: ReconciliationRules) -> Iterator[str]:
    """Keys that two gateways are said to call with."""
    named: dict[tuple[str, str], str] = {}
    for one in rules.keys:
        if named.setdefault((one.vendor, one.key), one.source) != one.source:
            yield f"reconciliation.keys.key = {one.key!r}: listed for two sources; one gateway calls with a key"
