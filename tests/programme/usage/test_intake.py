"""Usage is taken in once, priced at its own time, debited to who used it, and kept whole when that cannot be done."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from programme.people import directory
from programme.usage import intake
from store.tables.ledger import entries, postings
from store.tables.usage import prices, usage_conflicts, usage_days, usage_events
from store.tables.value import token_values
from store.usage import events as usage_store
from tests.support import books, cast
from tests.support.books import ADA, BEN, MARA
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON

if TYPE_CHECKING:
    from policy.metering import IdentityKind, Meters, UsageEvent
    from programme.app import App

ONE_EVENT = MicroTokens.parse("0.54")
"""200 × 3 + 1,000 × 0.30 + 300 × 15 USD a million = USD 0.0054, at USD 0.01 a token."""
OUTPUT: Meters = {"output": 1_000}
"""USD 0.015 of Sonnet: 1.5 tokens."""

NEWCOMER = "email,name,level,role_family,time_zone,hired_on\nnew@example.com,New,mid,engineering,UTC,2026-01-01\n"

OWN_PRICE = """
[[prices]]
provider = "anthropic"
model = "claude-sonnet-4-5"
per = "million"
usd = { output = 10 }
from = 2026-11-01
until = 2026-12-01
"""
LAMBDA = """
[[services]]
key = "lambda"
name = "Lambda"
kind = "training"
providers = ["lambda"]
approved_from = 2026-01-01

