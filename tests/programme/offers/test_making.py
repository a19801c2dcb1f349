"""Offers from what holds today: bands, rates, the basket; kept once, for recruiters, until they are deleted."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Quarter
from policy.reasons import FieldsRefused, Refusal
from policy.units import NanoUSD
from policy.value.currencies import Money
from programme.offers import making, telling
from programme.people import terms
from programme.value import model_tokens, rates
from scheduler import ticker
from scheduler.composers import offers as composer
from store.people import directory as people_store
from store.tables.outbox import outbox
from tests.support import cast
from tests.support.offered import GIVEN, money, rival
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock
    from views.offers import GivenOffer, Offer

RECRUITER = (
    "email,name,level,role_family,time_zone,hired_on,roles\nruth@example.com,Ruth,mid,people,UTC,2024-01-01,recruiter\n"
)
Q4 = Quarter(2026, 4)


def make(app: App, given: GivenOffer, key: str = "1") -> Offer:
    with app.transaction() as moment:
        return making.make(moment, given, actor="cli:ruth", key=key)


def refused(app: App, given: GivenOffer) -> dict[str, str]:
    with app.reading() as moment, pytest.raises(FieldsRefused) as found:
        making.work_out(moment, given)
    return found.value.problems


@pytest.mark.every_database
def test_an_offer_is_kept_as_it_was_made(app: App) -> None:
    """What is read back is what was worked out, on each database; the same key makes no second one."""
    given = dataclasses.replace(GIVEN, rivals=(rival("B", base=240_000, credits=500, tokens=1_000_000),))
    made = make(app, given)
    with app.reading() as moment:
        assert making.require(moment, made.id) == made
        assert making.latest(moment, limit=5) == [made]
    assert make(app, dataclasses.replace(given, label="Other")) == made
    assert made.content.basis.handbook == "2026.1"


def test_a_band_s_midpoint_is_what_the_allowance_follows_from(sqlite_app: App) -> None:
    """The salary may be another; left out, it is the midpoint, in the band's currency."""
    with sqlite_app.transaction() as moment:
        terms.set_band(moment, "P3", Money("USD", 160_000 * 10**9), holds_from=moment.today, actor="test")
    named = make(sqlite_app, dataclasses.replace(GIVEN, band="P3"))
    assert named.content.ours.use.cost == NanoUSD.parse("40000")
    assert named.content.ours.pay.base == NanoUSD.parse("180000")
    alone = make(sqlite_app, dataclasses.replace(GIVEN, band="P3", base=None), "2")
    assert alone.content.ours.pay.base == NanoUSD.parse("160000")
    assert "band" in refused(sqlite_app, dataclasses.replace(GIVEN, band="P9"))


def test_currencies_go_by_the_quarter_s_frozen_rate(sqlite_app: App) -> None:
    """Without a frozen rate the field is named; with one, the offer is worked out and shown in its currency."""
    given = dataclasses.replace(GIVEN, base=money(100_000, "EUR"), rivals=(rival("B", base=108_000),))
    assert "No rate of EUR is frozen for 2026-Q4" in refused(sqlite_app, given)["base"]
    with sqlite_app.transaction() as moment:
        rates.set_rate(moment, Q4, "EUR", NanoUSD.parse("1.08"), actor="a")
        rates.adopt(moment, Q4, actor="a")
        rates.adopt(moment, Q4, actor="b")
    content = make(sqlite_app, given).content
    assert content.ours.pay.base == content.rivals[0].package.pay.base
    assert content.basis.rate.currency == "EUR"


def test_mistakes_stand_beside_their_fields(sqlite_app: App) -> None:
    """No salary, a label that is an address, too long a label, an unknown level."""
    nothing = dataclasses.replace(GIVEN, base=None, label="ada@example.com", level="guru")
    assert refused(sqlite_app, nothing).keys() == {"base", "label", "level"}
    long = dataclasses.replace(GIVEN, rivals=(rival("x" * 41, base=1),))
    assert refused(sqlite_app, long).keys() == {"rival_1"}


def test_a_rival_s_tokens_are_priced_by_the_basket(sqlite_app: App) -> None:
    """The price lies between the basket's cheapest and dearest line, and is kept with the offer."""
    with sqlite_app.reading() as moment:
        per_token = model_tokens.price(moment)
    assert per_token is not None
    # The starting basket: from cached input at USD 0.125 to output at 25 a million.
    assert 125 < per_token < 25_000
    given = dataclasses.replace(GIVEN, rivals=(rival("B", base=1, tokens=1_000_000),))
    content = make(sqlite_app, given).content
    assert content.basis.per_million_model_tokens is not None
    assert abs(12 * int(content.basis.per_million_model_tokens) - int(content.rivals[0].package.use.cost)) <= 12


def test_offers_are_deleted_in_time(sqlite_app: App, clock: Clock) -> None:
    """180 days after it was made an offer is gone, figures and all, and so is what Slack was still owed of it."""
    cast.hire(sqlite_app, RECRUITER)
    with sqlite_app.transaction() as moment:
        ruth = people_store.by_email(moment.session, "ruth@example.com")
        assert ruth is not None
        made = telling.make(moment, ruth, GIVEN, key="V1")
        view = moment.session.execute(sa.select(outbox.c.view)).scalar_one()
    assert "180" not in str(view)
    clock.now += timedelta(days=179)
    ticker.tick_once(sqlite_app)
    assert composer.compose(sqlite_app, codec.plain(telling.WhichOffer(made.id))) is not None
    clock.now += timedelta(days=2)
    ticker.tick_once(sqlite_app)
    with sqlite_app.reading() as moment:
        assert making.latest(moment, limit=5) == []
    assert composer.compose(sqlite_app, codec.plain(telling.WhichOffer(made.id))) is None
    assert composer.compose_page(sqlite_app, codec.plain(telling.WhichOffer(made.id))) is None


def test_only_recruiters_make_offers(sqlite_app: App) -> None:
    """The board, managers and engineers are told who does."""
    with sqlite_app.transaction() as moment:
        ada = people_store.by_email(moment.session, "ada@example.com")
        assert ada is not None
        with pytest.raises(Refusal, match="role `recruiter`"):
            telling.make(moment, ada, GIVEN, key="V1")
        with pytest.raises(Refusal, match="role `recruiter`"):
            telling.owe_page(moment, ada, "off_1", key="V1")
