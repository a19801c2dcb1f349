"""What is held for a time only goes when that is over, once, in batches; nothing that counts or waits goes with it."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.period import Month
from policy.versions import Version
from programme.exceptions import questions
from programme.holds import ending
from programme.privacy import retention
from programme.usage import corrections
from scheduler import tick as ticking
from store.exceptions import drafts
from store.tables.appeals import appeals
from store.tables.exceptions import request_drafts, request_questions, request_votes, requests
from store.tables.holds import hold_claims, holds
from store.tables.ledger import entries, lots
from store.tables.outbox import outbox
from store.tables.outcomes import outcomes
from store.tables.people import people, reporting_lines
from store.tables.reviews import review_cases
from store.tables.usage import quarantine, usage_conflicts, usage_events, usage_versions
from tests.support import appealed, books, cast, held, retained, rollout
from tests.support import outcomes as work
from tests.support import requests as asking
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import TESS
from tests.support.retained import OUTSIDER, SALES
from tests.support.reviewed import BUSY

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database
    from tests.support.clock import Clock

OLD = timedelta(days=401)


@pytest.mark.every_database
def test_usage_of_a_time_is_that_of_an_id(app: App, clock: Clock) -> None:
    """Whatever way it took, nothing of it names anyone once it is old, but what waits; younger usage is as it was."""
    cast.hire(app, SALES)
    with app.transaction() as moment:
        retained.use(moment)
    clock.move(days=10)
    books.take_in(app, cast.event("young", at=clock()))
    ids = {email: cast.person_id(app, email) for email in (ADA, BEN, OUTSIDER)}
    at = clock() + OLD - timedelta(days=9)
    expected = retained.counted(app, at)
    assert retained.let_go(app, at, limit=2) == expected
    names = dict(books.rows(app, sa.select(usage_events.c.event_id, usage_events.c.identities)))
    assert names == {
        "posted": [["user", ids[ADA]]],
        "free": [["user", ids[ADA]]],
        "corrected": [["user", ids[BEN]]],
        "withdrawn": [],
        "sold": [["user", ids[OUTSIDER]]],
        "fixed": [["user", ids[ADA]]],
        "discarded": [],
        "waiting": [["email", ADA]],
        "young": [["email", ADA]],
    }
    for table in (usage_versions, usage_conflicts):
        assert "example.com" not in str(books.rows(app, table))
    assert "adas-key" not in str(books.rows(app, quarantine))
    assert books.findings(app) == {}
    assert retained.counted(app, at) == retained.let_go(app, at) == {}


# --- Texts -----------------------------------------------------------------------------------------------------------

PURPOSE, REASON, QUESTION, ANSWER = "Compare the parsers", "Use the small one", "Why now?", "The audit is in May"


def asked(app: App) -> App:
    """One request was granted and its tokens ended, one was rejected after a question, one is open."""
    app = asking.convene(app)
    asking.vote(app, TESS, asking.ask(app, ADA, "9000", purpose=PURPOSE))
    second = asking.ask(app, BEN, "500", purpose=PURPOSE)
    with app.transaction() as moment:
        asker = asking.person(moment.session, TESS)
        found = questions.ask(moment, asker, second.id, QUESTION, key="q1")
        questions.answer(moment, asking.person(moment.session, BEN), found.id, ANSWER)
    asking.vote(app, TESS, second, approves=False, reason=REASON)
    asking.let_time_pass(app, days=60)
    asking.ask(app, ADA, "400", purpose=PURPOSE)
    return app


def test_what_was_written_about_a_request_goes_once_it_is_over(sqlite_app: App) -> None:
    """Purpose, question, answer and reasons, wherever they were copied to; of what is open nothing."""
    app = asked(sqlite_app)
    people_ids = [cast.person_id(app, who) for who in (ADA, BEN)]
    months = [Month(2026, 11), Month(2026, 12), Month(2027, 1)]
    with app.reading() as moment:
        before = retained.figures(moment, people_ids, months)
    over = app.clock() - timedelta(days=60)
    assert "requests" not in retained.let_go(app, over + timedelta(days=730))
    at = app.clock() + timedelta(days=730)
    assert retained.counted(app, at).items() >= {"requests": 2, "request_questions": 1, "request_votes": 1}.items()
    retained.let_go(app, at)
    r, q = requests.c, request_questions.c
    written = books.rows(app, sa.select(r.purpose).order_by(r.made_at, r.id))
    assert sorted(written) == sorted([("[erased]",), ("[erased]",), (PURPOSE,)])
    assert books.rows(app, sa.select(q.question, q.answer)) == [("[erased]", "[erased]")]
    assert {reason for (reason,) in books.rows(app, sa.select(request_votes.c.reason))} == {None, "[erased]"}
    assert PURPOSE not in str(books.rows(app, lots)) + str(books.rows(app, entries))
    ended = sa.select(entries.c.memo).where(entries.c.kind == EntryKind.EXPIRY, entries.c.memo.contains("[erased]"))
    assert books.rows(app, ended) == [("Ended: [erased]",)]
    with app.reading() as moment:
        assert retained.figures(moment, people_ids, months) == before
    assert books.findings(app) == {}


def test_a_request_is_not_over_before_everything_about_it_is(sqlite_app: App) -> None:
    """Not while its tokens live, the calendar has a step left, or what was used of a break-glass is to be taken off."""
    app = asked(sqlite_app)
    at, r = app.clock() + timedelta(days=730), requests.c
    later = {"expires_at": at}
    credited = sa.select(r.entry_id).where(r.entry_id.is_not(None))
    for change in (
        sa.update(lots).where(lots.c.entry_id.in_(credited)).values(later),
        sa.update(requests).where(r.state == "approved").values(next_step="outcome", next_at=at),
        sa.update(requests).where(r.state == "approved").values(state="not_ratified", class_name="break_glass"),
    ):
        with books.rolled_back(app) as moment:
            moment.session.execute(change)
            assert [one.rows for one in retention.due(moment, at) if one.part == "requests"] == [1]


def test_what_was_written_about_a_review_waits_for_its_appeals(sqlite_app: App, clock: Clock) -> None:
    """While one is open, no reason of the quarter goes, nor the appeal's; those of both go after it was decided."""
    appealed.settle(sqlite_app, clock)
    with sqlite_app.transaction() as moment:
        appealed.adopt(moment)
        case = sa.update(review_cases).where(review_cases.c.person_id == cast.id_of(moment.session, BUSY))
        decided = {"decision": "held", "decided_by": cast.id_of(moment.session, TESS), "decision_reason": "New here"}
        moment.session.execute(case.values(decided))
        filed = appealed.file(moment)
    at = appealed.FEBRUARY_THIRD + timedelta(days=800)
    kept = {"review_cases", "appeals", "review_votes"}
    assert not kept & retained.counted(sqlite_app, at).keys()
    with sqlite_app.transaction() as moment:
        appealed.decide(moment, asking.KOFI, filed, upheld=True)
    assert {name: rows for name, rows in retained.let_go(sqlite_app, at).items() if name in kept} == {
        "appeals": 1,
        "review_cases": 1,
    }
    assert books.rows(sqlite_app, sa.select(appeals.c.reason, appeals.c.decision_reason)) == [("[erased]", "[erased]")]