[[prices]]
provider = "lambda"
model = "*"
per = "hour"
usd = { gpu_seconds = 2 }
from = 2026-01-01
"""


def kept(app: App, *columns: sa.Column[Any]) -> list[tuple[Any, ...]]:
    return books.rows(app, sa.select(*columns).order_by(usage_events.c.event_id))


def held(app: App) -> dict[str, tuple[str, str]]:
    """Reason and detail of what is in quarantine, by event id."""
    with app.database.reading() as session:
        return {h.event.event_id: (h.reason, h.detail) for h in usage_store.held_events(session, limit=1_000)}


def know_as(app: App, email: str, value: str, *, source: str = "*", kind: IdentityKind = "user") -> None:
    with app.transaction() as moment:
        directory.map_identity(moment, source=source, kind=kind, value=value, email=email, actor="test")


def test_an_event_is_debited_to_who_used_it(app: App) -> None:
    """The wallet pays, the service receives, and the event keeps its cost, its debit and the price behind them."""
    cast.give(app, ADA, "10")
    assert books.take_in(app, cast.event("1", at=NOON, project="apollo")) == ["accepted"]
    assert books.wallet(app, ADA) == MicroTokens.parse("10") - ONE_EVENT
    assert books.account(app, "service:anthropic") == ONE_EVENT
    amounts = kept(app, usage_events.c.cost_nano_usd, usage_events.c.debit_micro_tokens, usage_events.c.project)
    assert amounts == [(5_400_000, 540_000, "apollo")]
    assert books.rows(app, sa.select(prices.c.provider, prices.c.model)) == [SONNET]
    assert books.findings(app) == {}


def test_the_same_event_again_is_a_duplicate(app: App) -> None:
    """An event that arrives again, in another batch or the same one, is said to be known and debits no one."""
    event = cast.event("1", at=NOON)
    assert books.take_in(app, event, event) == ["accepted", "duplicate"]
    assert books.take_in(app, event) == ["duplicate"]
    assert books.wallet(app, ADA) == -ONE_EVENT
    assert books.count(app, usage_conflicts) == 0


def test_the_same_id_of_another_gateway_is_another_event(sqlite_app: App) -> None:
    """Ids are unique within their source only."""
    assert books.take_in(sqlite_app, cast.event("1", at=NOON, source="eu"), cast.event("1", at=NOON, source="us")) == [
        "accepted",
        "accepted",
    ]
    assert books.wallet(sqlite_app, ADA) == MicroTokens(-2 * ONE_EVENT)


def test_other_content_under_a_known_id_is_a_conflict_and_the_first_stands(app: App) -> None:
    """What was offered is recorded once, however often it is offered; balance and event stay as they were."""
    first, other = cast.event("1", at=NOON), cast.event("1", at=NOON, meters=OUTPUT)
    assert books.take_in(app, first) == ["accepted"]
    assert books.take_in(app, other, other) == ["conflict", "conflict"]
    assert books.take_in(app, other, first) == ["conflict", "duplicate"]
    assert books.take_in(app, cast.event("1", at=NOON, who=BEN)) == ["conflict"]
    assert books.wallet(app, ADA) == -ONE_EVENT
    assert kept(app, usage_events.c.fingerprint) == [(first.fingerprint,)]
    offers = books.rows(app, sa.select(usage_conflicts.c.offered))
    assert sorted(offer["meters"].get("output", 0) for (offer,) in offers) == [300, 1_000]
    assert {offer["occurred_at"] for (offer,) in offers} == {"2026-11-20T12:00:00+00:00"}


def test_a_conflict_within_one_batch_goes_to_the_first(sqlite_app: App) -> None:
    """Two contents under one id in a batch: the one that stands first is taken in."""
    first, other = cast.event("1", at=NOON), cast.event("1", at=NOON, meters=OUTPUT)
    assert books.take_in(sqlite_app, first, other, first) == ["accepted", "conflict", "duplicate"]
    assert books.wallet(sqlite_app, ADA) == -ONE_EVENT


def test_outcomes_are_in_the_order_of_the_events(sqlite_app: App) -> None:
    """Each event is answered in its place, with its own id, and why it waits if it does."""
    books.take_in(sqlite_app, cast.event("known", at=NOON))
    events = [
        cast.event("held", at=NOON, who="stranger"),
        cast.event("known", at=NOON),
        cast.event("new", at=NOON),
        cast.event("known", at=NOON, meters=OUTPUT),
    ]
    with sqlite_app.transaction(NOON) as moment:
        outcomes = intake.take_in(moment, events)
    assert [(o.event_id, o.status) for o in outcomes] == [
        ("held", "quarantined"),
        ("known", "duplicate"),
        ("new", "accepted"),
        ("known", "conflict"),
    ]
    assert outcomes[0].detail == "no person is known for user 'stranger'"
    assert "that one stays" in outcomes[3].detail


def test_an_empty_batch_is_nothing(sqlite_app: App) -> None:
    """A gateway with nothing to report is answered with nothing."""
    assert books.take_in(sqlite_app) == []
    assert books.count(sqlite_app, entries) == 0


def test_use_that_was_free_is_counted_and_costs_nothing(sqlite_app: App) -> None:
    """A cached answer without any meter is a call of that day, and no entry in the ledger."""
    assert books.take_in(sqlite_app, cast.event("1", at=NOON, meters={})) == ["accepted"]
    amounts = kept(sqlite_app, usage_events.c.cost_nano_usd, usage_events.c.debit_micro_tokens, usage_events.c.entry_id)
    assert amounts == [(0, 0, None)]
    assert books.rows(sqlite_app, sa.select(usage_days.c.calls, usage_days.c.debit_micro_tokens)) == [(1, 0)]
    assert books.count(sqlite_app, entries) == 0
    assert books.findings(sqlite_app) == {}


def test_a_batch_makes_one_entry_for_each_wallet_service_and_day(app: App) -> None:
    """A thousand calls of a day are one line of a statement, dated by the last of them."""
    yesterday = NOON - timedelta(days=1)
    books.take_in(
        app,
        *(cast.event(f"a{i}", at=NOON - timedelta(minutes=i)) for i in range(3)),
        cast.event("b", at=yesterday),
        cast.event("c", at=NOON, model=GPT),
        cast.event("d", at=NOON, who=BEN),
    )
    lines = sa.select(entries.c.memo, entries.c.effective_at, postings.c.amount).join_from(postings, entries)
    paid = books.rows(app, lines.where(postings.c.amount < 0).order_by(entries.c.id))
    assert paid == [
        ("anthropic", NOON, -3 * ONE_EVENT),
        ("anthropic", yesterday, -ONE_EVENT),
        ("openai", NOON, -337_500),
        ("anthropic", NOON, -ONE_EVENT),
    ]


def test_what_cannot_be_attributed_or_priced_is_kept_whole(app: App) -> None:
    """It waits with its reason, debits no one, is not zero, and does not hold up the rest of its batch."""
    waiting = [
        (cast.event("a", at=NOON, who="nobody@example.com"), "unknown_person", "email 'nobody@example.com'"),
        (cast.event("b", at=NOON, who=""), "unknown_person", "it names no one"),
        (cast.event("c", at=NOON, model=("acme", "m1")), "unapproved_service", "provider 'acme'"),
        (cast.event("d", at=NOON, model=("acme", "m1"), meters={}), "unapproved_service", "provider 'acme'"),
        (cast.event("e", at=NOON, model=("openai", "gpt-99")), "unknown_model", "openai/gpt-99"),
        (cast.event("f", at=NOON, meters={"output": 1, "gpu_seconds": 5}), "unpriced_meter", "gpu_seconds"),
        (cast.event("g", at=NOON, meters={"output": 10**15}), "cost_out_of_range", "USD 15000000000"),
    ]
    assert books.take_in(app, *(event for event, _, _ in waiting), cast.event("z", at=NOON)) == ["quarantined"] * 7 + [
        "accepted"
    ]
    for event, reason, detail in waiting:
        assert held(app)[event.event_id][0] == reason
        assert detail in held(app)[event.event_id][1]
    with app.database.reading() as session:
        assert [h.event for h in usage_store.held_events(session, limit=10)] == [event for event, _, _ in waiting]
        assert usage_store.count_held(session)["unknown_person"] == 2
    assert books.wallet(app, ADA) == -ONE_EVENT
    assert kept(app, usage_events.c.cost_nano_usd, usage_events.c.account_id)[:7] == [(None, None)] * 7
    assert books.findings(app) == {}


def test_what_waits_is_known_as_well(sqlite_app: App) -> None:
    """A repeat of an event in quarantine is a duplicate; other content takes its place, and waits as well."""
    waiting = cast.event("1", at=NOON, who="new@example.com")
    assert books.take_in(sqlite_app, waiting, waiting) == ["quarantined", "duplicate"]
    assert books.take_in(sqlite_app, waiting) == ["duplicate"]
    other = cast.event("1", at=NOON, who="new@example.com", meters=OUTPUT)
    assert books.take_in(sqlite_app, other, other) == ["quarantined", "duplicate"]
    assert len(held(sqlite_app)) == 1


def test_a_retry_posts_what_a_newcomer_used_before_they_were_known(app: App) -> None:
    """When someone has been imported, their use is debited at its own time, once, and leaves quarantine."""
    used = NOON - timedelta(days=3)
    books.take_in(app, cast.event("1", at=used, who="new@example.com"), cast.event("2", at=used, who="other"))
    assert books.retry(app) == (0, 2)
    cast.hire(app, NEWCOMER)
    assert books.retry(app) == (1, 1)
    assert books.wallet(app, "new@example.com") == -ONE_EVENT
    assert set(held(app)) == {"2"}
    assert books.rows(app, sa.select(entries.c.effective_at, entries.c.posted_at)) == [(used, NOON)]
    assert books.rows(app, sa.select(usage_days.c.day)) == [(used.date(),)]
    assert books.retry(app) == (0, 1)
    assert books.wallet(app, "new@example.com") == -ONE_EVENT
    assert books.findings(app) == {}


def test_a_retry_posts_what_a_handbook_approves_in_retrospect(app: App) -> None:
    """A service and a price that a later handbook lists from an earlier day release what waited for them."""
    gpu = cast.event("1", at=NOON, model=("lambda", "h100"), meters={"gpu_seconds": 1_800})
    assert books.take_in(app, gpu) == ["quarantined"]
    books.apply_handbook(app, "2026.2", date(2026, 11, 1), more=LAMBDA)
    assert books.retry(app) == (1, 0)
    assert books.wallet(app, ADA) == MicroTokens.parse("-100")
    assert books.account(app, "service:lambda") == MicroTokens.parse("100")
    assert books.findings(app) == {}


def test_a_retry_renews_the_reason(sqlite_app: App) -> None:
    """An event that waited for a person, who is known now, waits for its price, and says so."""
    stranger = cast.event("1", at=NOON, who="new@example.com", model=("openai", "gpt-99"))
    books.take_in(sqlite_app, stranger)
    assert held(sqlite_app)["1"][0] == "unknown_person"
    cast.hire(sqlite_app, NEWCOMER)
    assert books.retry(sqlite_app) == (0, 1)
    assert held(sqlite_app)["1"] == ("unknown_model", "no price is known for openai/gpt-99")


def test_what_is_released_uses_the_price_and_the_value_of_its_own_time(app: App) -> None:
    """An event of the last quarter is released at the price and the value of then, not of today."""
    then, now = datetime(2026, 9, 10, 12, tzinfo=UTC), NOON
    books.apply_handbook(app, "2026.2", date(2026, 10, 1), usd_per_token="0.02", more=OWN_PRICE)
    waiting = [
        cast.event(name, at=at, who="new@example.com", meters=OUTPUT) for name, at in (("then", then), ("now", now))
    ]
    books.take_in(app, *waiting)
    cast.hire(app, NEWCOMER)
    assert books.retry(app) == (2, 0)
    amounts = kept(app, usage_events.c.event_id, usage_events.c.cost_nano_usd, usage_events.c.debit_micro_tokens)
    # Today 1,000 × USD 10 a million at USD 0.02 a token; then 1,000 × USD 15 a million at USD 0.01 a token.
    assert amounts == [("now", 10_000_000, 500_000), ("then", 15_000_000, 1_500_000)]
    assert books.findings(app) == {}


def test_a_late_event_uses_the_value_of_its_quarter(sqlite_app: App) -> None:
    """News of the last quarter is debited at that quarter's value, whatever a token is worth today."""
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 10, 1), usd_per_token="0.02")
    berlin = ZoneInfo("Europe/Berlin")
    last_moment = datetime(2026, 9, 30, 23, 59, 59, tzinfo=berlin).astimezone(UTC)
    books.take_in(
        sqlite_app,
        cast.event("today", at=NOON, meters=OUTPUT),
        cast.event("late", at=last_moment, meters=OUTPUT),
        cast.event("next", at=last_moment + timedelta(seconds=1), meters=OUTPUT),
    )
    debits = dict(kept(sqlite_app, usage_events.c.event_id, usage_events.c.debit_micro_tokens))
    assert debits == {"late": 1_500_000, "next": 750_000, "today": 750_000}
    versions = sa.select(entries.c.value_version, sa.func.count()).group_by(entries.c.value_version)
    assert sorted(books.rows(sqlite_app, versions)) == [("2026-Q3.1", 1), ("2026-Q4.1", 2)]


