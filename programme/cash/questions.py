"""Asking the board about a cash cap that is reached, and what its votes come to (docs/decisions/0054)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy import cash, exceptions
from policy.cash import HALTED, LAPSED, OPEN, RAISE, RAISED, RUNNING
from policy.deadlines import business_hours, deadlines
from policy.exceptions import STANDARD
from policy.period import Month, first_instant
from policy.reasons import FieldsRefused, Refusal
from policy.reviews.votes import NOBODY
from policy.units import NanoUSD
from programme import decisions
from programme.cash import notices, spending
from programme.decisions import Topic
from programme.exceptions.steps import NO_STEP, first_step
from programme.people import board
from store import audit, runs
from store.audit import NOWHERE, POLICY, Place
from store.holds import cash as store
from store.holds.cash import StoredVote
from store.ledger import recalls
from store.people import board as board_store
from store.reviews.votes import plain_seats
from views.cash import Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.deadlines import Deadlines
    from policy.exceptions import Electorate, Seat
    from policy.parameters.holds import CapRule
    from programme.cash.spending import CashCap
    from programme.moment import Moment
    from store.people.directory import Person

QUESTION = Topic(
    "question",
    undecided=frozenset({OPEN}),
    said={
        RAISED: "was answered: the cap is raised, with the deciding vote",
        HALTED: "was answered: calls stop, with the deciding vote",
        RUNNING: "was answered: calls go on, with the deciding vote",
        LAPSED: "has lapsed",
    },
    by="of",
)
MOST = NanoUSD.parse("1000000000")


@dataclass(frozen=True, slots=True)
class Choice:
    """What someone votes for; a raise names the month's new limit."""

    choice: str
    limit: NanoUSD | None = None


@dataclass(frozen=True, slots=True)
class VoteReceipt:
    """A vote that counts, of how many that it takes; `again` when it was the same before."""

    question: Question
    choice: str
    count: int
    again: bool


# --- Asking --------------------------------------------------------------------------------------------------------


def ask(moment: Moment, cap: CashCap) -> Question:
    """Ask the board; a Refusal while it is too small to decide."""
    panel = _panel(moment)
    question = _question(moment, cap, panel)
    store.insert(moment.session, question, panel)
    notices.tell_of_new(moment, question, panel)
    seats = plain_seats(panel)
    note(moment, question, POLICY, store.ASKED, limit=_usd(question.limit), needed=panel.needed, seats=seats)
    return question


def _panel(moment: Moment) -> Electorate:
    return exceptions.electorate(board.seats(moment), NOBODY, STANDARD, moment.handbook.exceptions)


def _question(moment: Moment, cap: CashCap, panel: Electorate) -> Question:
    month, times = Month.containing(moment.today), _times(moment)
    return Question(
        id=f"cq_{secrets.token_hex(8)}",
        revision=1,
        cap=cap.rule.name,
        first_day=month.first_day,
        base=cap.rule.usd,
        limit=cap.now.usd,
        state=OPEN,
        handbook_version=moment.handbook.version,
        asked_at=moment.now,
        needed=panel.needed,
        first_stage=panel.stage,
        stage=panel.stage,
        remind_at=times.remind_at,
        escalate_at=times.escalate_at,
        last_call_at=times.last_call_at,
        lapse_at=times.lapse_at,
        **first_step(times, moment.now),  # type: ignore[arg-type]  # a name and an instant
        decided_at=None,
        decided_by=None,
        raised_to=None,
    )


def _times(moment: Moment) -> Deadlines:
    """Those of a standard request, but no longer than the month."""
    book, month = moment.handbook, Month.containing(moment.today)
    times = deadlines(STANDARD, moment.now, book.exceptions, business_hours(book, moment.zone))
    return replace(times, lapse_at=min(times.lapse_at, first_instant(month.next().first_day, moment.zone)))


# --- Votes ---------------------------------------------------------------------------------------------------------


