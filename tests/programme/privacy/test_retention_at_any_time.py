"""Whatever there is, and whenever it is interrupted, retention comes to the same, and nothing that counts changes."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.period import Month
from policy.versions import Version
from programme.privacy import retention
from programme.usage import corrections, intake, quarantine
from programme.usage.quarantine import Wanted
from tests.support import books, cast, depth, retained
from tests.support.books import ADA, BEN
from tests.support.retained import OUTSIDER, SALES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment

Step = tuple[int, str, int]
"""On which day what happens to which of a few events."""
DAYS = 500
steps = st.lists(
    st.tuples(
        st.integers(0, DAYS), st.sampled_from(("report", "correct", "withdraw", "discard", "free")), st.integers(0, 5)
    ),
    min_size=1,
    max_size=14,
)


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """With people outside of the programme, and tokens to be used."""
    cast.hire(shared_app, SALES)
    cast.give(shared_app, ADA, "100", days=DAYS)
    return shared_app


def play(moment: Moment, script: list[Step]) -> None:
    """Usage of three people, under names that are known and unknown, with what happens to it later."""
    who = (ADA, BEN, OUTSIDER, "stranger", ADA, "stranger")
    for day, what, number in sorted(script):
        at = moment.at(moment.now + timedelta(days=day))
        name = f"e{number}"
        event = cast.event(
            name, at=at.now, who=who[number], meters={"output": 0 if what == "free" else 100 * (day + 1)}
        )
        if what in {"report", "free"}:
            intake.take_in(at, [event])
        elif what == "discard":
            quarantine.discard(at, Wanted(key=("gateway", name)), actor="test", why="A trial")
        else:
            version = Version("gateway", name, day + 1, event if what == "correct" else None, "It was wrong")
            corrections.take_in(at, [version], actor="test")


@contextmanager
def undone(moment: Moment) -> Iterator[None]:
    """What happens inside has not happened, as after a kill."""
    savepoint = moment.session.begin_nested()
    yield
    savepoint.rollback()


@given(steps, st.integers(0, 2 * DAYS), st.integers(1, 3), st.lists(st.booleans(), max_size=8))
@settings(max_examples=depth.examples(10))
def test_nothing_that_counts_changes(
    company: App, script: list[Step], day: int, limit: int, killed: list[bool]
) -> None:
    """Every balance, line and proof stays; killed after any batches it comes to the same; again, nothing changes."""
    with books.rolled_back(company) as moment:
        play(moment, script)
        at = moment.at(moment.now + timedelta(days=DAYS + day))
        people_ids = [cast.id_of(moment.session, who) for who in (ADA, BEN, OUTSIDER)]
        months = [Month(2026, 11).plus(number) for number in range(0, 18, 5)]
        before, found = retained.figures(at, people_ids, months), books.findings_in(at)
        with undone(at):
            while not retention.advance(at, at.now):
                pass
            expected = retained.content(at)
        kills = iter(killed)
        while True:
            if next(kills, False):
                with undone(at):
                    retention.advance(at, at.now, limit=limit)
            elif retention.advance(at, at.now, limit=limit):
                break
        assert retained.content(at) == expected
        assert retention.advance(at, at.now)
        assert all(not one.rows for one in retention.due(at, at.now))
        assert retained.content(at) == expected
        assert retained.figures(at, people_ids, months) == before
        assert books.findings_in(at) == found == {}