def test_a_quarters_value_is_frozen_once_it_was_used(sqlite_app: App) -> None:
    """A handbook that comes in the middle of a quarter does not change what a token is worth in it."""
    books.take_in(sqlite_app, cast.event("1", at=NOON, meters=OUTPUT))
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 10, 1), usd_per_token="0.02")
    books.take_in(sqlite_app, cast.event("2", at=NOON, meters=OUTPUT))
    assert kept(sqlite_app, usage_events.c.debit_micro_tokens) == [(1_500_000,), (1_500_000,)]
    assert books.rows(sqlite_app, sa.select(token_values.c.version)) == [("2026-Q4.1",)]


def test_tiers_of_one_model_each_have_their_own_price(app: App) -> None:
    """In one batch, on one day: standard, priority and batch calls cost 10, 20 and 5 USD a million output tokens."""
    tiers = {"1": "", "2": "priority", "3": "batch", "4": "", "5": "priority"}
    events = [cast.event(key, at=NOON, model=GPT, tier=tier, meters=OUTPUT) for key, tier in tiers.items()]
    assert books.take_in(app, *events) == ["accepted"] * 5
    assert kept(app, usage_events.c.tier, usage_events.c.cost_nano_usd) == [
        ("", 10_000_000),
        ("priority", 20_000_000),
        ("batch", 5_000_000),
        ("", 10_000_000),
        ("priority", 20_000_000),
    ]
    assert sorted(books.rows(app, sa.select(prices.c.model, prices.c.tier))) == [
        ("gpt-5", ""),
        ("gpt-5", "batch"),
        ("gpt-5", "priority"),
    ]
    assert books.rows(app, sa.select(usage_days.c.calls, usage_days.c.cost_nano_usd)) == [(5, 65_000_000)]
    assert books.findings(app) == {}


