"""Who decides an exception, by how many votes, until when, and what the votes come to (RULES 5). Pure, with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from policy.business_time import BusinessHours
from policy.reasons import Reason, Refusal
from policy.units import MicroTokens, NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from policy.handbook import Handbook
    from policy.parameters import ExceptionRules, Schedule
    from policy.valuation import TokenValue

FAST, STANDARD, MAJOR, BREAK_GLASS = "fast", "standard", "major", "break_glass"
CLASSES = (FAST, STANDARD, MAJOR, BREAK_GLASS)

MEMBER, ALTERNATE, RESERVE = "member", "alternate", "reserve"
MEMBERS, WITH_ALTERNATES, CHAIR_AND_FINANCE = 0, 1, 2
"""Stages of a request: who is called to vote. The chair plus finance may then decide alone, together."""
STAGE_OF = {MEMBER: MEMBERS, ALTERNATE: WITH_ALTERNATES, RESERVE: CHAIR_AND_FINANCE}

OPEN, APPROVED, REJECTED = "open", "approved", "rejected"


# --- The class -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """How much somebody wants, beside what they asked for lately, their monthly grant, and the quarter's budget."""

    amount: MicroTokens
    earlier: MicroTokens
    monthly_grant: MicroTokens
    pool: NanoUSD | None
    value: TokenValue

    @property
    def total(self) -> MicroTokens:
        return self.amount + self.earlier


@dataclass(frozen=True, slots=True)
class Classified:
    """The class of a request, and why it is that one."""

    name: str
    because: tuple[Reason, ...]


def classify(ask: Ask, rules: ExceptionRules) -> Classified:
    """The smallest class whose limits hold what is asked for together with what was asked for lately."""
    worth = ask.value.worth(ask.total)
    because = _of_splitting(ask, rules)
    if ask.pool is not None and int(worth) > int(ask.pool * rules.major.pool_share):
        return Classified(MAJOR, (*because, _reason("pool", "more than {share} % of the quarter's budget", rules)))
    if not ask.monthly_grant:
        return Classified(MAJOR, (*because, Reason("no_grant", "there is no monthly grant to measure it by")))
    for name, limits in ((FAST, rules.fast), (STANDARD, rules.standard)):
        within = int(ask.total) <= int(ask.monthly_grant * limits.grants)
        if within and (limits.usd is None or worth <= limits.usd):
            return Classified(name, (*because, _within(name, rules)))
    return Classified(MAJOR, (*because, _reason("grants", "more than {standard} × the monthly grant", rules)))


def _of_splitting(ask: Ask, rules: ExceptionRules) -> tuple[Reason, ...]:
    if not ask.earlier:
        return ()
    text = f"what was asked for in the last {rules.split_days} days counts with it"
    return (Reason("splitting", text, {"earlier": str(int(ask.earlier))}),)


def _within(name: str, rules: ExceptionRules) -> Reason:
    if name == FAST:
        return _reason(name, "at most {fast} × the monthly grant and USD {usd}", rules)
    return _reason(name, "at most {standard} × the monthly grant", rules)


def _reason(code: str, text: str, rules: ExceptionRules) -> Reason:
    figures = {
        "fast": _plain(rules.fast.grants),
        "standard": _plain(rules.standard.grants),
        "usd": f"{rules.fast.usd.decimal if rules.fast.usd else Decimal(0):,.0f}",
        "share": _plain(rules.major.pool_share * 100),
    }
    return Reason(code, text.format(**figures))


def _plain(number: Decimal) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


def break_glass_limit(monthly_grant: MicroTokens, value: TokenValue, rules: ExceptionRules) -> MicroTokens:
    """The most that an incident gets at once: a share of the monthly grant or an amount of USD, whichever is more."""
    by_grant = int(monthly_grant * rules.break_glass.grants)
    by_usd = int(value.debit(rules.break_glass.usd))
    return MicroTokens(max(by_grant, by_usd))


# --- The electorate ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Concerned:
    """Those who cannot decide a request, because it is theirs or about them."""

    requester: str
    manager: str | None = None
    sponsor: str | None = None
    beneficiaries: frozenset[str] = frozenset()

    def recusal_of(self, person_id: str) -> str:
        """Why somebody cannot vote: a code, or nothing."""
        if person_id == self.requester:
            return "requester"
        if person_id in self.beneficiaries:
            return "beneficiary"
        if person_id == self.manager:
            return "manager"
        return "sponsor" if person_id == self.sponsor else ""


RECUSALS = {
    "requester": "asked for it",
    "beneficiary": "benefits from it",
    "manager": "manages the person who asked",
    "sponsor": "sponsors the project",
}


