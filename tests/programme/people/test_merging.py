"""Two records of one person become one: tokens, debts, names and requests, with nothing lost and all on record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from policy.units import MicroTokens
from policy.versions import Version
from programme.people import merging
from programme.usage import corrections, rerating
from programme.usage.rerating import Days, Reassignment
from store.people import directory as people_store
from store.tables.exceptions import requests as requests_table
from store.tables.ledger import lots
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, requests
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from programme.app import App
    from programme.people.merging import Merged
    from tests.support.clock import Clock

TWIN = "ada.king@example.com"
HEADER = "email,name,slack_user_id,manager_email,level,role_family,pay_band,fte,time_zone,hired_on,roles,external_id\n"


def with_twin(app: App, *, roles: str = "", slack: str = "") -> str:
    """Ada once more, under another e-mail; her id."""
    cast.hire(app, f"{HEADER}{TWIN},Ada King,{slack},{MARA},staff,engineering,P4,1,UTC,2020-02-01,{roles},X7\n")
    return cast.person_id(app, TWIN)


def merged(app: App) -> Merged:
    with app.transaction() as moment:
        return merging.merge(moment, TWIN, ADA, actor="cli:test")


@pytest.mark.every_database
def test_what_is_left_comes_over_lot_by_lot_and_the_debt_too(app: App) -> None:
    """Each lot keeps its end and reason in the first wallet, a debt is settled by it, and the books stay balanced."""
    twin = with_twin(app)
    cast.give(app, ADA, "100")
    cast.give(app, TWIN, "40", days=30, reason="Workshop")
    cast.give(app, TWIN, "25", days=60)
    done = merged(app)
    assert (done.tokens, done.debt) == (MicroTokens.parse("65"), MicroTokens(0))
    assert books.wallet(app, ADA) == MicroTokens.parse("165")
    assert books.account(app, f"wallet:{twin}") == MicroTokens(0)
    reasons = books.rows(
        app, sa.select(lots.c.reason, lots.c.remaining).where(lots.c.remaining > 0).order_by(lots.c.id)
    )
    assert ("Workshop", 40_000_000) in reasons
    assert not books.findings(app)


def test_debts_come_over(sqlite_app: App, clock: Clock) -> None:
    """What the second record owed is owed by the first."""
    with_twin(sqlite_app)
    books.take_in(sqlite_app, cast.event("e1", at=clock(), who=TWIN))
    owed = -int(books.wallet(sqlite_app, TWIN))
    assert owed > 0
    assert merged(sqlite_app).debt == owed
    assert books.wallet(sqlite_app, ADA) == -owed
    assert not books.findings(sqlite_app)


def test_names_and_reports_are_the_firsts(sqlite_app: App, clock: Clock) -> None:
    """Gateways reach the first by either e-mail; the external id, the first day and the reports are hers."""
    with_twin(sqlite_app)
    cast.hire(sqlite_app, f"email,manager_email\nben@example.com,{TWIN}\n")
    merged(sqlite_app)
    assert books.take_in(sqlite_app, cast.event("late", at=clock() - timedelta(hours=1), who=TWIN)) == ["accepted"]
    with sqlite_app.database.reading() as session:
        rows = people_store.all_by_email(session)
    assert TWIN not in rows
    assert rows[ADA]["external_id"] == "X7"
    assert str(rows[ADA]["hired_on"]) == "2020-02-01"
    assert rows["ben@example.com"]["manager_id"] == rows[ADA]["id"]
    assert not books.findings(sqlite_app)


def test_an_open_request_and_its_letters_change_hands(sqlite_app: App) -> None:
    """In the middle of a vote the request is the first's, and no letter goes to an account of nobody."""
    app = requests.convene(sqlite_app)
    with_twin(app, slack="U0TWIN")
    request_id = requests.ask(app, TWIN, "9000").id
    assert merged(app).requests == (request_id,)
    ada = cast.person_id(sqlite_app, ADA)
    assert books.rows(sqlite_app, sa.select(requests_table.c.person_id)) == [(ada,)]
    waiting = books.rows(sqlite_app, sa.select(outbox.c.person_id).where(outbox.c.state == "waiting"))
    twins = books.rows(sqlite_app, sa.select(people.c.id).where(people.c.merged_into.is_not(None)))
    assert not set(waiting) & set(twins)
    assert not books.findings(sqlite_app)


def test_what_cannot_change_hands_is_refused(sqlite_app: App) -> None:
    """Roles are not handed over by the way, and nobody is merged with themselves: nothing has changed then."""
    with_twin(sqlite_app, roles="auditor")
    with pytest.raises(Refusal, match="auditor"):
        merged(sqlite_app)
    with pytest.raises(Refusal, match="one record"), sqlite_app.transaction() as moment:
        merging.merge(moment, ADA, ADA, actor="cli:test")
    assert not books.findings(sqlite_app)


@pytest.mark.every_database
def test_what_is_corrected_after_the_merge_is_the_firsts(app: App, clock: Clock) -> None:
    """Use that was the second's costs the first what is right by now, whether less, more, or somebody else's."""
    twin = with_twin(app)
    cast.give(app, TWIN, "10")
    names = ("less", "more", "bens", "never")
    books.take_in(app, *(cast.event(name, at=clock(), who=TWIN) for name in names))
    merged(app)
    assert books.wallet(app, ADA) == MicroTokens.parse("7.84")
    versions = [
        Version("gateway", "less", 1, cast.event("less", at=clock(), who=TWIN, meters={"output": 100}), "units"),
        Version("gateway", "more", 1, cast.event("more", at=clock(), who=TWIN, meters={"output": 900_000}), "units"),
        Version("gateway", "never", 1, None, "a test"),
    ]
    days = Days(clock().date(), clock().date())
    to_ben = Reassignment(("email", TWIN), None, days, cast.person_id(app, BEN), "his key", "cli:test")
    for version in versions:
        with app.transaction() as moment:
            [outcome] = corrections.take_in(moment, [version], actor="cli:test")
        assert outcome.status == "accepted"
        assert books.account(app, f"wallet:{twin}") == MicroTokens(0)
        assert not books.findings(app)
    right = MicroTokens.parse("9.31") - MicroTokens.parse("1350")
    assert books.wallet(app, ADA) == right
    with app.transaction() as moment:
        assert rerating.next_batch(moment, to_ben, after=None).changed == 3
    assert books.account(app, f"wallet:{twin}") == MicroTokens(0)
    assert books.wallet(app, ADA) == MicroTokens.parse("10")
    assert books.wallet(app, BEN) == right - MicroTokens.parse("10")
    assert not books.findings(app)


def test_what_is_corrected_after_two_merges_is_the_lasts(sqlite_app: App, clock: Clock) -> None:
    """A first record that became somebody's second hands on what comes back."""
    twin, ada = with_twin(sqlite_app), cast.person_id(sqlite_app, ADA)
    books.take_in(sqlite_app, cast.event("e1", at=clock(), who=TWIN))
    merged(sqlite_app)
    with sqlite_app.transaction() as moment:
        merging.merge(moment, ADA, BEN, actor="cli:test")
    owed = books.wallet(sqlite_app, BEN)
    with sqlite_app.transaction() as moment:
        corrections.take_in(moment, [Version("gateway", "e1", 1, None, "a test")], actor="cli:test")
    assert owed < 0
    assert books.wallet(sqlite_app, BEN) == 0
    assert {books.account(sqlite_app, f"wallet:{one}") for one in (twin, ada)} == {MicroTokens(0)}
    assert not books.findings(sqlite_app)
