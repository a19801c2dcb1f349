"""The board's vote on a quarter's review: one package, one vote a member, cases held and amended by the others."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.reasons import FieldsRefused, Refusal
from policy.reviews.proposal import AMENDED, HELD, PROPOSED, counted
from programme import home
from programme.appeals import appeals
from programme.exceptions.cards import Named
from programme.people import board
from programme.reviews import calendar, calls, effects, single_cases, voting
from programme.reviews import drafting as reviews_programme
from programme.reviews import packs as reviews_packs
from programme.reviews.calls import OwnVote
from scheduler import messages, tick
from store.engine import open_database
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as store
from store.tables.audit import audit_log
from store.tables.outbox import outbox
from store.tables.people import people as people_table
from store.tables.reviews import review_panels
from store.tables.reviews import reviews as reviews_table
from tests.support import books, cast, played, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import ALTERNATES, IRIS, LENA, OMAR, TESS, ZOE
from tests.support.reviewed import BUSY, IDLE, MORNING, Q4, STOPPED
from tests.support.voted import amend, case, code, hold, panel, put_back, vote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import Desk
    from store.engine import Database, Session
    from store.reviews.drafts import Kept

M3 = "m3@example.com"
"""Leads the team of STOPPED, and sits on the board of these tests."""
BOARD = "C0BOARD"
DEADLINE = datetime(2027, 1, 18, 9, tzinfo=UTC)


def settle(desk: Desk, clock: Clock) -> Desk:
    """The company on the morning of its review, with a board of four; the draft is made, nobody was asked yet."""
    office = dataclasses.replace(desk, governance_channel=BOARD)

    def play() -> None:
        cast.hire(desk, ALTERNATES)
        reviewed.settle(desk, clock)
        cast.hire(desk, f"email,roles\n{M3},board\n{IDLE},auditor\n")
        with office.transaction() as session:
            reviewed.draft(session, office)

    played.once(desk, "drafted", play)
    clock.now = MORNING
    return office


@pytest.fixture(scope="module")
def office(shared_desk: Desk) -> Desk:
    assert isinstance(shared_desk.clock, Clock)
    office = settle(shared_desk, shared_desk.clock)
    with office.transaction() as session:
        assert calendar.advance(session, Q4, desk=office, now=MORNING) == "convene"
    return office


@pytest.fixture
def session(office: Desk) -> Iterator[Session]:
    """A transaction that leaves nothing."""
    with books.rolled_back(office) as session:
        yield session


def state(session: Session) -> str:
    found = drafts.get(session, Q4)
    assert found is not None
    return found.state


def keys(session: Session) -> list[str]:
    query = sa.select(outbox.c.key).where(outbox.c.about == f"review:{Q4}").order_by(outbox.c.id)
    return list(session.execute(query).scalars())


def actions(session: Session) -> list[str]:
    query = sa.select(audit_log.c.action).where(audit_log.c.action.like("review.%")).order_by(audit_log.c.seq)
    return list(session.execute(query).scalars())


# --- Asking --------------------------------------------------------------------------------------------------------


def test_the_board_is_asked_once(office: Desk, session: Session) -> None:
    """A majority of the four and finance decide within ten business days; the pack and its picture are owed once."""
    assert calendar.advance(session, Q4, desk=office, now=MORNING) is None
    found = panel(session)
    assert (found.package, found.electorate.needed, found.electorate.needs_finance) == (1, 3, True)
    assert found.remind_at == datetime(2027, 1, 11, 9, tzinfo=UTC)
    kept = drafts.get(session, Q4)
    assert kept is not None
    assert kept.vote_until == DEADLINE
    assert keys(session) == [f"pack:{Q4}:new:board", f"money:pack:{Q4}:new:board", f"use:pack:{Q4}:new:board"]
    assert actions(session)[-1] == "review.convene"


def test_without_a_channel_everybody_gets_a_copy(desk: Desk, clock: Clock) -> None:
    """Each member who is called gets a pack and a picture of their own; alternates are not called."""
    office = dataclasses.replace(settle(desk, clock), governance_channel=None)
    with office.transaction() as session:
        calendar.advance(session, Q4, desk=office, now=MORNING)
        members = {voted.person(session, who).id for who in (IRIS, OMAR, TESS, M3)}
        packs = [key for key in keys(session) if key.startswith("pack:")]
    assert {key.rpartition(":")[2] for key in packs} == members


# --- Votes ---------------------------------------------------------------------------------------------------------


def test_a_majority_with_finance_adopts(office: Desk, session: Session) -> None:
    """The third of four votes adopts, with finance among them; it holds from the first month after the notice."""
    assert vote(session, office, IRIS).tally.approvals == 1
    assert vote(session, office, TESS).tally.approvals == 2
    decided = vote(session, office, OMAR)
    assert decided.review.state == "adopted"
    # Ten business days after 4 January is the 18th.
    assert decided.review.holds_from == Month(2027, 2)
    assert decided.review.decided_by == voted.person(session, OMAR).id
    assert actions(session)[-2:] == ["review.vote", "review.adopt"]
    assert panel(session).next_step == "close"
    idle = voted.person(session, IDLE).id
    assert drafts.factors_on(session, Month(2027, 2))[idle] == Decimal("0.9000")
    assert code(lambda: vote(session, office, M3)) == "decided"


def test_enough_without_finance_is_not_enough(office: Desk, session: Session) -> None:
    """Three of four without finance leave it open, and say what is missing."""
    for who in (IRIS, TESS, M3):
        counted = vote(session, office, who)
    assert counted.tally.lacks_finance
    assert state(session) == "draft"


def test_a_vote_can_be_changed_until_it_is_decided(office: Desk, session: Session) -> None:
    """Whoever was against and adopts now is counted once; the same again changes and tells nothing."""
    assert vote(session, office, IRIS, adopts=False).tally.rejections == 1
    assert (counted := vote(session, office, IRIS).tally).approvals == 1
    assert counted.rejections == 0
    before = keys(session)
    assert vote(session, office, IRIS).again
    assert keys(session) == before
    assert len([one for one in store.votes(session, Q4) if one.seat == voted.person(session, IRIS).id]) == 1


def test_votes_against_do_not_end_it(office: Desk, session: Session) -> None:
    """All against leave it open until its time is over: they may still change their votes or the cases."""
    for who in (IRIS, TESS, OMAR, M3):
        vote(session, office, who, adopts=False)
    assert state(session) == "draft"


def test_a_vote_against_has_a_reason(office: Desk, session: Session) -> None:
    """Without one nothing is counted."""
    ballot = voting.Ballot(1, adopts=False, reason=" ")
    with pytest.raises(FieldsRefused, match="Say why"):
        voting.vote(session, voted.person(session, IRIS), Q4, ballot, desk=office, now=MORNING)
    assert store.votes(session, Q4) == []


@pytest.mark.parametrize(("who", "expected"), [(LENA, "not_on_board"), (ZOE, "not_called_yet"), (IDLE, "bystander")])
def test_who_may_not_vote_is_told_why(office: Desk, session: Session, who: str, expected: str) -> None:
    """Others than members, alternates who are not called, and auditors are refused, each precisely."""
    assert code(lambda: vote(session, office, who)) == expected


def test_members_with_cases_of_their_own_people_vote_on_the_package(office: Desk, session: Session) -> None:
    """A lead of a team in the review is not recused from the whole."""
    assert vote(session, office, M3).tally.approvals == 1


def test_too_late_is_too_late(office: Desk, session: Session) -> None:
    """At the deadline a vote changes nothing, whether or not the calendar was there already."""
    assert code(lambda: vote(session, office, IRIS, now=DEADLINE)) == "too_late"


# --- Cases ---------------------------------------------------------------------------------------------------------


def test_a_held_case_keeps_its_factor(office: Desk, session: Session) -> None:
    """What is held is not in what is adopted; the audit log says who held it."""
    decided = hold(session, office, TESS, BUSY)
    assert (decided.case.decision, decided.case.delta_thousandths, decided.package) == (HELD, 0, 2)
    for who in (IRIS, TESS, OMAR):
        vote(session, office, who)
    busy = voted.person(session, BUSY).id
    assert drafts.factors_on(session, Month(2027, 2))[busy] == Decimal(1)
    assert actions(session).count("review.case") == 1


def test_an_amended_case_is_carried_as_it_was_amended(office: Desk, session: Session) -> None:
    """The factor follows from the amended change; whoever works the review out again finds no fault."""
    decided = amend(session, office, TESS, IDLE, "−5 %")
    assert (decided.case.decision, decided.case.delta_thousandths) == (AMENDED, -50)
    assert decided.case.factor == Decimal("0.9500")
    assert reviews_programme.recompute(session, Q4) == []


@pytest.mark.parametrize("change", ["-10.1", "11", "0.05", "lots", "", "NaN", "1e1"])
def test_a_case_is_amended_within_bounds(office: Desk, session: Session, change: str) -> None:
    """Beyond the bounds of a quarter, finer than tenths, or no number: refused beside the field, nothing changed."""
    with pytest.raises(FieldsRefused) as refused:
        amend(session, office, TESS, IDLE, change)
    assert list(refused.value.problems) == ["change"]
    assert "from -10 to 10 %" in refused.value.problems["change"]
    assert (case(session, IDLE).decision, panel(session).package) == (PROPOSED, 1)


def test_nobody_is_cut_who_used_their_grants(office: Desk, session: Session) -> None:
    """A case that is not LOW is not amended below no change, and the refusal says why; no change at all is fine."""
    with pytest.raises(FieldsRefused) as refused:
        amend(session, office, TESS, BUSY, "-2.5")
    assert refused.value.problems == {"change": "-2.5 %: only people marked LOW can be cut. Choose from 0 to 10 %."}
    assert (case(session, BUSY).decision, panel(session).package) == (PROPOSED, 1)
    assert amend(session, office, TESS, BUSY, "0").case.delta_thousandths == 0


def test_what_was_decided_is_put_back(office: Desk, session: Session) -> None:
    """A case that was held is decided with the package again; one that stands as proposed cannot be put back."""
    hold(session, office, TESS, BUSY)
    assert put_back(session, office, IRIS, BUSY).case.decision == PROPOSED
    assert case(session, BUSY).decided_by is None
    assert code(lambda: put_back(session, office, IRIS, BUSY)) == "as_proposed"


@pytest.mark.parametrize(("who", "whose", "expected"), [(M3, STOPPED, "recused_report"), (TESS, TESS, "recused_own")])
def test_nobody_decides_about_their_own(office: Desk, session: Session, who: str, whose: str, expected: str) -> None:
    """A member neither holds, amends nor is shown their own case or that of a report; of others they are."""
    person_id = voted.person(session, whose).id
    assert code(lambda: hold(session, office, who, whose)) == expected
    assert code(lambda: amend(session, office, who, whose, "1")) == expected
    reader = voted.person(session, who)
    assert code(lambda: single_cases.case_for(session, reader, Q4, person_id, desk=office, now=MORNING)) == expected
    assert hold(session, office, OMAR, whose).case.decision == HELD


def test_a_page_hides_what_its_reader_must_not_see(office: Desk, session: Session) -> None:
    """The cases of a lead's own people are at the end of all pages, without any figure."""
    reader = voted.person(session, M3)
    first = reviews_packs.page(session, reader, Q4, 0, desk=office, now=MORNING)
    lines = [
        line
        for number in range(first.pages)
        for line in reviews_packs.page(session, reader, Q4, number, desk=office, now=MORNING).lines
    ]
    assert len(lines) == len({line.person_id for line in lines}) == first.cases
    hidden = [line for line in lines if line.case is None]
    own = {voted.person(session, who).id for who in (M3, *reviewed.members(3))}
    assert {line.person_id for line in hidden} == own & {one.case.person_id for one in drafts.cases(session, Q4)}
    assert len(hidden) >= reviewed.LARGE
    assert lines[-len(hidden) :] == hidden
    assert code(
        lambda: reviews_packs.page(session, voted.person(session, LENA), Q4, 0, desk=office, now=MORNING)
    ) == "not_on_board"  # fmt: skip


