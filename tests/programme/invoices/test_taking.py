"""A vendor's bill is taken in once: usage where a tag names whose it is, shares by the handbook's keys for the rest."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.balance import balance as handler
from handlers.invoices import files
from handlers.slack.commands import Request
from policy.period import Month
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.currencies import Rate
from policy.versions import Version
from programme.app import App
from programme.closings import closing
from programme.grants import lapses
from programme.invoices import showing, taking
from programme.invoices.taking import Import
from programme.privacy import erasing
from programme.usage import corrections, fingerprints
from store.handbook import rates
from store.invoices import bills as store
from store.people import directory as people_store
from store.tables.invoices import bill_lines, bill_shares, bills
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.usage import quarantine, usage_days, usage_events
from store.usage import versions
from tests.support import bills as trial
from tests.support import books, cast, retained
from tests.support.bills import AZURE, CLAUDE, GPU, VERTEX, Row, imported, user
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from store.engine import Database
    from tests.support.clock import Clock

OCTOBER = Month(2026, 10)
EVERYONE = (MARA, ADA, BEN, "iris@example.com", "omar@example.com", "tess@example.com")
FIRST, SECOND, THIRD = (datetime(2026, 11, day, 6, tzinfo=UTC) for day in (3, 5, 9))


@pytest.fixture
def ruled(app: App) -> App:
    trial.rule(app)
    return app


def used(app: App, who: str, usd: str, day: int = 7) -> None:
    """Somebody uses Bedrock through a gateway in October, at USD 15 per million output tokens."""
    at = datetime(2026, 10, day, 12, tzinfo=UTC)
    tokens = int(Decimal(usd) / 15 * 1_000_000)
    model = ("aws", "anthropic.claude-sonnet-4-5")
    price = """
