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
from programme.appeals import filing
from programme.people import board
from programme.reviews import calendar, calls, effects, single_cases, voting
from programme.reviews import drafting as reviews_programme
from programme.reviews import packs as reviews_packs
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
from tests.support import books, couriers, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import IRIS, LENA, OMAR, TESS, ZOE
from tests.support.reviewed import BUSY, IDLE, MORNING, Q4, STOPPED
from tests.support.voted import M3, amend, case, code, hold, panel, put_back, settle, vote
from views.people import PersonName
from views.reviews import OwnVote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment
    from scheduler.messages import Composed
    from store.engine import Database
    from views.reviews import Call, ReviewedCase

DEADLINE = datetime(2027, 1, 18, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def office(shared_app: App) -> App:
    assert isinstance(shared_app.clock, Clock)
    office = settle(shared_app, shared_app.clock)
    with office.transaction(MORNING) as moment:
        assert calendar.advance(moment, Q4) == "convene"
    return office


@pytest.fixture
def moment(office: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(office) as moment:
        yield moment


def state(moment: Moment) -> str:
    found = drafts.get(moment.session, Q4)
    assert found is not None
    return found.state


def keys(moment: Moment) -> list[str]:
    query = sa.select(outbox.c.key).where(outbox.c.about == f"review:{Q4}").order_by(outbox.c.id)
    return list(moment.session.execute(query).scalars())


def actions(moment: Moment) -> list[str]:
    query = sa.select(audit_log.c.action).where(audit_log.c.action.like("review.%")).order_by(audit_log.c.seq)
    return list(moment.session.execute(query).scalars())


# --- Asking --------------------------------------------------------------------------------------------------------


def test_the_board_is_asked_once(moment: Moment) -> None:
    """A majority of the four and finance decide within ten business days; the pack and its thread are owed once."""
    assert calendar.advance(moment.at(MORNING), Q4) is None
    found = panel(moment.session)
    assert (found.package, found.electorate.needed, found.electorate.needs_finance) == (1, 3, True)
    assert found.remind_at == datetime(2027, 1, 11, 9, tzinfo=UTC)
    kept = drafts.get(moment.session, Q4)
    assert kept is not None
    assert kept.vote_until == DEADLINE
    pack = f"pack:{Q4}:new:board"
    assert keys(moment) == [pack, f"money:{pack}", f"use:{pack}", f"page:draft:{pack}"]
    assert actions(moment)[-1] == "review.convene"


def test_without_a_channel_everybody_gets_a_copy(app: App, clock: Clock) -> None:
    """Each member who is called gets a pack and a picture of their own; alternates are not called."""
    office = dataclasses.replace(settle(app, clock), governance_channel=None)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)
        members = {voted.person(moment.session, who).id for who in (IRIS, OMAR, TESS, M3)}
        packs = [key for key in keys(moment) if key.startswith("pack:")]
    assert {key.rpartition(":")[2] for key in packs} == members


def test_a_pack_that_the_channel_is_refused_goes_to_everybody(moment: Moment) -> None:
    """Each member who is called gets it with its pictures and its page; a second refusal changes nothing."""
    before = len(keys(moment))
    for _ in range(2):
        couriers.parked(moment, f"pack:{Q4}:new:board")
    members = {voted.person(moment.session, who).id for who in (IRIS, OMAR, TESS, M3)}
    owed = keys(moment)[before:]
    assert {key.rpartition(":")[2] for key in owed} == members
    assert len(owed) == 4 * len(members)


# --- Votes ---------------------------------------------------------------------------------------------------------


def test_a_majority_with_finance_adopts(moment: Moment) -> None:
    """The third of four votes adopts, with finance among them; it holds from the first month after the notice."""
    assert vote(moment, IRIS).tally.approvals == 1
    assert vote(moment, TESS).tally.approvals == 2
    decided = vote(moment, OMAR)
    assert decided.review.state == "adopted"
    # Ten business days after 4 January is the 18th.
    assert decided.review.holds_from == Month(2027, 2)
    assert decided.review.decided_by == voted.person(moment.session, OMAR).id
    assert actions(moment)[-2:] == ["review.vote", "review.adopt"]
    assert panel(moment.session).next_step == "close"
    idle = voted.person(moment.session, IDLE).id
    assert drafts.factors_on(moment.session, Month(2027, 2))[idle] == Decimal("0.9000")
    assert code(lambda: vote(moment, M3)) == "decided"


def test_enough_without_finance_is_not_enough(moment: Moment) -> None:
    """Three of four without finance leave it open, and say what is missing."""
    for who in (IRIS, TESS, M3):
        counted = vote(moment, who)
    assert counted.tally.lacks_finance
    assert state(moment) == "draft"


def test_a_vote_can_be_changed_until_it_is_decided(moment: Moment) -> None:
    """Whoever was against and adopts now is counted once; the same again changes and tells nothing."""
    assert vote(moment, IRIS, adopts=False).tally.rejections == 1
    assert (counted := vote(moment, IRIS).tally).approvals == 1
    assert counted.rejections == 0
    before = keys(moment)
    assert vote(moment, IRIS).again
    assert keys(moment) == before
    assert (
        len([one for one in store.votes(moment.session, Q4) if one.seat == voted.person(moment.session, IRIS).id]) == 1
    )


def test_votes_against_do_not_end_it(moment: Moment) -> None:
    """All against leave it open until its time is over: they may still change their votes or the cases."""
    for who in (IRIS, TESS, OMAR, M3):
        vote(moment, who, adopts=False)
    assert state(moment) == "draft"


def test_a_vote_against_has_a_reason(moment: Moment) -> None:
    """Without one nothing is counted."""
    ballot = voting.Ballot(1, adopts=False, reason=" ")
    with pytest.raises(FieldsRefused, match="Write why in a sentence"):
        voting.vote(moment.at(MORNING), voted.person(moment.session, IRIS), Q4, ballot)
    assert store.votes(moment.session, Q4) == []


@pytest.mark.parametrize(("who", "expected"), [(LENA, "not_on_board"), (ZOE, "not_called_yet"), (IDLE, "bystander")])
def test_who_may_not_vote_is_told_why(moment: Moment, who: str, expected: str) -> None:
    """Others than members, alternates who are not called, and auditors are refused, each precisely."""
    assert code(lambda: vote(moment, who)) == expected


def test_members_with_cases_of_their_own_people_vote_on_the_package(moment: Moment) -> None:
    """A lead of a team in the review is not recused from the whole."""
    assert vote(moment, M3).tally.approvals == 1


def test_too_late_is_too_late(moment: Moment) -> None:
    """At the deadline a vote changes nothing, whether or not the calendar was there already."""
    assert code(lambda: vote(moment, IRIS, now=DEADLINE)) == "too_late"


# --- Cases ---------------------------------------------------------------------------------------------------------


def test_a_held_case_keeps_its_factor(moment: Moment) -> None:
    """What is held is not in what is adopted; the audit log says who held it."""
    decided = hold(moment, TESS, BUSY)
    assert (decided.case.decision, decided.case.delta_thousandths, decided.package) == (HELD, 0, 2)
    for who in (IRIS, TESS, OMAR):
        vote(moment, who)
    busy = voted.person(moment.session, BUSY).id
    assert drafts.factors_on(moment.session, Month(2027, 2))[busy] == Decimal(1)
    assert actions(moment).count("review.case") == 1


def test_an_amended_case_is_carried_as_it_was_amended(moment: Moment) -> None:
    """The factor follows from the amended change; whoever works the review out again finds no fault."""
    decided = amend(moment, TESS, IDLE, "−5 %")
    assert (decided.case.decision, decided.case.delta_thousandths) == (AMENDED, -50)
    assert decided.case.factor == Decimal("0.9500")
    assert reviews_programme.recompute(moment, Q4) == []


@pytest.mark.parametrize("change", ["-10.1", "11", "0.05", "lots", "", "NaN", "1e1"])
def test_a_case_is_amended_within_bounds(moment: Moment, change: str) -> None:
    """Beyond the bounds of a quarter, finer than tenths, or no number: refused beside the field, nothing changed."""
    with pytest.raises(FieldsRefused) as refused:
        amend(moment, TESS, IDLE, change)
    assert list(refused.value.problems) == ["change"]
    assert "from -10 to 10 %" in refused.value.problems["change"]
    assert (case(moment.session, IDLE).decision, panel(moment.session).package) == (PROPOSED, 1)


def test_nobody_is_cut_who_used_their_grants(moment: Moment) -> None:
    """A case that is not LOW is not amended below no change, and the refusal says why; no change at all is fine."""
    with pytest.raises(FieldsRefused) as refused:
        amend(moment, TESS, BUSY, "-2.5")
    assert refused.value.problems == {
        "change": "Only people marked LOW can be cut, so -2.5 % does not fit. Write per cent from 0 to 10 %."
    }
    assert (case(moment.session, BUSY).decision, panel(moment.session).package) == (PROPOSED, 1)
    assert amend(moment, TESS, BUSY, "0").case.delta_thousandths == 0


def test_what_was_decided_is_put_back(moment: Moment) -> None:
    """A case that was held is decided with the package again; one that stands as proposed cannot be put back."""
    hold(moment, TESS, BUSY)
    assert put_back(moment, IRIS, BUSY).case.decision == PROPOSED
    assert case(moment.session, BUSY).decided_by is None
    assert code(lambda: put_back(moment, IRIS, BUSY)) == "as_proposed"


@pytest.mark.parametrize(("who", "whose", "expected"), [(M3, STOPPED, "recused_report"), (TESS, TESS, "recused_own")])
def test_nobody_decides_about_their_own(moment: Moment, who: str, whose: str, expected: str) -> None:
    """A member neither holds, amends nor is shown their own case or that of a report; of others they are."""
    person_id = voted.person(moment.session, whose).id
    assert code(lambda: hold(moment, who, whose)) == expected
    assert code(lambda: amend(moment, who, whose, "1")) == expected
    reader = voted.person(moment.session, who)
    assert code(lambda: single_cases.case_for(moment.at(MORNING), reader, Q4, person_id)) == expected
    assert hold(moment, OMAR, whose).case.decision == HELD


def test_a_page_hides_what_its_reader_must_not_see(moment: Moment) -> None:
    """The cases of a lead's own people are at the end of all pages, without any figure."""
    reader = voted.person(moment.session, M3)
    first = reviews_packs.page(moment.at(MORNING), reader, Q4, 0)
    lines = [
        line
        for number in range(first.pages)
        for line in reviews_packs.page(moment.at(MORNING), reader, Q4, number).lines
    ]
    assert len(lines) == len({line.person_id for line in lines}) == first.cases
    hidden = [line for line in lines if line.case is None]
    own = {voted.person(moment.session, who).id for who in (M3, *reviewed.members(3))}
    assert {line.person_id for line in hidden} == own & {one.case.person_id for one in drafts.cases(moment.session, Q4)}
    assert len(hidden) >= reviewed.LARGE
    assert lines[-len(hidden) :] == hidden
    assert (
        code(lambda: reviews_packs.page(moment.at(MORNING), voted.person(moment.session, LENA), Q4, 0))
        == "not_on_board"
    )


@pytest.mark.parametrize("who", [TESS, M3])
def test_pages_have_every_case_once_in_order(moment: Moment, who: str) -> None:
    """Pages together list each case once: greatest proposed changes first, whatever is held, the reader's own last."""
    hold(moment, OMAR, BUSY)
    amend(moment, OMAR, STOPPED, "1")
    reader = voted.person(moment.session, who)
    near = {reader.id} | {voted.person(moment.session, one).id for one in reviewed.members(3) if who == M3}

    def place(one: ReviewedCase) -> tuple[bool, bool, int, str]:
        is_changed = bool(one.case.delta_thousandths) or one.decision != PROPOSED
        return one.case.person_id in near, not is_changed, -abs(one.case.delta_thousandths), one.case.person_id

    pages = [reviews_packs.page(moment.at(MORNING), reader, Q4, 0)]
    pages += [reviews_packs.page(moment.at(MORNING), reader, Q4, number) for number in range(1, pages[0].pages)]
    expected = [one.case.person_id for one in sorted(drafts.cases(moment.session, Q4), key=place)]
    assert len(expected) > 2 * reviews_packs.PAGE
    assert [line.person_id for page in pages for line in page.lines] == expected
    assert all(len(page.lines) == reviews_packs.PAGE for page in pages[:-1])
    found = counted(one.delta_thousandths for one in drafts.cases(moment.session, Q4))
    assert {(page.counted, page.cases) for page in pages} == {(found, len(expected))}


def test_another_package_is_voted_on_anew(moment: Moment) -> None:
    """Votes on the package before a case was held do not count, and a press on the old message says so."""
    vote(moment, IRIS)
    vote(moment, TESS)
    hold(moment, TESS, BUSY)
    assert code(lambda: vote(moment, OMAR, package=1)) == "another_package"
    assert vote(moment, OMAR).tally.approvals == 1
    assert state(moment) == "draft"
    for who in (IRIS, TESS):
        counted = vote(moment, who)
    assert counted.review.state == "adopted"


def test_a_form_about_a_case_that_moved_is_refused(moment: Moment) -> None:
    """Anyone who fills in a form while someone else decides about the same case is told, and changes nothing."""
    seen = single_cases.mark(case(moment.session, BUSY))
    amend(moment, IRIS, BUSY, "1.5")
    assert code(lambda: hold(moment, TESS, BUSY, seen=seen)) == "case_moved"
    assert case(moment.session, BUSY).decision == AMENDED


# --- Time ----------------------------------------------------------------------------------------------------------


def test_silence_lapses_and_changes_nothing(app: App, clock: Clock) -> None:
    """Anyone who has not voted is reminded once; at the deadline it lapses, and everyone's factor stays as it is."""
    office = settle(app, clock)
    done = [run.job for run in tick.tick(office, now=MORNING).done if run.job.startswith("review.")]
    assert done == ["review.convene"]
    with office.transaction() as moment:
        vote(moment, IRIS)
    clock.now = datetime(2027, 1, 11, 9, tzinfo=UTC)
    ticked = tick.tick(office, now=clock.now)
    assert ([run.job for run in ticked.done if run.job.startswith("review.")], ticked.failed) == (["review.remind"], ())
    with office.reading() as moment:
        reminders = [key for key in keys(moment) if ":remind:" in key]
        silent = {voted.person(moment.session, who).id for who in (OMAR, TESS, M3)}
    assert {key.rpartition(":")[2] for key in reminders} == silent
    clock.now = DEADLINE + timedelta(minutes=1)
    assert [run.job for run in tick.tick(office, now=clock.now).done if run.job.startswith("review.")] == [
        "review.lapse"
    ]
    with office.reading(clock.now) as moment:
        assert state(moment) == "lapsed"
        assert drafts.factors_on(moment.session, Month(2027, 6)) == {}
        assert code(lambda: vote(moment, TESS, now=clock.now)) == "decided"
        assert actions(moment)[-1] == "review.lapse"
        assert f"pack:{Q4}:lapsed" in keys(moment)
    assert [run for run in tick.tick(office, now=clock.now).done if run.job.startswith("review.")] == []
    assert books.findings(office) == {}


@pytest.mark.every_database
def test_presses_at_once_adopt_once(app: App, clock: Clock, database_url: str) -> None:
    """Four members press five times each, through two replicas, at the same moment: one decision, one of each row."""
    office = settle(app, clock)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)
    presses = [who for who in (IRIS, OMAR, TESS, M3) for _ in range(5)]
    barrier = threading.Barrier(len(presses))
    codes: list[str] = []

    def press(who: str, replica: App) -> None:
        barrier.wait(books.WAIT_SECONDS)
        try:
            with replica.transaction() as moment:
                found = vote(moment, who)
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
    with office.reading() as moment:
        assert actions(moment).count("review.adopt") == 1
        assert len(keys(moment)) == len(set(keys(moment)))
    assert books.findings(office) == {}


