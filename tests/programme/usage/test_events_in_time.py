"""Usage is taken in when it can have happened: not before its time, and only while the person is employed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from programme import clocks
from programme.usage import intake
from store.handbook import reference
from store.people import directory
from store.tables.usage import quarantine, usage_events
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.cast import GPT
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

LIMIT = clocks.FARTHEST_AHEAD
SECOND = timedelta(seconds=1)


def waiting(app: App) -> dict[str, tuple[str, str]]:
    columns = (quarantine.c.event_id, quarantine.c.reason, quarantine.c.detail)
    held = sa.select(*columns).where(quarantine.c.released_at.is_(None))
    return {event_id: (reason, detail) for event_id, reason, detail in books.rows(app, held)}


# --- Ahead of the clock -----------------------------------------------------------------------------------------------


def test_a_gateways_clock_may_be_a_little_ahead(sqlite_app: App) -> None:
    """An event fifteen minutes ahead is taken in; one a second later is rejected and nothing of it is kept."""
    events = [
        cast.event("at", at=NOON + LIMIT),
        cast.event("beyond", at=NOON + LIMIT + SECOND),
        cast.event("now", at=NOON),
    ]
    with sqlite_app.transaction(NOON) as moment:
        outcomes = intake.take_in(moment, events, time_field="endTime")
    assert [(one.event_id, one.status) for one in outcomes] == [
        ("at", "accepted"),
        ("beyond", "rejected"),
        ("now", "accepted"),
    ]
    assert outcomes[1].detail == (
        "endTime: expected at most 15 minutes ahead of the bot's clock, which says 2026-11-20T12:00:00Z,"
        " got 2026-11-20T12:15:01Z"
    )
    assert books.count(sqlite_app, usage_events) == 2


def test_an_event_whose_time_has_come_is_taken_in(sqlite_app: App) -> None:
    """A gateway that sends it again later is not told of a conflict."""
    early = cast.event("1", at=NOON + timedelta(hours=1))
    with sqlite_app.transaction(NOON) as moment:
        assert [one.status for one in intake.take_in(moment, [early])] == ["rejected"]
    assert books.take_in(sqlite_app, early) == ["accepted"]


# --- Before hiring, after leaving -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (datetime(2025, 5, 31, 21, 59, 59, tzinfo=UTC), "quarantined"),
        (datetime(2025, 5, 31, 22, tzinfo=UTC), "accepted"),
        (datetime(2026, 11, 19, 22, 59, 59, tzinfo=UTC), "accepted"),
        (datetime(2026, 11, 19, 23, tzinfo=UTC), "quarantined"),
    ],
)
def test_the_first_and_the_last_day_count(sqlite_app: App, at: datetime, status: str) -> None:
    """Ben was hired on 1 June and left on 19 November, days of the programme's calendar: Berlin's."""
    cast.hire(sqlite_app, "email,left_on\nben@example.com,2026-11-19\n")
    assert books.take_in(sqlite_app, cast.event("1", at=at, who=BEN)) == [status]


def test_use_outside_of_employment_debits_no_one(app: App) -> None:
    """It waits with its day and the person's, beside a batch that is posted."""
    cast.hire(app, "email,left_on\nben@example.com,2026-11-10\n")
    events = [
        cast.event("early", at=NOON - timedelta(days=700), who=BEN),
        cast.event("late", at=NOON, who=BEN),
        cast.event("within", at=NOON - timedelta(days=10), who=BEN),
        cast.event("other", at=NOON, who=ADA),
    ]
    assert books.take_in(app, *events) == ["quarantined", "quarantined", "accepted", "accepted"]
    assert waiting(app) == {
        "early": ("not_employed", "used on 2024-12-20, but the person was hired on 2025-06-01"),
        "late": ("not_employed", "used on 2026-11-20, but the person left on 2026-11-10"),
    }
    assert books.findings(app) == {}


def test_the_right_dates_release_what_waits(app: App) -> None:
    """Once the person's dates are put right, the retry posts what was theirs and keeps the rest."""
    cast.hire(app, "email,left_on\nben@example.com,2026-11-10\n")
    late, later = cast.event("late", at=NOON, who=BEN), cast.event("later", at=NOON + timedelta(days=1), who=BEN)
    books.take_in(app, late, later)
    assert books.retry(app) == (0, 2)
    cast.hire(app, "email,left_on\nben@example.com,2026-11-20\n")
    assert books.retry(app) == (1, 1)
    assert set(waiting(app)) == {"later"}
    assert books.wallet(app, BEN) < 0
    assert books.findings(app) == {}


def test_only_those_are_asked_for_who_were_not_here(sqlite_app: App) -> None:
    """Of some people, those come back who missed a day between the first and the last."""
    cast.hire(sqlite_app, "email,left_on\nben@example.com,2026-11-19\n")
    ada, ben = (cast.person_id(sqlite_app, email) for email in (ADA, BEN))

    def partly_here(*days: date) -> set[str]:
        with sqlite_app.database.reading() as session:
            return set(directory.partly_here(session, {ada, ben}, days))

    assert partly_here(date(2026, 11, 1), date(2026, 11, 19)) == set()
    assert partly_here(date(2026, 11, 20), date(2026, 11, 1)) == {ben}
    assert partly_here(date(2025, 6, 1)) == set()
    assert partly_here(date(2025, 5, 31)) == {ben}
    assert partly_here(date(2021, 2, 28), date(2026, 11, 20)) == {ada, ben}
    with sqlite_app.database.reading() as session:
        assert directory.partly_here(session, set(), []) == {}


# --- Names of providers -----------------------------------------------------------------------------------------------


def test_a_provider_has_one_price_under_all_its_names(sqlite_app: App) -> None:
    """The event keeps the name that it came with; service, price and own prices are those of the provider."""
    names = ("azure", "azure.ai.openai", "azure.ai.inference", "azure_ai", "azure-openai.chat")
    events = [cast.event(name, at=NOON, model=(name, GPT[1])) for name in names]
    assert set(books.take_in(sqlite_app, *events)) == {"accepted"}
    kept = books.rows(
        sqlite_app, sa.select(usage_events.c.provider, usage_events.c.cost_nano_usd, usage_events.c.price_id)
    )
    assert {provider for provider, _, _ in kept} == set(names)
    assert len({(cost, price_id) for _, cost, price_id in kept}) == 1
    with sqlite_app.database.reading() as session:
        spent = reference.spend_by_meter(session, NOON, NOON + SECOND)
    assert {provider for provider, *_ in spent} == {"azure"}
    assert books.findings(sqlite_app) == {}


def test_a_handbook_may_list_a_provider_as_its_gateway_spells_it(sqlite_app: App) -> None:
    """A service or a price for that very name goes before those of the provider that it stands for."""
    more = """
[[services]]
key = "foundry"
name = "Foundry"
kind = "model_api"
providers = ["azure.ai.inference"]
approved_from = 2026-01-01

[[prices]]
provider = "azure.ai.inference"
model = "gpt-5"
per = "million"
usd = { input_uncached = 1, cache_read = 1, output = 1 }
from = 2026-01-01
"""
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 1, 1), more=more)
    own = cast.event("own", at=NOON, model=("azure.ai.inference", "gpt-5"))
    assert books.take_in(sqlite_app, own) == ["accepted"]
    assert books.account(sqlite_app, "service:foundry") > 0
    assert books.rows(sqlite_app, sa.select(usage_events.c.cost_nano_usd)) == [(1_500_000,)]
