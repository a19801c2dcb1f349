"""The review of a quarter: drafted once, from what was known then, and the same whenever it is worked out again."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy import handbook
from policy.period import Month, Quarter
from policy.reasons import Refusal
from policy.reviews import proposal, reasons
from policy.reviews.proposal import HELD, ChangeCounts, counted, weeks_of
from policy.sizing import size
from policy.units import MicroTokens
from programme import handbooks
from programme.grants import sizing, used
from programme.handbook import applying
from programme.outcomes import intake as outcomes_intake
from programme.people import directory
from programme.reviews import backtests, drafting, effects, gathering
from programme.usage import intake as usage_intake
from programme.value import valuation
from store.handbook import reference
from store.people import teams as teams_store
from store.reviews import drafts as store
from store.tables.ledger import accounts
from store.tables.outbox import runs
from store.tables.people import people as people_table
from store.tables.reviews import review_cases
from store.tables.reviews import review_inputs as review_inputs_table
from store.tables.usage import usage_days
from tests.support import books, cast, reviewed, rollout, teams
from tests.support.clock import Clock
from tests.support.reviewed import BUSY, GIFTED, IDLE, MORNING, Q3, Q4, STOPPED, UNPAID
from views.reviews import ADOPTED, LAPSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.reviews.proposal import Inputs
    from programme.app import App
    from programme.moment import Moment
    from programme.reviews.drafting import DraftOutcome
    from store.engine import Database

Q1 = Quarter(2027, 1)
FEBRUARY, MAY = Month(2027, 2), Month(2027, 5)
PACKAGED = handbook.parse(handbook.packaged()).adjustment


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company on the morning of its review, which is drafted."""
    assert isinstance(shared_app.clock, Clock)
    reviewed.settle(shared_app, shared_app.clock)
    with shared_app.transaction() as moment:
        reviewed.draft(moment)
    return shared_app


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(company) as moment:
        yield moment


def inputs_of(moment: Moment, who: str) -> list[Inputs]:
    person_id = cast.id_of(moment.session, who)
    return [one for one in store.inputs(moment.session, Q4) if one.person_id == person_id]


def gathered(moment: Moment) -> gathering.Gathered:
    """What a draft of the quarter would follow from now."""
    planned = sizing.plan(moment.at(MORNING), FEBRUARY)
    book = moment.handbooks.on(date(2026, 12, 31))
    return gathering.gather(moment, Q4, planned, book)


# --- What is proposed ----------------------------------------------------------------------------------------------


def test_a_raise_needs_evidence_and_a_cut_needs_unused_allowance(company: App, moment: Moment) -> None:
    """The team that delivers most is raised, who left their grants unused twice is cut, who did so once is not."""
    of = reviewed.cases(moment.session, company)
    best, plain = of(reviewed.members(0)[0]).case, of(reviewed.members(5)[0]).case
    assert (best.delta_thousandths, best.peers, best.missing) == (100, "engineering", "")
    assert best.theta is not None
    assert best.lcb is not None
    assert plain.theta is not None
    assert plain.theta < 0 < best.lcb <= best.theta
    assert plain.delta_thousandths == 0
    idle, busy, stopped = of(IDLE).case, of(BUSY).case, of(STOPPED).case
    assert (idle.state_before, idle.state_after, idle.delta_thousandths) == ("usual", "low", -100)
    assert (idle.factor_before, idle.factor_after) == (Decimal(1), Decimal("0.9000"))
    assert (busy.state_after, busy.delta_thousandths) == ("high", 50)
    assert stopped.utilisation_permille is not None
    assert stopped.utilisation_permille < 400
    assert stopped.state_after == "usual"
    assert stopped.delta_thousandths >= 0


