"""Warnings: once per threshold and month, soon after the usage, private, and as the person wants them."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from policy.versions import Version
from policy.warnings import Choice
from programme.balance import warnings
from programme.usage import corrections, intake
from scheduler import messages, ticker
from store.tables.outbox import outbox
from store.tables.warnings import wallets_to_check, warnings_given
from tests.support import books, cast
from tests.support import requests as asking
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database


def spend(app: App, event_id: str, tokens: int, *, who: str = ADA) -> None:
    """Use as many tokens: a million output tokens cost USD 15, 1,500 tokens."""
    used = cast.event(event_id, at=app.clock(), who=who, meters={"output": tokens * 2_000 // 3})
    assert books.take_in(app, used) == ["accepted"]


def told(app: App) -> list[tuple[str, int]]:
    """(whose, which percentage) of the warnings that are owed, in their order."""
    query = sa.select(outbox.c.key).where(outbox.c.template == "warnings/warning").order_by(outbox.c.id)
    people = {cast.person_id(app, who): who for who in (ADA, BEN)}
    keys = [key.split(":") for (key,) in books.rows(app, query)]
    return [(people[person], int(percent)) for _, _, percent, person in keys]


def read(app: App) -> str:
    """The last warning, as its reader sees it."""
    query = (
        sa.select(outbox.c.view).where(outbox.c.template == "warnings/warning").order_by(outbox.c.id.desc()).limit(1)
    )
    [(view,)] = books.rows(app, query)
    composed = messages.compose("warnings/warning", view, app=app)
    assert composed is not None
    return json.dumps(composed.message.blocks, ensure_ascii=False)


def test_each_threshold_is_told_once(app: App) -> None:
    """50, 70, 85, 95 and 100 % of what can be spent in the month, as usage reaches them, and never again."""
    cast.give(app, ADA, "1000")
    for number, tokens in enumerate((480, 30, 210, 150, 90, 60, 60)):
        spend(app, f"e{number}", tokens)
        ticker.warn(app)
        ticker.warn(app)
    assert told(app) == [(ADA, 50), (ADA, 70), (ADA, 85), (ADA, 95), (ADA, 100)]
    assert books.count(app, wallets_to_check) == 0
    assert books.findings(app) == {}


def test_a_leap_is_one_warning(app: App) -> None:
    """Usage that crosses several thresholds at once is told of by the highest alone, with what is really spent."""
    cast.give(app, ADA, "1000")
    spend(app, "leap", 900)
    assert ticker.warn(app) == 1
    assert told(app) == [(ADA, 85)]
    text = read(app)
    assert "*You have used 90 % of what you can spend in November 2026*" in text
    assert "100 tokens left, worth USD 1.00. You have spent 900 tokens in November 2026." in text
    assert "fast_track_request" in text
    assert "It is too early to tell how long they will last." in text


def test_what_was_said_because_of_a_mistake_is_said_again_when_it_is_so(app: App) -> None:
    """A correction takes back a share that was never reached: the person is warned once it is, and once only."""
    cast.give(app, ADA, "1000")
    spend(app, "right", 600)
    spend(app, "wrong", 300)
    ticker.warn(app)
    assert told(app) == [(ADA, 85)]
    with app.transaction() as moment:
        corrections.take_in(moment, [Version("gateway", "wrong", 1, None, "a test call")], actor="test")
    ticker.warn(app)
    assert told(app) == [(ADA, 85)]
    spend(app, "more", 110)
    ticker.warn(app)
    assert told(app) == [(ADA, 85), (ADA, 70)]
    spend(app, "most", 150)
    ticker.warn(app)
    ticker.warn(app)
    assert told(app) == [(ADA, 85), (ADA, 70), (ADA, 85)]
    assert books.findings(app) == {}


def test_a_warning_looks_ahead_from_the_persons_own_days(app: App) -> None:
    """After some weeks it says until when the rest lasts, by working days like those that were."""
    cast.give(app, ADA, "5000")
    app.clock.move(days=-28)  # type: ignore[attr-defined]  # the tests' clock
    for number in range(28):
        if app.clock().weekday() < 5:
            spend(app, f"day{number}", 100)
        app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    with app.database.transaction() as session:
        session.execute(sa.delete(wallets_to_check))
    spend(app, "now", 2_750)
    ticker.warn(app)
    # 250 are left: the third working day takes the last of them, which is a Wednesday.
    assert "they last until about 25 Nov 2026." in read(app)


def test_more_tokens_and_a_new_month_begin_anew(app: App) -> None:
    """600 of 1,000 are told; with 1,000 more it is 30 %, and half is told when it is reached again."""
    cast.give(app, ADA, "1000")
    spend(app, "a", 600)
    ticker.warn(app)
    cast.give(app, ADA, "1000")
    ticker.warn(app)
    assert told(app) == [(ADA, 50)]
    spend(app, "b", 450)
    ticker.warn(app)
    ticker.warn(app)
    assert told(app) == [(ADA, 50), (ADA, 50)]
    app.clock.move(days=15)  # type: ignore[attr-defined]  # the tests' clock
    spend(app, "c", 500)
    ticker.warn(app)
    assert told(app) == [(ADA, 50), (ADA, 50), (ADA, 50)]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_exception_after_the_last_warning_is_warned_of_anew(sqlite_app: App, *, at_once: bool) -> None:
    """Who had used everything and is granted more is told again, also where the new tokens go in one batch."""
    app = asking.convene(sqlite_app)
    spend(app, "all", 93_720, who=BEN)
    ticker.warn(app)
    assert told(app)[-1] == (BEN, 100)
    before = len(told(app))
    asking.vote(app, asking.IRIS, asking.ask(app, BEN, "50000"))
    for number in range(1 if at_once else 10):
        spend(app, f"more{number}", 50_000 if at_once else 5_000, who=BEN)
        ticker.warn(app)
    assert [percent for _, percent in told(app)[before:]] == ([100] if at_once else [70, 85, 95, 100])


def test_after_all_was_used_new_tokens_are_warned_of_too(app: App) -> None:
    """All of 1,000 used, 1,000 more given and used before anyone looked: told twice that nothing is left."""
    cast.give(app, ADA, "1000")
    spend(app, "a", 1_002)
    ticker.warn(app)
    cast.give(app, ADA, "1000")
    spend(app, "b", 1_002)
    ticker.warn(app)
    assert told(app) == [(ADA, 100), (ADA, 100)]
    assert books.findings(app) == {}


def test_a_gift_that_leaves_the_share_above_says_nothing_twice(app: App) -> None:
    """950 of 1,000 are 95 %; with 100 more they are 86 %, and only 95 % is told again."""
    cast.give(app, ADA, "1000")
    spend(app, "a", 951)
    ticker.warn(app)
    cast.give(app, ADA, "100")
    spend(app, "b", 30)
    ticker.warn(app)
    assert told(app) == [(ADA, 95)]
    spend(app, "c", 66)
    ticker.warn(app)
    assert told(app) == [(ADA, 95), (ADA, 95)]


def test_by_a_handbook_of_before_each_is_told_once_a_month(app: App) -> None:
    """Without `again` more tokens begin nothing anew."""
    text = books.handbook_text("2026.before", app.clock().date()).replace('again = "below"\n', "")
    books.apply_text(app, text)
    cast.give(app, ADA, "1000")
    spend(app, "a", 1_002)
    ticker.warn(app)
    cast.give(app, ADA, "1000")
    spend(app, "b", 1_002)
    ticker.warn(app)
    assert told(app) == [(ADA, 100)]


def test_debt_is_told_as_debt(app: App) -> None:
    """Anyone who spent more than they had reads how much, and that their next grant settles it."""
    cast.give(app, ADA, "100")
    spend(app, "a", 150)
    ticker.warn(app)
    assert told(app) == [(ADA, 100)]
    assert "*You have used 50 tokens more than you had.*" in read(app)


def test_people_choose_what_they_are_told_and_when(app: App) -> None:
    """Only the thresholds that someone wants, held back in their quiet hours; that nothing is left always, at once."""
    cast.give(app, ADA, "1000")
    cast.give(app, BEN, "1000")
    # Noon in UTC is noon in London's winter.
    with app.transaction() as moment:
        warnings.choose(moment, cast.person_id(app, ADA), Choice(frozenset({85}), 11, 14))
    spend(app, "a", 600)
    spend(app, "b", 600, who=BEN)
    ticker.warn(app)
    assert told(app) == [(BEN, 50)]
    spend(app, "c", 300)
    ticker.warn(app)
    spend(app, "d", 150)
    ticker.warn(app)
    assert told(app) == [(BEN, 50), (ADA, 85), (ADA, 100)]
    due = sa.select(outbox.c.due_at).where(outbox.c.template == "warnings/warning").order_by(outbox.c.id)
    [_, (held,), (at_once,)] = books.rows(app, due)
    assert (held, at_once) == (app.clock() + timedelta(hours=2), app.clock())


@pytest.mark.every_database
def test_usage_that_is_being_posted_is_not_overlooked(app: App, database_url: str) -> None:
    """Batches and looks of several replicas at once: every wallet that reached a threshold is told of, once."""
    cast.give(app, ADA, "1000")
    cast.give(app, BEN, "1000")

    def post(name: str, who: str) -> object:
        def work(database: Database) -> None:
            replica = dataclasses.replace(app, database=database)
            for number in range(5):
                used = cast.event(f"{name}{number}", at=app.clock(), who=who, meters={"output": 100_000}, source=name)
                with replica.transaction(app.clock()) as moment:
                    intake.take_in(moment, [used])

        return work

    def look(database: Database) -> None:
        for _ in range(10):
            ticker.warn(dataclasses.replace(app, database=database))

    work = [post("a", ADA), post("b", BEN), look, look, post("c", ADA), look]
    assert books.at_once(database_url, work) == []  # type: ignore[arg-type]  # callables, as it takes them
    ticker.warn(app)
    # Ada spent 1,500 tokens of 1,000, Ben 750.
    reached = sa.select(warnings_given.c.percent).where(warnings_given.c.account_id == books.account_id(app, ADA))
    assert {percent for (percent,) in books.rows(app, reached)} == {50, 70, 85, 95, 100}
    reached = sa.select(warnings_given.c.percent).where(warnings_given.c.account_id == books.account_id(app, BEN))
    assert {percent for (percent,) in books.rows(app, reached)} == {50, 70}
    assert len(told(app)) == len(set(told(app)))
    assert (ADA, 100) in told(app)
    assert books.wallet(app, BEN) == MicroTokens.parse("250")


def test_the_same_usage_again_warns_of_nothing(app: App) -> None:
    """A repeated batch posts nothing, and so no one is looked at again."""
    cast.give(app, ADA, "1000")
    spend(app, "once", 600)
    ticker.warn(app)
    used = cast.event("once", at=app.clock(), who=ADA, meters={"output": 400_000})
    assert books.take_in(app, used) == ["duplicate"]
    assert ticker.warn(app) == 0
