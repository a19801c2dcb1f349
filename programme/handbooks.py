"""Which version of the handbook holds on a day."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from policy import handbook
from policy.reasons import Refusal
from programme import public_holidays
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from policy.handbook import Handbook
    from policy.period import Quarter
    from policy.value.valuation import TokenValue
    from store.engine import Session

SYSTEM = "system"
RECENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Handbooks:
    """All versions in the order in which they take effect."""

    versions: tuple[Handbook, ...]

    def on(self, day: date) -> Handbook:
        """The version in force on a day; before the first one, the first."""
        index = bisect_right([h.effective_from for h in self.versions], day)
        return self.versions[max(index - 1, 0)]

    def named(self, version: str) -> Handbook:
        """A version that is known to have been applied."""
        return next(one for one in self.versions if one.version == version)


@lru_cache(maxsize=64)
def parsed(body: str) -> Handbook:
    """The handbook of a text that was applied: parsed once."""
    return public_holidays.known_to(handbook.parse(body))


@lru_cache(maxsize=64)
def in_force(body: str, paused: tuple[date, ...]) -> Handbook:
    """The same with the months in which the roll-out stood still at a gate."""
    book = parsed(body)
    if not paused:
        return book
    both = tuple(sorted({*book.rollout.paused, *paused}))
    return replace(book, rollout=replace(book.rollout, paused=both))


def load(session: Session) -> Handbooks:
    """Every version that was applied, with the roll-out as it went; a Refusal when there is none."""
    return _of(*reference.handbook_bodies_and_pauses(session))


def load_with_value(session: Session, quarter: Quarter) -> tuple[Handbooks, TokenValue | None]:
    """The same, and the value that was adopted for a quarter."""
    bodies, paused, value = reference.rules(session, quarter)
    return _of(bodies, paused), value


def _of(bodies: Sequence[str], paused: Sequence[date]) -> Handbooks:
    if not bodies:
        raise Refusal("no_handbook", "No handbook is applied.", next_step="Run `tokens-bot migrate`.")
    still = tuple(sorted(paused))
    return Handbooks(tuple(in_force(body, still) for body in bodies))


class RecentHandbooks:
    """The handbooks as they were at most a minute ago.

    For what a message says, where one query more would cost a third of the answer; what is posted is judged by `load`.
    """

    def __init__(self) -> None:
        self._loaded: tuple[datetime, Handbooks] | None = None

    def get(self, session: Session, now: datetime) -> Handbooks:
        if self._loaded is None or not timedelta(0) <= now - self._loaded[0] < RECENT:
            self._loaded = (now, load(session))
        return self._loaded[1]
