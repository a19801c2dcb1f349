"""Who decides an exception, by how many votes, until when, and what the votes come to. Pure, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from policy import multiples
from policy.reasons import Reason, Refusal
from policy.units import MicroTokens, NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from policy.parameters.exceptions import ExceptionRules, MajorRules
    from policy.value.valuation import TokenValue

NOTHING = MicroTokens(0)
FAST, STANDARD, MAJOR, BREAK_GLASS = "fast", "standard", "major", "break_glass"

MEMBER, ALTERNATE, RESERVE = "member", "alternate", "reserve"
MEMBERS, WITH_ALTERNATES, CHAIR_AND_FINANCE = 0, 1, 2
"""Stages of a request: who is called to vote. The chair plus finance may then decide alone, together."""
STAGE_OF = {MEMBER: MEMBERS, ALTERNATE: WITH_ALTERNATES, RESERVE: CHAIR_AND_FINANCE}

OPEN, APPROVED, REJECTED = "open", "approved", "rejected"
NOBODY_LEFT = "nobody_left"
"""The code of the refusal where no one could decide."""


# --- The class -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """How much someone wants, beside what was asked for lately, their monthly grant, and the quarter's budget.

    `earlier` is what they asked for themselves, `alike` what others did for the same project or incident, and
    `median_grant` that of the whole company.
    """

    amount: MicroTokens
    earlier: MicroTokens
    monthly_grant: MicroTokens
    pool: NanoUSD | None
    value: TokenValue
    alike: MicroTokens = NOTHING
    median_grant: MicroTokens = NOTHING

    @property
    def total(self) -> MicroTokens:
        return self.amount + self.earlier + self.alike


@dataclass(frozen=True, slots=True)
class Classified:
    """The class of a request, and why it is that one."""

    name: str
    because: tuple[Reason, ...]


def classify(ask: Ask, rules: ExceptionRules) -> Classified:
    """The smallest class whose limits hold what is asked for together with what was asked for lately."""
    worth = ask.value.worth(ask.total)
    because = _of_splitting(ask, rules)
    if ask.pool is not None and int(worth) > _most_of_pool(ask, ask.pool, rules.major):
        return Classified(MAJOR, (*because, _of_pool(ask, ask.pool, rules)))
    if not ask.monthly_grant:
        return Classified(MAJOR, (*because, Reason("no_grant", "there is no monthly grant to measure it by")))
    for name, limits in ((FAST, rules.fast), (STANDARD, rules.standard)):
        within = int(ask.total) <= int(ask.monthly_grant * limits.grants)
        if within and (limits.usd is None or worth <= limits.usd):
            return Classified(name, (*because, _within(name, rules)))
    return Classified(MAJOR, (*because, _reason("grants", "more than {standard}", rules)))


def _most_of_pool(ask: Ask, pool: NanoUSD, rules: MajorRules) -> int:
    """Nano-USD: a share of the quarter's budget, or what so many median grants are worth, whichever is more."""
    by_median = 0 if rules.median_grants is None else int(ask.value.worth(_grants(ask.median_grant, rules)))
    return max(int(pool * rules.pool_share), by_median)


def _grants(median: MicroTokens, rules: MajorRules) -> MicroTokens:
    return MicroTokens(int(median * (rules.median_grants or 0)))


def _of_pool(ask: Ask, pool: NanoUSD, rules: ExceptionRules) -> Reason:
    if _most_of_pool(ask, pool, rules.major) > int(pool * rules.major.pool_share):
        return Reason("pool", f"more than {_plain(rules.major.median_grants or Decimal(0))} median monthly grants")
    return _reason("pool", "more than {share} % of the quarter's budget", rules)


def _of_splitting(ask: Ask, rules: ExceptionRules) -> tuple[Reason, ...]:
    because: list[Reason] = []
    if ask.earlier:
        text = f"requests of the last {rules.split_days} days are added to it"
        because.append(Reason("splitting", text, {"earlier": str(int(ask.earlier))}))
    if ask.alike:
        # How much others asked for is theirs to know.
        text = f"others' requests for the same project in the last {rules.project_days} days are added to it"
        because.append(Reason("splitting_by_project", text))
    return tuple(because)


def _within(name: str, rules: ExceptionRules) -> Reason:
    if name == FAST:
        return _reason(name, "at most {fast} and USD {usd}", rules)
    return _reason(name, "at most {standard}", rules)


