"""The letters about monthly grants: written from what their rows keep and from what holds when they go out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from policy.period import first_instant
from policy.units import MicroTokens
from policy.value.valuation import worth
from programme.balance import balance
from programme.grants import announcements, greetings
from scheduler.composers.drawing import drawn
from store.people import directory as people_store
from templates import charts, render
from views import codec
from views.grants import Digest, LapseNotice, Revocation, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from programme.app import App
    from programme.grants.greetings import Greeting
    from programme.moment import Moment
    from templates.charts import Picture
    from templates.render import Message

MOST_SERVICES = 4
"""More names would make the greeting a list."""


class Left(NamedTuple):
    """What is left of a lot, and when that ends."""

    amount: MicroTokens
    ends_at: datetime


def compose_statement(app: App, view: object) -> Message:
    """A person's grant of a month, and what they have by now; its arithmetic is behind a button."""
    kept = codec.read(Statement, view)
    with app.reading() as moment:
        zone, left = _left(moment, kept)
        taken_at = None if kept.taken_on is None else first_instant(kept.taken_on, moment.zone)
    return statement(kept, left, zone, taken_at=taken_at, now=moment.now)


def _left(moment: Moment, kept: Statement) -> tuple[ZoneInfo, list[Left]]:
    person = people_store.by_id(moment.session, kept.person_id) if kept.person_id else None
    card = balance.of_email(moment, person.email) if person else None
    if card is None:  # Owed by a release that did not say whose it is.
        ends = [Left(one.amount, first_instant(one.ends_on, moment.zone)) for one in kept.endings]
        return moment.zone, [one for one in ends if one.ends_at > moment.now]
    return card.zone, [Left(lot.remaining, lot.expires_at) for lot in card.lots]


def statement(
    kept: Statement, left: Sequence[Left], zone: ZoneInfo, *, taken_at: datetime | None, now: datetime
) -> Message:
    """The words of a statement; `left` is what there is to spend, and what lapses is taken at an instant."""
    return render.message(
        "grants/statement",
        statement=kept,
        left=sorted(left, key=lambda one: one.ends_at),
        zone=zone,
        taken_at=taken_at,
        is_taken=taken_at is not None and now >= taken_at,
    )


def compose_lapse_notice(app: App, view: object) -> Message | None:
    """What a person will lose soon, as things stand now; nothing once it is past, or used by now."""
    kept = codec.read(LapseNotice, view)
    with app.reading() as moment:
        notice = announcements.as_it_stands(moment, kept)
        person = people_store.by_id(moment.session, kept.person_id) if kept.person_id else None
        zone = people_store.zone_of(person, moment.zone) if person else moment.zone
        at = first_instant(kept.on, moment.zone)
    return None if notice is None else lapse_notice(notice, at, zone, moment.now)


def compose_greeting(app: App, view: object) -> Message | None:
    """What a person has who joined, as things stand now; nothing to someone who has left."""
    named = codec.read(dict[str, str], view)
    with app.reading() as moment:
        found = greetings.as_it_stands(moment, named["person_id"])
    return None if found is None else greeting(found)


def greeting(found: Greeting) -> Message:
    """The words of a greeting."""
    card = found.card
    ends_at = min((lot.expires_at for lot in card.lots), default=None)
    ending = sum((lot.remaining for lot in card.lots if lot.expires_at == ends_at), MicroTokens(0))
    return render.message(
        "grants/greeting",
        card=card,
        ends_at=ends_at,
        ending=ending,
        services=found.services,
        most_services=MOST_SERVICES,
        contact=found.contact,
    )


def compose_revoked(app: App, view: object) -> Message:
    """What was taken back from a person, and what they have by now."""
    kept = codec.read(Revocation, view)
    with app.reading() as moment:
        person = people_store.by_id(moment.session, kept.person_id)
        card = balance.of_email(moment, person.email) if person else None
        zone = people_store.zone_of(person, moment.zone) if person else moment.zone
    return revoked(kept, card.available if card else MicroTokens(0), zone)


def revoked(kept: Revocation, available: MicroTokens, zone: ZoneInfo) -> Message:
    """The words of a revocation; `available` is what there is now."""
    return render.message("grants/revoked", revoked=kept, available=available, zone=zone)


def lapse_notice(notice: LapseNotice, at: datetime, zone: ZoneInfo, now: datetime) -> Message:
    """The words of a notice of what lapses at an instant, as its reader counts days."""
    ending = sum((one.amount for one in notice.endings), MicroTokens(0))
    return render.message(
        "grants/lapse_notice",
        notice=notice,
        lapsing=notice.over_limit + ending,
        ending=ending,
        at=at,
        zone=zone,
        day=at.astimezone(zone).date(),
        today=now.astimezone(zone).date(),
    )


def compose_digest(app: App, view: object) -> tuple[Message, Picture | None]:
    """The month for everyone; the picture only where its spend may be told."""
    kept = codec.read(Digest, view)
    with app.reading() as moment:
        today = moment.today
    picture = drawn(lambda: charts.month_of_spend(kept)) if kept.spent is not None else None
    return digest(kept, today), picture


def digest(kept: Digest, today: date) -> Message:
    """The words of a digest on a day."""
    at_value = partial(worth, per_token=kept.per_token)
    is_taken = kept.taken_on is not None and today >= kept.taken_on
    return render.message("grants/digest", digest=kept, worth=at_value, is_taken=is_taken)
