"""Who bears a bill: whom tags name, else those whom the handbook's keys mean; in the month of each charge."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.balance import balance as handler
from handlers.slack.commands import Request
from policy.period import Month
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.currencies import Rate
from programme.closings import closing
from programme.grants import lapses
from store.handbook import rates
from store.tables.invoices import bill_shares, bills
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.usage import usage_days, usage_events
from tests.support import bills as trial
from tests.support import books, cast
from tests.support.bills import AZURE, CLAUDE, GPU, VERTEX, Row, imported, user
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

OCTOBER = Month(2026, 10)
FIRST, SECOND, THIRD = (datetime(2026, 11, day, 6, tzinfo=UTC) for day in (3, 5, 9))


def test_tags_make_usage_and_the_rest_is_shared_by_key(ruled: App) -> None:
    """Each row is borne once: by people and projects that tags name, else as the handbook says; the books hold it."""
    rows = [
        Row("10.00", tags=user(ADA)),
        Row("2.50", tags=user(ADA), hour=15),
        Row("4.00", tags=user(BEN, project="zeus"), meter="images"),
        Row("7.00", tags={"Project": "zeus"}),
        Row("30.00", AZURE),
        Row("5.00", GPU),
        Row("99.00", CLAUDE, tags=user(ADA)),
        Row("1000.00", "Amazon EC2", tags=user(ADA)),
    ]
    done = imported(ruled, *rows)
    assert done.counts["accepted"] == done.rows == len(rows)
    # A token is worth USD 0.01. Ada and Ben used it; Azure OpenAI is shared evenly among six.
    assert trial.wallets(ruled) == dict.fromkeys(trial.EVERYONE, Decimal(-500)) | {
        ADA: Decimal(-1750),
        BEN: Decimal(-900),
    }
    assert trial.balance(ruled, "company") == Decimal(-1200)
    assert {code: trial.balance(ruled, f"service:{code}") for code in ("aws", "azure", "gpu-cluster", "anthropic")} == {
        "aws": Decimal(2350),
        "azure": Decimal(3000),
        "gpu-cluster": Decimal(500),
        "anthropic": Decimal(0),
    }
    assert books.findings(ruled) == {}
    days = books.rows(ruled, sa.select(usage_days.c.project, sa.func.sum(usage_days.c.calls)).group_by("project"))
    assert dict(days) == {"": 1, "zeus": 2}


def test_credits_come_back(ruled: App) -> None:
    """What is less than nothing is given back: to the person as a lot, to the project's payer, by key to the others."""
    imported(ruled, Row("10.00", tags=user(ADA)), Row("3.00", tags={"project": "zeus"}), Row("6.00", AZURE))
    credited = [
        Row("-4.00", tags=user(ADA)),
        Row("-1.00", tags={"project": "zeus"}),
        Row("-6.00", AZURE),
        Row("-2.00", tags=user("nobody@example.com")),
    ]
    imported(ruled, *credited)
    assert trial.wallets(ruled) == dict.fromkeys(trial.EVERYONE, Decimal(100)) | {ADA: Decimal(500)}
    assert trial.balance(ruled, "company") == Decimal(300)
    # Their debt is settled first; of what is left there are lots.
    assert {kind for (kind,) in books.rows(ruled, sa.select(lots.c.kind))} == {"returned"}
    assert books.findings(ruled) == {}


def test_the_pool_pays_no_more_than_it_has(ruled: App) -> None:
    """A bill that would take more of the pool is refused before anything of it is kept."""
    with pytest.raises(Refusal, match="The pool has 0 tokens, and this bill takes 2,000 of it"):
        imported(ruled, Row("20.00", VERTEX), Row("1.00", tags=user(ADA)))
    assert books.count(ruled, bills) == books.count(ruled, usage_events) == 0


def test_the_pool_pays_and_gets_back(ruled: App, clock: Clock) -> None:
    """What the pool bears is taken of it at once, and a smaller bill gives it back."""
    cast.give(ruled, BEN, "3000")
    cast.hire(ruled, f"email,left_on\n{BEN},2026-11-21\n")
    clock.move(days=8)
    with ruled.transaction() as moment:
        assert lapses.close_ended(moment, moment.today) == 1
    imported(ruled, Row("20.00", VERTEX), Row("5.00", VERTEX, tags=user(ADA)))
    assert (trial.balance(ruled, "pool"), trial.wallets(ruled)[ADA]) == (Decimal(1000), Decimal(-500))
    imported(ruled, Row("25.00", VERTEX, meter="more"))
    assert (trial.balance(ruled, "pool"), trial.wallets(ruled)[ADA]) == (Decimal(500), Decimal(0))
    with pytest.raises(Refusal, match="The pool has 500 tokens, and this bill takes 501 of it"):
        imported(ruled, Row("30.01", VERTEX))
    assert books.findings(ruled) == {}


def test_nobody_to_share_with(ruled: App) -> None:
    """What nobody used, or only somebody who has left since, is the company's."""
    imported(ruled, Row("6.00"))
    assert trial.balance(ruled, "company") == -600
    trial.used(ruled, BEN, "15")
    cast.hire(ruled, f"email,left_on\n{BEN},2026-11-01\n")
    imported(ruled, Row("7.00"))
    assert trial.balance(ruled, "company") == -700
    assert books.findings(ruled) == {}