# --- What is shown -------------------------------------------------------------------------------------------------


def test_the_pack_is_written_from_what_holds(app: App, clock: Clock) -> None:
    """The message names the figures and the votes; a hold and the decision change it, and it holds no one's amounts."""
    office = settle(app, clock)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)

    def said() -> str:
        composed = messages.compose("reviews/face", {"quarter": str(Q4)}, app=office)
        assert composed is not None
        return str(composed.message.blocks)

    assert "0 of 3 adopt it" in said()
    with office.transaction() as moment:
        hold(moment, TESS, BUSY)
        vote(moment, IRIS)
    assert "1 of 3 adopt it" in said()
    assert "1 held, 0 amended" in said()
    with office.transaction() as moment:
        vote(moment, TESS)
        vote(moment, OMAR)
    assert f"*Review of {Q4}: adopted*" in said()
    assert "review_adopt" not in said()
    picture = messages.compose("reviews/use", {"quarter": str(Q4)}, app=office)
    assert picture is not None
    assert picture.picture is not None


def test_the_page_comes_anew_once_it_is_decided(moment: Moment) -> None:
    """Votes and holds bring no other page; the decision brings one into the thread."""
    pack = f"pack:{Q4}:new:board"
    hold(moment, TESS, BUSY)
    vote(moment, IRIS)
    assert [key for key in keys(moment) if key.startswith("page:")] == [f"page:draft:{pack}"]
    for who in (TESS, OMAR):
        vote(moment, who)
    assert [key for key in keys(moment) if key.startswith("page:")] == [f"page:draft:{pack}", f"page:adopted:{pack}"]
    query = sa.select(outbox.c.thread).where(outbox.c.key == f"page:adopted:{pack}")
    assert moment.session.execute(query).scalar_one() == pack


