"""Who decides an exception, by how many votes, until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import deadlines, exceptions, handbook
from policy.exceptions import (
    ALTERNATE,
    APPROVED,
    BREAK_GLASS,
    CHAIR_AND_FINANCE,
    FAST,
    MAJOR,
    MEMBER,
    MEMBERS,
    OPEN,
    REJECTED,
    RESERVE,
    STANDARD,
    WITH_ALTERNATES,
    Ask,
    Attendance,
    ConcernedPeople,
    Seat,
    Vote,
)
from policy.period import Quarter
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import TokenValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.exceptions import Electorate

BOOK = handbook.parse(handbook.packaged())
RULES = BOOK.exceptions
VALUE = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_000_000)
"""USD 0.01 a token."""
BERLIN = ZoneInfo("Europe/Berlin")


def tokens(number: int) -> MicroTokens:
    return MicroTokens(number * 1_000_000)


def ask(
    amount: int, *, grant: int = 100_000, earlier: int = 0, alike: int = 0, pool_usd: int | None = None, median: int = 0
) -> Ask:
    pool = None if pool_usd is None else NanoUSD.parse(str(pool_usd))
    return Ask(tokens(amount), tokens(earlier), tokens(grant), pool, VALUE, tokens(alike), tokens(median))


@pytest.mark.parametrize(
    ("asked", "class_name"),
    [
        (ask(100_000), FAST),
        (ask(100_001), STANDARD),
        (ask(300_000), STANDARD),
        (ask(300_001), MAJOR),
        # USD 5,000 are 500,000 tokens here: half a grant, and yet not fast.
        (ask(500_000, grant=1_000_000), FAST),
        (ask(500_001, grant=1_000_000), STANDARD),
        # What was asked for lately counts with it.
        (ask(1, earlier=100_000), STANDARD),
        (ask(50_000, earlier=250_001), MAJOR),
        # One hundredth of the quarter's budget of USD 50,000 are 50,000 tokens.
        (ask(50_000, pool_usd=50_000), FAST),
        (ask(50_001, pool_usd=50_000), MAJOR),
        (ask(25_000, earlier=25_001, pool_usd=50_000), MAJOR),
        # Where that is less than two median grants, those count instead.
        (ask(150_000, pool_usd=50_000, median=100_000), STANDARD),
        (ask(200_000, pool_usd=50_000, median=100_000), STANDARD),
        (ask(200_001, pool_usd=50_000, median=100_000), MAJOR),
        # What others asked for the same project counts with it.
        (ask(50_000, alike=50_000), FAST),
        (ask(50_000, alike=50_001), STANDARD),
        (ask(1, grant=0), MAJOR),
    ],
)
def test_the_class_follows_from_the_size(asked: Ask, class_name: str) -> None:
    """Monthly grants, USD and the share of the quarter's budget make the class; recent requests are added."""
    classified = exceptions.classify(asked, RULES)
    assert classified.name == class_name
    assert classified.because
    because = {reason.code: reason for reason in classified.because}
    assert ("splitting" in because) == bool(asked.earlier)
    assert ("splitting_by_project" in because) == bool(asked.alike)


def test_how_much_others_asked_for_is_not_told() -> None:
    """Who reads why a request is of its class learns that others' requests count, and no figure of theirs."""
    [alike, _] = exceptions.classify(ask(50_000, alike=77_123), RULES).because
    assert alike.text == "others' requests for the same project in the last 7 days are added to it"
    assert not alike.figures


@given(parts=st.lists(st.integers(1, 200_000), min_size=1, max_size=6), grant=st.integers(0, 300_000))
def test_splitting_gains_nothing(parts: list[int], grant: int) -> None:
    """The last of several requests is in no smaller class than one request for all of it."""
    order = [FAST, STANDARD, MAJOR]
    whole = exceptions.classify(ask(sum(parts), grant=grant), RULES).name
    last = exceptions.classify(ask(parts[-1], earlier=sum(parts[:-1]), grant=grant), RULES).name
    assert order.index(last) == order.index(whole)


