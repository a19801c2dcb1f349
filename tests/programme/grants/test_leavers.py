"""Leavers: what they hold goes into the pool, what they owe is written off, and both are proved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.kinds import EntryKind
from policy.period import Month
from policy.units import MicroTokens
from policy.versions import Version
from programme.balance import balance, history, why
from programme.grants import by_hand, lapses
from programme.usage import corrections, intake
from store.ledger import ledger
from store.tables.ledger import accounts, entries
from store.tables.people import people
from tests.support import books, cast, rollout
from tests.support.books import BEN

if TYPE_CHECKING:
    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment

LAST_DAY = date(2026, 11, 25)
SETTLED = date(2026, 11, 29)


def close(app: App, day: date = SETTLED) -> int:
    with app.transaction(datetime(day.year, day.month, day.day, 9, tzinfo=UTC)) as moment:
        return lapses.close_ended(moment, day)


def leave(app: App) -> None:
    cast.hire(app, f"email,left_on\n{BEN},{LAST_DAY}\n")


def usage(event_id: str, tokens: int, at: datetime) -> UsageEvent:
    """USD 1.25 a million input tokens: 8,000 of them are one token."""
    return cast.event(event_id, at=at, who=BEN, model=cast.GPT, meters={"input_uncached": tokens * 8_000})


def spend(app: App, event_id: str, tokens: int, *, at: datetime) -> UsageEvent:
    event = usage(event_id, tokens, at)
    assert books.take_in(app, event) == ["accepted"]
    return event


def kinds(app: App) -> list[tuple[str, str]]:
    return books.rows(app, sa.select(entries.c.kind, entries.c.memo).order_by(entries.c.id))


def test_what_is_left_goes_into_the_pool(app: App) -> None:
    """A gift that outlives the last day lapses into the pool; what had ended before it expires as it would have."""
    rollout.launch(app)
    cast.give(app, BEN, "30", days=3)
    cast.give(app, BEN, "100", days=60)
    leave(app)
    assert close(app, date(2026, 11, 28)) == 1
    assert close(app) == 1
    assert books.wallet(app, BEN) == MicroTokens(0)
    assert books.account(app, "expired") == MicroTokens.parse("30")
    assert books.account(app, "pool") == MicroTokens.parse("100")
    assert close(app, SETTLED + timedelta(days=1)) == 0
    assert books.findings(app) == {}


def test_a_debt_is_written_off_on_record(app: App) -> None:
    """Ben owes 40 tokens when he leaves: the treasury bears them, his statement and the audit log say so."""
    rollout.launch(app)
    cast.give(app, BEN, "100", days=60)
    spend(app, "1", 140, at=app.clock())
    leave(app)
    close(app, date(2026, 11, 28))
    assert books.wallet(app, BEN) == MicroTokens.parse("-40")
    close(app)
    assert books.wallet(app, BEN) == MicroTokens(0)
    assert kinds(app)[-1] == ("write_off", "Debt written off: left the company")
    assert books.account(app, "treasury") == MicroTokens.parse("-140")
    [row] = books.audited(app, "debt.write_off")
    assert (row["actor"], row["subject"]) == ("policy", cast.person_id(app, BEN))
    assert row["after"]["left_on"] == str(LAST_DAY)
    with app.reading() as moment:
        card = balance.of_email(moment, BEN)
        assert card is not None
        told = why.explain(moment, card)
        lines = history.statement(moment, card.person_id, Month(2026, 11)).movements
    assert dict(told.parts)[EntryKind.WRITE_OFF] == MicroTokens.parse("40")
    assert sum(int(amount) for _, amount in told.parts) == told.balance == 0
    assert [line.kind for line in lines] == [EntryKind.GRANT, EntryKind.USAGE, EntryKind.WRITE_OFF]
    close(app, SETTLED + timedelta(days=1))
    assert len(books.keys(app, "write_off")) == 1
    assert books.findings(app) == {}


def test_late_use_of_the_last_days_is_written_off_too(app: App) -> None:
    """What arrives after all was settled, for a day before the last, is debt until the next day's run."""
    rollout.launch(app)
    leave(app)
    close(app)
    spend(app, "late", 7, at=datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert books.wallet(app, BEN) == MicroTokens.parse("-7")
    close(app, SETTLED + timedelta(days=1))
    assert books.wallet(app, BEN) == MicroTokens(0)
    assert books.findings(app) == {}


def test_a_correction_gives_back_to_the_treasury_what_it_bore(app: App) -> None:
    """Of 140 tokens used, 40 were written off; all of it is withdrawn: the treasury gets 40, the pool the rest."""
    rollout.launch(app)
    cast.give(app, BEN, "100", days=60)
    event = spend(app, "1", 140, at=app.clock())
    leave(app)
    close(app)
    with app.transaction() as moment:
        wrong = Version(event.source, event.event_id, 1, None, "never happened")
        [outcome] = corrections.take_in(moment, [wrong], actor="test")
    assert outcome.status == "accepted"
    assert books.wallet(app, BEN) == MicroTokens.parse("140")
    close(app, SETTLED + timedelta(days=1))
    assert books.wallet(app, BEN) == MicroTokens(0)
    assert books.account(app, "treasury") == MicroTokens.parse("-100")
    assert books.account(app, "pool") == MicroTokens.parse("100")
    assert books.findings(app) == {}


def test_by_a_handbook_of_before_a_debt_stands(app: App) -> None:
    """Without `leavers` nothing is written off."""
    rollout.launch(app, changes={'leavers = "pool"\n': ""})
    spend(app, "1", 5, at=app.clock())
    leave(app)
    close(app)
    assert books.wallet(app, BEN) == MicroTokens.parse("-5")
    assert books.keys(app, "write_off") == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 200), st.integers(5, 90)), max_size=3),
    st.lists(st.integers(1, 200), max_size=4),
    st.sets(st.integers(0, 3)),
)
def test_nothing_remains_of_a_leaver(
    sqlite_app: App, gifts: list[tuple[int, int]], used: list[int], wrong: set[int]
) -> None:
    """Whatever was given, used and withdrawn: the wallet ends at nothing, the treasury bore the debt alone."""
    app = sqlite_app
    if not books.rows(app, sa.select(people.c.id).where(people.c.left_on.is_not(None))):
        rollout.launch(app)
        leave(app)
    with books.rolled_back(app) as moment:
        begin = app.clock()
        for number, (tokens, days) in enumerate(gifts):
            amount, ends = MicroTokens.parse(str(tokens)), begin + timedelta(days=days)
            by_hand.give(moment, email=BEN, amount=amount, reason=f"Gift {number}", expires_at=ends, actor="test")
        events = [usage(str(number), tokens, begin) for number, tokens in enumerate(used)]
        intake.take_in(moment, events)
        lapses.close_ended(moment.at(begin + timedelta(days=9)), SETTLED)
        back = [Version(e.source, e.event_id, 1, None, "wrong") for i, e in enumerate(events) if i in wrong]
        corrections.take_in(moment.at(begin + timedelta(days=10)), back, actor="test")
        lapses.close_ended(moment.at(begin + timedelta(days=11)), SETTLED + timedelta(days=2))
        assert balances(moment, ledger.wallet_code(cast.id_of(moment.session, BEN))) == 0
        given_in_all, stands = sum(t for t, _ in gifts), sum(t for i, t in enumerate(used) if i not in wrong)
        owed = max(stands - given_in_all, 0)
        assert -balances(moment, ledger.TREASURY) <= (given_in_all + owed) * 10**6
        assert books.findings_in(moment) == {}


def balances(moment: Moment, code: str) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(accounts.c.balance), 0)).where(accounts.c.code == code)
    return int(moment.session.execute(query).scalar_one())


def test_tampered_write_offs_are_found(app: App) -> None:
    """A write-off that no one noted, or that leaves something, is a finding of `verify`."""
    rollout.launch(app)
    spend(app, "1", 5, at=app.clock())
    leave(app)
    close(app)
    for statement in (
        "DELETE FROM audit_log WHERE action = 'debt.write_off'",
        "UPDATE postings SET balance = 1 WHERE amount > 0 AND entry_id = (SELECT max(id) FROM entries)",
        "UPDATE entries SET kind = 'grant' WHERE kind = 'write_off'",
    ):
        with books.rolled_back(app) as moment:
            assert moment.session.exec_driver_sql(statement).rowcount == 1
            assert "write_offs_as_owed" in books.findings_in(moment)