# --- The rest --------------------------------------------------------------------------------------------------------


def test_a_draft_goes_when_nobody_came_back_to_it(sqlite_app: App, clock: Clock) -> None:
    """After thirty days what somebody typed is no one's; one of yesterday stays."""
    for who, days in ((ADA, 31), (BEN, 29)):
        with sqlite_app.transaction(clock() - timedelta(days=days)) as moment:
            drafts.save(moment.session, cast.id_of(moment.session, who), {"purpose": PURPOSE}, now=moment.now)
    assert retained.let_go(sqlite_app, clock()) == {"request_drafts": 1}
    assert books.rows(sqlite_app, sa.select(request_drafts.c.person_id)) == [(cast.person_id(sqlite_app, BEN),)]


def test_messages_say_nothing_any_more(sqlite_app: App, clock: Clock) -> None:
    """What was sent ninety days ago is empty; what waits, is parked or names a request is as it was."""
    app = asking.convene(sqlite_app)
    asking.ask(app, ADA, "9000")
    c = outbox.c
    alone = (c.about.is_(None),)
    with app.database.transaction() as session:
        [first, second, third, *_] = session.execute(sa.select(c.id).where(*alone).order_by(c.id)).scalars()
        sent = {"state": "sent", "sent_at": clock()}
        session.execute(sa.update(outbox).where(sa.or_(c.about.is_not(None), c.id.in_([first, second]))).values(sent))
        session.execute(sa.update(outbox).where(c.id == second).values(sent_at=clock() + timedelta(days=1)))
        session.execute(sa.update(outbox).where(c.id == third).values(state="parked"))
    before = dict(books.rows(app, sa.select(c.id, c.view)))
    assert retained.let_go(app, clock() + timedelta(days=90, minutes=1)) == {"outbox": 1}
    assert dict(books.rows(app, sa.select(c.id, c.view))) == before | {first: {}}


