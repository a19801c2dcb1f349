"""`verify` holds every appeal against the audit log, the board of its day, and the grants that the cut made smaller."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from programme.appeals import calendar, deciding
from tests.support import appealed, books, cast, reviewed
from tests.support.appealed import FEBRUARY, FEBRUARY_FIRST, FEBRUARY_THIRD, FRIDAY
from tests.support.clock import Clock
from tests.support.requests import IRIS, TESS, ZOE
from tests.support.reviewed import IDLE, Q4

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment

pytestmark = pytest.mark.every_database

APPEAL = "UPDATE appeals SET {} WHERE person_id = (SELECT id FROM people WHERE email = 't1p1@example.com')"
LOT = "UPDATE lots SET {} WHERE kind = 'appeal'"
TAMPERINGS = {
    "who decided": APPEAL.format("decided_by = (SELECT id FROM people WHERE email = 'tess@example.com')"),
    "when it was filed": APPEAL.format("filed_at = decide_by"),
    "when it was decided": APPEAL.format("decided_at = decide_by"),
    "the outcome": APPEAL.format("state = 'rejected', cut_from = '2027-03', entry_id = NULL"),
    "open again": APPEAL.format(
        "state = 'open', decided_at = NULL, decided_by = NULL, decision_reason = NULL, entry_id = NULL"
    ),
    "the entry": APPEAL.format("entry_id = NULL"),
    "an appeal is gone": "DELETE FROM appeals WHERE entry_id IS NOT NULL",
    "what came back": LOT.format("amount = amount + 100000000"),
    "whose it is": LOT.format(
        "account_id = (SELECT min(a.id) FROM accounts a JOIN people p ON p.id = a.person_id "
        "WHERE p.email <> 't1p1@example.com')"
    ),
    "what it is": LOT.format("kind = 'manual'"),
    "the key": "UPDATE entries SET idempotency_key = 'appeal:other' WHERE kind = 'appeal'",
    "another entry": (
        "INSERT INTO entries (id, kind, idempotency_key, fingerprint, effective_at, posted_at, memo, actor) "
        "SELECT 999999, kind, 'appeal:2026-Q4/other', fingerprint, effective_at, posted_at, memo, actor "
        "FROM entries WHERE kind = 'appeal'"
    ),
    "the month that was cut": (
        "UPDATE grants SET month = '2027-01' "
        "WHERE month = '2027-02' AND person_id = (SELECT id FROM people WHERE email = 't1p1@example.com')"
    ),
    "from when it held": "UPDATE reviews SET holds_from = '2027-03'",
    "who decided the case": (
        "UPDATE review_cases SET decision = 'held', decided_at = (SELECT drafted_at FROM reviews), "
        "decision_reason = 'x', decided_by = (SELECT id FROM people WHERE email = 'iris@example.com') "
        "WHERE person_id = (SELECT id FROM people WHERE email = 't1p1@example.com')"
    ),
    "the manager": (
        "UPDATE review_cases SET team = (SELECT id FROM people WHERE email = 'iris@example.com') "
        "WHERE person_id = (SELECT id FROM people WHERE email = 't1p1@example.com')"
    ),
}

WHO = "(SELECT id FROM people WHERE email = 't1p1@example.com')"
CUT_MARCH_TOO = (
    "UPDATE grants SET factors = (SELECT factors FROM grants WHERE month = '2027-02' AND person_id = WHO) "
    "WHERE month = '2027-03' AND person_id = WHO"
).replace("WHO", WHO)
POST_MARCH_EARLIER = (
    "UPDATE entries SET posted_at = (SELECT posted_at FROM entries WHERE kind = 'appeal') "
    "WHERE id = (SELECT entry_id FROM grants WHERE month = '2027-03' AND person_id = WHO)"
).replace("WHO", WHO)


def others(moment: Moment) -> list[str]:
    """The other people who are cut; they decide nothing."""
    return [one for one in appealed.cut(moment.session) if one not in {IDLE, ZOE}]


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """A company in which one appeal was upheld before any month was cut, and another after."""
    assert isinstance(shared_app.clock, Clock)
    appealed.settle(shared_app, shared_app.clock)
    with shared_app.transaction(FEBRUARY_FIRST) as moment:
        appealed.adopt(moment)
        appealed.vote_on_package(moment.session, shared_app, TESS)
        early = appealed.file(moment, others(moment)[0], at=FRIDAY)
        assert appealed.decide(moment, ZOE, early, upheld=True, at=FRIDAY).entry_id is None
        reviewed.granted_with(moment, FEBRUARY)
        appealed.decide(moment, IRIS, appealed.file(moment), upheld=True)
    return shared_app


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    with books.rolled_back(company) as moment:
        yield moment


def found(moment: Moment) -> list[str]:
    return books.found_by(moment, "appeals_as_decided")


def test_what_nobody_touched_is_proved(moment: Moment) -> None:
    """Upheld, rejected, over by time, open, passed on and upheld by silence: each is proved as it is."""
    rejected, over, still_open, silent, *_ = others(moment)[1:]
    appealed.decide(moment, ZOE, appealed.file(moment, rejected), upheld=False)
    appeal = appealed.file(moment, over)
    deciding.lapse(moment.at(appeal.decide_by), appeal)
    appealed.file(moment, still_open)
    calendar.advance(moment.at(appeal.decide_by), appealed.file(moment, silent).id)
    assert found(moment) == []
    calendar.advance(moment.at(appeal.decide_by + timedelta(days=30)), f"{Q4}/{cast.id_of(moment.session, silent)}")
    assert found(moment) == []


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found(moment: Moment, statement: str) -> None:
    """One statement behind the programme's back, and the check of appeals says so."""
    assert moment.session.exec_driver_sql(statement).rowcount > 0
    assert found(moment)


def test_a_voter_decides_only_where_nobody_else_could(company: App, moment: Moment) -> None:
    """A vote of the decider that the log tells of is found, as others sat on the board who had not voted."""
    appealed.decide(moment, ZOE, appealed.file(moment, others(moment)[1]), upheld=False)
    assert found(moment) == []
    appealed.vote_on_package(moment.session, company, ZOE, at=FEBRUARY_THIRD)
    assert [sentence for sentence in found(moment) if "had a part in it" in sentence]


def test_a_grant_after_the_decision_is_nobodys_debt(moment: Moment) -> None:
    """What is worked out again is what was posted by then: a cut grant of another month, later, changes nothing."""
    later = FEBRUARY_THIRD + timedelta(days=26)
    reviewed.granted_with(moment.at(later), FEBRUARY.next())
    assert found(moment) == []
    assert moment.session.exec_driver_sql(CUT_MARCH_TOO).rowcount == 1
    assert found(moment) == []
    assert moment.session.exec_driver_sql(POST_MARCH_EARLIER).rowcount == 1
    assert found(moment)