def vote(moment: Moment, voter: Person, question_id: str, choice: Choice, *, place: Place = NOWHERE) -> VoteReceipt:
    """Count a vote, and decide the question if it is the deciding one.

    A Refusal says why someone cannot vote: not on the board, too late, decided already, or the handbook has changed.
    """
    question = locked(moment, question_id)
    require_undecided(moment, question)
    if choice.choice == RAISE:
        require_limit(moment, question, choice.limit)
    panel, before = store.panel(moment.session, question), store.votes(moment.session, question.id)
    seat = seat_of(moment, question, panel, voter.id, votes=before)
    decisions.require_one_vote({one.cast_by: one.seat for one in before}, voter.id, seat.person_id)
    cast = StoredVote(seat.person_id, voter.id, choice.choice, choice.limit, moment.now)
    others = [one for one in before if one.seat != cast.seat]
    if any(one._replace(cast_at=cast.cast_at) == cast for one in before):
        return _receipt(question, panel, before, choice, again=True)
    store.cast(moment.session, question.id, cast)
    votes = [*others, cast]
    moved = _counted(moment, question, panel, votes, decided_by=voter.id)
    earlier = next((_plain(one) for one in before if one.seat == cast.seat), None)
    note(moment, moved, voter.id, store.VOTED, before=earlier, place=place, **_plain(cast))
    return _receipt(moved, panel, votes, choice, again=False)


def _receipt(
    question: Question, panel: Electorate, votes: Iterable[StoredVote], choice: Choice, *, again: bool
) -> VoteReceipt:
    ballots = [one.ballot for one in votes]
    count = cash.tally(panel, question.stage, ballots, choice.choice).approvals
    return VoteReceipt(question, choice.choice, count, again)


def _counted(
    moment: Moment, question: Question, panel: Electorate, votes: Iterable[StoredVote], *, decided_by: str
) -> Question:
    """The question after its votes were counted; what is decided holds for the very next call."""
    ballots = [one.ballot for one in votes]
    choice = cash.decided(panel, question.stage, ballots)
    if choice is None:
        moved = _move(moment, question)
        notices.tell_of_change(moment, moved)
        return moved
    raised_to = cash.agreed(panel, question.stage, ballots) if choice == RAISE else None
    moved = _decide(moment, question, cash.STATE_OF[choice], decided_by, raised_to=raised_to)
    # Gateways decide by leases that were cut by the cap as it was, or that it would cut now.
    recalls.of_everyone(moment.session, now=moment.now)
    return moved


def _decide(moment: Moment, question: Question, state: str, by: str, **more: object) -> Question:
    moved = _move(moment, question, state=state, decided_at=moment.now, decided_by=by, **NO_STEP, **more)
    runs.forget_steps(moment.session, question.id)
    notices.tell_of_change(moment, moved)
    return moved


def seat_of(
    moment: Moment, question: Question, panel: Electorate, person_id: str, *, votes: Iterable[StoredVote]
) -> Seat:
    """The seat for which someone may vote now; a Refusal says why there is none."""
    sitting = [seat.person_id for seat in panel.seats]
    today = exceptions.Attendance(
        delegates=board.delegates(moment),
        left=board_store.left(moment.session, [person_id, *sitting], moment.today),
        bystanders=board_store.bystanders(moment.session),
        voted_for={one.cast_by: one.seat for one in votes},
    )
    return exceptions.seat_for(panel, question.stage, person_id, NOBODY, today)


def require(moment: Moment, question_id: str) -> Question:
    return decisions.require_known(store.get(moment.session, question_id), QUESTION, question_id)


def locked(moment: Moment, question_id: str) -> Question:
    """A question, held until the transaction ends."""
    return decisions.require_known(store.lock(moment.session, question_id), QUESTION, question_id)


def require_undecided(moment: Moment, question: Question) -> None:
    """A Refusal that says what became of a question, where there is nothing left to decide."""
    decisions.require_undecided(moment, QUESTION, question.state, question.decided_by, until=question.lapse_at)
    if rule_of(moment, question) is None:
        raise Refusal(
            "overtaken",
            f"The handbook has another amount for {question.cap!r} by now, so there is nothing left to decide.",
            next_step="`/tokens policy` shows what is in force.",
        )


