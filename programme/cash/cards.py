"""What the board sees of a question, and for whom it waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from policy import cash
from policy.cash import LAPSED
from policy.exceptions import CHAIR_AND_FINANCE
from policy.parameters.holds import PROGRAMME, WARN, CapRule
from policy.period import Month
from policy.reasons import Refusal
from programme.cash import questions, spending
from programme.people import board
from store.holds import cash as store
from store.people import directory as people_store
from views.cash import CashCard, VoteShown
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from programme.moment import Moment
    from store.holds.cash import StoredVote
    from views.cash import Question, Spend


def of(moment: Moment, question_id: str) -> CashCard:
    """A question as it stands."""
    question = questions.require(moment, question_id)
    panel, votes = store.panel(moment.session, question), store.votes(moment.session, question.id)
    silent = questions.silent(moment, question) if question.is_open else []
    stand_ins = board.delegates(moment) if silent else {}
    awaited = list(dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in silent))
    everyone = {question.decided_by or "", *awaited, *(id_ for one in votes for id_ in (one.seat, one.cast_by))}
    names = {id_: PersonName(*name) for id_, name in people_store.names(moment.session, everyone).items()}
    ballots = [one.ballot for one in votes]
    rule = questions.rule_of(moment, question)
    return CashCard(
        question=question,
        spend=_spend(moment, question, rule),
        votes=tuple(_shown(one, names) for one in votes),
        counts={one: cash.tally(panel, question.stage, ballots, one).approvals for one in cash.CHOICES},
        awaited=tuple(names[one] for one in awaited),
        decided_by=names.get(question.decided_by or ""),
        is_overdue=question.is_open and moment.now >= question.lapse_at,
        chair_and_finance=question.stage == CHAIR_AND_FINANCE,
        overtaken=_is_overtaken(question, rule),
    )


def _spend(moment: Moment, question: Question, rule: CapRule | None) -> Spend:
    """Of the limit that was asked about; what was decided since is told beside it."""
    shown = rule or _as_asked(question)
    return spending.of(moment, replace(shown, usd=question.limit), Month.containing(question.first_day))


def _is_overtaken(question: Question, rule: CapRule | None) -> bool:
    """Whether it ended because of a new handbook, or is about to."""
    if question.is_open:
        return rule is None
    return question.state == LAPSED and question.decided_at is not None and question.decided_at < question.lapse_at


def _as_asked(question: Question) -> CapRule:
    return CapRule(name=question.cap, scope=PROGRAMME, window="month", usd=question.limit, action=WARN)


def _shown(vote: StoredVote, names: dict[str, PersonName]) -> VoteShown:
    stands_for = names[vote.seat] if vote.seat != vote.cast_by else None
    return VoteShown(names[vote.cast_by], stands_for, vote.choice, vote.limit)


def awaits(moment: Moment, question: Question, person_id: str) -> bool:
    """Whether a question still waits for someone's vote."""
    if not question.is_open or moment.now >= question.lapse_at or questions.rule_of(moment, question) is None:
        return False
    panel, votes = store.panel(moment.session, question), store.votes(moment.session, question.id)
    try:
        seat = questions.seat_of(moment, question, panel, person_id, votes=votes)
    except Refusal:
        return False
    return seat.person_id not in {one.seat for one in votes}


def waiting(moment: Moment, person_id: str) -> Iterable[CashCard]:
    """What waits for someone's vote, the nearest deadline first; nothing is asked where no handbook had such a cap."""
    if not cash.is_in(moment.recent_handbooks.versions):
        return []
    return [of(moment, one.id) for one in store.all_open(moment.session) if awaits(moment, one, person_id)]