def test_every_case_says_why_and_what_would_change_it(company: App, moment: Moment) -> None:
    """Each person's reasons end in their change, and something is named that would have to be different."""
    for one in store.cases(moment.session, Q4):
        assert one.case.reasons[-1].figures["delta"] == f"{one.case.delta:f}"
        assert one.case.would_change
    texts = " ".join(reason.text for reason in reviewed.cases(moment.session, company)(IDLE).case.would_change)
    assert "ends LOW" in texts


def test_nobody_without_data_is_changed(company: App, moment: Moment) -> None:
    """Without grants there is no use to know, without five in a team no score: neither raises nor cuts."""
    of = reviewed.cases(moment.session, company)
    unpaid = of(UNPAID).case
    assert (unpaid.missing, unpaid.utilisation_permille, unpaid.delta_thousandths) == ("few_weeks", None, 0)
    assert unpaid.grant_before is None
    for who in reviewed.members(6):
        small = of(who).case
        assert (small.missing, small.theta, small.delta_thousandths) == ("few_in_team", None, 0)


def test_the_budget_is_held(company: App, moment: Moment) -> None:
    """Raises are paid by all within the month's budget, and grants without changes are those of the month's plan."""
    planned = sizing.plan(moment.at(MORNING), FEBRUARY)
    cases = [one.case for one in store.cases(moment.session, Q4)]
    before = {c.person_id: c.grant_before for c in cases if c.grant_before is not None}
    assert before == {person_id: factors.amount for person_id, factors in planned.sizing.grants.items()}
    after = sum((c.grant_after for c in cases if c.grant_after is not None), MicroTokens(0))
    most = size(planned.claims, planned.book.sizing, planned.value, budget=reviewed.BUDGET).total
    assert 0 <= int(most) - int(after) < 200 * 10**6
    idle, best = (reviewed.cases(moment.session, company)(who).case for who in (IDLE, reviewed.members(0)[0]))
    assert idle.grant_before is not None
    assert idle.grant_after is not None
    assert idle.grant_after < idle.grant_before
    assert best.grant_before is not None
    assert best.grant_after is not None
    assert best.grant_after > best.grant_before


def test_a_draft_changes_no_grant(moment: Moment) -> None:
    """What is only drafted is not in the next month's grants."""
    granted = reviewed.granted_with(moment.at(datetime(2027, 2, 1, 9, tzinfo=UTC)), FEBRUARY)
    assert {factor for factor, _ in granted.values()} == {Decimal(1)}
    assert store.factors_on(moment.session, FEBRUARY) == {}


# --- What it follows from ------------------------------------------------------------------------------------------


def test_weeks_and_outcomes_are_those_on_record(moment: Moment) -> None:
    """Thirteen weeks of debits and output, as they were told; output is the team's, no one's own is kept."""
    kept = drafting.require(moment, Q4)
    [ada] = inputs_of(moment, reviewed.members(0)[0])
    assert len(kept.basis.weeks) == len(ada.debits) == 13
    assert kept.basis.team_output is not None
    assert kept.basis.team_output[ada.team] == tuple(9_000 + 50 * (i % 3) for i in range(13))
    assert ada.output == ()
    first, last = kept.basis.weeks[0], kept.basis.weeks[-1] + timedelta(days=6)
    d = usage_days.c
    spent = sa.select(sa.func.sum(d.debit_micro_tokens)).join(accounts, accounts.c.id == d.account_id)
    spent = spent.where(accounts.c.person_id == ada.person_id, d.day.between(first, last))
    assert sum(week or 0 for week in ada.debits) == int(moment.session.execute(spent).scalar_one()) > 0


def test_what_is_spent_beside_the_grants_counts_as_use(moment: Moment) -> None:
    """Tokens given beside the grants never make anyone look idle; under the handbook of before they were left out."""
    [gifted], [other] = (inputs_of(moment, who) for who in (GIFTED, reviewed.members(4)[0]))
    apart = [abs((one or 0) - (two or 0)) for one, two in zip(gifted.debits, other.debits, strict=True)]
    assert max(apart) < 100 * 10**6
    assert gifted.utilisation[-1] is not None
    assert other.utilisation[-1] is not None
    assert other.utilisation[-1] == gifted.utilisation[-1] == Decimal("0.6")
    before = used.of_quarter(moment, Q4, PACKAGED.first_edition.use)
    assert other.utilisation[-1] - before[gifted.person_id] > Decimal("0.03")