[[prices]]
provider = "aws"
model = "*"
per = "million"
usd = { output = 15 }
from = 2026-01-01
"""
    with app.reading() as moment:
        priced = moment.handbooks.on(at.date()).negotiated_price(*model, at.date())
    if priced is None:
        books.apply_handbook(app, "2026.priced", at.date().replace(day=1), more=trial.RULES + price)
    event = cast.event(f"{who}-{usd}-{day}", at=at, who=who, model=model, meters={"output": tokens})
    assert books.take_in(app, event) == ["accepted"]


def balance(app: App, code: str) -> Decimal:
    return books.account(app, code).decimal


def wallets(app: App) -> dict[str, Decimal]:
    return {who: books.wallet(app, who).decimal for who in EVERYONE}


@pytest.mark.every_database
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
    assert wallets(ruled) == dict.fromkeys(EVERYONE, Decimal(-500)) | {ADA: Decimal(-1750), BEN: Decimal(-900)}
    assert balance(ruled, "company") == Decimal(-1200)
    assert {code: balance(ruled, f"service:{code}") for code in ("aws", "azure", "gpu-cluster", "anthropic")} == {
        "aws": Decimal(2350),
        "azure": Decimal(3000),
        "gpu-cluster": Decimal(500),
        "anthropic": Decimal(0),
    }
    assert books.findings(ruled) == {}
    days = books.rows(ruled, sa.select(usage_days.c.project, sa.func.sum(usage_days.c.calls)).group_by("project"))
    assert dict(days) == {"": 1, "zeus": 2}


@pytest.mark.every_database
def test_a_file_counts_once_and_a_later_one_posts_the_difference(ruled: App) -> None:
    """The same file adds nothing; what a re-issued one says otherwise, or no more, is corrected to the last token."""
    cast.give(ruled, ADA, "5000")
    used(ruled, BEN, "15")
    first = [Row("10.00", tags=user(ADA)), Row("3.00", tags=user(ADA), day=4), Row("6.00")]
    imported(ruled, *first)
    before = wallets(ruled)
    assert imported(ruled, *first).counts == {
        "read": 3,
        "accepted": 0,
        "duplicate": 3,
        "conflict": 0,
        "quarantined": 0,
        "rejected": 0,
    }
    assert wallets(ruled) == before
    ruled.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    later = [Row("9.99", tags=user(ADA)), Row("1.00", tags=user(MARA), day=5), Row("8.00")]
    imported(ruled, *later)
    # By use: Ada 9.99, Ben 15, Mara 1 of 25.99.
    assert sum(wallets(ruled).values()) == Decimal(5000) - Decimal(1099) - Decimal(1500) - Decimal(800)
    share = Decimal(800) * 15 / Decimal("25.99")
    assert abs(wallets(ruled)[BEN] + 1500 + share) < Decimal("0.000001")
    assert trial.usage(ruled)["tokens"] == Decimal("10.99")
    assert books.findings(ruled) == {}
    reversals = books.rows(ruled, sa.select(entries.c.effective_at).where(entries.c.kind == "reversal"))
    assert {at.month for (at,) in reversals} == {10}


def test_the_file_that_was_issued_last_stands(ruled: App) -> None:
    """In whatever order files come: one that was issued earlier changes nothing, nor one that is imported again."""
    imported(ruled, Row("12.00", tags=user(ADA)), issued=SECOND)
    [late] = imported(ruled, Row("10.00", tags=user(ADA)), issued=FIRST).bills
    assert late.change.becomes == "superseded"
    imported(ruled, Row("11.00", tags=user(ADA)), issued=THIRD)
    [again] = imported(ruled, Row("12.00", tags=user(ADA))).bills
    assert again.change.becomes == "superseded"
    assert wallets(ruled)[ADA] == -1100
    imported(ruled, Row("12.00", tags=user(ADA)), issued=THIRD + timedelta(days=1))
    assert wallets(ruled)[ADA] == -1200
    assert books.findings(ruled) == {}


@pytest.mark.every_database
def test_two_who_import_at_once_post_once(ruled: App, database_url: str) -> None:
    """Whoever comes second finds the bill under way or done; every line is posted once, and locks keep their order."""
    rows = [
        Row("0.01", day=day, tags=user(who), meter=f"m{n}") for day in (1, 2) for n in range(20) for who in (ADA, BEN)
    ]
    content = trial.written([*rows, Row("6.00", AZURE)])

    def work(database: Database) -> None:
        app = App(database, ruled.zone, ruled.clock)
        files.import_files(app, [io.BytesIO(content)], Import(actor="test"))

    raised = books.at_once(database_url, [work] * 3)
    assert all(isinstance(one, Refusal) and one.code == "bill_under_way" for one in raised), raised
    files.import_files(ruled, [io.BytesIO(content)], Import(actor="test"))
    assert wallets(ruled) == dict.fromkeys(EVERYONE, Decimal(-100)) | dict.fromkeys((ADA, BEN), Decimal(-140))
    assert books.findings(ruled) == {}


def test_a_part_of_a_bill_is_not_taken_for_the_whole(ruled: App) -> None:
    """A file without most of what stands is refused until somebody says that it is the whole bill."""
    whole = [Row("10.00", tags=user(ADA), day=day) for day in range(1, 5)]
    imported(ruled, *whole)
    with pytest.raises(Refusal, match="75 % of its cost is for services and days that this file says nothing of"):
        imported(ruled, whole[0], whole=False)
    retagged = [row._replace(tags=user(BEN)) for row in whole]
    assert imported(ruled, *retagged, whole=False).bills[0].change.becomes == "taken"
    imported(ruled, retagged[0], whole=True)
    assert wallets(ruled)[BEN] == -1000
    assert books.findings(ruled) == {}


@pytest.mark.every_database
def test_use_that_names_a_stranger_waits(ruled: App) -> None:
    """It is kept whole in quarantine, also through a re-issue, and is debited once somebody says who it is."""
    imported(ruled, Row("10.00", tags=user("arn:role/ada")), Row("1.00", tags=user(BEN)))
    done = imported(ruled, Row("12.00", tags=user("arn:role/ada")), Row("1.00", tags=user(BEN)))
    assert (done.counts["quarantined"], done.counts["duplicate"]) == (1, 1)
    again = imported(ruled, Row("12.00", tags=user("arn:role/ada")), Row("2.00", tags=user(BEN)))
    assert (again.counts["accepted"], again.counts["quarantined"], again.counts["duplicate"]) == (1, 0, 1)
    imported(ruled, Row("12.00", tags=user("arn:role/ada")), Row("1.00", tags=user(BEN)))
    with ruled.reading() as moment:
        [bill] = showing.bills_of(moment, OCTOBER)
        assert showing.waiting(moment, bill.name) == (1, 1, 12_000_000_000)
    assert books.count(ruled, quarantine) == 1
    with ruled.transaction() as moment:
        people_store.add_identity(
            moment.session,
            source="*",
            kind="user",
            value="arn:role/ada",
            person_id=cast.id_of(moment.session, ADA),
        )
    assert books.retry(ruled) == (1, 0)
    assert wallets(ruled)[ADA] == -1200
    imported(ruled, Row("11.00", tags=user("arn:role/ada")), Row("1.00", tags=user(BEN)))
    assert wallets(ruled)[ADA] == -1100
    assert books.findings(ruled) == {}


def test_what_people_decided_about_a_line_stays(ruled: App) -> None:
    """A line that was given to somebody else stays theirs when the bill is issued again with another amount."""
    imported(ruled, Row("10.00", tags=user(ADA)))
    [(source, event_id)] = books.rows(ruled, sa.select(usage_events.c.source, usage_events.c.event_id))
    with ruled.transaction() as moment:
        [posted] = versions.standing(moment.session, [(source, event_id)]).values()
        event = posted.event._replace(identities=(("email", BEN),))
        digest = fingerprints.fingerprint(*event[2:9])
        right = Version(source, event_id, 1, event._replace(fingerprint=digest), "Ben's job")
        assert corrections.take_in(moment, [right], actor="test")[0].status == "accepted"
    imported(ruled, Row("20.00", tags=user(ADA)))
    assert (wallets(ruled)[ADA], wallets(ruled)[BEN]) == (Decimal(0), Decimal(-2000))
    assert books.findings(ruled) == {}


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
    assert wallets(ruled) == dict.fromkeys(EVERYONE, Decimal(100)) | {ADA: Decimal(500)}
    assert balance(ruled, "company") == Decimal(300)
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
    assert (balance(ruled, "pool"), wallets(ruled)[ADA]) == (Decimal(1000), Decimal(-500))
    imported(ruled, Row("25.00", VERTEX, meter="more"))
    assert (balance(ruled, "pool"), wallets(ruled)[ADA]) == (Decimal(500), Decimal(0))
    with pytest.raises(Refusal, match="The pool has 500 tokens, and this bill takes 501 of it"):
        imported(ruled, Row("30.01", VERTEX))
    assert books.findings(ruled) == {}


def test_nobody_to_share_with(ruled: App) -> None:
    """What nobody used, or only somebody who has left since, is the company's."""
    imported(ruled, Row("6.00"))
    assert balance(ruled, "company") == -600
    used(ruled, BEN, "15")
    cast.hire(ruled, f"email,left_on\n{BEN},2026-11-01\n")
    imported(ruled, Row("7.00"))
    assert balance(ruled, "company") == -700
    assert books.findings(ruled) == {}


