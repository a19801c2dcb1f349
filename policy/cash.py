"""The programme's cash cap: when the board is told and asked, what its votes come to, and what they make of the cap.

Docs: docs/decisions/0054.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy import exceptions
from policy.exceptions import APPROVED, Vote
from policy.parameters.holds import STOP, WARN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.exceptions import Electorate, Tally
    from policy.handbook import Handbook
    from policy.parameters.holds import CapRule
    from policy.units import NanoUSD

RAISE, HALT, LET_RUN = CHOICES = ("raise", "stop", "let_run")
"""What the board may choose once the cap is reached: another limit for the month; every call stops; none does."""
OPEN, LAPSED = "open", "lapsed"
RAISED, HALTED, RUNNING = "raised", "stopped", "running"
STATE_OF = {RAISE: RAISED, HALT: HALTED, LET_RUN: RUNNING}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the board decided about a cap for one month, while the handbook allowed `base`."""

    state: str
    base: NanoUSD
    raised_to: NanoUSD | None


def is_in(books: Iterable[Handbook]) -> bool:
    """Whether any of some handbooks has such a cap."""
    return any(is_cash(cap) for book in books for cap in book.caps)


def is_cash(cap: CapRule) -> bool:
    """Whether a cap is on what the whole programme may spend in a month."""
    return cap.scope == "programme" and cap.window == "month"


def as_ruled(cap: CapRule, ruling: Ruling | None) -> CapRule:
    """A cap as the board's decision leaves it. One that was about another amount of the handbook's is void."""
    if ruling is None or ruling.base != cap.usd:
        return cap
    if ruling.state == RUNNING:
        return replace(cap, action=WARN, services=(), slow_to="")
    if ruling.state == HALTED:
        return replace(cap, action=STOP, services=(), slow_to="")
    return cap if ruling.raised_to is None else replace(cap, usd=ruling.raised_to)


def share_reached(used: NanoUSD, limit: NanoUSD, percents: Iterable[int]) -> int | None:
    """The highest of some percentages that is used; None below all of them."""
    return max((one for one in percents if int(used) * 100 >= int(limit) * one), default=None)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a seat votes for; a raise names the new limit."""

    seat: str
    choice: str
    limit: NanoUSD | None = None


def tally(panel: Electorate, stage: int, ballots: Sequence[Ballot], choice: str) -> Tally:
    """What the votes for one choice come to, counted as those for a request are."""
    return exceptions.tally(panel, stage, [Vote(one.seat, approves=True) for one in ballots if one.choice == choice])


def decided(panel: Electorate, stage: int, ballots: Sequence[Ballot]) -> str | None:
    """The choice that has a quorum. With one vote a seat, and each of them the deciding one, no two have it."""
    return next((one for one in CHOICES if tally(panel, stage, ballots, one).outcome == APPROVED), None)


def agreed(panel: Electorate, stage: int, ballots: Iterable[Ballot]) -> NanoUSD | None:
    """The limit that all who raise it agree to: the smallest."""
    able = {seat.person_id for seat in panel.voting(stage)}
    limits = [one.limit for one in ballots if one.choice == RAISE and one.seat in able and one.limit is not None]
    return min(limits, default=None, key=int)