def test_a_page_says_what_holds(app: App, clock: Clock) -> None:
    """A page is a file without cases; one that was owed for the vote is not sent once the vote is over."""
    office = settle(app, clock)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)

    def page(state: str) -> Composed | None:
        return messages.compose("reviews/page", {"quarter": str(Q4), "step": state}, app=office)

    asked = page("draft")
    assert asked is not None
    assert asked.document is not None
    assert asked.document.filename == f"review-{Q4}.html"
    assert b"<h2>Cases</h2>" not in asked.document.content
    with office.transaction() as moment:
        for who in (IRIS, TESS, OMAR):
            vote(moment, who)
    assert page("draft") is None
    adopted = page("adopted")
    assert adopted is not None
    assert adopted.document is not None
    assert b"<strong>Adopted</strong>" in adopted.document.content


def test_everybody_who_was_called_learns_of_the_outcome(app: App, clock: Clock) -> None:
    """Without a channel of the board each of those who were asked is told, once, that it is adopted."""
    office = dataclasses.replace(settle(app, clock), governance_channel=None)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)
        for who in (IRIS, TESS, OMAR):
            vote(moment, who)
        members = {voted.person(moment.session, who).id for who in (IRIS, OMAR, TESS, M3)}
        query = sa.select(outbox.c.key, outbox.c.person_id).where(outbox.c.template == "reviews/outcome")
        assert {(key, who) for key, who in moment.session.execute(query)} == {
            (f"pack:{Q4}:adopted:{member}", member) for member in members
        }