@pytest.mark.every_database
def test_a_closed_month_stays_and_what_changes_is_booked_after_it(ruled: App, clock: Clock) -> None:
    """A re-issued bill of a closed month leaves its journal; the next month's has the difference, with a reference."""
    used(ruled, BEN, "15")
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


def test_a_month_is_not_closed_while_a_bill_is_under_way(ruled: App) -> None:
    """An import that was interrupted is finished first, or nobody could say what the month comes to."""
    content = io.BytesIO(trial.written([Row("10.00", tags=user(ADA))]))
    told = files.read(ruled, [content])
    with ruled.transaction() as moment:
        taking.keep(moment, told, Import(actor="test"))
    with ruled.transaction() as moment, pytest.raises(Refusal, match="The import of file was interrupted"):
        closing.close(moment, OCTOBER, actor="cli:omar")
    [done] = files.import_files(ruled, [content], Import(actor="test")).bills
    assert done.change.becomes == "continued"
    with ruled.transaction() as moment:
        closing.close(moment, OCTOBER, actor="cli:omar")
    assert wallets(ruled)[ADA] == -1000


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
    assert wallets(ruled)[ADA] == -1100
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
    assert wallets(ruled)[ADA] == Decimal(-1085)
    with pytest.raises(
        Refusal, match=r"line 2: BillingCurrency = 'CHF': expected a currency with a frozen rate in 2026-Q4"
    ):
        imported(ruled, Row("10.00", tags=user(ADA), currency="CHF"))


