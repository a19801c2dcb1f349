"""Handing a vote over and back: who is told, what is passed on, and that it is so when it is read."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from programme import delegating
from programme.reviews import voting
from scheduler import messages
from store.tables.outbox import outbox
from tests.support import appealed, books, cast, reviewed
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.requests import IRIS, KOFI, LENA, OMAR, TESS, ask, convene, vote

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock


@pytest.fixture
def office(app: App) -> App:
    return convene(app)


def hand_over(app: App, member: str, to: str, days: int = 7) -> None:
    with app.transaction() as moment:
        people = [asking.person(moment.session, who) for who in (member, to)]
        delegating.hand_over(moment, people[0], people[1], moment.today + timedelta(days=days))


def take_back(app: App, member: str) -> bool:
    with app.transaction() as moment:
        return delegating.take_back(moment, asking.person(moment.session, member))


def told(app: App, who: str, prefix: str = "") -> list[tuple[str, dict[str, object]]]:
    """(template, view) of what is owed to someone, in order; new faces aside."""
    o = outbox.c
    query = sa.select(o.template, o.view).where(o.person_id == cast.person_id(app, who), o.replaces.is_(None))
    rows = books.rows(app, query.order_by(o.id))
    return [(template, dict(view)) for template, view in rows if template.startswith(prefix)]


def read(app: App, who: str, template: str) -> str | None:
    """What the last message of a kind says if it goes out now; None where it stays in."""
    [*_, (_, view)] = told(app, who, template)
    composed = messages.compose(template, view, app=app)
    return None if composed is None else json.dumps(composed.message.blocks, ensure_ascii=False)


def cards(app: App, who: str) -> list[object]:
    return [view["request_id"] for _, view in told(app, who, "exceptions/card")]


def test_a_delegate_is_told_and_gets_what_is_open(office: App) -> None:
    """Who, until when, how much waits; and each card that waits for the vote, none where the member has voted."""
    waiting, voted = ask(office, BEN, "93700", key="k1"), ask(office, BEN, "93700", key="k2")
    vote(office, TESS, voted)
    hand_over(office, TESS, LENA)
    said = read(office, LENA, delegating.STANDS_IN)
    assert said is not None
    assert "in place of Tess" in said
    assert "1 request. Its card" in said
    assert cards(office, LENA) == [waiting.id]
    assert vote(office, LENA, waiting).seat == cast.person_id(office, TESS)


def test_a_letter_that_is_no_longer_so_stays_in(office: App) -> None:
    """Handed over at night and taken back before the morning: neither message says what is not so."""
    hand_over(office, TESS, LENA)
    take_back(office, TESS)
    assert read(office, LENA, delegating.STANDS_IN) is None
    assert "no longer vote" in (read(office, LENA, delegating.STOOD_IN) or "")
    hand_over(office, TESS, LENA)
    assert read(office, LENA, delegating.STOOD_IN) is None
    assert "in place of Tess" in (read(office, LENA, delegating.STANDS_IN) or "")


def test_another_delegate_ends_the_one_before(office: App) -> None:
    """Both are told, and what is open goes to the new one; handing it to the same person again ends nothing."""
    request = ask(office, BEN, "93700")
    hand_over(office, TESS, LENA)
    hand_over(office, TESS, LENA, days=9)
    assert told(office, LENA, delegating.STOOD_IN) == []
    hand_over(office, TESS, KOFI)
    assert "no longer vote" in (read(office, LENA, delegating.STOOD_IN) or "")
    assert cards(office, LENA) == [request.id]
    assert cards(office, KOFI) == [request.id]


def test_a_member_without_a_channel_gets_the_open_ones_back(office: App) -> None:
    """What came while somebody stood in goes to the member, in private where there is no channel to read it in."""
    alone = dataclasses.replace(office, governance_channel=None)
    hand_over(alone, TESS, LENA)
    request = ask(alone, BEN, "93700")
    assert (cards(alone, LENA), cards(alone, TESS)) == ([request.id], [])
    assert take_back(alone, TESS)
    assert cards(alone, TESS) == [request.id]
    assert take_back(alone, TESS) is False


def test_nothing_is_owed_where_it_is_refused(office: App) -> None:
    """A vote that can't be handed over leaves no message behind."""
    ask(office, BEN, "93700")
    with pytest.raises(Refusal):
        hand_over(office, TESS, OMAR)
    assert told(office, OMAR, "board/") == []


def test_the_review_is_passed_on(sqlite_app: App, clock: Clock) -> None:
    """The pack goes to whoever votes now, with its pictures, and is in the letter."""
    appealed.settle(sqlite_app, clock)
    clock.now = appealed.FRIDAY
    app = dataclasses.replace(sqlite_app, governance_channel=asking.BOARD_CHANNEL)
    with app.transaction() as moment:
        assert voting.convene(moment, reviewed.Q4)
    hand_over(app, TESS, LENA)
    assert "Waiting for that vote now: the review of 2026-Q4. Its card" in (read(app, LENA, delegating.STANDS_IN) or "")
    assert [template for template, _ in told(app, LENA, "reviews/")] == [
        "reviews/pack",
        "reviews/money",
        "reviews/use",
        "reviews/page",
    ]
    assert read(app, LENA, "reviews/pack") is not None
    take_back(app, TESS)
    assert read(app, LENA, "reviews/pack") is None
    assert told(app, IRIS, "board/") == []
