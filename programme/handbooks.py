"""Which version of the handbook holds on a day, and applying a new one."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from policy import handbook
from policy.reasons import Refusal
from store import audit, locks
from store.handbook import reference
from store.locks import Lock

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.handbook import Handbook
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
def _parsed(body: str) -> Handbook:
    return handbook.parse(body)


def load(session: Session) -> Handbooks:
    """Every version that was applied; a Refusal when there is none."""
    bodies = reference.handbook_bodies(session)
    if not bodies:
        raise Refusal("no_handbook", "No handbook is applied.", next_step="Run `tokens-bot migrate`.")
    return Handbooks(tuple(_parsed(body) for body in bodies))


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


def apply(session: Session, body: str, *, actor: str, now: datetime, alone: str = "") -> Handbook:
    """Add a version; applying the same text again changes nothing.

    Refused as `checked` refuses. The company's handbook is changed by programme/handbook/proposals; `alone` says why one person
    was enough where a person applies it by themselves.
    """
    locks.hold(session, Lock.HANDBOOKS)
    new = checked(session, body)
    if reference.handbook_body(session, new.version) == body:
        return new
    known = reference.handbook_bodies(session)
    reference.add_handbook(
        session, version=new.version, effective_from=new.effective_from, body=body, applied_by=actor, now=now
    )
    reference.upsert_services(session, new.services)
    after = {"version": new.version, "effective_from": new.effective_from.isoformat()}
    audit.note(
        session,
        actor,
        "handbook.apply",
        new.version,
        at=now,
        before={"version": _parsed(known[-1]).version} if known else None,
        after=after | ({"alone": alone} if alone else {}),
        handbook_version=new.version,
    )
    return new


def checked(session: Session, body: str) -> Handbook:
    """The handbook of a text that could be applied, or is.

    Refused: a text that is not a valid handbook, a version number whose text was another, and a date that lies
    before the version in force.
    """
    try:
        new = handbook.parse(body)
    except handbook.HandbookError as error:
        raise Refusal("handbook_invalid", f"The handbook has mistakes:\n{error}", next_step="Correct them.") from error
    if reference.handbook_body(session, new.version) != body:
        _require_next(new, [_parsed(text) for text in reference.handbook_bodies(session)])
    return new


def _require_next(new: Handbook, known: list[Handbook]) -> None:
    if new.version in {old.version for old in known}:
        raise Refusal(
            "handbook_version_taken",
            f"Version {new.version!r} was already applied with a different text.",
            next_step="Give the changed handbook a new `version`.",
        )
    if known and new.effective_from < known[-1].effective_from:
        raise Refusal(
            "handbook_backdated",
            f"effective_from = {new.effective_from} is before that of version {known[-1].version!r}.",
            next_step="Choose a later date, because what was decided under a version stays decided.",
        )


def ensure_first(session: Session, *, now: datetime) -> None:
    """Apply the packaged handbook to a ledger that has none."""
    if not reference.handbook_bodies(session):
        apply(session, handbook.packaged(), actor=SYSTEM, now=now)
