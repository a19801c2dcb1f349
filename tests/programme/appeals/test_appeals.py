"""What follows from an adopted review: notices, appeals, and from when a cut holds."""

from __future__ import annotations

import dataclasses
import io
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from policy.appeals import CutMonth, deciders, owed_back
from policy.period import Month, Quarter
from policy.reasons import FieldsRefused, Refusal
from policy.units import MICRO_PER_TOKEN
from programme.appeals import appeals, calendar, deciding, filing
from programme.people import directory
from programme.reviews import drafting, effects
from scheduler import tick
from store.appeals import records as store
from store.engine import open_database
from store.people import directory as people_store
from store.reviews import drafts as reviews_store
from store.tables.appeals import appeals as appeals_table
from store.tables.audit import audit_log
from store.tables.ledger import accounts, entries, lots
from store.tables.outbox import outbox
from store.tables.people import people as people_table
from tests.support import appealed, books, cast, couriers, letters, reviewed
from tests.support import requests as asking
from tests.support.appealed import FEBRUARY, FEBRUARY_FIRST, FEBRUARY_THIRD, FRIDAY, MARCH
from tests.support.clock import Clock
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.reviewed import BUSY, IDLE, Q4, STOPPED
from views.review_figures import Appealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.units import MicroTokens
    from programme.app import App
    from programme.moment import Moment
    from views.appeals import Appeal