def test_a_move_divides_a_persons_weeks_among_two_teams(company: App, moment: Moment) -> None:
    """What someone spent in an earlier team counts there, and they are decided about with the team of the end."""
    person_id = cast.person_id(company, reviewed.members(1)[2])
    to = cast.person_id(company, "m2@example.com")
    teams_store.record(moment.session, person_id, date(2026, 11, 2), [(date(2026, 11, 2), to)])
    parts = [one for one in gathered(moment).inputs if one.person_id == person_id]
    assert [(one.part, one.is_case, one.team == to) for one in parts] == [(0, True, True), (1, False, False)]
    weeks = [[week is not None for week in one.debits] for one in parts]
    assert weeks == [[False] * 5 + [True] * 8, [True] * 5 + [False] * 8]
    before = inputs_of(moment, reviewed.members(1)[2])[0].debits
    assert [a if a is not None else b for a, b in zip(parts[0].debits, parts[1].debits, strict=True)] == list(before)


def test_who_left_counts_for_their_team_and_is_no_case(company: App, moment: Moment) -> None:
    """A leaver's weeks stay in what the team spent; nothing is proposed for them."""
    person_id = cast.person_id(company, reviewed.members(1)[3])
    moment.session.execute(
        sa.update(people_table).where(people_table.c.id == person_id).values(left_on=date(2026, 12, 9))
    )
    [left] = [one for one in gathered(moment).inputs if one.person_id == person_id]
    assert (left.is_case, left.claim) == (False, None)
    # The week of the last day is not a whole one.
    assert [week is not None for week in left.debits] == [True] * 10 + [False] * 3


def test_who_comes_after_the_quarter_only_shares_the_budget(moment: Moment) -> None:
    """Someone who begins in February is in the budget of February's grants, and in no case."""
    line = teams.HEADER + teams.person("later@example.com", "m1@example.com", hired_on="2027-02-01")
    directory.import_csv(moment.at(MORNING), io.StringIO(line), actor="test")
    found = gathered(moment).inputs
    [later] = [one for one in found if one.person_id not in {i.person_id for i in store.inputs(moment.session, Q4)}]
    assert (later.is_case, later.debits) == (False, ())
    assert later.claim is not None
    assert sum(one.is_case for one in found) == len(store.cases(moment.session, Q4))


# --- Frozen --------------------------------------------------------------------------------------------------------


def a_year_passes(moment: Moment) -> None:
    """Late usage, corrected and late outcomes, moves, leavers, promotions, another handbook and other values."""
    late = datetime(2027, 3, 1, 9, tzinfo=UTC)
    at = datetime(2026, 10, 14, 12, tzinfo=UTC)
    events = [cast.event(f"late-{who}", at=at, who=who, meters={"output": 90_000_000}) for who in reviewed.everybody()]
    assert {one.status for one in usage_intake.take_in(moment.at(late), events)} == {"accepted"}
    corrected = [
        reviewed.outcome(f"t{team}-{monday}", team, monday + timedelta(days=1), 500, as_of=late)
        for team in range(3)
        for monday in weeks_of(Q4)
    ]
    told = [*corrected, reviewed.outcome("new", 4, date(2026, 11, 4), 90_000)]
    outcomes_intake.take_in(moment.at(late), told)
    columns = people_table.c
    moment.session.execute(sa.update(people_table).where(columns.email == IDLE).values(left_on=date(2027, 2, 3)))
    moment.session.execute(sa.update(people_table).where(columns.email == BUSY).values(level="principal"))
    teams_store.record(
        moment.session, cast.id_of(moment.session, STOPPED), date(2026, 10, 1), [(date(2026, 10, 1), None)]
    )
    valuation.propose(moment.at(late), Q1, actor="iris")
    valuation.adopt(moment.at(late), Q1, actor="iris")
    text = (
        handbook.packaged().replace('version = "2026.1"', 'version = "2027.other"').replace("low = 0.10", "low = 0.05")
    )
    text = text.replace("effective_from = 2026-01-01", "effective_from = 2027-01-01")
    applying.apply(
        moment.at(late), text.replace("# launched_on = 2027-01-01", "launched_on = 2026-01-01"), actor=handbooks.SYSTEM
    )
    moment.forget_handbooks()


