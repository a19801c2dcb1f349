"""Every figure that `why` prints can be worked out again with a pencil."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import pytest

from handlers.balance import balance as handler
from handlers.slack.commands import Request
from policy.kinds import EntryKind
from policy.period import Month
from policy.units import MicroTokens
from programme.balance import balance, why
from store.ledger import ledger
from store.ledger.drafts import Draft
from tests.support import books, cast, letters
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from policy.metering import Meters
    from programme.app import App
    from views.balance import Explanation

NANO, MICRO = Decimal("1e-9"), Decimal("1e-6")


def explain(app: App) -> Explanation:
    with app.database.snapshot() as session:
        card = balance.of_email(app.moment(session), ADA)
        assert card is not None
        return why.explain(app.moment(session), card)


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


EVERY_METER: Meters = {
    "input_uncached": 12_345,
    "cache_read": 67_891,
    "cache_write_5m": 1_011,
    "cache_write_1h": 12,
    "output": 1_314,
    "searches": 3,
}
LONG_CONTEXT: Meters = {"input_uncached": 200_001, "output": 7}
"""More than 200,000 input tokens: the provider bills every token of such a call at its higher tier."""


@pytest.mark.parametrize(
    ("model", "meters", "prices"),
    [
        (SONNET, {"input_uncached": 200, "cache_read": 1_000, "output": 300}, ["3", "0.30", "15"]),
        (SONNET, EVERY_METER, ["3", "0.30", "3.75", "6", "15", "10000"]),
        (SONNET, LONG_CONTEXT, ["6", "22.50"]),
        (GPT, {"input_uncached": 1, "cache_read": 1, "output": 1}, ["1.25", "0.125", "10"]),
    ],
)
def test_counts_times_prices_are_the_cost_and_cost_by_value_the_debit(
    sqlite_app: App, model: tuple[str, str], meters: Meters, prices: list[str]
) -> None:
    """What is printed of a call multiplies and adds up to its cost, and its cost by the value to its tokens."""
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 10, 1), usd_per_token="0.0102")
    books.take_in(sqlite_app, cast.event("1", at=NOON, model=model, meters=meters))
    [debit] = explain(sqlite_app).debits
    [call] = debit.calls
    assert {line.meter: line.count for line in call.meters} == meters
    assert [line.nano_usd.decimal * 1_000_000 / line.per for line in call.meters] == [Decimal(p) for p in prices]
    cost = sum(line.count * line.nano_usd.decimal / line.per for line in call.meters)
    assert call.cost.decimal == Decimal(cost).quantize(NANO, ROUND_HALF_EVEN)
    assert debit.value.per_token.decimal == Decimal("0.0102")
    assert call.debit.decimal == (call.cost.decimal / Decimal("0.0102")).quantize(MICRO, ROUND_HALF_EVEN)
    assert call.debit == debit.amount
    assert (call.model, call.occurred_at, debit.service_key) == (model[1], NOON, model[0])
    assert "genai-prices" in call.price_source


def test_the_totals_add_up_to_the_balance(app: App, clock: Clock) -> None:
    """What was granted, used and taken is the balance; what cannot be spent today is told apart."""
    cast.give(app, ADA, "100", days=1)
    cast.give(app, ADA, "50")
    books.take_in(app, cast.event("1", at=NOON, meters={"output": 10_000}))
    clock.move(days=2)
    explained = explain(app)
    assert explained.parts == [(EntryKind.GRANT, tokens("150")), (EntryKind.USAGE, tokens("-15"))]
    assert sum((amount for _, amount in explained.parts), tokens("0")) == explained.balance
    assert explained.balance == tokens("135") == books.wallet(app, ADA)
    assert explained.card.available == tokens("50")
    assert explained.waiting == tokens("85")


def test_what_lapsed_and_what_was_taken_back_have_lines_of_their_own(sqlite_app: App) -> None:
    """Whatever left the wallet otherwise than by usage is part of the sum as well."""
    cast.give(sqlite_app, ADA, "100")
    with sqlite_app.database.transaction() as session:
        codes = [ledger.wallet_code(cast.person_id(sqlite_app, ADA)), ledger.TREASURY]
        wallet, treasury = (ledger.open_accounts(session, codes)[code] for code in codes)
        for kind, micro in ((EntryKind.EXPIRY, 10_000_000), (EntryKind.NETTING, 5_000_000)):
            amounts = ((wallet, -micro), (treasury, micro))
            ledger.post(session, [Draft(kind, kind, b"", NOON, "", "test", amounts)], now=NOON)
    explained = explain(sqlite_app)
    assert explained.parts[1:] == [(EntryKind.EXPIRY, tokens("-10")), (EntryKind.NETTING, tokens("-5"))]
    assert explained.balance == tokens("85")


def test_an_exception_has_its_own_name(sqlite_app: App) -> None:
    """What the board grants is told apart from the calendar's grants in `why`, and counts as granted in `history`."""
    app = asking.convene(sqlite_app)
    asking.vote(app, asking.IRIS, asking.ask(app, BEN, "5000"))
    with app.reading() as moment:
        card = balance.of_email(moment, BEN)
        assert card is not None
        explained = why.explain(moment, card)
    assert explained.parts == [(EntryKind.GRANT, tokens("93700")), (EntryKind.EXCEPTION, tokens("5000"))]
    asked = Request("U0BEN", "", app.clock())
    told, month = handler.show_why(app, asked), handler.show_history(app, asked)
    assert told is not None
    assert month is not None
    assert "\n93,700 granted\n+ 5,000 in exceptions\n= *98,700*" in told.blocks[0]["text"]["text"]
    assert "were granted 98,700 tokens" in month.blocks[0]["text"]["text"]


