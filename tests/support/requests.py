"""A board with alternates, and short ways to ask it for tokens and to let it decide."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from policy import deadlines, handbook
from policy.period import day_of
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.exceptions import asking, voting
from programme.exceptions.asking import NewRequest
from programme.exceptions.voting import Ballot
from scheduler import tick
from store.exceptions import requests as store
from store.people import directory as people_store
from store.tables.exceptions import requests
from store.tables.outbox import outbox
from tests.support import books, cast, played, rollout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from programme.app import App
    from programme.exceptions.voting import VoteReceipt
    from store.engine import Session
    from store.exceptions.requests import Request
    from store.people.directory import Person

BOOK = handbook.parse(handbook.packaged())
HOURS = deadlines.business_hours(BOOK, ZoneInfo("Europe/Berlin"))
BOARD_CHANNEL = "C0BOARD"
IRIS, OMAR, TESS = "iris@example.com", "omar@example.com", "tess@example.com"
ZOE, KOFI, LENA = "zoe@example.com", "kofi@example.com", "lena@example.com"
ALTERNATES = """\
email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,left_on,wave,roles
zoe@example.com,Zoe Martin,U0ZOE,,senior,engineering,P3,1,Europe/Paris,2022-01-01,,,alternate
kofi@example.com,Kofi Mensah,U0KOFI,,senior,engineering,P3,1,Africa/Accra,2022-01-01,,,alternate
lena@example.com,Lena Vogt,U0LENA,,senior,engineering,P3,1,Europe/Berlin,2022-01-01,,,
"""
"""Two alternates, and Lena, who is not on the board."""
ROOMY = {"pool_share = 0.01": "pool_share = 1.0"}
"""The tests' company is so small that nearly everything is more than a hundredth of its budget."""
_keys = count(1)


def convene(app: App, *, channel: str | None = BOARD_CHANNEL, changes: Mapping[str, str] = rollout.NONE) -> App:
    """A launched programme with this month's grants and a board that is complete; the app knows its channel."""

    def play() -> None:
        cast.hire(app, ALTERNATES)
        rollout.launch(app, changes=ROOMY | dict(changes))
        rollout.run_calendar(app, app.clock())

    played.once(app, f"convened {sorted(changes.items())}", play)
    return dataclasses.replace(app, governance_channel=channel)


def person(session: Session, email: str) -> Person:
    found = people_store.by_email(session, email)
    assert found is not None
    return found


def ask(
    app: App,
    who: str,
    tokens: str,
    *,
    purpose: str = "Finish the load test",
    days: int = 20,
    key: str | None = None,
    incident: str | None = None,
    beneficiaries: tuple[str, ...] = (),
    project: str | None = None,
) -> Request:
    """Ask for tokens."""
    now = app.clock()
    with app.transaction(now) as moment:
        asked = NewRequest(
            amount=MicroTokens.parse(tokens),
            purpose=purpose,
            last_day=day_of(now, app.zone) + timedelta(days=days),
            project_key=project,
            beneficiaries=frozenset(person(moment.session, one).id for one in beneficiaries),
            incident=incident,
        )
        submitted = asking.submit(moment, person(moment.session, who), asked, key=key or f"form-{next(_keys)}")
    return submitted.request


def vote(
    app: App,
    who: str,
    request: Request,
    *,
    approves: bool = True,
    tokens: str | None = None,
    last_day: date | None = None,
    reason: str = "Not now",
) -> VoteReceipt:
    amount = None if tokens is None else MicroTokens.parse(tokens)
    ballot = Ballot(approves, amount, last_day, None if approves else reason)
    with app.transaction() as moment:
        return voting.vote(moment, person(moment.session, who), request.id, ballot)


def refused(app: App, who: str, request: Request, **how: object) -> str:
    """The code with which a vote is refused."""
    try:
        vote(app, who, request, **how)  # type: ignore[arg-type]  # as `vote` takes them
    except Refusal as refusal:
        return refusal.code
    raise AssertionError("the vote counted")


def withdraw(app: App, who: str, request: Request) -> Request:
    with app.transaction() as moment:
        return asking.withdraw(moment, person(moment.session, who), request.id)


def now_of(app: App, request: Request) -> Request:
    """A request as it stands."""
    with app.database.reading() as session:
        found = store.get(session, request.id)
    assert found is not None
    return found


def let_time_pass(app: App, **by: float) -> list[str]:
    """Go forward, and do what the calendar owes; the steps of requests that were done."""
    app.clock.move(**by)  # type: ignore[attr-defined]  # the tests' clock
    ticked = tick.tick(app, now=app.clock())
    assert ticked.failed == ()
    return [run.job.removeprefix("request.") for run in ticked.done if run.job.startswith("request.")]


def until(app: App, request: Request, instant: str) -> list[str]:
    """Go to an instant of a request, such as `remind_at`, and do what the calendar owes then."""
    at = getattr(now_of(app, request), instant)
    return let_time_pass(app, seconds=(at - app.clock()).total_seconds())


def owed(app: App, request: Request) -> list[str]:
    """The keys of the messages about a request, without its id, in the order in which they were owed."""
    query = sa.select(outbox.c.key, outbox.c.view).order_by(outbox.c.id)
    return [
        key.replace(f"{request.id}:", "").replace(f":{request.id}", "")
        for key, view in books.rows(app, query)
        if view.get("request_id") == request.id
    ]


def states(app: App) -> dict[str, str]:
    return dict(books.rows(app, sa.select(requests.c.id, requests.c.state)))
