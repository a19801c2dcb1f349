"""Short ways to hold and settle in tests, in a company where an empty wallet stops calls."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.estimates import Asked
from policy.metering import HoldRef, Remarks
from policy.units import MicroTokens, NanoUSD
from programme.holds import ending, reserving
from programme.holds.pricing import Ask
from programme.holds.usual import UsualCalls
from store.holds.records import Hold
from store.tables.holds import holds
from store.tables.ledger import accounts
from store.tables.people import people
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.cast import SONNET

if TYPE_CHECKING:
    from policy.metering import UsageEvent
    from programme.app import App
    from programme.holds.reserving import Held
    from views.holds import Denial

STOPPING = ("stops_from_phase = 2", "stops_from_phase = 0")
"""There is no launch in the cast's company."""
NO_OVERDRAFT = ("overdraft_least_usd = 5", "overdraft_least_usd = 0.000000001")


def stop(app: App, *caps: str, overdraft: bool = False, version: str = "2026.2") -> None:
    """From this year on an empty wallet stops calls, at once unless with an `overdraft`; `caps` are more of them."""
    books.apply_text(app, stopping_text(*caps, overdraft=overdraft, version=version))


def stopping_text(*caps: str, overdraft: bool = False, version: str = "2026.2") -> str:
    """The handbook that says so."""
    text = books.handbook_text(version, date(2026, 1, 2), more="".join(f"\n[[caps]]\n{cap}\n" for cap in caps))
    for old, new in (STOPPING,) if overdraft else (STOPPING, NO_OVERDRAFT):
        assert old in text
        text = text.replace(old, new)
    return text


def ask(
    id_: str,
    usd: str | None = "1",
    *,
    who: str = ADA,
    kind: str = "call",
    model: tuple[str, str] = SONNET,
    project: str = "",
    asked: Asked | None = None,
    lasts: timedelta | None = None,
    source: str = "gateway",
    waits: bool = False,
) -> Ask:
    """What a gateway asks; by default a call of Ada's that may cost USD 1."""
    wanted = asked or Asked({}, usd=NanoUSD.parse(usd or "1"))
    digest = hashlib.sha256(repr((wanted, who, kind, model, project)).encode()).digest()
    return Ask(source, id_, kind, (("email", who),), *model, "", project, wanted, lasts, digest, waits)


def reserve(app: App, *args: object, usual: UsualCalls | None = None, **named: Any) -> Held | Denial:  # noqa: ANN401 - as `ask` has them
    """Ask in a transaction of its own."""
    with app.transaction() as moment:
        return reserving.reserve(moment, ask(*args, **named), usual or UsualCalls())  # type: ignore[arg-type]  # as `ask` has them


def settled(
    id_: str, hold: str, usd: str = "0.0054", *, final: bool = True, source: str = "gateway", **more: object
) -> UsageEvent:
    """A usage event of a hold that cost so many USD: output at USD 15 per million."""
    output = int(NanoUSD.parse(usd)) // 15_000
    meters = {"output": output} if output else {}
    event = cast.event(id_, meters=meters, source=source, **more)  # type: ignore[arg-type]  # as it has them
    return event._replace(remarks=Remarks(hold=HoldRef(source, hold, final)))


def one(app: App, id_: str, source: str = "gateway") -> Hold:
    [row] = books.rows(
        app, sa.select(*(holds.c[name] for name in Hold._fields)).where(holds.c.id == id_, holds.c.source == source)
    )
    return Hold(*row)


def on_wallet(app: App, email: str = ADA) -> MicroTokens:
    """What is held of someone's wallet."""
    query = sa.select(accounts.c.held).join(people, people.c.id == accounts.c.person_id).where(people.c.email == email)
    [(held,)] = books.rows(app, query)
    return MicroTokens(held)


def release(app: App, id_: str) -> Hold:
    with app.transaction() as moment:
        return ending.release(moment, ("gateway", id_))


def lapse(app: App) -> int:
    with app.transaction() as moment:
        return ending.lapse(moment)


def extend(app: App, id_: str, usd: str | None = None, *, lasts: timedelta | None = None) -> Held | Denial:
    asked = Asked({}, usd=NanoUSD.parse(usd)) if usd else None
    with app.transaction() as moment:
        return ending.extend(moment, ("gateway", id_), lasts, asked, UsualCalls())


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)