@given(
    amount=st.integers(1, 2_000_000),
    pool_usd=st.integers(0, 10_000_000),
    median=st.integers(0, 500_000),
    grant=st.integers(1, 500_000),
)
def test_the_pool_counts_by_the_companys_size(amount: int, pool_usd: int, median: int, grant: int) -> None:
    """More than both 1 % of the pool and two median grants is major; otherwise the pool decides nothing."""
    found = exceptions.classify(ask(amount, grant=grant, pool_usd=pool_usd, median=median), RULES)
    without = exceptions.classify(ask(amount, grant=grant), RULES)
    worth = int(VALUE.worth(tokens(amount)))
    beyond = worth > NanoUSD.parse(str(pool_usd)) * Decimal("0.01") and amount > 2 * median
    assert found.name == (MAJOR if beyond else without.name)


def test_what_an_incident_gets_at_once() -> None:
    """Half a monthly grant, but no less than USD 100 and no more than USD 2,500."""
    assert exceptions.break_glass_limit(tokens(400_000), VALUE, RULES) == tokens(200_000)
    assert exceptions.break_glass_limit(tokens(10_000), VALUE, RULES) == tokens(10_000)
    assert exceptions.break_glass_limit(tokens(0), VALUE, RULES) == tokens(10_000)
    assert exceptions.break_glass_limit(tokens(900_000), VALUE, RULES) == tokens(250_000)


def test_a_handbook_without_those_bounds_keeps_its_limit() -> None:
    """Half a monthly grant, or USD 500 where that is more, as such a handbook says."""
    glass = replace(RULES.break_glass, usd=NanoUSD.parse("500"), least_usd=None, most_usd=None)
    rules = replace(RULES, break_glass=glass)
    assert exceptions.break_glass_limit(tokens(10_000), VALUE, rules) == tokens(50_000)
    assert exceptions.break_glass_limit(tokens(900_000), VALUE, rules) == tokens(450_000)


CHAIR, FINANCE, THIRD = (
    Seat("chair", MEMBER, is_chair=True),
    Seat("finance", MEMBER, is_finance=True),
    Seat("third", MEMBER),
)
FIRST_ALTERNATE, SECOND_ALTERNATE = Seat("alternate_1", ALTERNATE), Seat("alternate_2", ALTERNATE)
BOARD = (CHAIR, FINANCE, THIRD, FIRST_ALTERNATE, SECOND_ALTERNATE)


def panel(class_name: str, *concerned: str, board: Sequence[Seat] = BOARD) -> Electorate:
    who = ConcernedPeople("requester", beneficiaries=frozenset(concerned))
    return exceptions.electorate(board, who, class_name, RULES)


@pytest.mark.parametrize(
    ("class_name", "concerned", "stage", "needed"),
    [
        (FAST, (), MEMBERS, 1),
        (STANDARD, (), MEMBERS, 2),
        (MAJOR, (), MEMBERS, 2),
        (BREAK_GLASS, (), MEMBERS, 1),
        (FAST, ("chair", "finance"), MEMBERS, 1),
        (STANDARD, ("chair", "finance"), WITH_ALTERNATES, 2),
        (FAST, ("chair", "finance", "third"), WITH_ALTERNATES, 1),
        # Without finance a major request cannot be approved by members; no alternate is of finance either.
        (MAJOR, ("third",), MEMBERS, 2),
    ],
)
def test_recusals_that_leave_too_few_call_in_alternates(
    class_name: str, concerned: tuple[str, ...], stage: int, needed: int
) -> None:
    """The electorate begins with the members, or with the alternates where recusals leave too few of them."""
    found = panel(class_name, *concerned)
    assert (found.stage, found.needed, found.needs_finance) == (stage, needed, class_name == MAJOR)
    assert all(seat.recused == "beneficiary" for seat in found.seats if seat.person_id in concerned)


def test_after_the_alternates_come_the_chair_and_finance() -> None:
    """Where neither members nor alternates can decide, the chair and someone of finance outside the board do."""
    board = (Seat("member", MEMBER), Seat("cfo", RESERVE, is_finance=True), Seat("chair", RESERVE, is_chair=True))
    found = exceptions.electorate(board, ConcernedPeople("member"), STANDARD, RULES)
    assert found.stage == CHAIR_AND_FINANCE
    votes = [Vote("cfo", approves=True), Vote("chair", approves=True)]
    assert exceptions.tally(found, found.stage, votes[:1]).outcome == OPEN
    assert exceptions.tally(found, found.stage, votes).outcome == APPROVED


