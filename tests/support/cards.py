"""Requests in every state, usual and unusual, as those who decide them and those who asked see them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from policy.deadlines import deadlines
from policy.exceptions import Tally
from policy.period import first_instant
from policy.reasons import Reason
from policy.units import MicroTokens, NanoUSD
from programme.exceptions.cards import Card, Exchange, Past, Queue, Queued, VoteLine
from programme.exceptions.voting import VoteReceipt
from programme.waiting import NOTHING, Waiting
from store.exceptions.questions import Question
from store.exceptions.requests import Request
from templates import exceptions, homes, render, reviews
from tests.support.letters import ENDLESS, HOSTILE
from tests.support.requests import BOOK, HOURS
from views.exceptions import Situation
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message
    from views.reviews import Call

BERLIN = ZoneInfo("Europe/Berlin")
ASKED_AT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
DECIDED_AT = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
STEPS = deadlines("standard", ASKED_AT, BOOK.exceptions, HOURS)


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


REQUEST = Request(
    id="xr_0123456789abcdef",
    person_id="per_ben",
    class_name="standard",
    state="open",
    revision=3,
    amount=tokens("150000"),
    purpose="Fine-tune the support model before the release of 15 December",
    project_key="atlas",
    service_key="gpu-cluster",
    last_day=date(2026, 12, 23),
    incident=None,
    situation={},
    handbook_version="2026.1",
    made_at=ASKED_AT,
    needed=2,
    needs_finance=False,
    first_stage=0,
    stage=0,
    remind_at=STEPS.remind_at,
    escalate_at=STEPS.escalate_at,
    last_call_at=STEPS.last_call_at,
    lapse_at=STEPS.lapse_at,
    next_step="remind",
    next_at=STEPS.remind_at,
    decided_at=None,
    decided_by=None,
    granted=None,
    granted_last_day=None,
    entry_id=None,
    spent=None,
    netted=None,
    netted_month=None,
    outcome=None,
    outcome_note=None,
    project="Atlas",
    service="GPU cluster",
)
SITUATION = Situation(
    monthly_grant=tokens("93700"),
    available=tokens("1204.5"),
    runs_out=date(2026, 11, 27),
    earlier=tokens("0"),
    pool=NanoUSD.parse("60000"),
    value_version="2026-Q4.1",
    per_token=NanoUSD.parse("0.0102"),
    manager=None,
    sponsor=None,
    because=(Reason("standard", "at most 3 times the monthly grant"),),
)
BEN, IRIS = PersonName("Ben Okafor", "U0BEN"), PersonName("Iris Tan", "U0IRIS")
OMAR, TESS, ZOE = (
    PersonName("Omar Haddad", "U0OMAR"),
    PersonName("Tess Novak", "U0TESS"),
    PersonName("Zoe Martin", None),
)
OPEN = Card(
    request=REQUEST,
    situation=SITUATION,
    requester=BEN,
    worth=NanoUSD.parse("1530"),
    granted_worth=NanoUSD(0),
    beneficiaries=(),
    tally=Tally(0, 0, 2, "open", lacks_finance=False, because=()),
    votes=(),
    awaited=(IRIS, OMAR, TESS),
    recused=(),
    decided_by=None,
    questions=(),
    past=(),
    left=MicroTokens(0),
)


def changed(card: Card, **request: Any) -> Card:  # noqa: ANN401 - the fields of a request
    return dataclasses.replace(card, request=dataclasses.replace(card.request, **request))


def vote(who: PersonName, **how: Any) -> VoteLine:  # noqa: ANN401 - the fields of a vote
    usual: dict[str, Any] = {"stands_for": None, "approves": True, "amount": None, "last_day": None, "reason": None}
    return VoteLine(who=who, **(usual | how))


UNDER_WAY = dataclasses.replace(
    OPEN,
    tally=Tally(1, 1, 2, "open", lacks_finance=False, because=()),
    votes=(
        vote(ZOE, stands_for=TESS, amount=tokens("120000"), last_day=date(2026, 12, 10)),
        vote(OMAR, approves=False, reason="Try the small model first"),
    ),
    awaited=(),
    recused=((IRIS, "manager"),),
    beneficiaries=(PersonName("Ada Lovelace", "U0ADA"), PersonName("Mara Quist", None)),
    questions=(
        Exchange(OMAR, "Why not the small model?", "It misses one ticket in five."),
        Exchange(TESS, "When?", None),
    ),
    past=(
        Past(datetime(2026, 9, 3, 9, tzinfo=UTC), tokens("20000"), "approved", "delivered"),
        Past(datetime(2026, 8, 1, 9, tzinfo=UTC), tokens("90000"), "rejected", None),
    ),
)
DECIDED: dict[str, Any] = {"decided_at": DECIDED_AT, "decided_by": "per_tess", "next_step": None, "next_at": None}
CREDIT: dict[str, Any] = {"granted": tokens("120000"), "granted_last_day": date(2026, 12, 10), "entry_id": 7}
APPROVED = dataclasses.replace(
    changed(UNDER_WAY, state="approved", **DECIDED, **CREDIT),
    decided_by=TESS,
    granted_worth=NanoUSD.parse("1224"),
    left=tokens("80500.25"),
)
REJECTED = dataclasses.replace(changed(UNDER_WAY, state="rejected", **DECIDED), decided_by=TESS)
LAPSED = changed(OPEN, state="lapsed", **(DECIDED | {"decided_by": "policy"}))
WITHDRAWN = dataclasses.replace(changed(OPEN, state="withdrawn", **DECIDED), decided_by=BEN)
MAJOR = dataclasses.replace(
    changed(OPEN, class_name="major", needed=3, needs_finance=True, stage=2, amount=tokens("900000")),
    situation=dataclasses.replace(
        SITUATION,
        because=(
            Reason("splitting", "requests of the last 30 days are added to it"),
            Reason("pool", "more than 1 % of the quarter's budget"),
        ),
    ),
    worth=NanoUSD.parse("9180"),
    tally=Tally(3, 0, 3, "open", lacks_finance=True, because=()),
)
IN_A_SMALL_GROUP = dataclasses.replace(OPEN, situation=dataclasses.replace(SITUATION, is_small_group=True))
NO_GRANT = dataclasses.replace(
    OPEN, situation=dataclasses.replace(SITUATION, monthly_grant=MicroTokens(0), runs_out=None)
)
IN_AN_INCIDENT: dict[str, Any] = {
    "class_name": "break_glass",
    "incident": "INC-7",
    "amount": tokens("20000"),
    "granted": tokens("20000"),
    "granted_last_day": date(2026, 12, 23),
    "entry_id": 7,
    "needed": 1,
    "project": None,
    "service": None,
}
CREDITED = dataclasses.replace(
    changed(OPEN, state="credited", **IN_AN_INCIDENT),
    worth=NanoUSD.parse("204"),
    granted_worth=NanoUSD.parse("204"),
    situation=dataclasses.replace(
        SITUATION, because=(Reason("incident", "an incident, within the limit of break-glass"),)
    ),
    tally=Tally(0, 0, 1, "open", lacks_finance=False, because=()),
)
RATIFIED = dataclasses.replace(changed(CREDITED, state="ratified", **DECIDED), decided_by=TESS, votes=(vote(TESS),))
NOT_RATIFIED = dataclasses.replace(
    changed(CREDITED, state="not_ratified", **DECIDED, spent=tokens("12500")),
    decided_by=TESS,
    votes=(vote(TESS, approves=False, reason="No incident of ours"),),
)
UNUSED = changed(CREDITED, state="not_ratified", **DECIDED, spent=tokens("0"), netted=tokens("0"))
NETTED = changed(NOT_RATIFIED, netted=tokens("12000"), netted_month="2026-12")


def hostile(card: Card, text: str) -> Card:
    """A card in which everything that someone wrote is a certain text."""
    named = PersonName(text, None)
    return dataclasses.replace(
        changed(card, purpose=text, project=text, service=text, incident=text),
        requester=named,
        beneficiaries=(named,) * 3,
        votes=tuple(dataclasses.replace(v, who=named, stands_for=named, reason=text) for v in card.votes) * 20,
        awaited=(named,) * 30,
        recused=((named, "manager"),) * 10,
        questions=(Exchange(named, text, text),) * 5,
        decided_by=named,
    )


def mine(card: Card, *, reached: str = "told") -> Message:
    return exceptions.mine(card, reached=reached)


def over(card: Card) -> Card:
    """A request whose tokens have ended."""
    return dataclasses.replace(card, is_over=True)


def note(card: Card, **how: Any) -> Message:  # noqa: ANN401 - as `exceptions.note` takes it
    return exceptions.note(card, **how)


def question(reader: str, *, answer: str | None = None, asked: str = "Why now?", card: Card = OPEN) -> Message:
    one = Question(12, card.request.id, "per_tess", asked, ASKED_AT, answer, DECIDED_AT if answer else None)
    return render.message("exceptions/question", card=card, question=one, asked_by=TESS, reader=reader)


def more_time(card: Card = APPROVED, *, days: int = 2, zone: ZoneInfo = BERLIN) -> Message:
    """So many days before the last one, at noon."""
    last_day = card.request.granted_last_day
    assert last_day is not None
    end = first_instant(last_day + timedelta(days=1), BERLIN)
    return exceptions.more_time(card, end, zone, end - timedelta(days=days, hours=12))


def outcome(card: Card = APPROVED) -> Message:
    return render.message("exceptions/outcome", card=card, button_value=exceptions.button_value(card))


def queue(
    *cards: Card, stands_in_until: date | None = None, call_: Call | None = None, duties: Waiting = NOTHING
) -> Message:
    lines = tuple(Queued(card, awaits_reader=number % 2 == 0) for number, card in enumerate(cards))[:10]
    values = {card.request.id: exceptions.button_value(card) for card in cards}
    waiting = Queue(lines, more=len(cards) - len(lines), hidden=len(cards) // 10)
    return render.message(
        "exceptions/queue",
        queue=waiting,
        values=values,
        stands_in_until=stands_in_until,
        call_=call_,
        waiting=duties,
        **homes.WAITING,
        button_value=reviews.button_value(call_) if call_ else "",
    )


def own(*cards: Card) -> Message:
    values = {card.request.id: exceptions.button_value(card) for card in cards}
    return render.message("exceptions/requests", cards=cards, values=values)


def voted(card: Card, *, again: bool = False) -> Message:
    told = VoteReceipt(card.request, card.tally, "per_tess", again)
    return render.message("exceptions/voted", voted=told)


CASES: dict[str, Callable[[], Message]] = {
    "card_under_way": lambda: exceptions.card(UNDER_WAY),
    "card_major": lambda: exceptions.card(MAJOR),
    "card_without_a_grant": lambda: exceptions.card(NO_GRANT),
    "card_of_a_small_group": lambda: exceptions.card(IN_A_SMALL_GROUP),
    "card_approved": lambda: exceptions.card(APPROVED),
    "card_rejected": lambda: exceptions.card(REJECTED),
    "card_lapsed": lambda: exceptions.card(LAPSED),
    "card_withdrawn": lambda: exceptions.card(WITHDRAWN),
    "card_break_glass": lambda: exceptions.card(CREDITED),
    "card_ratified": lambda: exceptions.card(RATIFIED),
    "card_not_ratified": lambda: exceptions.card(NOT_RATIFIED),
    "card_netted": lambda: exceptions.card(NETTED),
    "card_unused": lambda: exceptions.card(UNUSED),
    "card_hostile": lambda: exceptions.card(hostile(UNDER_WAY, HOSTILE)),
    "mine_approved": lambda: mine(APPROVED),
    "mine_rejected": lambda: mine(REJECTED),
    "mine_lapsed": lambda: mine(LAPSED),
    "mine_withdrawn": lambda: mine(WITHDRAWN),
    "mine_break_glass": lambda: mine(CREDITED),
    "mine_break_glass_in_private": lambda: mine(CREDITED, reached="in_private"),
    "mine_break_glass_untold": lambda: mine(CREDITED, reached="nobody"),
    "mine_hostile_untold": lambda: mine(hostile(OPEN, HOSTILE), reached="nobody"),
    "mine_ratified": lambda: mine(RATIFIED),
    "mine_not_ratified": lambda: mine(NOT_RATIFIED),
    "mine_hostile": lambda: mine(hostile(REJECTED, HOSTILE)),
    "note_approved_shortly_before_the_end": lambda: note(APPROVED, is_told_before=False),
    "note_approved_and_over": lambda: note(over(APPROVED)),
    "note_ratified_and_over": lambda: note(over(RATIFIED)),
    "note_for_a_beneficiary_of_what_is_over": lambda: note(over(APPROVED), for_requester=False),
    "note_rejected": lambda: note(REJECTED),
    "note_lapsed": lambda: note(LAPSED),
    "note_ratified": lambda: note(RATIFIED),
    "note_not_ratified": lambda: note(NOT_RATIFIED),
    "note_unused": lambda: note(UNUSED),
    "note_for_a_beneficiary": lambda: note(APPROVED, for_requester=False),
    "note_for_a_beneficiary_of_a_break_glass": lambda: note(CREDITED, for_requester=False),
    "note_alternates": lambda: note(OPEN, stage=1),
    "note_chair_and_finance": lambda: note(OPEN, stage=2),
    "note_hostile": lambda: note(hostile(REJECTED, HOSTILE)),
    "question": lambda: question("requester"),
    "question_answered": lambda: question("requester", answer="The release"),
    "question_to_the_asker": lambda: question("asker", answer="The release"),
    "question_in_the_thread": lambda: question("thread_question"),
    "question_answered_in_the_thread": lambda: question("thread_answer", answer="The release"),
    "question_hostile": lambda: question("requester", asked=HOSTILE, answer=HOSTILE),
    "card_over": lambda: exceptions.card(over(APPROVED)),
    "mine_over": lambda: mine(over(APPROVED)),
    "card_overdue": lambda: exceptions.card(dataclasses.replace(UNDER_WAY, is_overdue=True)),
    "card_of_a_break_glass_overdue": lambda: exceptions.card(dataclasses.replace(CREDITED, is_overdue=True)),
    "mine_overdue": lambda: mine(dataclasses.replace(OPEN, is_overdue=True)),
    "mine_of_a_break_glass_overdue": lambda: mine(dataclasses.replace(CREDITED, is_overdue=True)),
    "more_time": more_time,
    "more_time_tomorrow": lambda: more_time(days=1),
    "more_time_on_the_last_day": lambda: more_time(days=0),
    "more_time_further_west": lambda: more_time(zone=ZoneInfo("America/New_York"), days=1),
    "more_time_hostile": lambda: more_time(hostile(APPROVED, HOSTILE)),
    "outcome": outcome,
    "outcome_told": lambda: outcome(changed(APPROVED, outcome="partly", outcome_note="The first half")),
    "outcome_hostile": lambda: outcome(changed(hostile(APPROVED, HOSTILE), outcome="partly", outcome_note=HOSTILE)),
    "queue": lambda: queue(OPEN, UNDER_WAY, CREDITED),
    "queue_empty": queue,
    "queue_of_many": lambda: queue(*[OPEN] * 12, stands_in_until=date(2026, 12, 1)),
    "queue_hostile": lambda: queue(hostile(OPEN, HOSTILE)),
    "requests": lambda: own(OPEN, APPROVED, REJECTED),
    "requests_none": own,
    "requests_hostile": lambda: own(hostile(REJECTED, HOSTILE)),
    "voted": lambda: voted(UNDER_WAY),
    "voted_again": lambda: voted(UNDER_WAY, again=True),
    "voted_approved": lambda: voted(APPROVED),
    "voted_rejected": lambda: voted(REJECTED),
    "voted_without_finance": lambda: voted(MAJOR),
    "voted_ratified": lambda: voted(RATIFIED),
    "voted_not_ratified": lambda: voted(NOT_RATIFIED),
    "done": lambda: render.message("exceptions/done", text="Your vote is yours again."),
    "done_hostile": lambda: render.message("exceptions/done", text=HOSTILE),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "card": lambda: exceptions.card(hostile(UNDER_WAY, ENDLESS)),
    "mine": lambda: mine(hostile(REJECTED, ENDLESS)),
    "note": lambda: note(hostile(REJECTED, ENDLESS)),
    "question": lambda: question("requester", asked=ENDLESS, answer=ENDLESS, card=hostile(OPEN, ENDLESS)),
    "more_time": lambda: more_time(hostile(APPROVED, ENDLESS)),
    "outcome": lambda: outcome(changed(hostile(APPROVED, ENDLESS), outcome="nothing", outcome_note=ENDLESS)),
    "queue": lambda: queue(*[hostile(UNDER_WAY, ENDLESS)] * 30),
    "requests": lambda: own(*[hostile(REJECTED, ENDLESS)] * 5),
}