def test_an_open_review_is_found_by_those_who_vote_on_it(moment: Moment) -> None:
    """Members see on Home how it stands and that their vote is missing; others nothing, nor anybody once it is over."""

    def found(who: str) -> Call | None:
        return calls.of(moment.at(MORNING), voted.person(moment.session, who).id)

    vote(moment, IRIS)
    called = {who: found(who) for who in (IRIS, TESS, M3, ZOE, LENA, IDLE)}
    assert {who: call and call.awaits_reader for who, call in called.items()} == {
        IRIS: False,
        TESS: True,
        M3: True,
        ZOE: None,
        LENA: None,
        IDLE: None,
    }
    assert (call := called[TESS]) is not None
    assert (call.tally.approvals, call.tally.needed, call.package) == (1, 3, 1)
    assert call.vote is None
    assert (call := called[IRIS]) is not None
    assert call.vote == OwnVote(adopts=True, reason=None, counts=True)
    hold(moment, TESS, BUSY)
    assert (call := found(IRIS)) is not None
    assert (call.awaits_reader, call.package) == (True, 2)
    assert call.vote == OwnVote(adopts=True, reason=None, counts=False)
    shown = home.of(moment.at(MORNING), voted.person(moment.session, IRIS))
    assert shown.review == call
    assert calls.of(moment.at(DEADLINE), voted.person(moment.session, IRIS).id) is None
    for who in (IRIS, TESS, OMAR):
        vote(moment, who)
    assert found(M3) is None