@pytest.mark.parametrize(
    ("class_name", "board", "concerned"),
    [
        (FAST, (CHAIR,), "chair"),
        (STANDARD, (CHAIR, FIRST_ALTERNATE), "chair"),
        (MAJOR, (CHAIR, THIRD, FIRST_ALTERNATE), "third"),
        (FAST, (), "nobody"),
        # One person with both roles is no pair.
        (STANDARD, (Seat("both", MEMBER, is_chair=True, is_finance=True),), "nobody"),
    ],
)
def test_nobody_left_is_said_at_once(class_name: str, board: Sequence[Seat], concerned: str) -> None:
    """A request that no one could approve is refused when it is made."""
    with pytest.raises(Refusal, match="No one is left") as refused:
        panel(class_name, concerned, board=board)
    assert refused.value.next_step


def test_a_majority_is_of_those_who_may_vote() -> None:
    """A major request needs more than half of the eligible, and never fewer than a smaller one."""
    seven = [Seat(f"m{i}", MEMBER, is_finance=i == 0) for i in range(7)]
    assert panel(MAJOR, board=seven).needed == 4
    assert panel(MAJOR, "m1", board=seven).needed == 4
    assert panel(MAJOR, "m1", "m2", board=seven).needed == 3
    assert panel(MAJOR, *(f"m{i}" for i in range(1, 6)), board=seven).needed == 2


@pytest.mark.parametrize(
    ("who", "code"), [("r", "requester"), ("b", "beneficiary"), ("m", "manager"), ("s", "sponsor"), ("x", "")]
)
def test_those_concerned_are_recused(who: str, code: str) -> None:
    """Requester, beneficiaries, the requester's manager and the project's sponsor cannot vote."""
    assert ConcernedPeople("r", frozenset({"m"}), frozenset({"s"}), frozenset({"b"})).recusal_of(who) == code


def yes(*seats: str) -> list[Vote]:
    return [Vote(seat, approves=True) for seat in seats]


def no(*seats: str) -> list[Vote]:
    return [Vote(seat, approves=False) for seat in seats]


@pytest.mark.parametrize(
    ("class_name", "stage", "votes", "outcome"),
    [
        (FAST, MEMBERS, yes("third"), APPROVED),
        (FAST, MEMBERS, no("third"), REJECTED),
        (STANDARD, MEMBERS, yes("third"), OPEN),
        (STANDARD, MEMBERS, yes("third", "chair"), APPROVED),
        (STANDARD, MEMBERS, yes("third") + no("chair"), OPEN),
        (STANDARD, MEMBERS, no("third", "chair"), REJECTED),
        # Alternates do not count before they are called.
        (STANDARD, MEMBERS, yes("third", "alternate_1"), OPEN),
        (STANDARD, WITH_ALTERNATES, yes("third", "alternate_1"), APPROVED),
        # A majority without finance waits for finance.
        (MAJOR, MEMBERS, yes("third", "chair"), OPEN),
        (MAJOR, MEMBERS, yes("third", "finance"), APPROVED),
        # Finance against it: no one of finance is left who could approve.
        (MAJOR, MEMBERS, yes("third", "chair") + no("finance"), REJECTED),
        (MAJOR, CHAIR_AND_FINANCE, yes("chair", "finance"), APPROVED),
    ],
)
def test_votes_come_to(class_name: str, stage: int, votes: list[Vote], outcome: str) -> None:
    """As many approvals as the class needs approve, as many rejections reject, and finance has a veto on major ones."""
    counted = exceptions.tally(panel(class_name), stage, votes)
    assert counted.outcome == outcome
    assert counted.because


def test_the_chair_and_finance_decide_together_in_the_end() -> None:
    """In the last stage the two are enough, whatever the majority is."""
    seven = [Seat(f"m{i}", MEMBER, is_finance=i == 0, is_chair=i == 1) for i in range(7)]
    found = panel(MAJOR, board=seven)
    assert exceptions.tally(found, MEMBERS, yes("m0", "m1")).outcome == OPEN
    assert exceptions.tally(found, CHAIR_AND_FINANCE, yes("m0", "m1")).outcome == APPROVED
    assert exceptions.tally(found, CHAIR_AND_FINANCE, yes("m0", "m2")).outcome == OPEN


def test_enough_without_finance_is_told() -> None:
    """A card can say that only finance is missing."""
    assert exceptions.tally(panel(MAJOR), MEMBERS, yes("third", "chair")).lacks_finance
    assert not exceptions.tally(panel(MAJOR), MEMBERS, yes("third")).lacks_finance