@pytest.mark.parametrize("who", [TESS, M3])
def test_pages_have_every_case_once_in_order(office: Desk, session: Session, who: str) -> None:
    """Pages together list each case once: greatest proposed changes first, whatever is held, the reader's own last."""
    hold(session, office, OMAR, BUSY)
    amend(session, office, OMAR, STOPPED, "1")
    reader = voted.person(session, who)
    near = {reader.id} | {voted.person(session, one).id for one in reviewed.members(3) if who == M3}

    def place(one: Kept) -> tuple[bool, bool, int, str]:
        is_changed = bool(one.case.delta_thousandths) or one.decision != PROPOSED
        return one.case.person_id in near, not is_changed, -abs(one.case.delta_thousandths), one.case.person_id

    pages = [reviews_packs.page(session, reader, Q4, 0, desk=office, now=MORNING)]
    pages += [
        reviews_packs.page(session, reader, Q4, number, desk=office, now=MORNING) for number in range(1, pages[0].pages)
    ]
    expected = [one.case.person_id for one in sorted(drafts.cases(session, Q4), key=place)]
    assert len(expected) > 2 * reviews_packs.PAGE
    assert [line.person_id for page in pages for line in page.lines] == expected
    assert all(len(page.lines) == reviews_packs.PAGE for page in pages[:-1])
    found = counted(one.delta_thousandths for one in drafts.cases(session, Q4))
    assert {(page.counted, page.cases) for page in pages} == {(found, len(expected))}