# --- What follows ---------------------------------------------------------------------------------------------------

FEBRUARY = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)
LATE_JANUARY = datetime(2027, 1, 26, 15, tzinfo=UTC)
"""Midnight in Tokyo, where the notice was read on 5 January: it was evening when the board adopted."""


def test_the_board_hears_when_it_holds_and_when_appeals_are_over(moment: Moment) -> None:
    """Fifteen working days after the notices the time for appeals is over, in February it holds: each is told once."""
    for who in (IRIS, TESS, OMAR):
        vote(moment, who)

    def done(now: datetime) -> list[str]:
        return [step for quarter, step, _ in store.due(moment.session, now) if quarter == str(Q4)]

    assert done(LATE_JANUARY - timedelta(hours=1)) == []
    assert done(LATE_JANUARY) == ["close"]
    assert calendar.advance(moment.at(LATE_JANUARY), Q4) == "close"
    assert calendar.advance(moment.at(LATE_JANUARY), Q4) is None
    assert done(FEBRUARY - timedelta(hours=1)) == []
    assert calendar.advance(moment.at(FEBRUARY), Q4) == "effect"
    assert calendar.advance(moment.at(FEBRUARY), Q4) is None
    assert done(APRIL) == []
    assert keys(moment)[-2:] == [f"pack:{Q4}:close", f"pack:{Q4}:effect"]


