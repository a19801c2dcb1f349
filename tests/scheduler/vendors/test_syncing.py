"""Vendors' reports come in whole, in the vendors' own units, and a later one says what it changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from policy.reasons import Refusal
from policy.units import NanoUSD
from policy.vendors import COST, USAGE
from scheduler.vendors import client, syncing
from scheduler.vendors.client import Access
from store.vendors import lines as store
from store.vendors.lines import Window
from tests.support import vendors as trials
from tests.support.vendors import Call, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.vendors import Line, Vendor
    from programme.app import App
    from programme.vendors.taking import Taken

FIRST, LAST = date(2026, 10, 1), date(2026, 11, 10)
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
GPT, CLAUDE = "gpt-5-2025-08-07", "claude-sonnet-4-5-20250929"
PRICES = {
    (GPT, ""): {"uncached": Decimal("1.25"), "cached": Decimal("0.125"), "output": Decimal(10)},
    (CLAUDE, ""): {"uncached": Decimal(3), "cached": Decimal("0.3"), "written": Decimal("3.75"), "output": Decimal(15)},
}


@pytest.fixture
def trial() -> Iterator[Trial]:
    with trials.serving() as serving:
        serving.prices |= PRICES
        yield serving


def sync(app: App, trial: Trial, vendor: Vendor, first: date = FIRST, last: date = LAST) -> Taken:
    return syncing.sync(app, trial.access(vendor), first, last, actor="cli:test", sleep=lambda _seconds: None)


def standing(app: App, vendor: Vendor, kind: str) -> list[Line]:
    with app.reading() as moment:
        found = [one.line for one in store.standing(moment.session, Window(vendor, FIRST, LAST))]
    return sorted(line for line in found if line.place.kind == kind)


def test_openai_counts_cached_input_within_input(sqlite_app: App, trial: Trial) -> None:
    """What OpenAI reports as input, cached and not, becomes meters that overlap nowhere, by key, model and tier."""
    trial.calls["openai"] = [
        Call(NOON, GPT, 1_000, 50, cached=400, key="key_a", project="proj_1"),
        Call(NOON, GPT, 300, 20, key="key_a", project="proj_1", tier="batch"),
        Call(NOON, GPT, 5, 1, tier="priority"),
    ]
    sync(sqlite_app, trial, "openai")
    told = [
        (line.place.key, line.place.tier, line.meters, line.calls) for line in standing(sqlite_app, "openai", USAGE)
    ]
    assert told == [
        ("", "priority", {"input_uncached": 5, "output": 1}, 1),
        ("key_a", "", {"input_uncached": 1_000, "cache_read": 400, "output": 50}, 1),
        ("key_a", "batch", {"input_uncached": 300, "output": 20}, 1),
    ]


def test_anthropic_charges_in_cents(sqlite_app: App, trial: Trial) -> None:
    """Anthropic's amounts are decimal texts in cents; its priority tier is counted and not charged."""
    trial.calls["anthropic"] = [
        Call(NOON, CLAUDE, 1_000, 100, cached=10_000, written=2_000, key="apikey_1", project="wrkspc_1"),
        Call(NOON, CLAUDE, 700, 7, tier="priority"),
    ]
    sync(sqlite_app, trial, "anthropic")
    assert [line.meters for line in standing(sqlite_app, "anthropic", USAGE)] == [
        {"input_uncached": 700, "output": 7},
        {"input_uncached": 1_000, "cache_read": 10_000, "cache_write_5m": 2_000, "output": 100},
    ]
    charged = {line.place.item: line.amount for line in standing(sqlite_app, "anthropic", COST)}
    assert sum(int(amount or 0) for amount in charged.values()) == NanoUSD.parse("0.015")
    assert charged[f"{CLAUDE} Usage - cache_read_input_tokens - standard"] == NanoUSD.parse("0.003")


def test_pages_are_followed_to_the_last(sqlite_app: App, trial: Trial) -> None:
    """A report of many pages comes in whole, each bucket once."""
    trial.page_days = 3
    trial.calls["openai"] = [Call(NOON + timedelta(days=n), GPT, 10, 1) for n in range(30)]
    taken = sync(sqlite_app, trial, "openai")
    counted = standing(sqlite_app, "openai", USAGE)
    assert (len(counted), taken.sync.added) == (30, 30 + 2 * 30)
    assert len({line.place.day for line in counted}) == 30


@pytest.mark.every_database
def test_a_later_sync_replaces_and_says_what_changed(app: App, trial: Trial) -> None:
    """What a vendor says otherwise later stands, what it said before stays on record, and the change is told."""
    trial.calls["openai"] = [Call(NOON, GPT, 100, 10), Call(NOON + timedelta(days=1), GPT, 7, 7)]
    trial.costs_until = NOON.date()
    sync(app, trial, "openai")
    trial.calls["openai"] = [Call(NOON, GPT, 100, 10), Call(NOON, GPT, 50, 0), Call(NOON + timedelta(days=2), GPT, 1)]
    again = sync(app, trial, "openai")
    assert (again.sync.changed, again.sync.gone) == (2, 1)  # Counts and cost of the first day; counts of the second.
    was = {(one.place.day, one.place.kind): one for one in again.told}
    before, after = was[NOON.date(), USAGE].before, was[NOON.date(), USAGE].after
    assert before is not None
    assert after is not None
    assert (before.meters["input_uncached"], after.meters["input_uncached"]) == (100, 150)
    assert was[NOON.date() + timedelta(days=1), USAGE].after is None
    assert sync(app, trial, "openai").sync[-3:] == (0, 0, 0)


def test_a_vendor_is_asked_once_a_second_and_again_when_it_says_so(sqlite_app: App, trial: Trial) -> None:
    """Calls are a second apart; after 429 the wait is the vendor's, after 500 our own, and nothing is lost."""
    trial.calls["anthropic"] = [Call(NOON, CLAUDE, 1, 1)]
    trial.failures = [(429, {"Retry-After": "17"}), (503, {})]
    slept: list[float] = []
    access = trial.access("anthropic")
    syncing.sync(sqlite_app, access, NOON.date(), NOON.date(), actor="cli:test", sleep=slept.append)
    assert [wait for wait in slept if wait > 1] == [17.0, 2.0]
    assert sum(wait > client.SECONDS_APART * 0.9 for wait in slept) == len(slept) == 5
    assert len(standing(sqlite_app, "anthropic", USAGE)) == 1


@pytest.mark.parametrize(
    ("failures", "code"),
    [
        ([(401, {})], "vendor_key"),
        ([(404, {})], "vendor_answer"),
        ([(500, {})] * client.TRIES, "vendor_away"),
        ([(200, {})], "vendor_answer"),
    ],
)
def test_what_cannot_be_read_keeps_nothing(
    sqlite_app: App, trial: Trial, failures: list[tuple[int, dict[str, str]]], code: str
) -> None:
    """A wrong key, an outage and an answer in another form are refused with what to do, and what stood stands."""
    trial.calls["openai"] = [Call(NOON, GPT, 1, 1)]
    sync(sqlite_app, trial, "openai")
    before = standing(sqlite_app, "openai", USAGE)
    trial.failures = [*failures]
    with pytest.raises(Refusal) as refused:
        sync(sqlite_app, trial, "openai")
    assert refused.value.code == code
    assert standing(sqlite_app, "openai", USAGE) == before


def test_keys_are_secrets() -> None:
    """The admin key stands in no text that is made of its holder."""
    access = Access("openai", "https://api.openai.com/v1", "sk-admin-secret")
    assert "secret" not in f"{access!r} {client.Client(access, syncing.SPEECH['openai'].headers(access.key))!r}"