def test_another_package_is_voted_on_anew(office: Desk, session: Session) -> None:
    """Votes on the package before a case was held do not count, and a press on the old message says so."""
    vote(session, office, IRIS)
    vote(session, office, TESS)
    hold(session, office, TESS, BUSY)
    assert code(lambda: vote(session, office, OMAR, package=1)) == "another_package"
    assert vote(session, office, OMAR).tally.approvals == 1
    assert state(session) == "draft"
    for who in (IRIS, TESS):
        counted = vote(session, office, who)
    assert counted.review.state == "adopted"


def test_a_form_about_a_case_that_moved_is_refused(office: Desk, session: Session) -> None:
    """Who fills in a form while somebody else decides about the same case is told, and changes nothing."""
    seen = single_cases.mark(case(session, BUSY))
    amend(session, office, IRIS, BUSY, "1.5")
    assert code(lambda: hold(session, office, TESS, BUSY, seen=seen)) == "case_moved"
    assert case(session, BUSY).decision == AMENDED


# --- Time ----------------------------------------------------------------------------------------------------------


def test_silence_lapses_and_changes_nothing(desk: Desk, clock: Clock) -> None:
    """Who has not voted is reminded once; at the deadline it lapses, and everybody's factor stays as it is."""
    office = settle(desk, clock)
    done = [run.job for run in tick.tick(office, now=MORNING).done if run.job.startswith("review.")]
    assert done == ["review.convene"]
    with office.transaction() as session:
        vote(session, office, IRIS)
    clock.now = datetime(2027, 1, 11, 9, tzinfo=UTC)
    ticked = tick.tick(office, now=clock.now)
    assert ([run.job for run in ticked.done if run.job.startswith("review.")], ticked.failed) == (["review.remind"], ())
    with office.reading() as session:
        reminders = [key for key in keys(session) if ":remind:" in key]
        silent = {voted.person(session, who).id for who in (OMAR, TESS, M3)}
    assert {key.rpartition(":")[2] for key in reminders} == silent
    clock.now = DEADLINE + timedelta(minutes=1)
    assert [run.job for run in tick.tick(office, now=clock.now).done if run.job.startswith("review.")] == [
        "review.lapse"
    ]
    with office.reading() as session:
        assert state(session) == "lapsed"
        assert drafts.factors_on(session, Month(2027, 6)) == {}
        assert code(lambda: vote(session, office, TESS, now=clock.now)) == "decided"
        assert actions(session)[-1] == "review.lapse"
        assert f"pack:{Q4}:lapsed" in keys(session)
    assert [run for run in tick.tick(office, now=clock.now).done if run.job.startswith("review.")] == []
    assert books.findings(office) == {}