def _reason(code: str, text: str, rules: ExceptionRules) -> Reason:
    figures = {
        "fast": multiples.limit(rules.fast.grants),
        "standard": multiples.limit(rules.standard.grants),
        "usd": f"{rules.fast.usd.decimal if rules.fast.usd else Decimal(0):,.0f}",
        "share": _plain(rules.major.pool_share * 100),
    }
    return Reason(code, text.format(**figures))


def _plain(number: Decimal) -> str:
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


def break_glass_limit(monthly_grant: MicroTokens, value: TokenValue, rules: ExceptionRules) -> MicroTokens:
    """The most that an incident gets at once: a share of the monthly grant, within bounds in USD."""
    glass = rules.break_glass
    by_grant = int(monthly_grant * glass.grants)
    least = max(by_grant, int(value.debit(glass.usd or glass.least_usd or NanoUSD(0))))
    return MicroTokens(least if glass.most_usd is None else min(least, int(value.debit(glass.most_usd))))


# --- The electorate ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConcernedPeople:
    """Those who cannot decide a request, because it is theirs or about them."""

    requester: str
    managers: frozenset[str] = frozenset()
    sponsors: frozenset[str] = frozenset()
    beneficiaries: frozenset[str] = frozenset()

    def recusal_of(self, person_id: str) -> str:
        """Why a person can't vote, as a code; empty if they can."""
        if person_id == self.requester:
            return "requester"
        if person_id in self.beneficiaries:
            return "beneficiary"
        if person_id in self.managers:
            return "manager"
        return "sponsor" if person_id in self.sponsors else ""