@pytest.mark.every_database
def test_calls_of_a_season_ago_are_forgotten(app: App, clock: Clock) -> None:
    """What was held for a call that is over goes with its claims; one that still holds stays, and all adds up."""
    held.stop(app, 'name = "A"\nscope = "person"\nwindow = "month"\nusd = 100\naction = "stop"', overdraft=True)
    cast.give(app, ADA, "10000", days=400)
    for name in ("over", "open"):
        held.reserve(app, name, lasts=timedelta(hours=20))
    with app.transaction() as moment:
        ending.release(moment, ("gateway", "over"))
    with app.database.transaction() as session:
        # A stream that beats on.
        later = sa.update(holds).where(holds.c.id == "open").values(expires_at=clock() + timedelta(days=400))
        session.execute(later)
    assert retained.let_go(app, clock() + timedelta(days=119)) == {}
    assert retained.let_go(app, clock() + timedelta(days=121)) == {"holds": 1}
    assert books.rows(app, sa.select(holds.c.id)) == [("open",)]
    assert {hold for (hold,) in books.rows(app, sa.select(hold_claims.c.hold_id))} == {"open"}
    assert books.findings(app) == {}


@pytest.mark.every_database
def test_an_outcome_becomes_its_teams(app: App, clock: Clock) -> None:
    """Whose it was is forgotten, what the team of that day brought about stays; a name of nobody goes."""
    text = books.handbook_text("2026.2", date(2026, 1, 2)).replace('unit = "team"', 'unit = "person"')
    books.apply_text(app, text)
    work.map_logins(app)
    work.take_in(app, work.reported(work.pull_request(1)), work.reported(work.pull_request(2, by="stranger")))
    made = [(one.week, one.kind, one.output) for one in work.weekly(app)]
    assert retained.let_go(app, clock() + timedelta(days=300)).keys().isdisjoint({"outcomes", "outcomes, waiting"})
    clock.move(days=401)
    line = {"person_id": cast.person_id(app, ADA), "holds_from": clock().date(), "manager_id": None}
    with app.database.transaction() as session:
        session.execute(sa.insert(reporting_lines).values(line))
    assert retained.let_go(app, clock()).items() >= {"outcomes": 1, "outcomes, waiting": 1}.items()
    c = outcomes.c
    rows = books.rows(app, sa.select(c.unit, c.unit_id, c.waiting_for).order_by(c.id))
    assert rows == [("team", cast.person_id(app, MARA), None), (None, None, None)]
    assert [(one.week, one.kind, one.output) for one in work.weekly(app)] == made


# --- People who left -------------------------------------------------------------------------------------------------


def test_people_who_left_long_ago_are_erased(sqlite_app: App, clock: Clock) -> None:
    """Three years after their last day, on record; not while something of theirs is to be decided, nor anybody here."""
    app = asking.convene(sqlite_app)
    asking.ask(app, BEN, "400")
    cast.hire(app, f"email,left_on\n{ADA},2026-11-20\n{BEN},2026-11-20\n")
    at = datetime(2029, 11, 20, tzinfo=clock().tzinfo)
    ids = [cast.person_id(app, who) for who in (ADA, BEN)]
    with app.reading(at) as moment:
        assert next(one for one in retention.due(moment, at) if one.part == "people").people == (ADA,)
    retained.let_go(app, at)
    assert books.rows(app, sa.select(people.c.id).where(people.c.erased_at.is_not(None))) == [(ids[0],)]
    [row] = books.audited(app, "people.erase")
    assert (row["actor"], row["subject"]) == ("policy", ids[0])
    assert books.findings(app) == {}