boards = st.lists(
    st.builds(
        Seat,
        st.sampled_from([f"p{i}" for i in range(8)]),
        st.sampled_from([MEMBER, ALTERNATE, RESERVE]),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda seat: seat.person_id,
    max_size=8,
)
ballots = st.lists(
    st.builds(Vote, st.sampled_from([f"p{i}" for i in range(9)]), st.booleans()),
    unique_by=lambda vote: vote.seat,
    max_size=9,
)


@given(board=boards, votes=ballots, class_name=st.sampled_from([FAST, STANDARD, MAJOR]), stage=st.integers(0, 2))
def test_only_those_who_may_vote_count(board: list[Seat], votes: list[Vote], class_name: str, stage: int) -> None:
    """No one who is recused, not called yet or not on the board changes a tally; no order of votes does."""
    who = ConcernedPeople("p0", frozenset({"p1"}), frozenset({"p2"}), frozenset({"p3"}))
    try:
        found = exceptions.electorate(board, who, class_name, RULES)
    except Refusal:
        return
    counted = exceptions.tally(found, stage, votes)
    able = {seat.person_id for seat in found.voting(stage)}
    assert not able & {"p0", "p1", "p2", "p3"}
    assert counted == exceptions.tally(found, stage, [vote for vote in reversed(votes) if vote.seat in able])
    if counted.outcome == APPROVED:
        assert counted.approvals >= min(found.needed, 2) or stage == CHAIR_AND_FINANCE
    if counted.outcome == OPEN:
        everybody = [seat.person_id for seat in found.seats if not seat.recused]
        against = {vote.seat for vote in votes if vote.seat in able and not vote.approves}
        willing = yes(*(seat for seat in everybody if seat not in against)) + no(*against)
        assert exceptions.tally(found, CHAIR_AND_FINANCE, willing).outcome == APPROVED


def test_those_who_approve_agree_to_the_least() -> None:
    """The smallest amount and the earliest end of all approvals hold; a rejection's do not count."""
    asked, until = tokens(100), date(2026, 12, 31)
    votes = [
        Vote("a", approves=True, amount=tokens(80)),
        Vote("b", approves=True, until=date(2026, 12, 10)),
        Vote("c", approves=True, amount=tokens(90), until=date(2026, 12, 20)),
        Vote("d", approves=False),
    ]
    assert exceptions.agreed(votes, asked, until) == (tokens(80), date(2026, 12, 10))
    assert exceptions.agreed([], asked, until) == (asked, until)


# --- Whose vote it is ----------------------------------------------------------------------------------------------

NOBODY_CONCERNED = ConcernedPeople("requester", frozenset({"boss"}), frozenset({"sponsor"}))


def seat_for(voter: str, *, stage: int = MEMBERS, delegates: dict[str, str] | None = None) -> str:
    found = exceptions.electorate(BOARD, NOBODY_CONCERNED, STANDARD, RULES)
    return exceptions.seat_for(found, stage, voter, NOBODY_CONCERNED, Attendance(delegates or {})).person_id


def test_members_vote_for_themselves_and_delegates_for_members() -> None:
    """A vote is a seat's: one's own, or that of the member for whom one stands in."""
    assert seat_for("third") == "third"
    assert seat_for("friend", delegates={"third": "friend"}) == "third"
    assert seat_for("alternate_1", delegates={"third": "alternate_1"}) == "third"
    assert seat_for("alternate_1", stage=WITH_ALTERNATES, delegates={"third": "alternate_1"}) == "alternate_1"


@pytest.mark.parametrize(
    ("voter", "delegates", "code"),
    [
        ("requester", {}, "recused_requester"),
        ("boss", {"third": "boss"}, "recused_manager"),
        ("sponsor", {}, "recused_sponsor"),
        ("third", {"third": "friend"}, "delegated"),
        ("alternate_1", {}, "not_called_yet"),
        ("passer_by", {}, "not_on_board"),
    ],
)
def test_who_may_not_vote_is_told_why(voter: str, delegates: dict[str, str], code: str) -> None:
    """The concerned, those who handed their vote over, alternates before their time and strangers each get a reason."""
    with pytest.raises(Refusal) as refused:
        seat_for(voter, delegates=delegates)
    assert refused.value.code == code


def test_nobody_votes_for_a_recused_member() -> None:
    """Handing one's vote over does not get around a recusal."""
    found = panel(STANDARD, "third")
    with pytest.raises(Refusal) as refused:
        exceptions.seat_for(
            found,
            MEMBERS,
            "friend",
            ConcernedPeople("requester", beneficiaries=frozenset({"third"})),
            Attendance({"third": "friend"}),
        )
    assert refused.value.code == "delegator_recused"


# --- Time ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        (FAST, ["2026-11-24T14:00", "2026-11-25T10:00", "2026-11-26T10:00", "2026-11-27T10:00"]),
        (STANDARD, ["2026-11-25T10:00", "2026-11-26T10:00", "2026-11-27T14:00", "2026-12-01T10:00"]),
        (MAJOR, ["2026-11-26T10:00", "2026-11-27T10:00", "2026-12-01T10:00", "2026-12-03T10:00"]),
        (BREAK_GLASS, ["2026-11-24T22:00", "2026-11-25T10:00", "2026-11-25T22:00", "2026-11-26T10:00"]),
    ],
)
def test_deadlines_of_each_class(class_name: str, expected: list[str]) -> None:
    """From ten o'clock of a Tuesday: remind, escalate, call in the chair plus finance half-way, lapse."""
    made_at = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
    found = deadlines.deadlines(class_name, made_at, RULES, deadlines.business_hours(BOOK, BERLIN))
    instants = [found.remind_at, found.escalate_at, found.last_call_at, found.lapse_at]
    assert [f"{at.astimezone(BERLIN):%Y-%m-%dT%H:%M}" for at in instants] == expected