def test_the_draft_follows_from_its_inputs_a_year_later(moment: Moment) -> None:
    """However much is corrected and told later, the proposal is worked out again to the last digit."""
    before, digest = store.cases(moment.session, Q4), drafting.require(moment, Q4).inputs_digest
    assert store.digest(*gathered(moment)) == digest
    a_year_passes(moment)
    assert store.digest(*gathered(moment)) != digest
    assert drafting.recompute(moment, Q4) == []
    kept = drafting.require(moment, Q4)
    assert store.digest(kept.basis, store.inputs(moment.session, Q4)) == kept.inputs_digest == digest
    assert store.cases(moment.session, Q4) == before
    assert books.findings_in(moment) == {}


def test_digests_are_of_plain_json(moment: Moment) -> None:
    """What is made piece by piece is the SHA-256 of one JSON text, which anybody can work out with other tools."""

    def sha256(plain: object) -> str:
        return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    kept = drafting.require(moment, Q4)
    inputs = [json.loads(store.dumped(one)) for one in store.inputs(moment.session, Q4)]
    cases = [one.case for one in store.cases(moment.session, Q4)]
    assert kept.inputs_digest == sha256([json.loads(store.dumped(kept.basis)), inputs])
    assert store.digest_of_cases(reversed(cases)) == sha256([json.loads(store.dumped(one)) for one in cases])
    assert store.digest_of_cases([]) == sha256([])


def test_both_databases_give_the_same_scores(moment: Moment) -> None:
    """On either database the six teams have the scores of one calculation, and as many people are raised and cut."""
    cases = [one.case for one in store.cases(moment.session, Q4)]
    scores = sorted({f"{case.theta:.2f}" for case in cases if case.theta is not None}, key=float)
    assert scores == ["-0.75", "-0.68", "-0.03", "0.03", "0.67", "2.01"]
    assert counted(case.delta_thousandths for case in cases) == ChangeCounts(16, 6, 17)


def test_a_quarter_is_drafted_once(moment: Moment) -> None:
    """A second draft does nothing, also after later data."""
    assert drafting.draft(moment.at(MORNING + timedelta(days=9)), Q4) is None


@pytest.mark.every_database
def test_two_replicas_draft_a_quarter_once(app: App, clock: Clock, database_url: str) -> None:
    """Four that draft at the same moment leave one review, one row of the audit log and one claim."""
    reviewed.settle(app, clock)
    drafted: list[DraftOutcome | None] = []

    def work(database: Database) -> None:
        with database.transaction() as session:
            drafted.append(drafting.draft(app.moment(session, MORNING), Q4))

    assert books.at_once(database_url, [work] * 4) == []
    assert sum(one is not None for one in drafted) == 1
    assert len(books.audited(app, "review.draft")) == 1
    claimed = sa.select(runs.c.period).where(runs.c.job == drafting.JOB)
    assert books.rows(app, claimed) == [(str(Q4),)]
    assert books.findings(app) == {}


def test_what_fails_leaves_nothing(moment: Moment) -> None:
    """A budget below the floors is refused in words, and the quarter can be drafted when it is set."""
    moment.session.execute(sa.text("UPDATE budgets SET amount_nano_usd = 1"))
    with pytest.raises(Refusal, match="short"):
        drafting.draft(moment.at(datetime(2027, 4, 1, 9, tzinfo=UTC)), Q1)