@pytest.mark.every_database
def test_presses_at_once_adopt_once(desk: Desk, clock: Clock, database_url: str) -> None:
    """Four members press five times each, through two replicas, at the same moment: one decision, one of each row."""
    office = settle(desk, clock)
    with office.transaction() as session:
        calendar.advance(session, Q4, desk=office, now=MORNING)
    presses = [who for who in (IRIS, OMAR, TESS, M3) for _ in range(5)]
    barrier = threading.Barrier(len(presses))
    codes: list[str] = []

    def press(who: str, replica: Desk) -> None:
        barrier.wait(books.WAIT_SECONDS)
        try:
            with replica.transaction() as session:
                found = vote(session, replica, who)
            codes.append("again" if found.again else found.review.state)
        except Refusal as refusal:
            codes.append(refusal.code)

    replicas = [dataclasses.replace(office, database=open_database(database_url)) for _ in range(2)]
    with ThreadPoolExecutor(len(presses)) as pool:
        done = [pool.submit(press, who, replicas[number % 2]) for number, who in enumerate(presses)]
    assert [one.exception() for one in done] == [None] * len(presses)
    for replica in replicas:
        replica.database.close()
    counted = Counter(codes)
    assert counted["adopted"] == 1
    assert set(counted) <= {"adopted", "draft", "again", "decided"}
    with office.reading() as session:
        assert actions(session).count("review.adopt") == 1
        assert len(keys(session)) == len(set(keys(session)))
    assert books.findings(office) == {}


