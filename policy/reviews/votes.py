"""Voting on a review: until when, who is kept out of which case, how far a case may be amended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.exceptions import MAJOR, ConcernedPeople, electorate
from policy.reviews.adjustment import THOUSANDTH, bounds
from policy.reviews.persons import LOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from policy.business_time import BusinessHours
    from policy.exceptions import Electorate, Seat
    from policy.parameters.exceptions import ExceptionRules
    from policy.parameters.reviews import ChangeRules, ReviewRules

NOBODY = ConcernedPeople(requester="")
"""A package is about everyone: it recuses no one. Single cases do."""
OWN, REPORT = "own", "report"
PERCENT = re.compile(r"([+-]?)\s*(?=[.,]?[0-9])([0-9]{0,3})(?:[.,]([0-9])0*)?\s*%?")
"""Digits as they are written here, to the tenth: what else numbers can be spelled with is more likely a slip."""


@dataclass(frozen=True, slots=True)
class Times:
    """When those who have not voted are reminded, and when a review lapses."""

    remind_at: datetime
    lapse_at: datetime


def times(convened_at: datetime, rules: ReviewRules, hours: BusinessHours) -> Times:
    return Times(hours.after(convened_at, rules.remind), hours.after(convened_at, rules.lapse))


def panel_of(board: Iterable[Seat], rules: ExceptionRules) -> Electorate:
    """Who votes on a review: the whole board, with the quorum of a major exception; a Refusal where it is too small."""
    return electorate(board, NOBODY, MAJOR, rules)


def conflict(voter: str, person_id: str, managers: frozenset[str]) -> str:
    """Why someone has no say in a single case: a code, or nothing."""
    if voter == person_id:
        return OWN
    return REPORT if voter in managers else ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most that a case may be amended to, in thousandths."""

    least: int
    most: int
    may_cut: bool


def limits(deltas: Sequence[int], state: str, rules: ChangeRules, *, spared: bool = False) -> Limits:
    """How far someone's case may be amended, after the year's changes so far.

    A cut needs unused allowance, whoever proposes it: below no change only for whom the quarter found LOW, and did not
    spare because the grants are too large for many.
    """
    least, most = (int(bound / THOUSANDTH) for bound in bounds([delta * THOUSANDTH for delta in deltas], rules))
    may_cut = state == LOW and not spared
    return Limits(least if may_cut else max(least, min(most, 0)), most, may_cut)


def thousandths(text: str) -> int:
    """A change that someone typed in per cent (`-2.5`, `+4 %`); ValueError where it is none, or finer than a tenth."""
    typed = PERCENT.fullmatch(text.replace("\N{MINUS SIGN}", "-").strip())
    if typed is None:
        raise ValueError(text)
    sign, whole, tenth = typed.groups(default="0")
    return int(f"{sign}{whole}{tenth}")