@pytest.mark.parametrize(
    ("quarter", "code"), [(Quarter(2026, 1), "not_yet"), (Q1, "quarter_not_over")], ids=["quiet", "running"]
)
def test_before_its_time_there_is_no_review(moment: Moment, quarter: Quarter, code: str) -> None:
    """In the first quarters after the launch nothing is adjusted, and a quarter is reviewed when it is over."""
    with pytest.raises(Refusal) as refused:
        drafting.draft(moment.at(MORNING), quarter)
    assert refused.value.code == code


def test_without_a_launch_there_is_no_review(sqlite_app: App) -> None:
    """A company that has not begun is told so, and what to do."""
    with sqlite_app.transaction() as moment, pytest.raises(Refusal, match="no launch date yet"):
        drafting.draft(moment, Q3)


# --- What is adopted -----------------------------------------------------------------------------------------------


def test_what_is_adopted_holds_from_its_month(company: App, moment: Moment) -> None:
    """Adopted changes are in the grants of the month that was named, as proposed, held or amended, and not before."""
    id_of = {who: cast.person_id(company, who) for who in (IDLE, BUSY, STOPPED, reviewed.members(0)[0])}
    store.decide(moment.session, Q4, id_of[IDLE], decision="held", decided_by="board", decided_at=MORNING)
    store.decide(
        moment.session,
        Q4,
        id_of[BUSY],
        decision="amended",
        decided_by="board",
        decided_at=MORNING,
        amended_thousandths=20,
        amended_factor="1.0200",
    )
    reviewed.adopt(moment, Q4, FEBRUARY)
    assert store.factors_on(moment.session, FEBRUARY.previous()) == {}
    granted = reviewed.granted_with(moment.at(datetime(2027, 2, 1, 9, tzinfo=UTC)), FEBRUARY)
    factors = {who: granted[person_id][0] for who, person_id in id_of.items()}
    assert factors[IDLE] == Decimal(1)
    assert factors[BUSY] == Decimal("1.0200")
    assert factors[reviewed.members(0)[0]] == Decimal("1.1000")
    assert drafting.recompute(moment, Q4) == []
    assert books.findings_in(moment) == {}


def test_what_is_proposed_is_what_adoption_grants(moment: Moment) -> None:
    """Adopted as it stands, the package gives everyone the tokens that their case named."""
    reviewed.adopt(moment, Q4, FEBRUARY)
    proposed = {
        one.case.person_id: one.case.grant_after for one in store.cases(moment.session, Q4) if one.case.grant_after
    }
    granted = reviewed.granted_with(moment.at(datetime(2027, 2, 1, 9, tzinfo=UTC)), FEBRUARY)
    assert {person_id: amount for person_id, (_, amount) in granted.items()} == proposed


def test_what_lapsed_changes_nothing(moment: Moment) -> None:
    """A review that no one adopted has no effect in any month, and its changes do not count in the year."""
    kept = drafting.require(moment, Q4)
    assert store.change(moment.session, kept, state=LAPSED, decided_at=MORNING)
    assert not store.change(moment.session, kept, state=ADOPTED, decided_at=MORNING, holds_from="2027-02")
    assert store.factors_on(moment.session, MAY) == {}
    assert store.history(moment.session, Q1, since=Q3).deltas == {}


