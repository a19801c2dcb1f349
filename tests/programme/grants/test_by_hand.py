"""A grant is given once, by who may, with an amount, an end and a reason."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.grants import by_hand
from store.tables.audit import audit_log
from store.tables.ledger import accounts, entries, lots
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from programme.grants.by_hand import ManualGrant

NEXT_YEAR = NOON + timedelta(days=365)


def give(
    app: App,
    *,
    email: str = ADA,
    tokens: str = "100",
    reason: str = "Pilot",
    expires_at: datetime = NEXT_YEAR,
    key: str | None = None,
) -> ManualGrant:
    with app.transaction() as moment:
        return by_hand.give(
            moment,
            email=email,
            amount=MicroTokens.parse(tokens),
            reason=reason,
            expires_at=expires_at,
            actor="cli:test",
            key=key,
        )


def test_a_grant_opens_a_lot(app: App) -> None:
    """The lot has the amount, the dates, the reason and who gave it; the treasury issues it."""
    given = give(app, tokens="100.5")
    assert (given.amount, given.expires_at, given.again) == (MicroTokens.parse("100.5"), NEXT_YEAR, False)
    assert given.person_id == cast.person_id(app, ADA)
    c = lots.c
    lot = sa.select(c.entry_id, c.kind, c.amount, c.remaining, c.starts_at, c.expires_at, c.reason, c.granted_by)
    assert books.rows(app, lot) == [
        (given.entry_id, "manual", 100_500_000, 100_500_000, NOON, NEXT_YEAR, "Pilot", "cli:test")
    ]
    assert books.account(app, "treasury") == MicroTokens.parse("-100.5")
    assert books.findings(app) == {}


def test_the_same_key_gives_once(app: App) -> None:
    """A call that is repeated, also much later, gives nothing twice and returns the first outcome."""
    first = give(app, key="launch")
    again = give(app, key="launch", expires_at=NEXT_YEAR.astimezone(timezone(timedelta(hours=9))))
    assert not first.again
    assert again.again
    assert (again.entry_id, again.amount) == (first.entry_id, first.amount)
    assert books.wallet(app, ADA) == MicroTokens.parse("100")
    assert books.keys(app, "grant") == {"grant:manual:launch"}
    assert len(books.audited(app, "grant.give")) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"tokens": "101"},
        {"email": BEN},
        {"reason": "Other"},
        {"expires_at": NEXT_YEAR + timedelta(days=1)},
    ],
)
def test_the_same_key_with_other_content_is_refused(sqlite_app: App, other: dict[str, str]) -> None:
    """A key stands for one grant: another amount, person, reason or end needs another key."""
    give(sqlite_app, key="launch")
    with pytest.raises(Refusal, match="key = 'launch' was used for another grant") as refusal:
        give(sqlite_app, key="launch", **other)  # type: ignore[arg-type]  # one of them at a time
    assert refusal.value.code == "key_reused"
    assert books.count(sqlite_app, entries) == 1
    assert books.wallet(sqlite_app, BEN) == MicroTokens(0)


def test_a_refused_key_is_on_record(sqlite_app: App) -> None:
    """Anyone who tried to use a key again for something else stands in the audit log; other refusals leave no trace."""
    for code in ("key_reused", "expired_already"):
        with sqlite_app.transaction(NOON) as moment:
            by_hand.record_refusal(moment, Refusal(code, "No."), key="launch", actor="cli:test")
    with sqlite_app.database.reading() as session:
        refused = session.execute(sa.select(audit_log).where(audit_log.c.action == "grant.refused")).all()
    assert [(row.actor, row.subject) for row in refused] == [("cli:test", "grant:manual:launch")]


def test_without_a_key_every_call_gives(sqlite_app: App) -> None:
    """Two calls without a key are two grants."""
    assert give(sqlite_app).entry_id != give(sqlite_app).entry_id
    assert books.wallet(sqlite_app, ADA) == MicroTokens.parse("200")


@pytest.mark.parametrize(
    ("wrong", "code", "complaint"),
    [
        ({"email": "ghost@example.com"}, "unknown_person", "'ghost@example.com'"),
        ({"tokens": "0"}, "amount_not_positive", "amount = 0:"),
        ({"tokens": "-0.5"}, "amount_not_positive", "amount = -0.5:"),
        ({"expires_at": NOON}, "expired_already", "expires = 2026-11-20T12:00:00"),
        ({"expires_at": NOON - timedelta(days=1)}, "expired_already", "expires = 2026-11-19T12:00:00"),
        ({"reason": " "}, "reason_missing", "reason is empty"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    sqlite_app: App, wrong: dict[str, str], code: str, complaint: str
) -> None:
    """The refusal names what is wrong with its value, and nothing is posted, opened or noted."""
    before = books.count(sqlite_app, audit_log)
    with pytest.raises(Refusal, match=complaint) as refusal:
        give(sqlite_app, **wrong)  # type: ignore[arg-type]  # one of them at a time
    assert refusal.value.code == code
    assert books.count(sqlite_app, entries) == books.count(sqlite_app, accounts) == 0
    assert books.count(sqlite_app, audit_log) == before


def test_a_grant_is_audited_without_its_amount(sqlite_app: App) -> None:
    """The log says who gave whom what for and until when; how much is between the ledger and its owner."""
    given = give(sqlite_app, tokens="12345")
    [row] = books.audited(sqlite_app, "grant.give")
    assert (row["actor"], row["subject"]) == ("cli:test", given.person_id)
    assert row["after"] == {"entry_id": given.entry_id, "reason": "Pilot", "expires_at": NEXT_YEAR.isoformat()}
    assert "12345" not in str(row["after"])