Q1, MAY = Q4.next(), Month(2027, 5)
LATE = datetime(2027, 2, 17, 17, tzinfo=UTC)
"""After the ten working days in which an appeal of 3 February can be decided."""


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company with its draft and its board."""
    assert isinstance(shared_app.clock, Clock)
    appealed.settle(shared_app, shared_app.clock)
    return dataclasses.replace(shared_app, governance_channel=asking.BOARD_CHANNEL)


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    """A transaction that leaves nothing, in which the review is adopted."""
    with books.rolled_back(company) as moment:
        assert appealed.adopt(moment) == FEBRUARY
        yield moment


def idle_id(app: App) -> str:
    return cast.person_id(app, IDLE)


def factor(moment: Moment, month: Month) -> Decimal | None:
    return reviews_store.factors_on(moment.session, month).get(cast.id_of(moment.session, IDLE))


def kept(moment: Moment) -> list[tuple[str, str | None, str | None]]:
    """(key, person, replaces) of what is owed, in order."""
    o = outbox.c
    return [(k, p, r) for k, p, r in moment.session.execute(sa.select(o.key, o.person_id, o.replaces).order_by(o.id))]


def granted(moment: Moment, month: Month) -> tuple[Decimal, MicroTokens]:
    return reviewed.granted_with(moment.at(datetime(month.year, month.month, 1, 9, tzinfo=UTC)), month)[
        cast.id_of(moment.session, IDLE)
    ]


def test_a_card_that_the_channel_is_refused_goes_to_each_who_can_decide(moment: Moment) -> None:
    """Of an appeal as of everything else that the board decides; a second refusal changes nothing."""
    at = moment.at(FEBRUARY_THIRD)
    appeal = appealed.file(moment)
    for _ in range(2):
        couriers.parked(at, f"appeal:{appeal.id}:board")
    readers = [person for key, person, _ in kept(moment) if key.startswith(f"appeal:{appeal.id}:per_")]
    assert set(readers) == appeals.deciders(at, appeal) != set()
    assert len(readers) == len(set(readers))


# --- Notices -------------------------------------------------------------------------------------------------------


def test_who_is_affected_is_told_and_nobody_else(company: App, moment: Moment) -> None:
    """Everyone whose factor changes gets one notice in their own hours; only a cut can be appealed against."""
    changed = {
        one.case.person_id for one in reviews_store.cases(moment.session, Q4) if one.factor != one.case.factor_before
    }
    o = outbox.c
    rows = moment.session.execute(sa.select(o.person_id, o.view, o.due_at).where(o.template == effects.TEMPLATE))
    told = {person_id: (view, due_at) for person_id, view, due_at in rows}
    assert set(told) == changed
    assert cast.person_id(company, STOPPED) in changed or len(changed) < 39
    view, due_at = told[idle_id(company)]
    assert view == {"quarter": str(Q4), "person_id": idle_id(company)}
    assert due_at == FRIDAY
    notice = effects.notice(moment, Q4, idle_id(company))
    assert (notice.delta_thousandths, notice.appeal_until) == (-100, date(2027, 2, 5))
    assert notice.because
    assert effects.notice(moment, Q4, cast.person_id(company, BUSY)).appeal_until is None


def test_who_has_left_is_told_nothing(company: App) -> None:
    """Whoever left between the draft and the adoption gets no notice, and everyone else theirs."""
    with books.rolled_back(company) as moment:
        gone = sa.update(people_table).where(people_table.c.id == idle_id(company))
        moment.session.execute(gone.values(left_on=date(2027, 1, 8)))
        appealed.adopt(moment)
        told = {person_id for key, person_id, _ in kept(moment) if key.startswith("review_notice:")}
        assert idle_id(company) not in told
        assert cast.person_id(company, BUSY) in told


def test_notices_are_owed_once_and_only_of_what_is_adopted(company: App) -> None:
    """Before the adoption there is nothing to tell, and a second call is a mistake that leaves nothing."""
    with books.rolled_back(company) as moment, pytest.raises(Refusal, match="not adopted"):
        effects.owe(moment.at(FRIDAY), Q4)


def test_a_late_evening_counts_from_the_morning_after(company: App) -> None:
    """Adopted after hours on the last evening in time, it would be told too late for the month: it holds later."""
    with books.rolled_back(company) as moment:
        evening = datetime(2027, 1, 18, 20, tzinfo=UTC)
        assert effects.effect_month(moment.at(FRIDAY), Q4) == FEBRUARY
        assert effects.effect_month(moment.at(evening), Q4) == MARCH


# --- Appeals -------------------------------------------------------------------------------------------------------


def test_an_appeal_suspends_the_cut(company: App, moment: Moment) -> None:
    """Appealed in time, the month's grant is as before, and everyone else's change holds."""
    assert factor(moment, FEBRUARY) == Decimal("0.9000")
    appealed.file(moment, at=FRIDAY)
    assert factor(moment, FEBRUARY) is None
    assert reviews_store.factors_on(moment.session, FEBRUARY)[cast.person_id(company, BUSY)] > 1
    assert granted(moment, FEBRUARY)[0] == 1


def test_an_upheld_appeal_gives_back_what_the_cut_took(company: App, moment: Moment) -> None:
    """The difference of the month that was cut is in the wallet at once, and later grants are as before."""
    cut, got = granted(moment, FEBRUARY)
    assert cut == Decimal("0.9000")
    appeal = appealed.file(moment)
    moved = appealed.decide(moment, IRIS, appeal, upheld=True)
    assert (moved.state, moved.cut_from) == ("upheld", None)
    assert moved.entry_id is not None
    back = store.credited(moment.session, moved.entry_id)
    case = reviews_store.case(moment.session, Q4, idle_id(company))
    assert case is not None
    assert case.case.grant_before is not None
    # The draft's own figure without the change; everyone else's changes move the budget's share a little.
    assert abs(int(got + back) - int(case.case.grant_before)) <= int(case.case.grant_before) // 50
    wallet = moment.session.execute(
        sa.select(lots.c.amount, lots.c.kind, accounts.c.person_id)
        .join(accounts, accounts.c.id == lots.c.account_id)
        .where(lots.c.entry_id == moved.entry_id)
    ).one()
    assert tuple(wallet) == (int(back), "appeal", idle_id(company))
    assert granted(moment, MARCH)[0] == 1
    assert books.findings_in(moment) == {}


def test_a_cut_that_was_undone_does_not_count_in_the_year(company: App, moment: Moment) -> None:
    """Rejected, the change counts among the year's as the factor does; open or upheld, neither does."""
    who = idle_id(company)

    def deltas() -> dict[str, int]:
        return dict(reviews_store.history(moment.session, Q4.next(), since=Q4).deltas.get(who, {}))

    assert deltas() == {str(Q4): -100}
    appeal = appealed.file(moment)
    assert deltas() == {}
    with moment.session.begin_nested() as rejecting:
        appealed.decide(moment, IRIS, appeal, upheld=False)
        assert deltas() == {str(Q4): -100}
        rejecting.rollback()
    appealed.decide(moment, IRIS, appeal, upheld=True)
    assert deltas() == {}


