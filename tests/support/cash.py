"""A company with a cash cap, and short ways to use it up and to let the board decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.cash import cards, questions
from programme.cash.questions import Choice
from scheduler import tick
from store.tables.holds import cash_questions
from store.tables.outbox import outbox
from tests.support import books, held
from tests.support import requests as asking

if TYPE_CHECKING:
    from programme.app import App
    from programme.cash.questions import VoteReceipt
    from views.cash import CashCard

LAST_OF_HOLDS = "cash_percent = [70, 85, 95]\n"
STOPS = 'name = "Cash"\nscope = "programme"\nwindow = "month"\nusd = 15\naction = "stop"\n'
ONLY_GPUS = f'{STOPS}services = ["gpu-cluster"]\n'
GPUS = ("gpu-cluster", "H100")


def company(app: App, cap: str = STOPS, *, channel: str | None = asking.BOARD_CHANNEL) -> App:
    """A launched programme with a board, where everyone together may spend USD 15 in a month; nothing is owed yet."""
    office = asking.convene(app, channel=channel, changes={LAST_OF_HOLDS: f"{LAST_OF_HOLDS}\n[[caps]]\n{cap}"})
    with office.database.transaction() as session:
        session.execute(sa.delete(outbox))
    return office


def spend(app: App, usd: str, id_: str) -> None:
    """Use so much of the month's cash, in calls of Ada's."""
    books.take_in(app, held.settled(id_, f"none-{id_}", usd, at=app.clock()))


def look(app: App) -> list[str]:
    """What the calendar does about cash now."""
    ticked = tick.tick(app, now=app.clock())
    assert ticked.failed == (), ticked.failed
    return [run.job.removeprefix("cash.") for run in ticked.done if run.job.startswith("cash.")]


def until(app: App, instant: str) -> list[str]:
    """Go to an instant of the only question, and do what the calendar owes then."""
    at = getattr(card(app).question, instant)
    app.clock.move(seconds=(at - app.clock()).total_seconds())  # type: ignore[attr-defined]  # the tests' clock
    return look(app)


def card(app: App) -> CashCard:
    """The card of the latest question."""
    query = sa.select(cash_questions.c.id).order_by(cash_questions.c.asked_at.desc()).limit(1)
    [(id_,)] = books.rows(app, query)
    with app.reading() as moment:
        return cards.of(moment, id_)


def vote(app: App, who: str, choice: str, usd: str | None = None, *, on: str | None = None) -> VoteReceipt:
    limit = None if usd is None else NanoUSD.parse(usd)
    with app.transaction() as moment:
        person = asking.person(moment.session, who)
        return questions.vote(moment, person, on or card(app).question.id, Choice(choice, limit))


def refused(app: App, who: str, choice: str, usd: str | None = None) -> str:
    """The code with which a vote is refused."""
    try:
        vote(app, who, choice, usd)
    except Refusal as refusal:
        return refusal.code
    raise AssertionError("the vote counted")


def owed(app: App, template: str) -> list[str | None]:
    """To whom messages of a kind are owed that are no new faces: people, or None for the channel."""
    query = sa.select(outbox.c.person_id).where(outbox.c.template == template, outbox.c.replaces.is_(None))
    return [person_id for (person_id,) in books.rows(app, query.order_by(outbox.c.id))]