def test_stages_follow_one_another() -> None:
    """First the alternates are called in, then the chair plus finance; where no one is new, no one is called."""
    found = panel(STANDARD)
    assert found.next_stage(MEMBERS) == WITH_ALTERNATES
    assert found.next_stage(WITH_ALTERNATES) == found.last_stage(MEMBERS) == CHAIR_AND_FINANCE
    assert found.next_stage(CHAIR_AND_FINANCE) is None
    plain = panel(FAST, board=[Seat("a", MEMBER), Seat("b", MEMBER)])
    assert plain.next_stage(MEMBERS) is None
    no_alternates = panel(FAST, board=[CHAIR, FINANCE])
    assert no_alternates.next_stage(MEMBERS) == CHAIR_AND_FINANCE


def test_a_seat_keeps_what_it_is() -> None:
    """The snapshot adds who is recused, and nothing else."""
    found = panel(STANDARD, "chair")
    assert found.seat_of("chair") == replace(CHAIR, recused="beneficiary")
    assert found.seat_of("nobody") is None


# --- A chair and finance outside of the board ----------------------------------------------------------------------

FIVE = [Seat(f"m{i}", MEMBER, is_chair=i == 0) for i in range(5)]
CFO, OUTSIDE_CHAIR = Seat("cfo", RESERVE, is_finance=True), Seat("president", RESERVE, is_chair=True)


def test_finance_outside_the_board_agrees_to_major_requests_from_the_beginning() -> None:
    """A majority of the members and finance: finance adds its word, and does not make up for a member's."""
    found = panel(MAJOR, board=[*FIVE, CFO])
    assert (found.stage, found.needed) == (MEMBERS, 3)
    assert "cfo" in {seat.person_id for seat in found.voting(MEMBERS)}
    assert exceptions.tally(found, MEMBERS, yes("m0", "cfo")).outcome == OPEN
    waiting = exceptions.tally(found, MEMBERS, yes("m0", "m1", "m2"))
    assert (waiting.outcome, waiting.lacks_finance) == (OPEN, True)
    assert exceptions.tally(found, MEMBERS, yes("m0", "m1", "m2", "cfo")).outcome == APPROVED
    assert exceptions.tally(found, MEMBERS, yes("m0", "m1", "m2") + no("cfo")).outcome == REJECTED


def test_nobody_from_outside_decides_alone() -> None:
    """In the last stage the chair and finance decide together; one of them alone neither approves nor rejects."""
    found = panel(FAST, board=[Seat("m0", MEMBER), CFO, OUTSIDE_CHAIR])
    for votes in (yes("cfo"), no("cfo"), yes("president"), no("president")):
        assert exceptions.tally(found, CHAIR_AND_FINANCE, votes).outcome == OPEN
    assert exceptions.tally(found, CHAIR_AND_FINANCE, yes("cfo", "president")).outcome == APPROVED
    with pytest.raises(Refusal, match="No one is left"):
        exceptions.electorate([Seat("m", MEMBER), CFO], ConcernedPeople("m"), FAST, RULES)