def test_the_grant_of_the_month_comes_with_its_factors(app: App) -> None:
    """The factors are those that were kept with the grant, decimal for decimal; other months have their own."""
    factors = letters.factors(leaves="0.8547")
    letters.keep_grant(app, ADA, Month(2026, 10), letters.factors(letters.PART))
    assert explain(app).grant is None
    letters.keep_grant(app, ADA, Month(2026, 11), factors)
    explained = explain(app)
    assert explained.grant == factors
    assert repr(explained.grant) == repr(factors)


def test_the_latest_debits_come_first_with_their_latest_calls(app: App) -> None:
    """Three debits are worked out, of each the two latest calls, and how many there were in all."""
    for day in range(5):
        calls = [cast.event(f"{day}-{i}", at=NOON - timedelta(days=9 - day, minutes=i)) for i in range(4)]
        books.take_in(app, *calls)
    debits = explain(app).debits
    assert [debit.effective_at for debit in debits] == [NOON - timedelta(days=days) for days in (5, 6, 7)]
    for debit in debits:
        assert debit.calls_in_all == 4
        assert [debit.effective_at - call.occurred_at for call in debit.calls] == [timedelta(0), timedelta(minutes=1)]
        assert debit.amount == tokens("2.16")


def test_grants_do_not_crowd_out_the_debits(sqlite_app: App) -> None:
    """However many lots came since, the latest use is explained."""
    books.take_in(sqlite_app, cast.event("1", at=NOON))
    for _ in range(15):
        cast.give(sqlite_app, ADA, "1")
    assert [debit.amount for debit in explain(sqlite_app).debits] == [tokens("0.54")]


def test_free_calls_are_not_in_the_way(sqlite_app: App) -> None:
    """A call that cost nothing belongs to no debit, and explains none."""
    books.take_in(sqlite_app, cast.event("free", at=NOON + timedelta(minutes=1), meters={}), cast.event("1", at=NOON))
    [debit] = explain(sqlite_app).debits
    assert (debit.calls_in_all, len(debit.calls)) == (1, 1)


def test_who_never_used_anything_has_nothing_to_explain(app: App) -> None:
    """Without an account every total is nothing."""
    explained = explain(app)
    assert (explained.parts, explained.balance, explained.waiting) == ([], tokens("0"), tokens("0"))
    assert explained.debits == ()
    assert explained.grant is None


def test_a_call_names_its_tier_and_has_its_price(sqlite_app: App) -> None:
    """Two calls that differ in their tier alone differ in their price: without the tier no one would understand it."""
    events = [
        cast.event(tier or "standard", at=NOON + timedelta(minutes=number), model=GPT, tier=tier, meters={"output": 1})
        for number, tier in enumerate(("", "priority"))
    ]
    books.take_in(sqlite_app, *events)
    [debit] = explain(sqlite_app).debits
    assert [(call.model, call.tier, call.meters[0].nano_usd) for call in debit.calls] == [
        ("gpt-5", "priority", 20 * 10**9),
        ("gpt-5", "", 10 * 10**9),
    ]
