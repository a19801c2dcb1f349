"""Rates of a quarter: frozen by two people, never changed, and what grants in other currencies follow from."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month, Quarter
from policy.reasons import Refusal
from policy.units import NanoUSD
from policy.value.currencies import Money, Rate
from programme.balance import balance
from programme.grants import monthly, sizing
from programme.people import directory, terms
from programme.value import rates
from store.tables.grants import grants
from store.tables.value import currency_rates
from tests.support import books, cast, rollout
from tests.support.books import ADA

if TYPE_CHECKING:
    from programme.app import App
    from programme.grants.monthly import MonthlyRun

Q4 = Quarter(2026, 4)
DECEMBER = Month(2026, 12)
FIRST = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
ACTIONS = ("rates.set", "rates.adopt_first", "rates.adopt")
EUR = Rate("EUR", NanoUSD.parse("1.20"))


def set_rate(app: App, usd: str = "1.20", *, currency: str = "EUR", quarter: Quarter = Q4) -> None:
    with app.transaction(FIRST) as moment:
        rates.set_rate(moment, quarter, currency, NanoUSD.parse(usd), actor="iris")


def adopt(app: App, actor: str) -> list[Rate]:
    with app.transaction(FIRST) as moment:
        return rates.adopt(moment, Q4, actor=actor)


def frozen(app: App) -> None:
    set_rate(app)
    assert adopt(app, "iris") == []
    assert adopt(app, "omar") == [EUR]


def euros(app: App, midpoint: int = 150_000) -> None:
    """P4, Ada's band, is in EUR: at 1.20 it is the USD 180,000 that it was."""
    rollout.launch(app)
    with app.transaction() as moment:
        given = Money("EUR", midpoint * 10**9)
        terms.set_band(moment, "P4", given, holds_from=date(2020, 1, 1), actor="test")


def run(app: App) -> MonthlyRun | None:
    with app.transaction(FIRST) as moment:
        return monthly.run(moment, DECEMBER, announce_in=None)


def code(app: App, actor: str) -> str:
    with pytest.raises(Refusal) as refused:
        adopt(app, actor)
    return refused.value.code


def test_a_grant_follows_from_the_frozen_rate(app: App) -> None:
    """EUR 150,000 at USD 1.20 are USD 180,000: M is USD 3,750 as it is for a band in USD, and the rate is kept."""
    euros(app)
    frozen(app)
    posted = run(app)
    assert posted is not None
    assert posted.unsized == {}
    factors = rollout.factors(app, ADA, "2026-12")
    assert factors["entitlement"] == 3_750 * 10**9
    assert factors["rate"] == {"currency": "EUR", "per_unit": 1_200_000_000}
    assert books.findings(app) == {}


@pytest.mark.parametrize("adopted_by_one", [False, True])
def test_a_band_without_a_rate_is_named_and_left_out(app: App, *, adopted_by_one: bool) -> None:
    """Like a band without a midpoint; a rate that one person alone adopted is none. Others are granted."""
    euros(app)
    if adopted_by_one:
        set_rate(app)
        adopt(app, "iris")
    posted = run(app)
    assert posted is not None
    reason = "pay band 'P4' is in EUR, which has no rate for 2026-Q4"
    assert posted.unsized[cast.person_id(app, ADA)] == reason
    assert set(posted.unsized.values()) == {reason}
    given = rollout.granted(app, "2026-12")
    assert given
    assert ADA not in given


def test_who_had_no_rate_is_granted_the_day_after(app: App) -> None:
    """The month's run holds up nobody else; once the rate is frozen, the joiners' run grants the band's people."""
    euros(app)
    rollout.run_calendar(app, FIRST)
    assert ADA not in rollout.granted(app, "2026-12")
    frozen(app)
    rollout.run_calendar(app, FIRST + timedelta(days=1))
    assert rollout.factors(app, ADA, "2026-12")["entitlement"] == 3_750 * 10**9
    assert books.findings(app) == {}


def test_a_quarter_to_come_is_foreseen_without_its_rate(app: App) -> None:
    """What a grant of January would be goes by December's: nothing is announced to lapse for want of a rate."""
    euros(app)
    frozen(app)
    run(app)
    with app.reading(FIRST) as moment:
        ada = cast.person_id(app, ADA)
        foreseen = sizing.foreseen(moment, Month(2027, 1), moment.handbook, [ada])
    assert foreseen == {ada: rollout.granted(app, "2026-12")[ADA]}


