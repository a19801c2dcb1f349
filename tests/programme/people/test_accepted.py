"""Offers of joiners: named on import, told in the greeting, known no longer than that."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.reasons import Refusal
from programme.grants import monthly
from programme.offers import making
from programme.people import directory
from scheduler.messages import compose
from store.tables.offers import joiners_offers
from store.tables.outbox import outbox
from tests.support import books, cast, rollout
from tests.support.offered import GIVEN

if TYPE_CHECKING:
    from programme.app import App
    from programme.people.directory import PeopleImport
    from views.offers import Offer

FIRST = datetime(2026, 10, 31, 23, 5, tzinfo=UTC)
HEAD = "email,name,level,role_family,pay_band,time_zone,hired_on,wave,offer_id\n"


def offer(app: App, key: str = "1") -> Offer:
    with app.transaction() as moment:
        return making.make(moment, GIVEN, actor="cli:ruth", key=key)


def line(who: str, offer_id: str) -> str:
    return f"{who}@example.com,{who},senior,engineering,P3,Europe/Berlin,2026-10-01,1,{offer_id}\n"


def hire(app: App, *lines: str) -> PeopleImport:
    with app.transaction() as moment:
        return directory.import_csv(moment, io.StringIO(HEAD + "".join(lines)), actor="test")


def links(app: App) -> int:
    return len(books.rows(app, sa.select(joiners_offers.c.person_id)))


def greeting(app: App, who: str) -> str:
    composed = compose("grants/greeting", {"person_id": cast.person_id(app, f"{who}@example.com")}, app=app)
    assert composed is not None
    return str(composed.message.blocks[0]["text"]["text"])


@pytest.mark.every_database
def test_the_greeting_says_whether_the_grant_is_what_the_offer_said(app: App) -> None:
    """To whoever accepted one, and to nobody else; once it was sent, nobody knows whose offer it was."""
    rollout.launch(app)
    made = offer(app)
    assert hire(app, line("zoe", made.id), line("yan", "")).without_offer == ()
    with app.transaction(FIRST) as moment:
        assert monthly.run(moment, Month(2026, 11)) is not None
    assert f"Your offer of {made.made_at.day} " in greeting(app, "zoe")
    assert "offer" not in greeting(app, "yan")
    with app.transaction() as moment:
        moment.session.execute(sa.update(outbox).values(sent_at=moment.now, state="sent"))
        making.forget_old(moment)
    assert links(app) == 0


def test_whose_an_offer_was_goes_with_the_offer(app: App) -> None:
    """Deleted after its days, it leaves nothing in the way; a file that still names it is imported."""
    rollout.launch(app)
    made = offer(app)
    hire(app, line("zoe", made.id))
    with app.transaction(made.made_at + timedelta(days=181)) as moment:
        assert making.forget_old(moment) == 1
    assert links(app) == 0
    assert hire(app, line("zoe", made.id)).without_offer == (f"{made.id} (zoe@example.com)",)


def test_an_offer_is_one_persons(app: App) -> None:
    """Nobody reads what somebody else was offered: twice in a file or over the years it is refused."""
    rollout.launch(app)
    made = offer(app)
    with pytest.raises(Refusal, match="each once; line 2 has it too"):
        hire(app, line("zoe", made.id), line("yan", made.id))
    hire(app, line("zoe", made.id))
    with pytest.raises(Refusal, match="is another person's already"):
        hire(app, line("yan", made.id))
    with pytest.raises(Refusal, match="offer_id = 'off_1'"):
        hire(app, line("yan", "off_1"))