# --- What is shown -------------------------------------------------------------------------------------------------


def test_the_pack_is_written_from_what_holds(desk: Desk, clock: Clock) -> None:
    """The message names the figures and the votes; a hold and the decision change it, and it holds nobody's amounts."""
    office = settle(desk, clock)
    with office.transaction() as session:
        calendar.advance(session, Q4, desk=office, now=MORNING)

    def said() -> str:
        composed = messages.compose("review/face", {"quarter": str(Q4)}, desk=office)
        assert composed is not None
        return str(composed.message.blocks)

    assert "0 of 3 adopt it" in said()
    with office.transaction() as session:
        hold(session, office, TESS, BUSY)
        vote(session, office, IRIS)
    assert "1 of 3 adopt it" in said()
    assert "1 held, 0 amended" in said()
    with office.transaction() as session:
        vote(session, office, TESS)
        vote(session, office, OMAR)
    assert "*Adopted*" in said()
    assert "review_adopt" not in said()
    picture = messages.compose("review/use", {"quarter": str(Q4)}, desk=office)
    assert picture is not None
    assert picture.picture is not None


def test_everybody_who_was_called_learns_of_the_outcome(desk: Desk, clock: Clock) -> None:
    """Without a channel of the board each of those who were asked is told, once, that it is adopted."""
    office = dataclasses.replace(settle(desk, clock), governance_channel=None)
    with office.transaction() as session:
        calendar.advance(session, Q4, desk=office, now=MORNING)
        for who in (IRIS, TESS, OMAR):
            vote(session, office, who)
        members = {voted.person(session, who).id for who in (IRIS, OMAR, TESS, M3)}
        query = sa.select(outbox.c.key, outbox.c.person_id).where(outbox.c.template == "review/outcome")
        assert {(key, who) for key, who in session.execute(query)} == {
            (f"pack:{Q4}:adopted:{member}", member) for member in members
        }