@dataclass(frozen=True, slots=True)
class Seat:
    """A person who may be called to vote on one request; `recused` is the code of the reason why they may not."""

    person_id: str
    kind: str
    is_chair: bool = False
    is_finance: bool = False
    recused: str = ""

    @property
    def joins_at(self) -> int:
        return STAGE_OF[self.kind]

    def may_vote_at(self, stage: int) -> bool:
        return not self.recused and self.joins_at <= stage


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who decides one request, as it was when the request was made: its seats, and what it takes to approve.

    `stage` is the one at which it began: the first at which those who may vote can approve at all.
    """

    seats: tuple[Seat, ...]
    needed: int
    needs_finance: bool
    stage: int

    def voting(self, stage: int) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if seat.may_vote_at(stage))

    def seat_of(self, person_id: str) -> Seat | None:
        return next((seat for seat in self.seats if seat.person_id == person_id), None)

    def next_stage(self, stage: int) -> int | None:
        """The next stage that calls in anybody, or gives anybody more to say; None after the last."""
        if stage < WITH_ALTERNATES and len(self.voting(WITH_ALTERNATES)) > len(self.voting(stage)):
            return WITH_ALTERNATES
        return self.last_stage(stage)

    def last_stage(self, stage: int) -> int | None:
        """The stage at which the chair plus finance may decide alone; None where there is nobody for that."""
        more = len(self.voting(CHAIR_AND_FINANCE)) > len(self.voting(stage))
        return CHAIR_AND_FINANCE if stage < CHAIR_AND_FINANCE and (more or _pair(self.seats)) else None


def electorate(board: Iterable[Seat], concerned: Concerned, class_: str, rules: ExceptionRules) -> Electorate:
    """Snapshot the board for one request; a Refusal when recusals leave nobody who could approve it."""
    seats = tuple(
        Seat(s.person_id, s.kind, s.is_chair, s.is_finance, concerned.recusal_of(s.person_id))
        for s in sorted(board, key=lambda s: (s.joins_at, s.person_id))
    )
    for stage in (MEMBERS, WITH_ALTERNATES, CHAIR_AND_FINANCE):
        voting = [seat for seat in seats if seat.may_vote_at(stage)]
        needed = _needed(class_, len(voting), rules)
        needs_finance = class_ == MAJOR
        reachable = len(voting) >= needed and (not needs_finance or any(s.is_finance for s in voting))
        if reachable or (stage == CHAIR_AND_FINANCE and _pair(seats)):
            return Electorate(seats, needed, needs_finance, stage)
    raise Refusal(
        "nobody_left",
        "There is nobody left who could decide this: the board is too small once those concerned are left out.",
        next_step="Please speak to the board's chair: the board needs more members or alternates.",
    )


def _needed(class_: str, eligible: int, rules: ExceptionRules) -> int:
    if class_ == FAST:
        return rules.fast.members
    if class_ == BREAK_GLASS:
        return rules.break_glass.members
    # A majority of very few would be less than the smaller class asks for.
    return rules.standard.members if class_ == STANDARD else max(rules.standard.members, eligible // 2 + 1)


def _pair(seats: Iterable[Seat]) -> bool:
    """Whether the chair and somebody of finance, two people, can decide together."""
    able = [seat for seat in seats if not seat.recused]
    return any(c.is_chair and f.is_finance and c is not f for c in able for f in able)


# --- Votes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vote:
    """The vote of a seat; an approval may be of a smaller amount, or until an earlier day."""

    seat: str
    approves: bool
    amount: MicroTokens | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the votes come to. `lacks_finance`: enough approve, but finance has not yet."""

    approvals: int
    rejections: int
    needed: int
    outcome: str
    lacks_finance: bool
    because: tuple[Reason, ...]


def tally(panel: Electorate, stage: int, votes: Sequence[Vote]) -> Tally:
    """Count the votes of those who may vote at a stage; others do not count."""
    able = {seat.person_id: seat for seat in panel.voting(stage)}
    yes = [able[vote.seat] for vote in votes if vote.seat in able and vote.approves]
    no = [able[vote.seat] for vote in votes if vote.seat in able and not vote.approves]
    has_finance = not panel.needs_finance or any(seat.is_finance for seat in yes)
    outcome, reason = OPEN, Reason("counting", f"{len(yes)} of {panel.needed} needed approve")
    if len(yes) >= panel.needed and has_finance:
        outcome, reason = APPROVED, Reason("quorum", f"{len(yes)} of {panel.needed} needed approved")
    elif stage == CHAIR_AND_FINANCE and _pair(yes):
        outcome, reason = APPROVED, Reason("chair_and_finance", "the chair and finance approved together")
    elif len(no) >= panel.needed:
        outcome, reason = REJECTED, Reason("quorum", f"{len(no)} of {panel.needed} needed rejected")
    elif not _can_still_approve(panel, no):
        outcome, reason = REJECTED, Reason("unreachable", "too few who could still approve are left")
    lacks = len(yes) >= panel.needed and not has_finance
    return Tally(len(yes), len(no), panel.needed, outcome, lacks, (reason,))