def test_the_handbook_s_rules_may_change(ruled: App) -> None:
    """The same file again is sorted anew by rules that changed; the first rules hold before they were there."""
    imported(ruled, Row("10.00", CLAUDE, tags=user(ADA)), Row("3.00", GPU))
    assert balance(ruled, "company") == -300
    more = trial.RULES.replace('metered = "gateways"\n', "").replace('rest = "to the company"', 'rest = "evenly"')
    books.apply_text(ruled, books.handbook_text("2026.again", OCTOBER.first_day, more=more))
    imported(ruled, Row("10.00", CLAUDE, tags=user(ADA)), Row("3.00", GPU))
    assert (balance(ruled, "company"), wallets(ruled)[ADA]) == (Decimal(0), Decimal(-1050))
    assert books.findings(ruled) == {}


def test_whoever_is_erased_is_not_named_by_bills(ruled: App) -> None:
    """Lines name an id, and the same bill issued again still corrects them."""
    cast.hire(ruled, f"email,left_on\n{BEN},2026-11-01\n")
    imported(ruled, Row("10.00", tags=user(BEN)))
    with ruled.transaction() as moment:
        erasing.erase(moment, BEN, actor="test")
    assert BEN not in str(books.rows(ruled, bill_lines))
    imported(ruled, Row("9.00", tags=user(BEN)))
    assert BEN not in str(books.rows(ruled, bill_lines))
    [(amount,)] = books.rows(ruled, sa.select(sa.func.sum(usage_days.c.cost_nano_usd)))
    assert amount == 9_000_000_000
    assert books.findings(ruled) == {}


def test_names_in_bills_are_kept_for_a_time(ruled: App, clock: Clock) -> None:
    """As long as those in usage; a bill that is issued again after that still corrects the same usage."""
    imported(ruled, Row("10.00", tags=user(ADA)), Row("3.00", GPU))
    at = clock() + timedelta(days=401)
    assert retained.counted(ruled, at)["bill_lines"] == retained.let_go(ruled, at)["bill_lines"] == 1
    assert ADA not in str(books.rows(ruled, bill_lines)) + str(books.rows(ruled, usage_events))
    clock.now = at
    imported(ruled, Row("9.00", tags=user(ADA)), Row("3.00", GPU))
    assert wallets(ruled)[ADA] == -900
    assert ADA not in str(books.rows(ruled, bill_lines))
    assert books.findings(ruled) == {}


def test_nothing_is_taken_in_without_rules(sqlite_app: App) -> None:
    """A handbook that says of no row whose it is takes no bill."""
    with pytest.raises(Refusal, match=r"The handbook does not say whose the rows of a bill are"):
        imported(sqlite_app, Row("10.00"))
    with sqlite_app.reading() as moment:
        assert store.all_of(moment.session) == []


def test_entries_say_what_they_are_for(ruled: App) -> None:
    """An adjustment names the bill, and is booked in the month of the charge."""
    imported(ruled, Row("3.00", GPU))
    query = sa.select(entries.c.memo, entries.c.effective_at, accounts.c.code, postings.c.amount)
    query = query.join_from(entries, postings).join(accounts, accounts.c.id == postings.c.account_id)
    told = books.rows(ruled, query.where(entries.c.kind == "adjustment", postings.c.amount < 0))
    end = datetime(2026, 10, 31, 22, 59, 59, 999_999, tzinfo=UTC)
    assert told == [("Bill of 1234567890 for 2026-10 (to the company)", end, "company", -300_000_000)]
