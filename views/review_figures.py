"""A review's figures, as its board sees them and as they are kept with it.

(Types of what is kept are imported at run time: msgspec reads the annotations.)
"""

# ruff: noqa: TC001, TC003 - the types of fields are needed at run time

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from policy.reviews.proposal import ChangeCounts, Resize
from policy.units import MicroTokens, NanoUSD


@dataclass(frozen=True, slots=True)
class BackTest:
    """How a quarter's cases came out by the thresholds that held, and how by others; how many differ.

    `proposed_by` names who proposed those, as long as no one has confirmed them.
    """

    now: ChangeCounts
    then: ChangeCounts
    differ: int
    proposed_by: str = ""


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The quarter's requests of a class: how many in each state, how long decisions took, what came of those granted.

    Without a single decision there is no median.
    """

    class_name: str
    made: int
    states: dict[str, int]
    outcomes: dict[str, int]
    median_minutes: int | None


@dataclass(frozen=True, slots=True)
class Money:
    """The quarter in USD: entitled, issued as grants, what usage cost; the reserve now, beside the worst case."""

    entitled: NanoUSD
    issued: NanoUSD
    consumed: NanoUSD
    funded: NanoUSD
    worst_case: NanoUSD
    buffer_held: NanoUSD


@dataclass(frozen=True, slots=True)
class LargestProvider:
    """The provider with the largest share of the basket, and by how much the index changed on its account alone."""

    provider: str
    share: Decimal
    change: Decimal


@dataclass(frozen=True, slots=True)
class Value:
    """What a token is worth in the month that is sized, and what is proposed, None where nothing is: `note` says why.

    `divergence` is |L/F − 1| of the proposal, None while there is no spend to weigh by; `largest` is None where the
    handbook caps providers.
    """

    version: str
    per_token: NanoUSD
    index: Decimal
    buffer_permille: int
    proposed: NanoUSD | None
    proposed_index: Decimal | None
    proposed_buffer_permille: int | None
    divergence: Decimal | None
    note: str
    largest: LargestProvider | None = None


@dataclass(frozen=True, slots=True)
class Billed:
    """What vendors charged for the quarter beside what we posted, and how many differences nobody has settled."""

    charged: NanoUSD
    posted: NanoUSD
    open: int


@dataclass(frozen=True, slots=True)
class QuarterFigures:
    """The quarter as it was known at the draft. `bounds` counts its monthly grants that a cap or a floor held.

    `resize` is there where the grants were too large for many.
    """

    money: Money
    value: Value
    bounds: dict[str, int]
    exceptions: tuple[Exceptions, ...]
    quarantined_events: int
    unknown_outcomes: int
    resize: Resize | None = None
    billed: Billed | None = None
    """None where no vendor was compared."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of enough people: the mean change in per cent, and which share of them is raised and cut."""

    name: str
    people: int
    mean_percent: Decimal
    raised_permille: int
    cut_permille: int


@dataclass(frozen=True, slots=True)
class Fairness:
    """The groups of a kind that may be told; `hidden` counts the others."""

    kind: str
    groups: tuple[Group, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class LastReview:
    """What became of the review before."""

    quarter: str
    state: str
    counted: ChangeCounts
    held: int
    amended: int


@dataclass(frozen=True, slots=True)
class Appealed:
    """How many of an adopted review's cuts were appealed against, and what became of the appeals."""

    quarter: str
    cut: int
    filed: int
    upheld: int
    rejected: int
    lapsed: int
    open: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the board is shown beside the cases.

    `grants_after` is as proposed until the review is adopted, then as decided; None where so few grants change, or were
    decided otherwise than proposed, that with a change in per cent the difference would tell one.
    `utilisation` counts people in ten bins of ten points and one above, None where it is not told. `missing` counts
    people without a score by the reason, `unknown_use` those whose use is not known. `appealed` is about
    the last review that was adopted before this one.
    """

    quarter: str
    state: str
    month: str
    figures: QuarterFigures
    counted: ChangeCounts
    mean_percent: Decimal
    held: int
    amended: int
    states: dict[str, int]
    bounds: dict[str, int]
    grants_before: MicroTokens
    grants_after: MicroTokens | None
    utilisation: tuple[int | None, ...]
    missing: dict[str, int]
    unknown_use: int
    fairness: tuple[Fairness, ...]
    backtests: Mapping[str, BackTest]
    last: LastReview | None
    appealed: Appealed | None