def _can_still_approve(panel: Electorate, rejected: Sequence[Seat]) -> bool:
    """Whether those who have not rejected, called or not, could bring the request through."""
    left = [seat for seat in panel.seats if not seat.recused and seat not in rejected]
    enough = len(left) >= panel.needed and (not panel.needs_finance or any(seat.is_finance for seat in left))
    return enough or _pair(left)


def agreed(votes: Iterable[Vote], asked: MicroTokens, until: date) -> tuple[MicroTokens, date]:
    """What all who approve agree to: the smallest amount, and the earliest end."""
    amount, end = asked, until
    for vote in votes:
        if vote.approves:
            amount = min(amount, vote.amount or amount)
            end = min(end, vote.until or end)
    return amount, end


def seat_for(panel: Electorate, stage: int, voter: str, concerned: Concerned, delegates: Mapping[str, str]) -> Seat:
    """The seat that somebody votes for: their own, or that of a member whose delegate they are.

    `delegates` are those in force, by the member for whom they stand in. A Refusal says precisely why somebody may not.
    """
    if code := concerned.recusal_of(voter):
        raise Refusal(f"recused_{code}", f"You cannot vote on this: you are somebody who {RECUSALS[code]}.")
    own = panel.seat_of(voter)
    if own is not None and own.may_vote_at(stage):
        if voter in delegates:
            raise Refusal(
                "delegated",
                "You handed your vote to somebody else for now.",
                next_step="`/tokens delegate off` takes it back.",
            )
        return own
    represented = [seat for seat in panel.seats if delegates.get(seat.person_id) == voter]
    for seat in represented:
        if seat.may_vote_at(stage):
            return seat
    if represented and all(seat.recused for seat in represented):
        raise Refusal("delegator_recused", "The member whose delegate you are cannot vote on this, so neither can you.")
    if own is not None or represented:
        raise Refusal(
            "not_called_yet",
            "You are an alternate: you are called in when the members do not decide in time.",
            next_step="You will get a message then.",
        )
    raise Refusal("not_on_board", "Only the members of the board who were asked can decide this.")


# --- Time ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a request reminds, calls in alternates, calls in the chair plus finance, and lapses."""

    remind_at: datetime
    escalate_at: datetime
    last_call_at: datetime
    lapse_at: datetime


def business_hours(book: Handbook, zone: ZoneInfo) -> BusinessHours:
    return BusinessHours(book.exceptions.from_hour, book.exceptions.until_hour, book.messages.holidays, zone)


def deadlines(class_: str, made_at: datetime, rules: ExceptionRules, hours: BusinessHours) -> Deadlines:
    """The instants of a request that was made at an instant.

    The chair plus finance are called in when half of the time between the escalation and the end is over. A break-glass
    is reminded of as a fast request is, as far as it has the time.
    """
    schedule = _schedule(class_, rules)
    lapse = hours.after(made_at, rules.break_glass.ratify if class_ == BREAK_GLASS else schedule.lapse)
    remind, escalate = (min(hours.after(made_at, span), lapse) for span in (schedule.remind, schedule.escalate))
    last_call = _halfway(escalate, lapse, hours) if schedule.lapse.is_business else escalate + (lapse - escalate) / 2
    found = Deadlines(remind, escalate, min(last_call, lapse), lapse)
    instants = (made_at, found.remind_at, found.escalate_at, found.last_call_at, found.lapse_at)
    assert all(earlier <= later for earlier, later in pairwise(instants))  # noqa: S101 - what callers rely on
    return found


def _halfway(begin: datetime, end: datetime, hours: BusinessHours) -> datetime:
    return hours.later(begin, hours.between(begin, end) / 2)


def _schedule(class_: str, rules: ExceptionRules) -> Schedule:
    return {
        FAST: rules.fast.schedule,
        BREAK_GLASS: rules.fast.schedule,
        STANDARD: rules.standard.schedule,
        MAJOR: rules.major.schedule,
    }[class_]