def test_an_open_review_is_found_by_those_who_vote_on_it(office: Desk, session: Session) -> None:
    """Members see on Home how it stands and that their vote is missing; others nothing, nor anybody once it is over."""

    def found(who: str) -> calls.Call | None:
        return calls.of(session, voted.person(session, who).id, desk=office, now=MORNING)

    vote(session, office, IRIS)
    called = {who: found(who) for who in (IRIS, TESS, M3, ZOE, LENA, IDLE)}
    assert {who: call and call.awaits_reader for who, call in called.items()} == {
        IRIS: False, TESS: True, M3: True, ZOE: None, LENA: None, IDLE: None
    }  # fmt: skip
    assert (call := called[TESS]) is not None
    assert (call.tally.approvals, call.tally.needed, call.package) == (1, 3, 1)
    assert call.vote is None
    assert (call := called[IRIS]) is not None
    assert call.vote == OwnVote(adopts=True, reason=None, counts=True)
    hold(session, office, TESS, BUSY)
    assert (call := found(IRIS)) is not None
    assert (call.awaits_reader, call.package) == (True, 2)
    assert call.vote == OwnVote(adopts=True, reason=None, counts=False)
    shown = home.of(session, voted.person(session, IRIS), desk=office, now=MORNING)
    assert shown.review == call
    assert calls.of(session, voted.person(session, IRIS).id, desk=office, now=DEADLINE) is None
    for who in (IRIS, TESS, OMAR):
        vote(session, office, who)
    assert found(M3) is None


# --- What follows ---------------------------------------------------------------------------------------------------

FEBRUARY = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)
LATE_JANUARY = datetime(2027, 1, 26, 15, tzinfo=UTC)
"""Midnight in Tokyo, where the notice was read on 5 January: it was evening when the board adopted."""


def test_the_board_hears_when_it_holds_and_when_appeals_are_over(office: Desk, session: Session) -> None:
    """Fifteen working days after the notices the time for appeals is over, in February it holds: each is told once."""
    for who in (IRIS, TESS, OMAR):
        vote(session, office, who)

    def done(now: datetime) -> list[str]:
        return [step for quarter, step, _ in store.due(session, now) if quarter == str(Q4)]

    assert done(LATE_JANUARY - timedelta(hours=1)) == []
    assert done(LATE_JANUARY) == ["close"]
    assert calendar.advance(session, Q4, desk=office, now=LATE_JANUARY) == "close"
    assert calendar.advance(session, Q4, desk=office, now=LATE_JANUARY) is None
    assert done(FEBRUARY - timedelta(hours=1)) == []
    assert calendar.advance(session, Q4, desk=office, now=FEBRUARY) == "effect"
    assert calendar.advance(session, Q4, desk=office, now=FEBRUARY) is None
    assert done(APRIL) == []
    assert keys(session)[-2:] == [f"pack:{Q4}:close", f"pack:{Q4}:effect"]


def test_after_an_outage_both_are_told(office: Desk, session: Session) -> None:
    """Long after both, each is told one after the other; a later draft keeps neither back."""
    for who in (IRIS, TESS, OMAR):
        vote(session, office, who)
    reviewed.draft(session, office, Q1, now=APRIL)
    assert [calendar.advance(session, Q4, desk=office, now=APRIL) for _ in range(3)] == ["close", "effect", None]


def live_in(session: Session, zone: str, *emails: str) -> None:
    """From now on: what an import of people says."""
    session.execute(sa.update(people_table).where(people_table.c.email.in_(emails)).values(time_zone=zone))


def cut(session: Session) -> list[str]:
    emails = {person["id"]: email for email, person in people_store.all_by_email(session).items()}
    return [emails[one.case.person_id] for one in drafts.cases(session, Q4) if one.factor < one.case.factor_before]