def test_a_year_is_bounded_by_what_was_adopted(company: App, moment: Moment) -> None:
    """The next review begins from the state of this one, from its adopted change, and from what both made together."""
    reviewed.adopt(moment, Q4, FEBRUARY)
    history = store.history(moment.session, Q1, since=Quarter(2026, 2))
    idle = cast.person_id(company, IDLE)
    assert (history.states[idle], history.deltas[idle]) == ("low", {"2026-Q4": -100})
    now = datetime(2027, 4, 1, 9, tzinfo=UTC)
    drafted = reviewed.draft(moment, Q1, now=now)
    assert drafted.month == MAY
    next_one = {one.person_id: one for one in store.inputs(moment.session, Q1)}[idle]
    assert (next_one.state, next_one.deltas, next_one.factor) == ("low", (0, 0, -100), Decimal("0.9000"))
    # No grants were posted in that quarter: nothing is known, and nothing moves.
    case = store.case(moment.session, Q1, idle)
    assert case is not None
    assert (case.case.utilisation_permille, case.case.state_after, case.delta_thousandths) == (None, "low", 0)
    assert case.case.factor_after == Decimal("0.9000")
    assert drafting.recompute(moment, Q1) == []
    last = drafting.summary(moment, Q1).last
    assert last is not None
    assert (last.quarter, last.state, last.counted) == ("2026-Q4", "adopted", ChangeCounts(16, 6, 17))