def test_an_import_names_bands_without_a_rate(app: App) -> None:
    """Who imports people reads which bands no grant can follow from in this quarter."""
    euros(app)
    text = f"email,pay_band\n{ADA},P4\n"
    with app.transaction() as moment:
        assert directory.import_csv(moment, io.StringIO(text), actor="root").without_rate == ("P4 (EUR)",)
    frozen(app)
    with app.transaction() as moment:
        done = directory.import_csv(moment, io.StringIO(text), actor="root")
    assert (done.without_rate, done.without_midpoint) == ((), ())


def test_rates_take_two_people(app: App) -> None:
    """The first alone freezes nothing, and can't be the second; both are in the audit log."""
    set_rate(app)
    assert adopt(app, "iris") == []
    assert code(app, "iris") == "second_person"
    assert adopt(app, "omar") == [EUR]
    assert code(app, "tess") == "no_rate"
    told = {action: [row["actor"] for row in books.audited(app, action)] for action in ACTIONS}
    assert told == {"rates.set": ["iris"], "rates.adopt_first": ["iris"], "rates.adopt": ["omar"]}
    assert books.findings(app) == {}


def test_who_adopted_another_rate_has_adopted_nothing(app: App) -> None:
    """A rate that is set anew, or another one beside it, is looked at by both."""
    set_rate(app)
    adopt(app, "iris")
    set_rate(app, "0.0067", currency="jpy")
    assert adopt(app, "omar") == []
    set_rate(app, "1.25")
    assert adopt(app, "omar") == []
    assert {one.currency for one in adopt(app, "iris")} == {"EUR", "JPY"}
    assert books.findings(app) == {}


def test_a_frozen_rate_never_changes(app: App) -> None:
    """Another rate for the same quarter is refused; a currency that has none may still get one."""
    frozen(app)
    with pytest.raises(Refusal, match="frozen for 2026-Q4"):
        set_rate(app, "1.30")
    set_rate(app, "1.30", currency="GBP")
    adopt(app, "iris")
    assert adopt(app, "tess") == [Rate("GBP", NanoUSD.parse("1.30"))]
    assert books.findings(app) == {}


def test_what_needs_no_rate_is_refused(app: App) -> None:
    """USD, what is no currency, and a quarter that is over."""
    for currency in ("USD", "euro"):
        with pytest.raises(Refusal, match=r"USD needs no rate|three letters"):
            set_rate(app, currency=currency)
    with pytest.raises(Refusal, match="2026-Q3 is over"):
        set_rate(app, quarter=Quarter(2026, 3))


def test_the_balance_tells_its_worth_in_the_readers_currency(app: App) -> None:
    """The rate is that of this month's grant; a band in USD has none to tell."""
    euros(app)
    frozen(app)
    run(app)
    with app.reading(FIRST) as moment:
        card, other = (balance.of_email(moment, who) for who in (ADA, "iris@example.com"))
    assert card is not None
    assert card.rate == EUR
    assert other is not None
    assert other.rate is None


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"nano_usd_per_unit": 1_300_000_000}, "rates_by_two"),
        ({"confirmed_by": "mallory"}, "rates_by_two"),
        ({"adopted_by": "mallory"}, "rates_by_two"),
        ({"frozen_at": None}, "rates_by_two"),
        ({"nano_usd_per_unit": 1_300_000_000}, "grants_at_their_rate"),
        ({"quarter": "2026-Q3"}, "grants_at_their_rate"),
    ],
)
def test_a_rate_that_was_tampered_with_is_found(app: App, change: dict[str, object], check: str) -> None:
    """`verify` holds rates against the audit log, and grants against rates."""
    euros(app)
    frozen(app)
    run(app)
    with app.transaction() as moment:
        moment.session.execute(sa.update(currency_rates).values(**change))
    assert check in books.findings(app)


def test_old_grants_were_made_in_usd(app: App) -> None:
    """What grants of before keep of their factors names no rate: that is USD, and nothing to find."""
    rollout.launch(app)
    run(app)
    with app.transaction() as moment:
        rows = moment.session.execute(sa.select(grants.c.person_id, grants.c.factors)).all()
        for person_id, factors in rows:
            kept = {name: value for name, value in factors.items() if name != "rate"}
            changed = sa.update(grants).where(grants.c.person_id == person_id)
            moment.session.execute(changed.values(factors=kept))
    assert books.findings(app) == {}
    with app.reading(FIRST) as moment:
        card = balance.of_email(moment, ADA)
    assert card is not None
    assert card.rate is None