def test_the_end_of_appeals_waits_for_who_moved_west(office: Desk, session: Session) -> None:
    """Nobody reads that nobody can appeal any more while somebody who moved since still can; it is said once, later."""
    for who in (IRIS, TESS, OMAR):
        vote(session, office, who, now=datetime(2027, 1, 8, 7, tzinfo=UTC))
    in_new_york, out_west = datetime(2027, 1, 30, 5, tzinfo=UTC), datetime(2027, 1, 30, 8, tzinfo=UTC)
    assert (panel(session).next_step, panel(session).next_at) == ("close", in_new_york)
    live_in(session, "America/Los_Angeles", IDLE)
    assert calendar.advance(session, Q4, desk=office, now=in_new_york) is None
    assert (panel(session).next_step, panel(session).next_at) == ("close", out_west)
    idle = voted.person(session, IDLE)
    appeals.require_open_to_appeal(session, idle, Q4, desk=office, now=out_west - timedelta(seconds=1))
    assert code(lambda: appeals.require_open_to_appeal(session, idle, Q4, desk=office, now=out_west)) == "too_late"
    assert [calendar.advance(session, Q4, desk=office, now=out_west) for _ in range(2)] == ["close", None]


def test_milestones_that_change_places_come_once_each(office: Desk, session: Session) -> None:
    """People who move so that the end of appeals comes before or after the first of the month change its turn alone."""
    eve = datetime(2027, 1, 8, 17, 30, tzinfo=UTC)
    for who in (IRIS, TESS, OMAR):
        vote(session, office, who, now=eve)
    everybody = cut(session)
    orders = {}
    for before, after in (("Asia/Tokyo", "America/Los_Angeles"), ("America/Los_Angeles", "Asia/Tokyo")):
        with session.begin_nested() as attempt:
            live_in(session, before, *everybody)
            kept = drafts.get(session, Q4)
            assert kept is not None
            first, second = effects.milestones(session, kept, desk=office)
            store.step(session, Q4, *first)
            live_in(session, after, *everybody)
            moved = [name for name, _ in effects.milestones(session, kept, desk=office)]
            assert moved == [second[0], first[0]]
            times = [eve + timedelta(hours=12 * number) for number in range(100)]
            done = (calendar.advance(session, Q4, desk=office, now=now) for now in times)
            orders[before] = [step for step in done if step]
            assert orders[before] == moved
            assert store.due(session, APRIL) == []
            attempt.rollback()
    assert len(orders) == 2


# --- A later review ------------------------------------------------------------------------------------------------

APRIL = datetime(2027, 4, 5, 9, tzinfo=UTC)
Q1 = Q4.next()


def ask_for_long(desk: Desk, clock: Clock) -> Desk:
    """The board has until after the next quarter's end, and two of its four have adopted so far."""
    office = settle(desk, clock)
    with office.transaction() as session:
        calendar.advance(session, Q4, desk=office, now=MORNING)
        session.execute(sa.update(reviews_table).values(vote_until=APRIL + timedelta(days=30)))
        session.execute(sa.update(review_panels).values(next_step="lapse", next_at=APRIL + timedelta(days=30)))
        vote(session, office, IRIS)
        vote(session, office, TESS)
    clock.now = APRIL
    return office


def test_a_later_review_ends_the_vote_on_an_earlier_one(desk: Desk, clock: Clock) -> None:
    """Votes and decisions about cases are refused with the reason; the calendar lapses it, and the draft stands."""
    office = ask_for_long(desk, clock)
    with office.transaction() as session:
        reviewed.draft(session, office, Q1, now=APRIL)
        assert store.due(session, APRIL)[0][:2] == (str(Q4), store.LAPSE)
    with books.rolled_back(office) as session:
        acts = (
            lambda: vote(session, office, OMAR, now=APRIL),
            lambda: hold(session, office, OMAR, BUSY),
            lambda: amend(session, office, OMAR, BUSY, "1"),
            lambda: put_back(session, office, OMAR, BUSY),
        )
        assert {code(act) for act in acts} == {"superseded"}
        assert not reviews_packs.awaits(session, Q4, voted.person(session, OMAR).id, desk=office, now=APRIL)
    ticked = tick.tick(office, now=APRIL)
    steps = [(run.job, run.period) for run in ticked.done if run.job.startswith("review.")]
    assert sorted(steps) == [("review.convene", str(Q1)), ("review.lapse", str(Q4))]
    with office.reading() as session:
        assert state(session) == "lapsed"
        assert store.due(session, APRIL) == []
        pack = reviews_packs.of(session, Q4, desk=office, now=APRIL)
    assert pack.superseded_by == Q1
    assert books.findings(office) == {}


