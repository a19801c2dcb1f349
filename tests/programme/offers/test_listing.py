"""Listings from the policy in force, real figures where enough people stand behind them, and who hears of changes."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from policy import handbook
from policy.reasons import Refusal
from policy.value.currencies import Money
from programme.handbook import applying
from programme.offers import listing
from programme.people import terms
from store.offers import listings as store
from store.tables.outbox import outbox
from tests.support import books, cast
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from tests.support.clock import Clock

CHANNEL = "C0RECRUIT"
RUTH = (
    "email,name,level,role_family,time_zone,hired_on,roles\nruth@example.com,Ruth,mid,people,UTC,2024-01-01,recruiter\n"
)


def change(app: App, old: str, new: str, *, version: str = "2026.2", day: date = date(2026, 11, 1)) -> None:
    """Another version of the handbook, from a day on."""
    text = handbook.packaged().replace('version = "2026.1"', f'version = "{version}"')
    text = text.replace("effective_from = 2026-01-01", f"effective_from = {day}").replace(old, new, 1)
    with app.transaction() as moment:
        applying.apply(moment, text, actor="test")


def owed(app: App) -> Iterator[dict[str, Any]]:
    with app.database.reading() as session:
        query = sa.select(outbox).where(outbox.c.template == listing.OUTDATED).order_by(outbox.c.id)
        yield from [dict(row) for row in session.execute(query).mappings()]


def hand_out(app: App, level: str = "senior", band: str = "", language: str = "en") -> None:
    with app.transaction() as moment:
        listing.hand_out(moment, listing.of(moment, level=level, band=band), language, actor="cli:ruth")


def tell(app: App) -> int:
    with app.transaction() as moment:
        return listing.tell_outdated(moment)


@pytest.fixture
def office(sqlite_app: App) -> App:
    return dataclasses.replace(sqlite_app, recruiters_channel=CHANNEL)


def test_it_follows_the_policy_in_force(sqlite_app: App) -> None:
    """Share, months and company are those of the handbook of today."""
    with sqlite_app.reading() as moment:
        facts = listing.of(moment, level="senior")
    assert (facts.share, facts.lot_months, facts.company) == (Decimal("0.25"), 3, "our company")
    change(sqlite_app, "share_of_compensation = 0.25", "share_of_compensation = 0.2")
    with sqlite_app.reading() as moment:
        assert (listing.of(moment).share, listing.of(moment).handbook) == (Decimal("0.2"), "2026.2")


@pytest.mark.parametrize(("level", "band", "code"), [("guru", "", "level"), ("", "P9", "band")])
def test_what_there_is_not_is_refused(sqlite_app: App, level: str, band: str, code: str) -> None:
    """By its name."""
    with sqlite_app.reading() as moment, pytest.raises(Refusal) as refused:
        listing.of(moment, level=level, band=band)
    assert refused.value.code == code


@pytest.mark.parametrize(("people", "days"), [(20, 320), (19, None)])
def test_days_of_use_stand_on_twenty_people(sqlite_app: App, clock: Clock, people: int, days: int | None) -> None:
    """Last quarter's median: of USD 10.80 on a day of use; a band's midpoint of 192,000 makes 320 such days a month.

    Fewer people, and nothing is told of their use.
    """
    rows = "".join(f"p{i}@example.com,P{i},mid,engineering,UTC,2024-01-01\n" for i in range(people))
    cast.hire(sqlite_app, f"email,name,level,role_family,time_zone,hired_on\n{rows}")
    meters: Any = {"output": 720_000}
    clock.now = NOON.replace(month=9, day=15)
    for i in range(people):
        cast.give(sqlite_app, f"p{i}@example.com", "10000")
        books.take_in(sqlite_app, cast.event(f"{i}", at=clock.now, who=f"p{i}@example.com", meters=meters))
    clock.now = NOON
    with sqlite_app.transaction() as moment:
        terms.set_band(moment, "P3", Money("USD", 192_000 * 10**9), holds_from=date(2026, 1, 1), actor="test")
        used = store.used_a_day(moment.session, date(2026, 7, 1), date(2026, 10, 1))
        assert used == [1_080_000_000] * people
        found = listing.of(moment, band="P3").days
    # 48,000 a year at cost, issued with a buffer of 14.1 %, a twelfth of it: 350,568 tokens of 1,080 a day.
    assert found == days


def test_a_change_of_policy_is_told_once(office: App) -> None:
    """The recruiters' channel reads which listings are out of date, once; a new text is up to date again."""
    hand_out(office)
    hand_out(office, "staff", language="de")
    assert tell(office) == 0
    change(office, "share_of_compensation = 0.25", "share_of_compensation = 0.2")
    assert tell(office) == 2
    assert tell(office) == 0
    [row] = owed(office)
    assert (row["channel"], row["person_id"]) == (CHANNEL, None)
    assert row["view"] == {"handbook": "2026.2", "posts": [["senior", "", "en"], ["staff", "", "de"]]}
    hand_out(office)
    lower = "share_of_compensation = 0.22"
    change(office, "share_of_compensation = 0.25", lower, version="2026.3", day=date(2026, 11, 5))
    assert tell(office) == 2
    assert len(list(owed(office))) == 2


def test_a_change_of_something_else_outdates_nothing(office: App) -> None:
    """What a listing does not speak of changes no listing."""
    hand_out(office)
    change(office, "revert_days = 30", "revert_days = 20")
    assert tell(office) == 0
    assert list(owed(office)) == []


def test_without_a_channel_each_recruiter_is_told(sqlite_app: App) -> None:
    """In private; while there is none, it waits for the first one."""
    hand_out(sqlite_app)
    change(sqlite_app, "months = 3\ncarry_over", "months = 2\ncarry_over")
    assert tell(sqlite_app) == 0
    cast.hire(sqlite_app, RUTH)
    assert tell(sqlite_app) == 1
    assert [row["person_id"] for row in owed(sqlite_app)] == [cast.person_id(sqlite_app, "ruth@example.com")]
    assert json.dumps("2026.2") in json.dumps([row["view"] for row in owed(sqlite_app)])