def test_the_next_pack_counts_the_appeals(moment: Moment) -> None:
    """How many of the cuts were appealed against and what became of the appeals, as it stands; whose is not in it."""
    cut = appealed.cut(moment.session)
    first, second, third, fourth, *_ = cut
    for who, upheld in ((first, True), (second, False)):
        member = asking.ZOE if who != asking.ZOE else asking.KOFI
        appealed.decide(moment, member, appealed.file(moment, who), upheld=upheld)
    over = appealed.file(moment, third)
    deciding.lapse(moment.at(over.decide_by), over)
    appealed.file(moment, fourth)
    drafted = reviewed.draft(moment, Q4.next(), now=datetime(2027, 4, 1, 9, tzinfo=UTC))
    summary = drafting.summary(moment, drafted.quarter)
    assert summary.appealed == Appealed(str(Q4), len(cut), 4, upheld=1, rejected=1, lapsed=1, open=1)
    assert drafting.summary(moment, Q4).appealed is None


@pytest.mark.parametrize("first", [Q4, Q1])
def test_a_grant_is_made_good_once(company: App, moment: Moment, first: Quarter) -> None:
    """Where an appeal lasts until the next review cuts as well, each gives back what its own cut took, in any order."""
    taken = int(granted(moment, FEBRUARY)[1])
    long_ago = appealed.file(moment)
    moment.session.execute(sa.update(appeals_table).values(decide_by=datetime(2027, 6, 1, tzinfo=UTC)))
    reviewed.draft(moment, Q1, now=datetime(2027, 4, 1, 9, tzinfo=UTC))
    # With an appeal open, it begins from what was before.
    cut_again = {"amended_thousandths": -100, "amended_factor": "0.9000"}
    april = datetime(2027, 4, 15, 9, tzinfo=UTC)
    reviews_store.decide(
        moment.session,
        Q1,
        idle_id(company),
        decision="amended",
        decided_by=cast.person_id(company, TESS),
        decided_at=april,
        **cut_again,
    )
    reviewed.adopt(moment, Q1, MAY, now=april)
    assert granted(moment, MAY)[0] == Decimal("0.9000")
    now = datetime(2027, 5, 5, 9, tzinfo=UTC)
    again = filing.file(moment.at(now), asking.person(moment.session, IDLE), Q1, "And I still am")
    both = {one.quarter: one for one in (long_ago, again)}
    back = {}
    for quarter in (first, ({Q4, Q1} - {first}).pop()):
        moved = appealed.decide(moment, IRIS, both[quarter], upheld=True, at=now)
        assert moved.entry_id is not None
        back[quarter] = int(store.credited(moment.session, moved.entry_id))
    # A ninth of what is left of ten tenths.
    assert abs(back[Q4] - taken // 9) <= 2 * asking.BOOK.sizing.round_to_tokens * MICRO_PER_TOKEN
    assert back[Q1] > 0
    assert books.findings_in(moment) == {}


def test_an_upheld_appeal_before_the_effect_owes_nothing(moment: Moment) -> None:
    """Where no grant was cut yet there is nothing to give back."""
    appeal = appealed.file(moment, at=FRIDAY)
    moved = appealed.decide(moment, IRIS, appeal, upheld=True, at=FRIDAY)
    assert moved.entry_id is None
    assert granted(moment, FEBRUARY)[0] == 1


def test_a_rejected_appeal_cuts_from_the_next_month(moment: Moment) -> None:
    """What was granted while it was open stays; the cut holds from the month after the decision."""
    appeal = appealed.file(moment, at=FRIDAY + timedelta(days=5))
    assert granted(moment, FEBRUARY)[0] == 1
    moved = appealed.decide(moment, IRIS, appeal, upheld=False, at=FEBRUARY_FIRST)
    assert (moved.state, moved.cut_from) == ("rejected", MARCH)
    assert factor(moment, FEBRUARY) is None
    assert granted(moment, MARCH)[0] == Decimal("0.9000")


def test_silence_takes_nothing_away(company: App, moment: Moment) -> None:
    """Not decided in time, it goes to the chair and finance; ten working days later the cut is undone and paid back."""
    appeal = appealed.file(moment)
    assert store.due(moment.session, appeal.decide_by - timedelta(seconds=1), limit=9) == [
        (appeal.id, store.REMIND, appeal.remind_at)
    ]
    assert store.due(moment.session, LATE, limit=9) == [(appeal.id, store.LAPSE, appeal.decide_by)]
    assert calendar.advance(moment.at(appeal.decide_by), appeal.id) == store.ESCALATE
    passed_on = appeals.require(moment, Q4, idle_id(company))
    assert (passed_on.state, passed_on.escalated_at) == ("open", appeal.decide_by)
    assert passed_on.decide_by == appeal.decide_by + timedelta(days=14)
    assert calendar.advance(moment.at(passed_on.decide_by - timedelta(seconds=1)), appeal.id) is None
    assert calendar.advance(moment.at(passed_on.decide_by), appeal.id) == store.UPHOLD
    moved = appeals.require(moment, Q4, idle_id(company))
    assert (moved.state, moved.cut_from, moved.decided_by) == ("upheld", None, "policy")
    assert granted(moment, MARCH)[0] == 1
    assert (f"appeal:{appeal.id}:upheld", idle_id(company), None) in kept(moment)
    assert calendar.advance(moment.at(passed_on.decide_by), appeal.id) is None
    assert books.findings_in(moment) == {}


def test_the_chair_and_finance_are_called_in_even_if_they_voted(company: App, moment: Moment) -> None:
    """Whoever voted on the package stays out while there are others; once no one decided, chair and finance may."""
    appealed.vote_on_package(moment.session, company, OMAR)
    appeal = appealed.file(moment)
    omar = cast.person_id(company, OMAR)
    assert omar not in appeals.deciders(moment, appeal)
    calendar.advance(moment.at(appeal.decide_by), appeal.id)
    passed_on = appeals.require(moment, Q4, idle_id(company))
    assert omar in appeals.deciders(moment, passed_on)
    assert (f"appeal:{appeal.id}:escalate:{omar}", omar, None) in kept(moment)
    moved = appealed.decide(moment, OMAR, passed_on, upheld=False, at=appeal.decide_by + timedelta(days=1))
    assert moved.state == "rejected"
    assert "appeals_as_decided" not in books.findings_in(moment)


def test_an_appeal_lapses_where_the_handbook_lets_it(moment: Moment) -> None:
    """A handbook of before, which calls in no one: the cut holds from the next month, and the person is told."""
    appeal = appealed.file(moment)
    moved = deciding.lapse(moment.at(LATE), appeal)
    assert (moved.state, moved.cut_from, moved.decided_by) == ("lapsed", MARCH, "policy")
    assert factor(moment, FEBRUARY) is None
    assert factor(moment, MARCH) == Decimal("0.9000")
    assert (f"appeal:{appeal.id}:lapsed", moved.person_id, None) in kept(moment)


def test_an_appeal_is_told_to_the_board_and_decided_on_every_copy(company: App, moment: Moment) -> None:
    """One card in the board's channel and the person's own; the decision gives both a new face, and a note."""
    before = len(kept(moment))
    appeal = appealed.file(moment)
    appealed.decide(moment, IRIS, appeal, upheld=False)
    person = idle_id(company)
    mine, board = f"appeal:{appeal.id}:mine", f"appeal:{appeal.id}:board"
    assert kept(moment)[before:] == [
        (mine, person, None),
        (board, None, None),
        (f"{mine}@2", person, mine),
        (f"{board}@2", None, board),
        (f"appeal:{appeal.id}:rejected", person, None),
    ]


def test_one_form_sent_twice_is_one_appeal(moment: Moment) -> None:
    """The same text is the same appeal; another one is refused, and says where the first stands."""
    first = appealed.file(moment)
    owed = kept(moment)
    assert appealed.file(moment) == first
    assert kept(moment) == owed
    with pytest.raises(Refusal, match="still open"):
        appealed.file(moment, reason="Something else")


@pytest.mark.parametrize(
    ("who", "at", "code"),
    [
        (BUSY, FEBRUARY_THIRD, "no_cut"),
        ("m1@example.com", FEBRUARY_THIRD, "nothing_to_appeal"),
        (IDLE, datetime(2027, 2, 6, 9, tzinfo=UTC), "too_late"),
    ],
)
def test_what_cannot_be_appealed(moment: Moment, who: str, at: datetime, code: str) -> None:
    """A raise, no case at all, and an appeal after the fifteenth working day are refused with the reason."""
    with pytest.raises(Refusal) as refused:
        appealed.file(moment, who, at=at)
    assert refused.value.code == code


def test_the_last_day_counts_to_its_end(moment: Moment) -> None:
    """Late in the evening of the last day is in time."""
    assert appealed.file(moment, at=datetime(2027, 2, 5, 22, tzinfo=UTC)).state == "open"


def test_a_click_after_the_time_says_what_comes_of_it(moment: Moment) -> None:
    """An appeal that no one decides goes to the chair and finance: it does not lapse, and no one reads that it does."""
    appeal = appealed.file(moment)
    assert appeal.decide_by is not None
    late = moment.at(appeal.decide_by)
    with pytest.raises(Refusal, match="It goes to the board's chair and to finance, so your click"):
        deciding.decide(late, asking.person(moment.session, IRIS), appeal.id, upheld=True, reason="Half a year's leave")


def test_a_reason_is_needed(moment: Moment) -> None:
    """Neither an appeal nor its decision goes without one."""
    with pytest.raises(FieldsRefused):
        appealed.file(moment, reason="  ")
    appeal = appealed.file(moment)
    with pytest.raises(FieldsRefused):
        deciding.decide(
            moment.at(FEBRUARY_THIRD), asking.person(moment.session, IRIS), appeal.id, upheld=True, reason=""
        )


# --- Who decides ---------------------------------------------------------------------------------------------------


def refused(moment: Moment, member: str, appeal: Appeal) -> str:
    try:
        appealed.decide(moment, member, appeal, upheld=True)
    except Refusal as refusal:
        return refusal.code
    return ""


def test_who_had_a_part_in_it_does_not_decide(company: App, moment: Moment) -> None:
    """Not the person, not their manager, not who amended the case, not who voted, no one off the board."""
    manager = "m1@example.com"
    roles = io.StringIO(f"email,roles\n{manager},board\n{IDLE},board\n")
    directory.import_csv(moment.at(FRIDAY), roles, actor="test")
    reviews_store.decide(
        moment.session,
        Q4,
        idle_id(company),
        decision="amended",
        decided_by=cast.person_id(company, OMAR),
        decided_at=FRIDAY,
        amended_thousandths=-50,
        amended_factor="0.9500",
    )
    appealed.vote_on_package(moment.session, company, TESS)
    appeal = appealed.file(moment)
    for member in (IDLE, manager, OMAR, TESS):
        assert refused(moment, member, appeal) == "recused"
    assert refused(moment, BUSY, appeal) == "not_on_board"
    assert refused(moment, IRIS, appeal) == ""
    assert refused(moment, IRIS, appeal) == "decided"


def test_where_everybody_voted_a_voter_decides(company: App, moment: Moment) -> None:
    """A board that voted as a whole is not left without anybody: those who did not decide the case do."""
    everybody = (IRIS, OMAR, TESS, asking.ZOE, asking.KOFI)
    appealed.vote_on_package(moment.session, company, *everybody)
    seats = appeals.deciders(moment.at(FEBRUARY_THIRD), appealed.file(moment))
    assert {cast.person_id(company, one) for one in (IRIS, OMAR, TESS)} <= seats


IDS = st.sampled_from("abcdefgh")


@given(st.sets(IDS), st.sets(IDS, max_size=2), st.one_of(st.none(), IDS), st.sets(IDS))
def test_no_party_ever_decides(seats: set[str], concerned: set[str], by: str | None, voted: set[str]) -> None:
    """Whoever sits and votes: only seats decide, never a party; voters only where no one else is left."""
    able = deciders(seats, concerned=concerned, case_decided_by=by, voted=voted)
    assert able <= seats - concerned - {by}
    assert not able & voted or able == seats - concerned - {by}
    assert bool(able) == bool(seats - concerned - {by})


# --- Never less ----------------------------------------------------------------------------------------------------

FACTORS = st.integers(5_000, 12_000).map(lambda n: Decimal(n) / 10_000)


@given(FACTORS, FACTORS, FACTORS, st.sampled_from(["0.7000", "1.0500"]))
def test_giving_back_never_takes(got: Decimal, restored: Decimal, higher: Decimal, weight: str) -> None:
    """What is owed back is never below zero, is nothing where nothing was cut, and grows with what is restored."""
    rules = asking.BOOK.sizing
    factors = dataclasses.replace(letters.factors(), adjustment=got, weight=Decimal(weight))
    back, more = (owed_back([CutMonth(FEBRUARY, factors, one, rules)]) for one in (restored, max(restored, higher)))
    assert 0 <= back <= more
    assert back == 0 or restored > got


@pytest.mark.parametrize("state", ["open", "upheld"])
def test_a_suspended_or_upheld_case_never_lowers_a_grant(moment: Moment, state: str) -> None:
    """With every cut appealed against, no one's factor is below that of before, in any month."""
    cut = [one.case for one in reviews_store.cases(moment.session, Q4) if effects.is_cut(one)]
    assert len(cut) == 6
    for case in cut:
        person = people_store.by_id(moment.session, case.person_id)
        assert person is not None
        appeal = appealed.file(moment, person.email)
        if state == "upheld":
            member = asking.ZOE if person.email != asking.ZOE else asking.KOFI
            appealed.decide(moment, member, appeal, upheld=True)
    for month in (FEBRUARY, MARCH, Month(2027, 9)):
        factors = reviews_store.factors_on(moment.session, month)
        assert all(factors.get(case.person_id, 1) >= case.factor_before for case in cut)
        assert all(one >= 1 for one in factors.values())


# --- The calendar, and two at once ---------------------------------------------------------------------------------


@pytest.fixture
def office(app: App, clock: Clock) -> App:
    """A company of its own, in which an appeal is open and February was granted with the cut."""
    appealed.settle(app, clock)
    with app.transaction(FEBRUARY_FIRST) as moment:
        appealed.adopt(moment)
        reviewed.granted_with(moment, FEBRUARY)
    with app.transaction() as moment:
        appealed.file(moment)
    clock.now = FEBRUARY_THIRD
    return app


@pytest.mark.every_database
def test_two_presses_at_once_decide_once(office: App, database_url: str) -> None:
    """Members uphold and reject at the same moment through two replicas: one decision, at most one lot."""
    presses = [(member, upheld) for member in (IRIS, OMAR, TESS) for upheld in (True, False)]
    barrier = threading.Barrier(len(presses))
    codes: list[str] = []

    def press(member: str, replica: App, *, upheld: bool) -> None:
        barrier.wait(books.WAIT_SECONDS)
        try:
            with replica.transaction() as moment:
                appeal = appeals.require(moment, Q4, cast.person_id(office, IDLE))
                codes.append(appealed.decide(moment, member, appeal, upheld=upheld).state)
        except Refusal as refusal:
            codes.append(refusal.code)

    replicas = [dataclasses.replace(office, database=open_database(database_url)) for _ in range(2)]
    with ThreadPoolExecutor(len(presses)) as pool:
        done = [pool.submit(press, who, replicas[i % 2], upheld=up) for i, (who, up) in enumerate(presses)]
    assert [one.exception() for one in done] == [None] * len(presses)
    for replica in replicas:
        replica.database.close()
    counted = Counter(codes)
    assert counted["decided"] == len(presses) - 1
    lot_count = books.rows(office, sa.select(sa.func.count()).where(entries.c.kind == "appeal"))[0][0]
    assert lot_count == counted["upheld"]
    log = sa.select(sa.func.count()).where(audit_log.c.action == "appeal.decide")
    assert books.rows(office, log) == [(1,)]
    assert books.findings(office) == {}


def test_the_calendar_ends_an_appeal_once(office: App, clock: Clock) -> None:
    """The tick after the deadline passes it on, that after the next one ends it; another tick does nothing more."""
    for at, state in ((LATE, "open"), (LATE + timedelta(days=30), "upheld")):
        clock.now = at
        ticked = tick.tick(office, now=at)
        assert [run.job for run in ticked.done].count("appeal.lapse") == 1
        assert "appeal.lapse" not in [run.job for run in tick.tick(office, now=at).done]
        with office.reading() as moment:
            assert appeals.require(moment, Q4, cast.person_id(office, IDLE)).state == state
    with office.reading() as moment:
        assert drafting.recompute(moment, Q4) == []
