"""A month that is closed stays as it is: what comes later is booked in the month that is open then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.reasons import Refusal
from policy.versions import Version
from programme.closings import closing
from programme.usage import corrections
from store.closings import figures, records
from store.tables.closings import closings
from tests.support import books, cast, months, reconciled
from tests.support import vendors as trials
from tests.support.books import ADA
from tests.support.reconciled import OCTOBER

if TYPE_CHECKING:
    from programme.app import App
    from programme.closings.closing import Booked
    from store.closings.records import Closing

NOVEMBER = Month(2026, 11)
IN_OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)


def close(app: App, month: Month = OCTOBER) -> Closing:
    with app.transaction() as moment:
        return closing.close(moment, month, actor="cli:omar")


def booked(app: App, closed: Closing) -> list[Booked]:
    with app.reading() as moment:
        return closing.booked(moment, closed)


def in_cents(rows: list[Booked], side: str) -> int:
    return sum(int(getattr(row, side).replace(".", "") or 0) for row in rows)


@pytest.mark.every_database
def test_a_closed_month_stays_and_later_corrections_are_booked_after_it(app: App) -> None:
    """Debits equal credits; a correction of a closed month leaves its journal, and is in the next with a reference."""
    cast.give(app, ADA, "1000")
    books.take_in(app, *(cast.event(f"{n}", at=IN_OCTOBER, meters={"output": 200_000}) for n in range(3)))
    october = close(app)
    rows = booked(app, october)
    assert in_cents(rows, "debit") == in_cents(rows, "credit") == 900  # 3 × USD 3.00 consumed; granted in November.
    assert {(row.account, row.service) for row in rows} == {("2400", ""), ("2000", "anthropic")}
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    with app.transaction() as moment:
        right = cast.event("1", at=IN_OCTOBER, meters={"output": 100_000})
        corrections.take_in(moment, [Version("gateway", "1", 1, right, "counted twice")], actor="test")
    books.take_in(app, cast.event("late", at=IN_OCTOBER, meters={"output": 100_000}))
    assert booked(app, october) == rows
    app.clock.move(days=20)  # type: ignore[attr-defined]
    november = close(app, NOVEMBER)
    late = [row for row in booked(app, november) if row.corrects == "2026-10"]
    assert {(row.text, row.debit or row.credit) for row in late} == {
        ("Consumption undone", "3.00"),
        ("AI services consumed", "3.00"),  # What is right of the corrected call, and the late one.
    }
    assert books.findings(app) == {}
    [noted] = [row for row in books.audited(app, closing.CLOSED) if row["subject"] == "2026-10"]
    assert noted["after"] == {"digest": october.digest}


def test_every_entry_is_in_exactly_one_journal(sqlite_app: App) -> None:
    """Over months that are closed one after the other, the journals together move what the ledger did."""
    cast.give(sqlite_app, ADA, "1000")
    for n, day in enumerate((1, 15, 31)):
        books.take_in(sqlite_app, cast.event(f"o{n}", at=IN_OCTOBER.replace(day=day), meters={"output": 200_000}))
    closed = [close(sqlite_app)]
    books.take_in(sqlite_app, cast.event("late", at=IN_OCTOBER, meters={"output": 200_000}))
    sqlite_app.clock.move(days=20)  # type: ignore[attr-defined]
    closed.append(close(sqlite_app, NOVEMBER))
    lines = [line for one in closed for line in one.journal["lines"]]
    consumed = sum(line["micro_tokens"] for line in lines if line["kind"] == "usage")
    assert consumed == books.account(sqlite_app, "service:anthropic")
    assert sum(line["micro_tokens"] for line in lines if line["kind"] == "grant") == 1_000_000_000
    assert closed[-1].journal["outstanding_micro_tokens"] == int(books.wallet(sqlite_app, ADA))


def test_a_month_is_closed_once_in_order_and_when_it_is_over(sqlite_app: App) -> None:
    """A month that runs, one that was closed, and one before a closed one are refused, each with its reason."""
    for month, said in (
        (NOVEMBER, "Usage may arrive"),
        (OCTOBER, ""),
        (OCTOBER, "closed already"),
        (Month(2026, 9), "2026-10 is closed"),
    ):
        if not said:
            close(sqlite_app, month)
            continue
        with pytest.raises(Refusal, match=said) as refused:
            close(sqlite_app, month)
        assert refused.value.code == "not_closable"


def test_a_month_is_closed_once_finance_s_file_of_it_is_final(sqlite_app: App) -> None:
    """Where the handbook settles a month later for its bills, it is not closed before, and then it is."""
    text = books.handbook_text("2026.later", OCTOBER.first_day)
    books.apply_text(sqlite_app, text.replace("settle_days = 3\n\n[invoices]", "settle_days = 20\n\n[invoices]"))
    with pytest.raises(Refusal, match=r"may change until 2026-11-20 23:00 UTC \(`finance.settle_days`\)"):
        close(sqlite_app)
    sqlite_app.clock.move(days=20)  # type: ignore[attr-defined]
    assert close(sqlite_app).month == "2026-10"


def test_an_open_difference_stands_against_closing(sqlite_app: App) -> None:
    """A month that does not agree with a vendor is closed only once somebody has decided about each difference."""
    calls = months.calls(hours=12)
    with trials.serving() as trial:
        reconciled.bill(trial, calls)
        reconciled.post(sqlite_app, calls[::2])
        [finding] = reconciled.compare(sqlite_app, trial)
        with pytest.raises(Refusal, match=f"{finding.id} is open"):
            close(sqlite_app)
        reconciled.decide(sqlite_app, finding, "company")
        closed = close(sqlite_app)
    assert [one["state"] for one in closed.findings] == ["corrected"]
    assert ("adjustment", "company") in {(line["kind"], line["debit"]) for line in closed.journal["lines"]}
    assert books.findings(sqlite_app) == {}


@pytest.mark.parametrize("what", ["journal", "digest", "row"])
def test_verify_finds_a_closing_that_was_changed(sqlite_app: App, what: str) -> None:
    """A journal that was rewritten, a digest that was, and a closing that was removed are found."""
    books.take_in(sqlite_app, cast.event("1", at=IN_OCTOBER, meters={"output": 200_000}))
    closed = close(sqlite_app)
    changes = {
        "journal": sa.update(closings).values(journal={**closed.journal, "liability_cents": 1}),
        "digest": sa.update(closings).values(digest="0" * 64),
        "row": sa.delete(closings),
    }
    with sqlite_app.database.transaction() as session:
        session.execute(changes[what])
    assert books.findings(sqlite_app)["closed_months"]


def test_a_month_that_nothing_happened_in_can_be_closed(sqlite_app: App) -> None:
    """An empty month has an empty journal, and the next one begins after it."""
    close(sqlite_app)
    with sqlite_app.reading() as moment:
        [closed] = records.all_closed(moment.session)
        reach = figures.reach(moment.session, NOVEMBER)
    assert (closed.journal["lines"], reach.after) == ([], closed.last_entry_id)
