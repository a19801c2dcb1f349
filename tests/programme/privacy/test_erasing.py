"""Everything that is held about somebody is handed out; whoever has left is erased, and the books stay whole."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from programme.exceptions import questions
from programme.people import linking
from programme.people.slack_accounts import SlackAccount
from programme.privacy import erasing
from store.tables import metadata
from tests.support import books, cast, requests, retained, rollout, scim
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from programme.privacy.erasing import Erased
    from tests.support.clock import Clock

PURPOSE, ANSWER = "Compare the parsers of Babbage", "The audit is in May"


def lived(app: App, clock: Clock) -> App:
    """Ada, with usage of every kind, requests, another account, and what a provider told; then she leaves."""
    app = requests.convene(app)
    clock.move(minutes=1)
    with app.transaction() as moment:
        retained.use(moment)
        linking.relink(moment, ADA, SlackAccount("U0ADANEW", ADA), actor="cli:test")
    requests.vote(app, requests.TESS, requests.ask(app, ADA, "100", days=1, purpose=PURPOSE))
    clock.move(days=8)
    rollout.run_calendar(app, clock())
    with scim.connected(app) as idp:
        [found] = idp.found(f'userName eq "{ADA}"')
        idp.put(f"/Users/{found['id']}", {**found, "externalId": "00u1ada"})
    books.take_in(app, cast.event("one", at=clock()), cast.event("two", at=clock(), model=("openai", "unheard-of")))
    asked = requests.ask(app, ADA, "9000", purpose=PURPOSE)
    with app.transaction() as moment:
        asker, ada = (requests.person(moment.session, who) for who in (requests.TESS, ADA))
        questions.answer(moment, ada, questions.ask(moment, asker, asked.id, "Why now?", key="q").id, ANSWER)
    cast.hire(app, f"email,left_on\n{ADA},{clock().date()}\n")
    clock.move(days=1)
    books.take_in(app, cast.event("late", at=clock()))
    return app


def erased(app: App, who: str = ADA) -> Erased:
    with app.transaction() as moment:
        return erasing.erase(moment, who, actor="cli:test")


def named_in(app: App, *words: str) -> set[str]:
    """The tables in which any of some words stands."""
    return {
        table.name
        for table in metadata.sorted_tables
        if any(word in str(row) for row in books.rows(app, sa.select(table)) for word in words)
    }


@pytest.mark.every_database
def test_nothing_names_whoever_was_erased(app: App, clock: Clock) -> None:
    """With a request open and usage waiting, only the audit log still names them; every check holds, then and later."""
    app = lived(app, clock)
    words = (ADA, "Lovelace", "U0ADA", PURPOSE, "00u1ada", "adas-key", ANSWER)
    assert len(named_in(app, *words)) >= 12
    person_id, balance = cast.person_id(app, ADA), books.wallet(app, ADA)
    done = erased(app)
    assert named_in(app, *words) == {"audit_log"}
    assert "audit_log" in done.kept
    assert books.account(app, f"wallet:{person_id}") == balance
    assert not books.findings(app)
    rollout.run_calendar(app, clock() + timedelta(days=40))
    assert not books.findings(app)


def test_an_erased_address_may_be_somebody_elses(sqlite_app: App, clock: Clock) -> None:
    """The address is free: whoever has it next is another person, and gets nothing of the one before."""
    app = lived(sqlite_app, clock)
    before = cast.person_id(app, ADA)
    erased(app)
    line = "email,name,level,role_family,time_zone,hired_on\n"
    cast.hire(app, f"{line}{ADA},Ada Other,mid,engineering,UTC,2026-11-01\n")
    assert cast.person_id(app, ADA) != before
    assert int(books.wallet(app, ADA)) == 0
    assert erased(app, before).names == 1
    assert not books.findings(app)


def test_people_who_are_here_are_not_erased(sqlite_app: App) -> None:
    """The refusal says what has to come first."""
    with pytest.raises(Refusal, match="left_on"):
        erased(sqlite_app)


def test_everything_is_handed_out(sqlite_app: App, clock: Clock) -> None:
    """Every table in which somebody is named, or that has their tokens, is in what they get; nobody else's rows are."""
    app = lived(sqlite_app, clock)
    ada = cast.person_id(app, ADA)
    with app.transaction() as moment:
        found = erasing.export(moment, ADA, actor="cli:test")
    assert named_in(app, ada) - {"accounts"} <= found.tables.keys() | {"ALL"}
    assert {"usage_events", "requests", "postings", "entries", "lots", "scim_users", "audit_log"} <= found.tables.keys()
    assert {row["person_id"] for row in found.tables["grants"]} == {ada}
    assert books.audited(app, "people.export")


def test_what_hangs_on_their_rows_is_handed_out(sqlite_app: App, clock: Clock) -> None:
    """Their answers, versions of their usage, what of it was refused or waits under their name, and nobody else's."""
    app = lived(sqlite_app, clock)
    with app.reading() as moment:
        of_ada, of_ben = (erasing.held(moment, who).tables for who in (ADA, BEN))
    assert [row["answer"] for row in of_ada["request_questions"]] == [ANSWER]
    assert {row["event_id"] for row in of_ada["usage_versions"]} == {"withdrawn"}
    assert [row["event_id"] for row in of_ada["usage_conflicts"]] == ["posted"]
    assert {"waiting", "two", "late"} <= {row["event_id"] for row in of_ada["usage_events"]}
    assert {row["event_id"] for row in of_ada["quarantine"]} >= {"fixed"}
    assert "request_questions" not in of_ben
    assert {row["event_id"] for row in of_ben["usage_events"]} == {"corrected"}
    first, second = (row["content"]["identities"] for row in of_ben["usage_versions"])
    assert (first, second) == ([["email", "[somebody else]"]], [["email", BEN]])
    assert ADA not in str({name: rows for name, rows in of_ben.items() if name != "audit_log"})