def test_a_tier_without_a_price_waits_and_is_never_billed_as_the_standard_one(app: App) -> None:
    """It is kept with its tier, also by a retry; a negotiated price, which is for every tier, lets it go."""
    event = cast.event("1", at=NOON, tier="priority", meters=OUTPUT)
    assert books.take_in(app, event) == ["quarantined"]
    reason = "no price is known for the priority tier of anthropic/claude-sonnet-4-5"
    assert held(app) == {"1": ("unknown_model", reason)}
    assert books.retry(app) == (0, 1)
    with app.database.reading() as session:
        assert [h.event for h in usage_store.held_events(session, limit=10)] == [event]
    assert books.wallet(app, ADA) == 0
    books.apply_handbook(app, "2026.2", date(2026, 1, 1), more=OWN_PRICE)
    assert books.retry(app) == (1, 0)
    assert kept(app, usage_events.c.tier, usage_events.c.cost_nano_usd) == [("priority", 10_000_000)]
    assert books.findings(app) == {}


def test_a_meter_that_a_tier_does_not_price_waits_by_its_name(sqlite_app: App) -> None:
    """Whoever reads why something waits knows which tier it is about."""
    books.take_in(sqlite_app, cast.event("1", at=NOON, model=GPT, tier="batch", meters={"gpu_seconds": 1}))
    assert held(sqlite_app) == {"1": ("unpriced_meter", "no price for gpu_seconds of the batch tier of openai/gpt-5")}


