"""A vendor's bill is taken in once, whatever files of it come, and what people decided about it stays."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.invoices import files
from policy.period import Month
from policy.reasons import Refusal
from policy.versions import Version
from programme.app import App
from programme.closings import closing
from programme.invoices import posting, sharing, showing, taking
from programme.invoices.taking import Import
from programme.privacy import erasing
from programme.usage import corrections, fingerprints
from store.invoices import bills as store
from store.people import directory as people_store
from store.tables.invoices import bill_lines
from store.tables.ledger import entries
from store.tables.usage import quarantine, usage_days, usage_events
from store.usage import versions
from tests.support import bills as trial
from tests.support import books, cast, retained
from tests.support.bills import AZURE, CLAUDE, GPU, Row, imported, user
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from store.engine import Database
    from tests.support.clock import Clock

OCTOBER = Month(2026, 10)
FIRST, SECOND, THIRD = (datetime(2026, 11, day, 6, tzinfo=UTC) for day in (3, 5, 9))


def test_a_file_counts_once_and_a_later_one_posts_the_difference(ruled: App) -> None:
    """The same file adds nothing; what a re-issued one says otherwise, or no more, is corrected to the last token."""
    cast.give(ruled, ADA, "5000")
    trial.used(ruled, BEN, "15")
    first = [Row("10.00", tags=user(ADA)), Row("3.00", tags=user(ADA), day=4), Row("6.00")]
    imported(ruled, *first)
    before = trial.wallets(ruled)
    assert imported(ruled, *first).counts == {
        "read": 3,
        "accepted": 0,
        "duplicate": 3,
        "conflict": 0,
        "quarantined": 0,
        "rejected": 0,
    }
    assert trial.wallets(ruled) == before
    ruled.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    later = [Row("9.99", tags=user(ADA)), Row("1.00", tags=user(MARA), day=5), Row("8.00")]
    imported(ruled, *later)
    # By use: Ada 9.99, Ben 15, Mara 1 of 25.99.
    assert sum(trial.wallets(ruled).values()) == Decimal(5000) - Decimal(1099) - Decimal(1500) - Decimal(800)
    share = Decimal(800) * 15 / Decimal("25.99")
    assert abs(trial.wallets(ruled)[BEN] + 1500 + share) < Decimal("0.000001")
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
    assert trial.wallets(ruled)[ADA] == -1100
    imported(ruled, Row("12.00", tags=user(ADA)), issued=THIRD + timedelta(days=1))
    assert trial.wallets(ruled)[ADA] == -1200
    assert books.findings(ruled) == {}


def test_a_file_that_comes_while_another_is_posted(ruled: App) -> None:
    """The first import does not end the bill before what the second one changed is posted, by whomever."""
    first, second = (trial.written([Row(cost, tags=user(ADA)), Row("5.00", GPU)]) for cost in ("10.00", "12.00"))
    for content in (first, second):
        told = files.read(ruled, [io.BytesIO(content)])
        with ruled.transaction() as moment:
            taking.keep(moment, told, Import(actor="test"))
            bill = store.find(moment.session, next(iter(told.bills)))
            assert bill is not None
            if content == first:
                posting.step(moment, bill, actor="test")
            assert sharing.spread(moment, bill, actor="test") == (content == first)
    with ruled.reading() as moment:
        assert [one.posted_at for one in store.under_way(moment.session)] == [None]
    files.import_files(ruled, [io.BytesIO(second)], Import(actor="test"))
    assert (trial.wallets(ruled)[ADA], trial.balance(ruled, "company")) == (Decimal(-1200), Decimal(-500))
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
    assert trial.wallets(ruled) == dict.fromkeys(trial.EVERYONE, Decimal(-100)) | dict.fromkeys(
        (ADA, BEN), Decimal(-140)
    )
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
    assert trial.wallets(ruled)[BEN] == -1000
    assert books.findings(ruled) == {}


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
    assert trial.wallets(ruled)[ADA] == -1200
    imported(ruled, Row("11.00", tags=user("arn:role/ada")), Row("1.00", tags=user(BEN)))
    assert trial.wallets(ruled)[ADA] == -1100
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
    assert (trial.wallets(ruled)[ADA], trial.wallets(ruled)[BEN]) == (Decimal(0), Decimal(-2000))
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
    assert trial.wallets(ruled)[ADA] == -1000


def test_the_handbook_s_rules_may_change(ruled: App) -> None:
    """The same file again is sorted anew by rules that changed; the first rules hold before they were there."""
    imported(ruled, Row("10.00", CLAUDE, tags=user(ADA)), Row("3.00", GPU))
    assert trial.balance(ruled, "company") == -300
    more = trial.RULES.replace('metered = "gateways"\n', "").replace('rest = "to the company"', 'rest = "evenly"')
    books.apply_text(ruled, books.handbook_text("2026.again", OCTOBER.first_day, more=more))
    imported(ruled, Row("10.00", CLAUDE, tags=user(ADA)), Row("3.00", GPU))
    assert (trial.balance(ruled, "company"), trial.wallets(ruled)[ADA]) == (Decimal(0), Decimal(-1050))
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
    assert trial.wallets(ruled)[ADA] == -900
    assert ADA not in str(books.rows(ruled, bill_lines))
    assert books.findings(ruled) == {}


def test_nothing_is_taken_in_without_rules(sqlite_app: App) -> None:
    """A handbook that says of no row whose it is takes no bill."""
    with pytest.raises(Refusal, match=r"The handbook does not say whose the rows of a bill are"):
        imported(sqlite_app, Row("10.00"))
    with sqlite_app.reading() as moment:
        assert store.all_of(moment.session) == []
