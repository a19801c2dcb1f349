"""A company in its pilot, three months before the other waves join, and short ways to decide whether they may."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.gates import deciding
from store.gates import records
from tests.support import cast, rollout, teams
from tests.support.books import ADA, BEN
from tests.support.requests import ALTERNATES, BOARD_CHANNEL, person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from programme.app import App
    from tests.support.clock import Clock
    from views.gates import Gate, GateReceipt

LAUNCH = date(2026, 9, 1)
BEGIN = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASKED = datetime(2026, 12, 17, 12, tzinfo=UTC)
"""Fifteen days before phase 2 would begin."""
JANUARY, FEBRUARY = datetime(2027, 1, 1, 12, tzinfo=UTC), datetime(2027, 2, 1, 12, tzinfo=UTC)
MARCH = datetime(2027, 3, 1, 12, tzinfo=UTC)
PILOT, LATER = ADA, BEN
"""Ada is a senior of the first wave; Ben joins with phase 2."""


def settle(app: App, clock: Clock, *, changes: Mapping[str, str] = rollout.NONE) -> App:
    """Launched in September; the calendar is at work since November."""
    clock.now = BEGIN
    cast.hire(app, ALTERNATES)
    teams.hire(app, teams.person(PILOT), teams.person(LATER).replace(",senior,", ",mid,"))
    rollout.launch(app, on=LAUNCH, changes=changes)
    rollout.run_calendar(app, clock.now)
    return dataclasses.replace(app, governance_channel=BOARD_CHANNEL)


def at(app: App, clock: Clock, now: datetime) -> None:
    """Go forward and do what the calendar owes."""
    clock.now = now
    rollout.run_calendar(app, now)


def vote(app: App, who: str, choice: str, *, gate: str = "2:2027-01", reason: str | None = "Wait") -> GateReceipt:
    with app.transaction() as moment:
        return deciding.vote(moment, person(moment.session, who), gate, choice, reason)


def refused(app: App, who: str, choice: str, **how: str | None) -> str:
    """The code with which a vote is refused."""
    try:
        vote(app, who, choice, **how)  # type: ignore[arg-type]  # as `vote` takes them
    except Refusal as refusal:
        return refusal.code
    raise AssertionError("the vote counted")


def latest(app: App, phase: int = 2) -> Gate | None:
    with app.database.reading() as session:
        return records.latest(session).get(phase)


def takes_part(app: App, month: str, who: str = LATER) -> bool:
    """Whether someone was granted tokens for a month."""
    return who in rollout.granted(app, month)