# --- The calendar ----------------------------------------------------------------------------------------------------


def test_the_calendar_does_it_in_batches(sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick does some of them, the next ones go on; once all is done it is on record, until the next month."""
    monkeypatch.setattr(ticking, "BATCHES", 1)
    with sqlite_app.transaction() as moment:
        retained.use(moment)
    clock.now = datetime(2028, 2, 10, tzinfo=clock().tzinfo)
    assert ticking.tick(sqlite_app, now=clock()) == ticking.Ticked((), ())
    ticks = 1
    while not (ticked := rollout.run_calendar(sqlite_app, clock())).done:
        assert ticked.owed_since is None
        ticks += 1
    assert [(run.job, run.period) for run in ticked.done] == [("retention", "2028-02")]
    [row] = books.audited(sqlite_app, retention.RUN)
    assert (row["actor"], row["subject"], row["handbook_version"]) == ("policy", "2028-02", "2026.1")
    assert len(row["after"]) == ticks == 7
    assert sum(row["after"].values()) == 10
    assert rollout.run_calendar(sqlite_app, clock() + timedelta(days=10)).done == ()
    assert [run.period for run in rollout.run_calendar(sqlite_app, clock() + timedelta(days=25)).done] == ["2028-03"]
    assert len(books.audited(sqlite_app, retention.RUN)) == 1


@pytest.mark.every_database
def test_replicas_take_it_away_together(app: App, database_url: str, clock: Clock) -> None:
    """Four at once, while usage comes in and is corrected: each row once, in one record, and all figures proved."""
    with app.transaction() as moment:
        retained.use(moment)
    clock.move(days=402)
    expected = retained.counted(app, clock())

    def replica(database: Database) -> None:
        of_its_own = dataclasses.replace(app, database=database)
        finished = False
        while not finished:
            with of_its_own.transaction() as moment:
                finished = retention.advance(moment, moment.now, limit=1)

    def gateway(database: Database) -> None:
        of_its_own = dataclasses.replace(app, database=database)
        books.take_in(of_its_own, cast.event("new", at=clock()))
        event = cast.event("posted", at=clock() - timedelta(days=402), who=BEN)
        with of_its_own.transaction() as moment:
            corrections.take_in(moment, [Version("gateway", "posted", 1, event, "Ben's key")], actor="test")

    assert books.at_once(database_url, [replica] * 4 + [gateway]) == []
    with app.transaction() as moment:
        taken = retention.record(moment, "test")
    # The one that was corrected may have gone before, or stays for its own time.
    assert taken["usage_events"] in {expected["usage_events"], expected["usage_events"] - 1}
    assert {name: rows for name, rows in taken.items() if name != "usage_events"} == {
        name: rows for name, rows in expected.items() if name != "usage_events"
    }
    assert books.findings(app) == {}


def test_a_handbook_that_says_nothing_keeps_everything(sqlite_app: App, clock: Clock) -> None:
    """A company that updates loses nothing before two people said so; a kind with 0 days is kept as well."""
    packaged = books.handbook_text("2026.2", date(2026, 1, 2))
    begin, end = packaged.index("[retention]"), packaged.index("# Approved services.")
    books.apply_text(sqlite_app, packaged[:begin] + packaged[end:])
    with sqlite_app.transaction() as moment:
        retained.use(moment)
    clock.move(days=1200)
    assert retained.counted(sqlite_app, clock()) == {}
    assert rollout.run_calendar(sqlite_app, clock()).done == ()
    some = packaged[:begin] + "[retention]\nnames_days = 0\nmessages_days = 30\n" + packaged[end:]
    books.apply_text(sqlite_app, some.replace('"2026.2"', '"2026.3"'))
    with sqlite_app.reading() as moment:
        assert {one.kind for one in retention.due(moment, clock())} == {"messages"}