def test_the_same_call_in_another_tier_is_a_conflict(sqlite_app: App) -> None:
    """A tier is content: what was offered is recorded with it."""
    first, other = (cast.event("1", at=NOON, model=GPT, tier=tier) for tier in ("", "flex"))
    assert books.take_in(sqlite_app, first, other) == ["accepted", "conflict"]
    [(offered,)] = books.rows(sqlite_app, sa.select(usage_conflicts.c.offered))
    assert (offered["model"], offered["tier"]) == ("gpt-5", "flex")


@pytest.mark.parametrize(
    ("day", "cost"),
    [(date(2026, 10, 31), 15), (date(2026, 11, 1), 10), (date(2026, 11, 30), 10), (date(2026, 12, 1), 15)],
)
def test_the_handbooks_own_price_wins_while_it_holds(sqlite_app: App, day: date, cost: int) -> None:
    """A negotiated rate is used from its first day until the day before its end, by the programme's calendar."""
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 1, 1), more=OWN_PRICE)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    books.take_in(sqlite_app, cast.event("1", at=noon, meters=OUTPUT))
    assert kept(sqlite_app, usage_events.c.cost_nano_usd) == [(cost * 1_000_000,)]


def named(*identities: tuple[IdentityKind, str], source: str = "gateway") -> UsageEvent:
    return cast.event("1", at=NOON, source=source)._replace(identities=identities)


def payer(app: App) -> list[str]:
    return [email for email in (ADA, BEN, MARA) if books.wallet(app, email)]


def test_a_mapping_for_the_gateway_wins_over_one_for_all_and_that_over_the_record(app: App) -> None:
    """What was said of one gateway holds there, what was said of all holds elsewhere, else the record's e-mail."""
    know_as(app, BEN, ADA, kind="email")
    know_as(app, MARA, ADA, kind="email", source="eu")
    events = [named(("email", ADA), source=source) for source in ("eu", "us")]
    assert books.take_in(app, *events) == ["accepted", "accepted"]
    assert payer(app) == [BEN, MARA]
    assert books.wallet(app, BEN) == books.wallet(app, MARA) == -ONE_EVENT


def test_a_mapping_of_another_gateway_does_not_count(sqlite_app: App) -> None:
    """A user name means someone only where that was said."""
    know_as(sqlite_app, BEN, "u17", source="eu")
    assert books.take_in(sqlite_app, named(("user", "u17"), source="us")) == ["quarantined"]