def test_after_an_outage_both_are_told(moment: Moment) -> None:
    """Long after both, each is told one after the other; a later draft keeps neither back."""
    for who in (IRIS, TESS, OMAR):
        vote(moment, who)
    reviewed.draft(moment, Q1, now=APRIL)
    assert [calendar.advance(moment.at(APRIL), Q4) for _ in range(3)] == ["close", "effect", None]


def live_in(moment: Moment, zone: str, *emails: str) -> None:
    """From now on: what an import of people says."""
    moment.session.execute(sa.update(people_table).where(people_table.c.email.in_(emails)).values(time_zone=zone))


def cut(moment: Moment) -> list[str]:
    emails = {person["id"]: email for email, person in people_store.all_by_email(moment.session).items()}
    return [
        emails[one.case.person_id] for one in drafts.cases(moment.session, Q4) if one.factor < one.case.factor_before
    ]


def test_the_end_of_appeals_waits_for_who_moved_west(moment: Moment) -> None:
    """No one reads that no one can appeal any more while someone who moved since still can; it is said once, later."""
    for who in (IRIS, TESS, OMAR):
        vote(moment, who, now=datetime(2027, 1, 8, 7, tzinfo=UTC))
    in_new_york, out_west = datetime(2027, 1, 30, 5, tzinfo=UTC), datetime(2027, 1, 30, 8, tzinfo=UTC)
    assert (panel(moment.session).next_step, panel(moment.session).next_at) == ("close", in_new_york)
    live_in(moment, "America/Los_Angeles", IDLE)
    assert calendar.advance(moment.at(in_new_york), Q4) is None
    assert (panel(moment.session).next_step, panel(moment.session).next_at) == ("close", out_west)
    idle = voted.person(moment.session, IDLE)
    filing.require_open_to_appeal(moment.at(out_west - timedelta(seconds=1)), idle, Q4)
    assert code(lambda: filing.require_open_to_appeal(moment.at(out_west), idle, Q4)) == "too_late"
    assert [calendar.advance(moment.at(out_west), Q4) for _ in range(2)] == ["close", None]