def rule_of(moment: Moment, question: Question) -> CapRule | None:
    """The cap that a question is about, as today's handbook has it; None where it is another one by now."""
    for cap in moment.handbook.caps:
        if cash.is_cash(cap) and (cap.name, cap.usd) == (question.cap, question.base):
            return cap
    return None


def require_limit(moment: Moment, question: Question, limit: NanoUSD | None) -> None:
    """A Refusal for a new limit that would lift nothing."""
    used = spending.total(moment, Month.containing(question.first_day)).used
    least = NanoUSD(max(used, int(question.limit)))
    if limit is None or int(limit) <= int(least):
        what = "used already" if used >= int(question.limit) else "the limit now"
        raise FieldsRefused({"limit": f"Write more than USD {least.decimal:,.2f}, which is {what}."})
    if int(limit) > int(MOST):
        raise FieldsRefused({"limit": f"Write at most USD {MOST.decimal:,.0f}."})


# --- What the calendar does ----------------------------------------------------------------------------------------


def lapse(moment: Moment, question: Question) -> Question:
    """Silence decides nothing: the cap stays as the handbook has it."""
    moved = _decide(moment, question, LAPSED, POLICY)
    note(moment, moved, POLICY, store.LAPSED_BY)
    return moved


def call_in(moment: Moment, question: Question, stage: int, step: str, **steps: object) -> Question:
    """Call in those of a later stage; where the votes that are there decide at that stage, they do."""
    panel, votes = store.panel(moment.session, question), store.votes(moment.session, question.id)
    moved = _move(moment, question, stage=stage, **steps)
    if cash.decided(panel, stage, [one.ballot for one in votes]) is not None:
        moved = _counted(moment, moved, panel, votes, decided_by=POLICY)
    else:
        notices.call_in(moment, moved, panel, question.stage, step)
    note(moment, moved, POLICY, store.CALLED_IN, stage=stage)
    return moved


def silent(moment: Moment, question: Question) -> list[Seat]:
    """The seats that are called to vote, and have not."""
    panel = store.panel(moment.session, question)
    voted = {one.seat for one in store.votes(moment.session, question.id)}
    gone = board_store.left(moment.session, [seat.person_id for seat in panel.seats], moment.today)
    return [seat for seat in panel.voting(question.stage) if seat.person_id not in voted | gone]


def note_parked(moment: Moment, question_id: str) -> None:
    """Slack does not take the card in the board's channel."""
    question = require(moment, question_id)
    if question.is_open:
        notices.note_parked(moment, question, silent(moment, question))


def set_step(moment: Moment, question: Question, **steps: object) -> Question:
    return _move(moment, question, **steps)


def _move(moment: Moment, question: Question, **values: object) -> Question:
    return decisions.require_first(store.change(moment.session, question, **values))


def note(
    moment: Moment,
    question: Question,
    actor: str,
    action: str,
    *,
    before: dict[str, object] | None = None,
    place: Place = NOWHERE,
    **after: object,
) -> None:
    """Record what was done about a question, with the state that it has by now."""
    raised = {} if question.raised_to is None else {"raised_to": _usd(question.raised_to)}
    told = {"cap": question.cap, "month": question.first_day.isoformat()[:7], "state": question.state, **raised}
    audit.note(
        moment.session,
        actor,
        action,
        question.id,
        at=moment.now,
        before=before,
        after=told | after,
        handbook_version=question.handbook_version,
        place=place,
    )


def _plain(cast: StoredVote) -> dict[str, object]:
    limit = {} if cast.limit is None else {"limit": _usd(cast.limit)}
    return {"seat": cast.seat, "choice": cast.choice, **limit}


def _usd(amount: NanoUSD) -> str:
    return f"{amount.decimal.normalize():f}"
