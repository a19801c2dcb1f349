"""What an event is known by: one digest everywhere, and a number that begins with its month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from store import digests
from store.reconciliation import events as going
from store.tables.usage import usage_events, usage_ids
from tests.support import books, cast
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
BEGAN = st.one_of(st.just(""), st.from_regex(r"@[0-9]{1,18}(:failure)?", fullmatch=True))


@pytest.mark.every_database
def test_databases_make_the_digest_that_we_make(app: App) -> None:
    """Where a table is joined the database makes the digest: it is ours, whatever is in a source or an id."""

    @given(st.lists(st.tuples(WORDS, st.builds(str.__add__, WORDS, BEGAN)), min_size=1, max_size=20))
    def same(keys: list[tuple[str, str]]) -> None:
        with app.database.reading() as session:
            for source, event_id in keys:
                columns = (sa.literal(source, sa.Text), sa.literal(event_id, sa.Text))
                made = session.execute(sa.select(digests.digest_of(*columns))).scalar_one()
                assert bytes(made) == digests.digest(source, event_id)

    same()


def test_digests_stay_what_they_are() -> None:
    """They are stored for ever: these were made by the first version that had them."""
    assert digests.digest("gateway", "chatcmpl-1").hex() == "0d7913e5ec2dc1a24122a65cc32e4586"
    assert digests.digest("gateway", "call@1764412345678901").hex() == "c87825e9e97140b8c04dc1c9e1da3b15"


@given(WORDS, st.integers(10**15, 10**16 - 1), st.integers(0, 999_999))
def test_reports_of_one_call_and_second_have_digests_that_begin_alike(call: str, began: int, later: int) -> None:
    """So the other half of a call is found in one stretch; ids that are not the same have digests of their own."""
    one, other = f"{call}@{began}", f"{call}@{began - began % 1_000_000 + later}"
    assert digests.digest("gateway", one)[: digests.HEAD] == digests.digest("gateway", other)[: digests.HEAD]
    assert digests.digest("gateway", one).startswith(digests.head("gateway", other))
    assert (digests.digest("gateway", one) == digests.digest("gateway", other)) == (one == other)


def test_a_source_and_an_id_are_not_mixed_up() -> None:
    """Where one ends and the other begins is part of the digest."""
    assert len({digests.digest("ab", "c"), digests.digest("a", "bc"), digests.digest("", "abc")}) == 3


@pytest.mark.every_database
def test_a_number_begins_with_the_month_in_utc(app: App) -> None:
    """In Berlin it is January already when an event is of December in UTC; numbers rise within a month."""
    late = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)
    events = [cast.event("1", at=late), cast.event("2", at=NOON), cast.event("3", at=late - timedelta(hours=4))]
    books.take_in(app, *events)
    books.take_in(app, cast.event("4", at=late))
    numbers = dict(books.rows(app, sa.select(usage_events.c.event_id, usage_events.c.id)))
    assert {id_: number // digests.A_MONTH for id_, number in numbers.items()} == {
        "1": 202601,
        "2": 202611,
        "3": 202512,
        "4": 202601,
    }
    assert numbers["4"] > numbers["1"]
    kept = {bytes(digest): event for digest, event in books.rows(app, usage_ids)}
    assert kept == {digests.digest("gateway", id_): number for id_, number in numbers.items()}
    assert books.findings(app) == {}


@pytest.mark.every_database
@pytest.mark.parametrize("begun", [0, ["", ""]])
def test_events_are_gone_through_once(app: App, begun: going.Place) -> None:
    """Two at a time, in the order of their numbers, or of their ids where it was begun before there were numbers."""
    names = [("b", "2"), ("a", "1"), ("b", "1"), ("a", "3"), ("a", "2")]
    books.take_in(app, *(cast.event(event_id, at=NOON, source=source) for source, event_id in names))
    span, seen, reached = going.Span(NOON, NOON + timedelta(hours=1)), list[tuple[str, str]](), begun
    with app.database.reading() as session:
        while some := going.after(session, reached, "", span, 2):
            seen += [one.key for one in some]
            reached = going.place(session, some[-1], reached)
    assert seen == (names if begun == 0 else sorted(names))
