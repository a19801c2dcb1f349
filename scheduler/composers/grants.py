"""The letters about monthly grants: from the view that the outbox keeps to a message, and its picture if it has one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from policy.units import MicroTokens
from policy.value.valuation import worth
from programme.grants import announcements, greetings
from scheduler.composers.drawing import drawn
from templates import charts, render
from views import codec
from views.grants import Digest, LapseNotice, Statement

if TYPE_CHECKING:
    from programme.app import App
    from programme.grants.greetings import Greeting
    from templates.charts import Picture
    from templates.render import Message

MOST_SERVICES = 4
"""More names would make the greeting a list."""


def compose_statement(view: object) -> tuple[Message, Picture | None]:
    """A person's grant of a month; its arithmetic is behind a button."""
    return render.message("grants/statement", statement=codec.read(Statement, view)), None


def compose_lapse_notice(app: App, view: object) -> Message | None:
    """What a person will lose soon, as things stand now; nothing once it is past, or used by now."""
    kept = codec.read(LapseNotice, view)
    with app.reading() as moment:
        notice = announcements.as_it_stands(moment, kept)
    return None if notice is None else lapse_notice(notice)


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


def lapse_notice(notice: LapseNotice) -> Message:
    """The words of a notice."""
    ending = sum((one.amount for one in notice.endings), MicroTokens(0))
    lapsing = notice.over_limit + ending
    return render.message("grants/lapse_notice", notice=notice, lapsing=lapsing, ending=ending)


def compose_digest(view: object) -> tuple[Message, Picture | None]:
    """The month for everyone; the picture only where its spend may be told."""
    digest = codec.read(Digest, view)
    at_value = partial(worth, per_token=digest.per_token)
    message = render.message("grants/digest", digest=digest, worth=at_value)
    spent = digest.spent is not None
    return message, drawn(lambda: charts.month_of_spend(digest)) if spent else None