RECUSALS = {
    "requester": "you asked for it",
    "beneficiary": "you benefit from it",
    "manager": "you manage the person who asked",
    "sponsor": "you sponsor the project",
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
    def counts(self) -> bool:
        """Whether it counts towards a quorum: a reserve has a say as the chair, or as finance, and no other."""
        return self.kind != RESERVE


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who decides one request, as it was when the request was made: its seats, and what it takes to approve.

    `stage` is the one at which it began: the first at which those who may vote can approve at all.
    """

    seats: tuple[Seat, ...]
    needed: int
    needs_finance: bool
    stage: int

    def may_vote(self, seat: Seat, stage: int) -> bool:
        return not seat.recused and _joins_at(seat, needs_finance=self.needs_finance) <= stage

    def voting(self, stage: int) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if self.may_vote(seat, stage))

    def seat_of(self, person_id: str) -> Seat | None:
        return next((seat for seat in self.seats if seat.person_id == person_id), None)

    def next_stage(self, stage: int) -> int | None:
        """The next stage that calls in anyone, or gives anyone more to say; None after the last."""
        if stage < WITH_ALTERNATES and len(self.voting(WITH_ALTERNATES)) > len(self.voting(stage)):
            return WITH_ALTERNATES
        return self.last_stage(stage)

    def last_stage(self, stage: int) -> int | None:
        """The stage at which the chair plus finance may decide alone; None where there is no one for that."""
        more = len(self.voting(CHAIR_AND_FINANCE)) > len(self.voting(stage))
        return CHAIR_AND_FINANCE if stage < CHAIR_AND_FINANCE and (more or _pair(self.seats)) else None


def _joins_at(seat: Seat, *, needs_finance: bool) -> int:
    """From which stage on a seat votes; where finance has to agree, that of finance does from the beginning."""
    return MEMBERS if needs_finance and seat.kind == RESERVE and seat.is_finance else STAGE_OF[seat.kind]


def electorate(board: Iterable[Seat], concerned: ConcernedPeople, class_: str, rules: ExceptionRules) -> Electorate:
    """Snapshot the board for one request; a Refusal when recusals leave no one who could approve it."""
    seats = tuple(
        Seat(s.person_id, s.kind, s.is_chair, s.is_finance, concerned.recusal_of(s.person_id))
        for s in sorted(board, key=lambda s: (STAGE_OF[s.kind], s.person_id))
    )
    for stage in (MEMBERS, WITH_ALTERNATES, CHAIR_AND_FINANCE):
        found = Electorate(seats, 0, class_ == MAJOR, stage)
        voting = found.voting(stage)
        found = replace(found, needed=_needed(class_, sum(seat.counts for seat in voting), rules))
        if _enough(found, voting) or (stage == CHAIR_AND_FINANCE and _pair(seats)):
            return found
    raise Refusal(
        NOBODY_LEFT,
        "No one is left who could decide this, because the board is too small without the people concerned.",
        next_step="Please tell the board's chair that the board needs more members or alternates.",
    )


def _needed(class_: str, eligible: int, rules: ExceptionRules) -> int:
    if class_ == FAST:
        return rules.fast.members
    if class_ == BREAK_GLASS:
        return rules.break_glass.members
    # A majority of very few would be less than the smaller class asks for.
    return rules.standard.members if class_ == STANDARD else max(rules.standard.members, eligible // 2 + 1)


def _enough(panel: Electorate, approving: Sequence[Seat]) -> bool:
    """Whether these, all together, are a quorum: as many as it takes, and finance where finance has to agree."""
    has_finance = not panel.needs_finance or any(seat.is_finance for seat in approving)
    return has_finance and sum(seat.counts for seat in approving) >= panel.needed


def _pair(seats: Iterable[Seat]) -> bool:
    """Whether the chair and another person from finance can decide together."""
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
    approvals, rejections = (sum(seat.counts for seat in seats) for seats in (yes, no))
    outcome, reason = OPEN, Reason("counting", f"{approvals} of {panel.needed} needed approve")
    if _enough(panel, yes):
        outcome, reason = APPROVED, Reason("quorum", f"{approvals} of {panel.needed} needed approved")
    elif stage == CHAIR_AND_FINANCE and _pair(yes):
        outcome, reason = APPROVED, Reason("chair_and_finance", "the chair and finance approved together")
    elif rejections >= panel.needed:
        outcome, reason = REJECTED, Reason("quorum", f"{rejections} of {panel.needed} needed rejected")
    elif not _can_still_approve(panel, no):
        outcome, reason = REJECTED, Reason("unreachable", "too few people are left who could still approve")
    lacks = outcome == OPEN and approvals >= panel.needed
    return Tally(approvals, rejections, panel.needed, outcome, lacks, (reason,))


def _can_still_approve(panel: Electorate, rejected: Sequence[Seat]) -> bool:
    """Whether those who have not rejected, called or not, could bring the request through."""
    left = [seat for seat in panel.seats if not seat.recused and seat not in rejected]
    return _enough(panel, left) or _pair(left)


def agreed(votes: Iterable[Vote], asked: MicroTokens, until: date) -> tuple[MicroTokens, date]:
    """What all who approve agree to: the smallest amount, and the earliest end."""
    amount, end = asked, until
    for vote in votes:
        if vote.approves:
            amount = min(amount, vote.amount or amount)
            end = min(end, vote.until or end)
    return amount, end


@dataclass(frozen=True, slots=True)
class Attendance:
    """Who is there today.

    `delegates` by the member for whom they stand in; those who `left` the company; `bystanders`, who administer or
    audit the programme and so decide nothing in it; and the seat that each `voted_for` already.
    """

    delegates: Mapping[str, str] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    bystanders: frozenset[str] = frozenset()
    voted_for: Mapping[str, str] = field(default_factory=dict)


def seat_for(panel: Electorate, stage: int, voter: str, concerned: ConcernedPeople, today: Attendance) -> Seat:
    """The seat that a person votes for: their own, or that of a member whose delegate they are.

    A Refusal says precisely why a person may not vote. Anyone who has voted for a seat goes on voting for that one.
    """
    _require_impartial(voter, concerned, today)
    own, delegates = panel.seat_of(voter), today.delegates
    before = panel.seat_of(today.voted_for.get(voter, ""))
    if before is not None and before is not own and delegates.get(before.person_id) == voter:
        return before
    if own is not None and panel.may_vote(own, stage):
        if voter in delegates:
            raise Refusal(
                "delegated",
                "You have handed your vote to someone else for now.",
                next_step="`/tokens delegate off` takes it back.",
            )
        return own
    represented = [
        seat for seat in panel.seats if delegates.get(seat.person_id) == voter and seat.person_id not in today.left
    ]
    for seat in represented:
        if panel.may_vote(seat, stage):
            return seat
    if represented and all(seat.recused for seat in represented):
        raise Refusal("delegator_recused", "The member you stand in for can't vote on this, so neither can you.")
    if own is not None or represented:
        raise Refusal(
            "not_called_yet",
            "You are an alternate, so you are called in only if the members don't decide in time.",
            next_step="You will get a message then.",
        )
    raise Refusal("not_on_board", "Only the members of the board who were asked can decide this.")


def _require_impartial(voter: str, concerned: ConcernedPeople, today: Attendance) -> None:
    if voter in today.left:
        raise Refusal("left", "You have left the company, so you no longer decide requests.")
    if code := concerned.recusal_of(voter):
        raise Refusal(f"recused_{code}", f"You can't vote on this because {RECUSALS[code]}.")
    if voter in today.bystanders:
        raise Refusal("bystander", "Administrators and auditors can't decide requests.")