def test_a_release_with_better_words_recomputes_older_reviews(moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the reasons are not worked out again, only their codes and figures: those kept are in a digest."""
    before = [[reason.text for reason in one.case.would_change] for one in store.cases(moment.session, Q4)]
    monkeypatch.setattr(reasons, "OWNERS", {"team": "of the team", "person": "of one's own"})
    monkeypatch.setattr(reasons, "_last_used", lambda _: "in other words")
    kept = drafting.require(moment, Q4)
    now = proposal.proposed(
        kept.basis, store.inputs(moment.session, Q4), PACKAGED, handbook.parse(handbook.packaged()).sizing
    )
    assert [[reason.text for reason in one.would_change] for one in now] != before
    assert drafting.recompute(moment, Q4) == []


def test_a_review_comes_on_top_of_what_is_to_hold_later(company: App, moment: Moment) -> None:
    """A change that holds only after the next draft, as notice takes so long, is what that begins from, no sooner."""
    july = Month(2027, 7)
    reviewed.adopt(moment, Q4, july)
    drafted = reviewed.draft(moment, Q1, now=datetime(2027, 4, 1, 9, tzinfo=UTC))
    assert drafted.month == MAY
    idle = cast.person_id(company, IDLE)
    next_one = {one.person_id: one for one in store.inputs(moment.session, Q1)}[idle]
    assert (next_one.deltas, next_one.factor) == ((0, 0, -100), Decimal("0.9000"))
    assert next_one.claim is not None
    assert next_one.claim.adjustment == next_one.factor
    adopted_at = datetime(2027, 4, 15, 9, tzinfo=UTC)
    assert effects.effect_month(moment.at(adopted_at), Q1) == july
    assert drafting.recompute(moment, Q1) == []


# --- What the board sees -------------------------------------------------------------------------------------------


def test_few_changes_are_not_told_by_a_difference_of_totals(moment: Moment) -> None:
    """Where four grants change, the total as proposed is not told, as each change in per cent is; of five it is."""
    c = review_cases.c
    some = sorted(one.case.person_id for one in store.cases(moment.session, Q4) if one.case.grant_before)
    least = 5
    for count, is_told in ((0, True), (1, False), (least - 1, False), (least, True)):
        moment.session.execute(sa.update(review_cases).values(grant_after=c.grant_before))
        moment.session.execute(sa.update(review_cases).where(c.person_id.in_(some[:count])).values(grant_after=1))
        assert (drafting.summary(moment, Q4).grants_after is not None) == is_told, count


def test_small_groups_are_not_told_nor_to_be_worked_out(company: App, moment: Moment) -> None:
    """A level of a few, and a team of three, are in no figure, and no difference to the total gives them away."""
    summary = drafting.summary(moment, Q4)
    cases = store.cases(moment.session, Q4)
    sizes: defaultdict[str, int] = defaultdict(int)
    for one in cases:
        sizes[one.case.team] += 1
    by_kind = {fairness.kind: fairness for fairness in summary.fairness}
    for fairness in by_kind.values():
        told = sum(group.people for group in fairness.groups)
        assert all(group.people >= 5 for group in fairness.groups)
        assert len(cases) - told == 0 or len(cases) - told >= 5
    assert by_kind["team"].hidden == sum(size < 5 for size in sizes.values())
    # Ada, Ben, Mara and Iris are the only ones of their levels: told of the others, they would be told of.
    assert by_kind["level"].groups == ()
    best = next(g for g in by_kind["team"].groups if g.name == cast.person_id(company, "m0@example.com"))
    # Five are raised by 10 %, the sixth has no grants.
    assert (best.people, best.raised_permille, best.cut_permille) == (6, 833, 0)
    assert best.mean_percent == Decimal("8.3")


def test_groups_are_in_the_order_in_which_one_looks_for_them(company: App, moment: Moment) -> None:
    """Teams by the name of whom they report to, levels from the least senior, waves by number, those of none last."""
    managers = {cast.person_id(company, f"m{team}@example.com"): f"m{team}" for team in range(6)}
    for person_id, name in managers.items():
        backwards = {"m0": "zoe", "m1": "Yara", "m2": "xenia", "m3": "Walt", "m4": "vera", "m5": "Uwe"}[name]
        moment.session.execute(sa.update(people_table).values(name=backwards).where(people_table.c.id == person_id))
    some = sorted(one.case.person_id for one in store.cases(moment.session, Q4))
    i = review_inputs_table.c
    for place, person_id in enumerate(some):
        values = {"level": ("staff", "mid", "junior")[place % 3], "wave": (10, None, 9)[place % 3]}
        moment.session.execute(sa.update(review_inputs_table).values(values).where(i.person_id == person_id))
    by_kind = {one.kind: [group.name for group in one.groups] for one in drafting.summary(moment, Q4).fairness}
    assert [managers[one] for one in by_kind["team"] if one] == ["m5", "m4", "m3", "m2", "m1", "m0"]
    assert "" not in by_kind["team"][:-1]
    assert by_kind["level"] == ["junior", "mid", "staff"]
    assert by_kind["wave"] == ["9", "10", "none"]


def test_the_board_sees_the_quarter_beside_the_cases(moment: Moment) -> None:
    """Money, value, bounds, use in tenths and what is missing are those of the records."""
    summary = drafting.summary(moment, Q4)
    money = summary.figures.money
    assert 0 < money.consumed < money.issued <= 3 * int(reviewed.BUDGET)
    assert money.issued < money.entitled
    assert money.funded <= money.worst_case
    assert money.buffer_held > 0
    assert summary.figures.value.proposed is not None
    assert drafting.require(moment, Q4).value_proposal is not None
    assert summary.missing == {"few_in_team": 8, "few_weeks": 1}
    assert (summary.unknown_use, summary.counted) == (1, ChangeCounts(16, 6, 17))
    assert len(summary.utilisation) == 11
    assert sum(count or 0 for count in summary.utilisation) <= len(store.cases(moment.session, Q4))
    assert summary.grants_after is not None
    assert summary.grants_after <= summary.grants_before + MicroTokens(100 * 10**6)


def test_a_held_case_is_counted_as_it_stands(company: App, moment: Moment) -> None:
    """What the board holds is no cut any more, in the counts and in the groups."""
    store.decide(
        moment.session, Q4, cast.person_id(company, IDLE), decision="held", decided_by="board", decided_at=MORNING
    )
    summary = drafting.summary(moment, Q4)
    assert (summary.counted, summary.held) == (ChangeCounts(16, 5, 18), 1)


def test_thresholds_are_tried_on_what_was_frozen(moment: Moment) -> None:
    """Other thresholds are counted beside those that held; the same ones give the same, and nothing changes."""
    before = store.cases(moment.session, Q4)
    same = backtests.of(moment, drafting.require(moment, Q4), PACKAGED)
    assert (same.now, same.then, same.differ) == (ChangeCounts(16, 6, 17), ChangeCounts(16, 6, 17), 0)
    text = handbook.packaged().replace("low_enter = 0.40", "low_enter = 0.10")
    mild = backtests.of(moment, drafting.require(moment, Q4), handbook.parse(text).adjustment)
    # Ada, Ben, Mara, Iris and Tess used nothing at all.
    assert (mild.then, mild.differ) == (ChangeCounts(16, 5, 18), 1)
    assert store.cases(moment.session, Q4) == before


def test_a_handbook_that_is_to_come_is_tried_by_itself(moment: Moment) -> None:
    """A later version with other thresholds is in the summary with its counts."""
    assert drafting.summary(moment, Q4).backtests == {}
    a_year_passes(moment)
    [test] = drafting.summary(moment, Q4).backtests.values()
    assert (test.then, test.differ) == (ChangeCounts(16, 6, 17), 6)


def test_a_later_handbook_is_tried_on_what_was_proposed(company: App, moment: Moment) -> None:
    """Asked again after a case was held, its counts are the same, and those that are worked out anew."""
    a_year_passes(moment)
    [(version, test)] = drafting.summary(moment, Q4).backtests.items()
    [busy] = [one for one in store.cases(moment.session, Q4) if one.case.person_id == cast.person_id(company, BUSY)]
    assert busy.case.delta_thousandths
    store.decide(moment.session, Q4, busy.case.person_id, decision=HELD, decided_by="board", decided_at=MORNING)
    rules = moment.handbooks.named(version).adjustment
    assert drafting.summary(moment, Q4).backtests == {version: test}
    assert backtests.of(moment, drafting.require(moment, Q4), rules) == test


def test_an_older_review_is_named_when_it_is_missing(company: App, moment: Moment) -> None:
    """What was not drafted is refused with the command that drafts; who was not there has no case."""
    with pytest.raises(Refusal, match="review draft"):
        drafting.require(moment, Q3)
    with pytest.raises(Refusal, match="weren't in the programme"):
        drafting.case_of(moment, Q4, cast.person_id(company, "omar@example.com"))
    assert moment.session.execute(sa.select(sa.func.count()).select_from(review_cases)).scalar_one() == 39


def test_a_company_that_measures_people_keeps_their_own_output(sqlite_app: App, clock: Clock) -> None:
    """Where the handbook says `person`, each has their own weeks, and no team's output is kept."""
    rollout.launch(sqlite_app, version="2026.person", changes={'unit = "team"': 'unit = "person"'})
    reviewed.settle_people(sqlite_app, clock)
    with sqlite_app.transaction() as moment:
        reviewed.draft(moment)
        assert drafting.require(moment, Q4).basis.team_output is None
        case = reviewed.cases(moment.session, sqlite_app)(reviewed.members(0)[0]).case
        assert (case.unit, case.missing, case.peers) == ("person", "", "engineering/senior")
        [own] = inputs_of(moment, reviewed.members(0)[0])
        assert own.output == tuple(9_000 + 50 * (i % 3) for i in range(13))
        assert reviewed.cases(moment.session, sqlite_app)(reviewed.members(0)[1]).case.missing == "no_output"
        assert drafting.recompute(moment, Q4) == []


def test_a_late_draft_is_of_the_first_month_that_it_could_reach(moment: Moment) -> None:
    """Drafted by hand in the last month of a quarter, value and grants are those of the month after it."""
    late = datetime(2027, 6, 10, 9, tzinfo=UTC)
    drafted = reviewed.draft(moment, Q1, now=late)
    assert drafted.month == Month(2027, 7)
    kept = drafting.require(moment, Q1)
    assert kept.basis.value_version == "2027-Q3.1"
    proposed = reference.proposal(moment.session, Quarter(2027, 3))
    assert proposed is not None
    assert kept.value_proposal == proposed.digest
    assert drafting.recompute(moment, Q1) == []