def test_a_closed_month_stays_and_what_changes_is_booked_after_it(ruled: App, clock: Clock) -> None:
    """A re-issued bill of a closed month leaves its journal; the next month's has the difference, with a reference."""
    trial.used(ruled, BEN, "15")
    imported(ruled, Row("10.00", tags=user(ADA)), Row("6.00"))
    with ruled.transaction() as moment:
        october = closing.close(moment, OCTOBER, actor="cli:omar")
    with ruled.reading() as moment:
        before = closing.booked(moment, october)
    clock.move(days=1)
    imported(ruled, Row("8.00", tags=user(ADA)), Row("9.00"))
    clock.move(days=20)
    with ruled.transaction() as moment:
        november = closing.close(moment, Month(2026, 11), actor="cli:omar")
        assert closing.booked(moment, october) == before
        late = [row for row in closing.booked(moment, november) if row.service]
    assert {row.corrects for row in late} == {"2026-10"}
    signed = {row.text: Decimal(row.credit or 0) - Decimal(row.debit or 0) for row in late if row.text[0] == "A"}
    assert signed == {"AI services consumed": Decimal("8.00"), "Adjusted to vendors' bills": Decimal("3.00")}
    [undone] = [row for row in late if row.text == "Consumption undone"]
    assert undone.debit == "10.00"
    assert books.findings(ruled) == {}


def test_a_balance_explains_what_a_bill_said(ruled: App) -> None:
    """`why` tells of a line of a bill in words: nobody reads of billions of the unit that it is counted in."""
    imported(ruled, Row("12.00", tags=user(ADA), month="2026-11", period="2026-11"))
    told = handler._why(ruled, Request("U0ADA", "", ruled.clock()), exact=True)
    assert told is not None
    assert "tokens: the vendor's bill = USD 12; ÷ USD 0.01 = 1,200 tokens" in str(told.blocks)


def test_corrections_of_earlier_months_are_rows_of_later_bills(ruled: App) -> None:
    """A row of November's bill for a day in October is another bill's, and is posted to October."""
    imported(ruled, Row("10.00", tags=user(ADA)), Row("5.00", GPU))
    imported(
        ruled,
        Row("-2.00", GPU, period="2026-11"),
        Row("1.00", tags=user(ADA), period="2026-11"),
        Row("4.00", GPU, month="2026-11", period="2026-11"),
    )
    assert trial.wallets(ruled)[ADA] == -1100
    assert books.account(ruled, "company") == MicroTokens(-700_000_000)
    by_month = books.rows(ruled, sa.select(bill_shares.c.month, bill_shares.c.nano_usd).order_by(bill_shares.c.id))
    assert by_month == [("2026-10", 5_000_000_000), ("2026-10", -2_000_000_000), ("2026-11", 4_000_000_000)]
    assert books.count(ruled, bills) == 2
    assert books.findings(ruled) == {}


def test_fractions_of_nano_usd_add_up(ruled: App) -> None:
    """Parts that are rounded alone and the whole that is rounded at once differ by what the company bears."""
    rows = [Row("0.0000000004", tags=user(ADA), day=day, meter=f"m{day}") for day in range(1, 11)]
    imported(ruled, *rows, Row("0.0000000004"))
    [(nano, total)] = books.rows(
        ruled, sa.select(bill_shares.c.nano_usd, bills.c.nano_usd).join_from(bill_shares, bills)
    )
    assert (nano, total) == (4, 4)
    assert books.findings(ruled) == {}


def test_other_currencies_are_converted_at_the_quarter_s_rate(ruled: App) -> None:
    """Exactly; a currency without a frozen rate is told with its line."""
    with ruled.transaction() as moment:
        rates.keep(moment.session, OCTOBER.quarter, Rate("EUR", NanoUSD(1_085_000_000)), actor="t", now=moment.now)
        rates.note_first(moment.session, OCTOBER.quarter, "u")
        rates.freeze(moment.session, OCTOBER.quarter, "t", moment.now)
    imported(ruled, Row("10.00", tags=user(ADA), currency="EUR"))
    assert trial.wallets(ruled)[ADA] == Decimal(-1085)
    with pytest.raises(
        Refusal, match=r"line 2: BillingCurrency = 'CHF': expected a currency with a frozen rate in 2026-Q4"
    ):
        imported(ruled, Row("10.00", tags=user(ADA), currency="CHF"))


def test_entries_say_what_they_are_for(ruled: App) -> None:
    """An adjustment names the bill, and is booked in the month of the charge."""
    imported(ruled, Row("3.00", GPU))
    query = sa.select(entries.c.memo, entries.c.effective_at, accounts.c.code, postings.c.amount)
    query = query.join_from(entries, postings).join(accounts, accounts.c.id == postings.c.account_id)
    told = books.rows(ruled, query.where(entries.c.kind == "adjustment", postings.c.amount < 0))
    end = datetime(2026, 10, 31, 22, 59, 59, 999_999, tzinfo=UTC)
    assert told == [("Bill of 1234567890 for 2026-10 (to the company)", end, "company", -300_000_000)]
