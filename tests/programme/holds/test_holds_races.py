"""However many ask at once, no more is held than there is."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from policy.units import MicroTokens
from programme.app import App
from programme.holds import ending, reserving
from programme.holds.reserving import Held
from programme.holds.usual import UsualCalls
from programme.usage import intake
from store.engine import open_database
from store.tables.holds import cap_sums
from tests.support import books, cast, depth, held
from tests.support.books import ADA, BEN
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.engine import Database

pytestmark = pytest.mark.every_database

MONTHLY = 'name = "Everyone"\nscope = "programme"\nwindow = "month"\nusd = 10\naction = "stop"'
ROOM, TIMES = 10, depth.either(quick=60, deep=200)


def asking(app: App, first: int, count: int, answers: list[bool], who: str = ADA) -> Callable[[Database], None]:
    """Work that asks for so many dollars, one after the other, on a connection of its own."""

    def work(database: Database) -> None:
        for number in range(first, first + count):
            with database.transaction() as session:
                moment = app.moment(session, NOON)
                answer = reserving.reserve(moment, held.ask(f"call_{number}", who=who), UsualCalls())
            answers.append(isinstance(answer, Held))

    return work


def test_room_for_ten_is_ten_from_many_threads(database_url: str, app: App) -> None:
    """Twelve connections ask for a dollar each, again and again, of a wallet with ten: ten are held."""
    held.stop(app)
    cast.give(app, ADA, "1000")
    answers: list[bool] = []
    each = TIMES // 12
    assert books.at_once(database_url, [asking(app, i * each, each, answers) for i in range(12)]) == []
    assert sum(answers) == ROOM
    assert held.on_wallet(app) == held.tokens("1000")
    assert books.findings(app) == {}


def ask_in_a_process(url: str, first: int, count: int) -> int:
    """How many of so many dollars a process of its own gets."""
    app = App(open_database(url), ZoneInfo("Europe/Berlin"), Clock())
    answers: list[bool] = []
    asking(app, first, count, answers)(app.database)
    app.database.close()
    return sum(answers)


@pytest.mark.deep
def test_room_for_ten_is_ten_from_two_processes(database_url: str, app: App) -> None:
    """Two replicas, two hundred calls, one wallet with room for ten: exactly ten."""
    held.stop(app)
    cast.give(app, ADA, "1000")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        got = pool.starmap(ask_in_a_process, [(database_url, 0, 100), (database_url, 100, 100)])
    assert sum(got) == ROOM
    assert books.findings(app) == {}


def test_a_cap_that_everyone_shares_is_exact_as_well(database_url: str, app: App) -> None:
    """Ada and Ben have plenty each; together the month has room for ten, also where its sum is only being made."""
    held.stop(app, MONTHLY)
    cast.give(app, ADA, "100000")
    cast.give(app, BEN, "100000")
    answers: list[bool] = []
    work = [asking(app, i * 5, 5, answers, (ADA, BEN)[i % 2]) for i in range(8)]
    assert books.at_once(database_url, work) == []
    assert sum(answers) == ROOM
    assert books.findings(app) == {}


def test_usage_that_is_posted_while_a_sum_is_made_is_in_it_once(database_url: str, app: App) -> None:
    """Gateways report while the first calls of a month ask for its cap: the sum has each event exactly once."""
    held.stop(app, MONTHLY)
    cast.give(app, ADA, "100000")

    def posting(number: int) -> Callable[[Database], None]:
        def work(database: Database) -> None:
            for i in range(3):
                event = held.settled(f"e{number}-{i}", "none", "0.0015", at=NOON, source=f"gateway-{number}")
                with database.transaction() as session:
                    intake.take_in(app.moment(session, NOON), [event])

        return work

    answers: list[bool] = []
    work = [posting(n) for n in range(8)] + [asking(app, n * 2, 2, answers) for n in range(4)]
    assert books.at_once(database_url, work) == []
    [(*_, used, _held, _likely)] = books.rows(app, cap_sums)
    assert used == 24 * 1_500_000
    assert books.findings(app) == {}


def test_settles_releases_and_lapses_that_cross_free_each_hold_once(database_url: str, app: App) -> None:
    """Whoever comes first ends a hold; the others find it over, and usage is posted in any case."""
    held.stop(app, MONTHLY)
    cast.give(app, ADA, "1000")
    cast.give(app, BEN, "1000")
    names = [f"call_{n}" for n in range(5)]
    for number, name in enumerate(names):
        held.reserve(app, name, who=(ADA, BEN)[number % 2])
    later = NOON + timedelta(minutes=20)

    def settling(database: Database) -> None:
        events = [held.settled(f"e{n}", name, "0.75", at=NOON, who=(ADA, BEN)[n % 2]) for n, name in enumerate(names)]
        with database.transaction() as session:
            intake.take_in(app.moment(session, later), events[::-1])

    def lapsing(database: Database) -> None:
        with database.transaction() as session:
            ending.lapse(app.moment(session, later))

    def asking_more(database: Database) -> None:
        for number in range(4):
            with database.transaction() as session:
                moment = app.moment(session, later)
                reserving.reserve(moment, held.ask(f"more_{number}", "0.1", who=(ADA, BEN)[number % 2]), UsualCalls())

    assert books.at_once(database_url, [settling, lapsing, asking_more, settling]) == []
    assert {held.one(app, name).status for name in names} == {"settled"}
    assert held.on_wallet(app, ADA) + held.on_wallet(app, BEN) == MicroTokens(40_000_000)
    assert books.wallet(app, ADA) == held.tokens("775")
    assert books.findings(app) == {}