def test_milestones_that_change_places_come_once_each(moment: Moment) -> None:
    """People who move so that the end of appeals comes before or after the first of the month change its turn alone."""
    eve = datetime(2027, 1, 8, 17, 30, tzinfo=UTC)
    for who in (IRIS, TESS, OMAR):
        vote(moment, who, now=eve)
    everybody = cut(moment)
    orders = {}
    for before, after in (("Asia/Tokyo", "America/Los_Angeles"), ("America/Los_Angeles", "Asia/Tokyo")):
        with moment.session.begin_nested() as attempt:
            live_in(moment, before, *everybody)
            kept = drafts.get(moment.session, Q4)
            assert kept is not None
            first, second = effects.milestones(moment, kept)
            store.step(moment.session, Q4, *first)
            live_in(moment, after, *everybody)
            moved = [name for name, _ in effects.milestones(moment, kept)]
            assert moved == [second[0], first[0]]
            times = [eve + timedelta(hours=12 * number) for number in range(100)]
            done = (calendar.advance(moment.at(now), Q4) for now in times)
            orders[before] = [step for step in done if step]
            assert orders[before] == moved
            assert store.due(moment.session, APRIL) == []
            attempt.rollback()
    assert len(orders) == 2


# --- A later review ------------------------------------------------------------------------------------------------

APRIL = datetime(2027, 4, 5, 9, tzinfo=UTC)
Q1 = Q4.next()


def ask_for_long(app: App, clock: Clock) -> App:
    """The board has until after the next quarter's end, and two of its four have adopted so far."""
    office = settle(app, clock)
    with office.transaction(MORNING) as moment:
        calendar.advance(moment, Q4)
        moment.session.execute(sa.update(reviews_table).values(vote_until=APRIL + timedelta(days=30)))
        moment.session.execute(sa.update(review_panels).values(next_step="lapse", next_at=APRIL + timedelta(days=30)))
        vote(moment, IRIS)
        vote(moment, TESS)
    clock.now = APRIL
    return office


def test_a_later_review_ends_the_vote_on_an_earlier_one(app: App, clock: Clock) -> None:
    """Votes and decisions about cases are refused with the reason; the calendar lapses it, and the draft stands."""
    office = ask_for_long(app, clock)
    with office.transaction(APRIL) as moment:
        reviewed.draft(moment, Q1, now=APRIL)
        assert store.due(moment.session, APRIL)[0][:2] == (str(Q4), store.LAPSE)
    with books.rolled_back(office) as moment:
        acts = (
            lambda: vote(moment, OMAR, now=APRIL),
            lambda: hold(moment, OMAR, BUSY),
            lambda: amend(moment, OMAR, BUSY, "1"),
            lambda: put_back(moment, OMAR, BUSY),
        )
        assert {code(act) for act in acts} == {"superseded"}
        assert not reviews_packs.awaits(moment.at(APRIL), Q4, voted.person(moment.session, OMAR).id)
    ticked = tick.tick(office, now=APRIL)
    steps = [(run.job, run.period) for run in ticked.done if run.job.startswith("review.")]
    assert sorted(steps) == [("review.convene", str(Q1)), ("review.lapse", str(Q4))]
    with office.reading(APRIL) as moment:
        assert state(moment) == "lapsed"
        assert store.due(moment.session, APRIL) == []
        pack = reviews_packs.of(moment, Q4)
    assert pack.superseded_by == Q1
    assert books.findings(office) == {}


