"""Warnings: once per threshold and month, soon after the usage, private, and as the person wants them."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from policy.warnings import Choice
from programme.balance import warnings
from programme.usage import intake
from scheduler import messages, ticker
from store.tables.outbox import outbox
from store.tables.warnings import wallets_to_check, warnings_given
from tests.support import books, cast
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import Desk
    from store.engine import Database


def spend(desk: Desk, event_id: str, tokens: int, *, who: str = ADA) -> None:
    """Use as many tokens: a million output tokens cost USD 15, 1,500 tokens."""
    used = cast.event(event_id, at=desk.clock(), who=who, meters={"output": tokens * 2_000 // 3})
    assert books.take_in(desk, used) == ["accepted"]


def told(desk: Desk) -> list[tuple[str, int]]:
    """(whose, which percentage) of the warnings that are owed, in their order."""
    query = sa.select(outbox.c.key).where(outbox.c.template == "warnings/warning").order_by(outbox.c.id)
    people = {cast.person_id(desk, who): who for who in (ADA, BEN)}
    keys = [key.split(":") for (key,) in books.rows(desk, query)]
    return [(people[person], int(percent)) for _, _, percent, person in keys]


def read(desk: Desk) -> str:
    """The last warning, as its reader sees it."""
    query = (
        sa.select(outbox.c.view).where(outbox.c.template == "warnings/warning").order_by(outbox.c.id.desc()).limit(1)
    )
    [(view,)] = books.rows(desk, query)
    composed = messages.compose("warnings/warning", view, desk=desk)
    assert composed is not None
    return json.dumps(composed.message.blocks, ensure_ascii=False)


def test_each_threshold_is_told_once(desk: Desk) -> None:
    """50, 70, 85, 95 and 100 % of what can be spent in the month, as usage reaches them, and never again."""
    cast.give(desk, ADA, "1000")
    for number, tokens in enumerate((480, 30, 210, 150, 90, 60, 60)):
        spend(desk, f"e{number}", tokens)
        ticker.warn(desk)
        ticker.warn(desk)
    assert told(desk) == [(ADA, 50), (ADA, 70), (ADA, 85), (ADA, 95), (ADA, 100)]
    assert books.count(desk, wallets_to_check) == 0
    assert books.findings(desk) == {}


def test_a_leap_is_one_warning(desk: Desk) -> None:
    """Usage that crosses several thresholds at once is told of by the highest alone."""
    cast.give(desk, ADA, "1000")
    spend(desk, "leap", 900)
    assert ticker.warn(desk) == 1
    assert told(desk) == [(ADA, 85)]
    text = read(desk)
    assert "*You have used 85 % of what you can spend in November 2026*" in text
    assert "100 tokens are left, worth USD 1.00. You have spent 900 this month." in text
    assert "fast_track_request" in text
    assert "It is too early to tell how long they will last." in text


def test_a_warning_looks_ahead_from_the_persons_own_days(desk: Desk) -> None:
    """After some weeks it says until when the rest lasts, by working days like those that were."""
    cast.give(desk, ADA, "5000")
    desk.clock.move(days=-28)  # type: ignore[attr-defined]  # the tests' clock
    for number in range(28):
        if desk.clock().weekday() < 5:
            spend(desk, f"day{number}", 100)
        desk.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    with desk.transaction() as session:
        session.execute(sa.delete(wallets_to_check))
    spend(desk, "now", 2_750)
    ticker.warn(desk)
    # 250 are left: the third working day takes the last of them, which is a Wednesday.
    assert "they last until about 25 Nov 2026." in read(desk)


def test_more_tokens_and_a_new_month_begin_anew(desk: Desk) -> None:
    """A lot that comes later lowers the share, which is not told twice; the next month counts for itself."""
    cast.give(desk, ADA, "1000")
    spend(desk, "a", 600)
    ticker.warn(desk)
    cast.give(desk, ADA, "1000")
    spend(desk, "b", 450)
    ticker.warn(desk)
    assert told(desk) == [(ADA, 50)]
    desk.clock.move(days=15)  # type: ignore[attr-defined]  # the tests' clock
    spend(desk, "c", 500)
    ticker.warn(desk)
    assert told(desk) == [(ADA, 50), (ADA, 50)]


def test_debt_is_told_as_debt(desk: Desk) -> None:
    """Who spent more than they had reads how much, and that their next grant settles it."""
    cast.give(desk, ADA, "100")
    spend(desk, "a", 150)
    ticker.warn(desk)
    assert told(desk) == [(ADA, 100)]
    assert "*You have used all your tokens, and 50 more*" in read(desk)


def test_people_choose_what_they_are_told_and_when(desk: Desk) -> None:
    """Only the thresholds that somebody wants, held back in their quiet hours; that nothing is left always, at once."""
    cast.give(desk, ADA, "1000")
    cast.give(desk, BEN, "1000")
    # Noon in UTC is noon in London's winter.
    with desk.transaction() as session:
        warnings.choose(session, cast.person_id(desk, ADA), Choice(frozenset({85}), 11, 14), now=desk.clock())
    spend(desk, "a", 600)
    spend(desk, "b", 600, who=BEN)
    ticker.warn(desk)
    assert told(desk) == [(BEN, 50)]
    spend(desk, "c", 300)
    ticker.warn(desk)
    spend(desk, "d", 150)
    ticker.warn(desk)
    assert told(desk) == [(BEN, 50), (ADA, 85), (ADA, 100)]
    due = sa.select(outbox.c.due_at).where(outbox.c.template == "warnings/warning").order_by(outbox.c.id)
    [_, (held,), (at_once,)] = books.rows(desk, due)
    assert (held, at_once) == (desk.clock() + timedelta(hours=2), desk.clock())


@pytest.mark.every_database
def test_usage_that_is_being_posted_is_not_overlooked(desk: Desk, database_url: str) -> None:
    """Batches and looks of several replicas at once: every wallet that reached a threshold is told of, once."""
    cast.give(desk, ADA, "1000")
    cast.give(desk, BEN, "1000")

    def post(name: str, who: str) -> object:
        def work(database: Database) -> None:
            replica = dataclasses.replace(desk, database=database)
            for number in range(5):
                used = cast.event(f"{name}{number}", at=desk.clock(), who=who, meters={"output": 100_000}, source=name)
                with replica.transaction() as session:
                    intake.take_in(session, [used], desk=replica, now=desk.clock())

        return work

    def look(database: Database) -> None:
        for _ in range(10):
            ticker.warn(dataclasses.replace(desk, database=database))

    work = [post("a", ADA), post("b", BEN), look, look, post("c", ADA), look]
    assert books.at_once(database_url, work) == []  # type: ignore[arg-type]  # callables, as it takes them
    ticker.warn(desk)
    # Ada spent 1,500 tokens of 1,000, Ben 750.
    reached = sa.select(warnings_given.c.percent).where(warnings_given.c.account_id == books.account_id(desk, ADA))
    assert {percent for (percent,) in books.rows(desk, reached)} == {50, 70, 85, 95, 100}
    reached = sa.select(warnings_given.c.percent).where(warnings_given.c.account_id == books.account_id(desk, BEN))
    assert {percent for (percent,) in books.rows(desk, reached)} == {50, 70}
    assert len(told(desk)) == len(set(told(desk)))
    assert (ADA, 100) in told(desk)
    assert books.wallet(desk, BEN) == MicroTokens.parse("250")


def test_the_same_usage_again_warns_of_nothing(desk: Desk) -> None:
    """A repeated batch posts nothing, and so nobody is looked at again."""
    cast.give(desk, ADA, "1000")
    spend(desk, "once", 600)
    ticker.warn(desk)
    used = cast.event("once", at=desk.clock(), who=ADA, meters={"output": 400_000})
    assert books.take_in(desk, used) == ["duplicate"]
    assert ticker.warn(desk) == 0