def test_one_that_nobody_was_asked_about_lapses_as_well(desk: Desk, clock: Clock) -> None:
    """Without a board for a whole quarter, the calendar asks about the later review alone."""
    office = settle(desk, clock)
    clock.now = APRIL
    with office.transaction() as session:
        reviewed.draft(session, office, Q1, now=APRIL)
        assert [row[:2] for row in store.due(session, APRIL)] == [(str(Q4), "lapse"), (str(Q1), "convene")]
        assert calendar.advance(session, Q4, desk=office, now=APRIL) == "lapse"
        assert store.panel(session, Q4) is None
        assert state(session) == "lapsed"
    assert books.findings(office) == {}


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.every_database
def test_a_draft_and_the_deciding_vote_at_once(desk: Desk, clock: Clock, database_url: str, attempt: int) -> None:
    """Whichever comes first: what is adopted is in the next draft, or nothing is adopted and the draft knows nothing.

    In later attempts one of the two is given a head start, so that both orders come about.
    """
    office = ask_for_long(desk, clock)
    refused: list[str] = []
    under_way = threading.Event()

    def deciding(database: Database) -> None:
        if attempt == 1:
            under_way.wait(books.WAIT_SECONDS)
        try:
            with database.transaction() as session:
                vote(session, dataclasses.replace(office, database=database), OMAR, now=APRIL)
                if attempt == 2:
                    under_way.set()
        except Refusal as refusal:
            refused.append(refusal.code)

    def drafting(database: Database) -> None:
        if attempt == 2:
            under_way.wait(books.WAIT_SECONDS)
        with database.transaction() as session:
            reviewed.draft(session, dataclasses.replace(office, database=database), Q1, now=APRIL)
            if attempt == 1:
                under_way.set()

    assert books.at_once(database_url, [deciding, drafting]) == []
    expected = {1: ["superseded"], 2: []}
    assert refused == expected.get(attempt, refused)
    with office.reading() as session:
        idle = voted.person(session, IDLE).id
        [known] = [one for one in drafts.inputs(session, Q1) if one.person_id == idle]
        adopted = state(session) == "adopted"
    assert adopted == (refused == [])
    assert (known.deltas[-1], known.factor) == ((-100, Decimal("0.9000")) if adopted else (0, Decimal(1)))
    assert books.findings(office) == {}


def test_a_vote_by_a_delegate_is_told_to_both(office: Desk, session: Session) -> None:
    """Zoe, who stands in for Tess, reads for whom she voted; Tess, who is back, reads who did."""
    tess, zoe = (voted.person(session, who) for who in (TESS, ZOE))
    board.delegate(session, tess, zoe, MORNING.date(), desk=office, now=MORNING)
    vote(session, office, ZOE, adopts=False)
    call = calls.of(session, zoe.id, desk=office, now=MORNING)
    assert call is not None
    assert call.vote == OwnVote(
        adopts=False, reason="Too many cuts", counts=True, stands_for=Named(tess.name, tess.slack_user_id)
    )  # fmt: skip
    call = calls.of(session, tess.id, desk=office, now=MORNING + timedelta(days=1))
    assert call is not None
    assert call.vote == OwnVote(
        adopts=False, reason="Too many cuts", counts=True, by=Named(zoe.name, zoe.slack_user_id)
    )  # fmt: skip