def test_one_that_nobody_was_asked_about_lapses_as_well(app: App, clock: Clock) -> None:
    """Without a board for a whole quarter, the calendar asks about the later review alone."""
    office = settle(app, clock)
    clock.now = APRIL
    with office.transaction(APRIL) as moment:
        reviewed.draft(moment, Q1, now=APRIL)
        assert [row[:2] for row in store.due(moment.session, APRIL)] == [(str(Q4), "lapse"), (str(Q1), "convene")]
        assert calendar.advance(moment, Q4) == "lapse"
        assert store.panel(moment.session, Q4) is None
        assert state(moment) == "lapsed"
    assert books.findings(office) == {}


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.every_database
def test_a_draft_and_the_deciding_vote_at_once(app: App, clock: Clock, database_url: str, attempt: int) -> None:
    """Whichever comes first: what is adopted is in the next draft, or nothing is adopted and the draft knows nothing.

    In later attempts one of the two is given a head start, so that both orders come about.
    """
    office = ask_for_long(app, clock)
    refused: list[str] = []
    under_way = threading.Event()

    def deciding(database: Database) -> None:
        if attempt == 1:
            under_way.wait(books.WAIT_SECONDS)
        try:
            with database.transaction() as session:
                vote(dataclasses.replace(office, database=database).moment(session), OMAR, now=APRIL)
                if attempt == 2:
                    under_way.set()
        except Refusal as refusal:
            refused.append(refusal.code)

    def drafting(database: Database) -> None:
        if attempt == 2:
            under_way.wait(books.WAIT_SECONDS)
        with database.transaction() as session:
            reviewed.draft(dataclasses.replace(office, database=database).moment(session), Q1, now=APRIL)
            if attempt == 1:
                under_way.set()

    assert books.at_once(database_url, [deciding, drafting]) == []
    expected = {1: ["superseded"], 2: []}
    assert refused == expected.get(attempt, refused)
    with office.reading() as moment:
        idle = voted.person(moment.session, IDLE).id
        [known] = [one for one in drafts.inputs(moment.session, Q1) if one.person_id == idle]
        adopted = state(moment) == "adopted"
    assert adopted == (refused == [])
    assert (known.deltas[-1], known.factor) == ((-100, Decimal("0.9000")) if adopted else (0, Decimal(1)))
    assert books.findings(office) == {}


def test_a_vote_by_a_delegate_is_told_to_both(moment: Moment) -> None:
    """Zoe, who stands in for Tess, reads for whom she voted; Tess, who is back, reads who did."""
    tess, zoe = (voted.person(moment.session, who) for who in (TESS, ZOE))
    board.delegate(moment.at(MORNING), tess, zoe, MORNING.date())
    vote(moment, ZOE, adopts=False)
    call = calls.of(moment.at(MORNING), zoe.id)
    assert call is not None
    assert call.vote == OwnVote(
        adopts=False, reason="Too many cuts", counts=True, stands_for=PersonName(tess.name, tess.slack_user_id)
    )
    call = calls.of(moment.at(MORNING + timedelta(days=1)), tess.id)
    assert call is not None
    assert call.vote == OwnVote(
        adopts=False, reason="Too many cuts", counts=True, by=PersonName(zoe.name, zoe.slack_user_id)
    )