def test_a_mapping_can_be_changed_and_counts_from_then_on(sqlite_app: App) -> None:
    """The same name may become someone else's: later events are theirs, earlier ones stay."""
    know_as(sqlite_app, ADA, "u17")
    books.take_in(sqlite_app, named(("user", "u17"))._replace(event_id="a"))
    know_as(sqlite_app, BEN, "u17")
    books.take_in(sqlite_app, named(("user", "u17"))._replace(event_id="b"))
    assert payer(sqlite_app) == [ADA, BEN]


@pytest.mark.parametrize(
    ("identities", "who"),
    [
        ((("email", "Ada@Example.COM"),), [ADA]),
        ((("user", "ada@example.com"),), [ADA]),
        ((("key_alias", "ada@example.com"),), []),
        ((("user", "unknown"), ("key_alias", "bens-key"), ("email", ADA)), [BEN]),
        ((("email", ADA), ("key_alias", "bens-key")), [ADA]),
        ((("user", "bens-key"),), []),
    ],
)
def test_the_first_name_that_somebody_is_known_by_decides(
    sqlite_app: App, identities: tuple[tuple[IdentityKind, str], ...], who: list[str]
) -> None:
    """E-mails are read without regard to case, also as a user name; kinds of names are not mixed up."""
    know_as(sqlite_app, BEN, "bens-key", kind="key_alias")
    books.take_in(sqlite_app, named(*identities))
    assert payer(sqlite_app) == who


def test_the_days_roll_up_is_the_sum_of_its_events(app: App) -> None:
    """By day, wallet, service, model and project: calls, tokens, cost and debit add up over batches."""
    meters: Meters = {"input_uncached": 1, "cache_read": 20, "cache_write_5m": 300, "output": 5_000}
    for number in range(3):
        books.take_in(
            app,
            cast.event(f"a{number}", at=NOON, meters=meters, project="apollo"),
            cast.event(f"b{number}", at=NOON + timedelta(hours=1), meters=meters, project="apollo"),
            cast.event(f"c{number}", at=NOON, model=GPT),
        )
    c = usage_days.c
    columns = (c.day, c.service_key, c.model, c.project, c.calls, c.input_tokens, c.output_tokens, c.cost_nano_usd)
    # (1 × 3 + 20 × 0.30 + 300 × 3.75 + 5,000 × 15) USD a million, six times; (200 × 1.25 + 1,000 × 0.125 + 300 × 10).
    assert sorted(books.rows(app, sa.select(*columns))) == [
        (date(2026, 11, 20), "anthropic", "claude-sonnet-4-5", "apollo", 6, 6 * 321, 6 * 5_000, 6 * 76_134_000),
        (date(2026, 11, 20), "openai", "gpt-5", "", 3, 3 * 1_200, 3 * 300, 3 * 3_375_000),
    ]
    assert books.findings(app) == {}


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        # Winter: midnight in Berlin is 23:00 in UTC.
        (datetime(2026, 11, 20, 22, 59, 59, 999_999, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), date(2026, 11, 21)),
        # Summer: it is 22:00.
        (datetime(2026, 7, 1, 21, 59, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
        # The day of 23 hours, and the one of 25.
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_an_event_belongs_to_the_local_day_on_which_it_happened(sqlite_app: App, instant: datetime, day: date) -> None:
    """Days are cut at midnight of the programme's zone, also where the clock changes."""
    books.take_in(sqlite_app, cast.event("1", at=instant))
    assert books.rows(sqlite_app, sa.select(usage_days.c.day)) == [(day,)]


def test_events_of_many_days_in_any_order_find_their_days(sqlite_app: App) -> None:
    """Neighbours in a batch may be weeks apart, before and after a clock change."""
    start = datetime(2026, 3, 27, tzinfo=UTC)
    hours = [(number * 37) % 120 for number in range(120)]
    books.take_in(sqlite_app, *(cast.event(str(h), at=start + timedelta(hours=h)) for h in hours))
    by_hand: dict[date, int] = {}
    for h in hours:
        day = (start + timedelta(hours=h)).astimezone(BERLIN).date()
        by_hand[day] = by_hand.get(day, 0) + 1
    assert dict(books.rows(sqlite_app, sa.select(usage_days.c.day, usage_days.c.calls))) == by_hand
