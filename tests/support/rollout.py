"""A company in the roll-out: pay bands, a launched handbook, and short ways to let its calendar run."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import handbook
from policy.units import MicroTokens, NanoUSD
from programme import handbooks, notify
from programme.handbook import applying
from programme.people import terms
from scheduler.tick import tick
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.tables.grants import grants
from store.tables.ledger import lots
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from programme.app import App
    from scheduler.tick import Ticked

MIDPOINTS = {"P1": 90_000, "P2": 110_000, "P3": 140_000, "P4": 180_000, "P5": 220_000}
NONE: Mapping[str, str] = {}
UNANNOUNCED: Mapping[str, str] = {"announced_from = 20\n": "", "notice_share = 0.25\n": ""}
"""The rules of before: what is over the limit lapses on the first, and all who lose something are notified."""
TO_EVERYONE: Mapping[str, str] = {"notice_share = 0.25\n": ""}
LAUNCH = date(2026, 1, 1)
"""Ten months before the tests' usual day: everyone's wave has come."""


def launch(
    app: App,
    *,
    on: date = LAUNCH,
    version: str = "2026.launch",
    changes: Mapping[str, str] = NONE,
    without_midpoints: bool = False,
) -> None:
    """Set midpoints and apply a handbook with a launch date, from the launch on; `changes` are old text -> new text."""
    text = handbook.packaged().replace('version = "2026.1"', f'version = "{version}"')
    text = text.replace("# launched_on = 2027-01-01", f"launched_on = {on}")
    # Small companies have small bands.
    text = text.replace("people_per_band = 5", "people_per_band = 1")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    if not without_midpoints:
        set_midpoints(app, date(2020, 1, 1))
    with app.transaction() as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)


def set_midpoints(app: App, holds_from: date) -> None:
    with app.transaction() as moment:
        for band, usd in MIDPOINTS.items():
            terms.set_band(moment, band, NanoUSD.parse(str(usd)), holds_from=holds_from, actor="test")


def run_calendar(app: App, now: datetime, announce_in: str | None = None) -> Ticked:
    """A tick that must succeed."""
    ticked = tick(app, now=now, announce_in=announce_in)
    assert ticked.failed == ()
    return ticked


def granted(app: App, month: str) -> dict[str, MicroTokens]:
    """What each person was granted for a month, by e-mail."""
    query = sa.select(people.c.email, grants.c.amount).join(people, people.c.id == grants.c.person_id)
    return {email: MicroTokens(amount) for email, amount in books.rows(app, query.where(grants.c.month == month))}


def factors(app: App, email: str, month: str) -> dict[str, Any]:
    query = sa.select(grants.c.factors).join(people, people.c.id == grants.c.person_id)
    [(found,)] = books.rows(app, query.where(grants.c.month == month, people.c.email == email))
    return dict(found)


def owed(app: App, template: str) -> dict[str, dict[str, Any]]:
    """The views of the messages of a kind that are owed, by key."""
    query = sa.select(outbox.c.key, outbox.c.view).where(outbox.c.template == template)
    return dict(books.rows(app, query))


def greet(app: App, *emails: str) -> None:
    """Let some people be as if they had joined long ago: their next grant brings a statement, not a greeting."""
    now = app.clock()
    with app.transaction(now) as moment:
        ids = moment.session.execute(sa.select(people.c.id).where(people.c.email.in_(emails))).scalars()
        letters = [NewMessage(notify.greeting_key(id_), "grants/greeting", "{}", id_, None, now) for id_ in ids]
        messages.owe(moment.session, letters, now=now)
        moment.session.execute(sa.update(outbox).where(outbox.c.template == "grants/greeting").values(state="sent"))


def open_lots(app: App, email: str) -> list[tuple[str, MicroTokens, datetime]]:
    """(reason, remaining, end) of someone's open lots, soonest end first."""
    query = sa.select(lots.c.reason, lots.c.remaining, lots.c.expires_at).where(lots.c.remaining > 0)
    query = query.where(lots.c.account_id == books.account_id(app, email)).order_by(lots.c.expires_at)
    return [(reason, MicroTokens(left), end) for reason, left, end in books.rows(app, query)]
