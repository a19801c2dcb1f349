"""Cards and notes about a month's cash, usual and unusual, as the board reads them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from policy.cash import HALT, HALTED, LAPSED, LET_RUN, RAISE, RAISED, RUNNING
from policy.period import Month
from policy.units import NanoUSD
from templates import cash
from tests.support.letters import ENDLESS, HOSTILE
from views.cash import CashCard, Question, Spend, VoteShown
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
IRIS, TESS, OMAR = PersonName("Iris Tan", "U0IRIS"), PersonName("Tess Novak", "U0TESS"), PersonName("Omar Haddad", None)


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


SPEND = Spend(
    cap="Cash of the month",
    month=Month(2026, 11),
    limit=usd("60000"),
    used=usd("51234.5"),
    held=usd("120.25"),
    runs_out=date(2026, 11, 24),
    action="stop",
    services=("GPU cluster",),
    at=NOW,
)
FULL = dataclasses.replace(SPEND, used=usd("60010"), runs_out=None)
QUESTION = Question(
    id="cq_1f2e3d4c5b6a7988",
    revision=1,
    cap="Cash of the month",
    first_day=date(2026, 11, 1),
    base=usd("60000"),
    limit=usd("60000"),
    state="open",
    handbook_version="2026.1",
    asked_at=NOW,
    needed=2,
    first_stage=0,
    stage=0,
    remind_at=LATER,
    escalate_at=LATER,
    last_call_at=LATER,
    lapse_at=datetime(2026, 11, 27, 11, 0, tzinfo=UTC),
    next_step="remind",
    next_at=LATER,
    decided_at=None,
    decided_by=None,
    raised_to=None,
)
CARD = CashCard(
    question=QUESTION,
    spend=FULL,
    votes=(),
    counts={RAISE: 0, HALT: 0, LET_RUN: 0},
    awaited=(IRIS, TESS, OMAR),
    decided_by=None,
    is_overdue=False,
    chair_and_finance=False,
)
RAISING = VoteShown(IRIS, None, RAISE, usd("80000"))
VOTED = dataclasses.replace(
    CARD,
    votes=(RAISING, VoteShown(TESS, OMAR, LET_RUN, None)),
    counts={RAISE: 1, HALT: 0, LET_RUN: 1},
    awaited=(OMAR,),
    chair_and_finance=True,
)


def ended(state: str, **more: Any) -> CashCard:  # noqa: ANN401 - fields of a question
    decided = dataclasses.replace(QUESTION, state=state, decided_at=LATER, decided_by="per_2", **more)
    by = None if state == LAPSED else TESS
    return dataclasses.replace(CARD, question=decided, votes=(RAISING,), awaited=(), decided_by=by)


def with_action(action: str, **more: Any) -> CashCard:  # noqa: ANN401 - fields of a spend
    return dataclasses.replace(CARD, spend=dataclasses.replace(FULL, action=action, **more))


def hostile(text: str) -> CashCard:
    name = PersonName(text, None)
    return dataclasses.replace(
        CARD,
        question=dataclasses.replace(QUESTION, cap=text),
        spend=dataclasses.replace(FULL, cap=text, services=(text,) * 9, slow_to=text),
        votes=(VoteShown(name, name, RAISE, usd("80000")),) * 30,
        awaited=(name,) * 30,
    )


def said(state: str, choice: str, *, again: bool = False, **more: Any) -> Message:  # noqa: ANN401 - fields of a question
    return cash.voted(dataclasses.replace(QUESTION, state=state, **more), choice, 1, again=again)


CASES: dict[str, Callable[[], Message]] = {
    "share_of_cash": lambda: cash.share(SPEND),
    "share_of_cash_that_lasts": lambda: cash.share(dataclasses.replace(SPEND, runs_out=None, lasts=True, services=())),
    "share_of_cash_too_early_to_tell": lambda: cash.share(dataclasses.replace(SPEND, runs_out=None)),
    "share_of_cash_hostile": lambda: cash.share(dataclasses.replace(SPEND, cap=HOSTILE, services=(HOSTILE,))),
    "unasked": lambda: cash.unasked(FULL, 2),
    "unasked_before_all_is_used": lambda: cash.unasked(dataclasses.replace(SPEND, services=()), 1),
    "unasked_hostile": lambda: cash.unasked(hostile(HOSTILE).spend, 2),
    "card_of_cash": lambda: cash.card(CARD),
    "card_of_cash_before_all_is_used": lambda: cash.card(dataclasses.replace(CARD, spend=SPEND)),
    "card_of_cash_that_only_warns": lambda: cash.card(with_action("warn", services=(), held=usd("0"))),
    "card_of_cash_that_slows": lambda: cash.card(with_action("slow", services=(), slow_to="small")),
    "card_of_cash_that_stops_all": lambda: cash.card(with_action("stop", services=())),
    "card_of_cash_voted_on": lambda: cash.card(VOTED),
    "card_of_cash_reminding": lambda: cash.card(CARD, "remind"),
    "card_of_cash_calling_in": lambda: cash.card(CARD, "escalate"),
    "card_of_cash_raised": lambda: cash.card(ended(RAISED, raised_to=usd("80000"))),
    "card_of_cash_stopped": lambda: cash.card(ended(HALTED)),
    "card_of_cash_running": lambda: cash.card(ended(RUNNING)),
    "card_of_cash_lapsed": lambda: cash.card(ended(LAPSED)),
    "card_of_cash_overdue": lambda: cash.card(dataclasses.replace(CARD, is_overdue=True)),
    "card_of_cash_overtaken": lambda: cash.card(dataclasses.replace(CARD, overtaken=True)),
    "card_of_cash_hostile": lambda: cash.card(hostile(HOSTILE)),
    "voted_on_cash": lambda: said("open", RAISE),
    "voted_on_cash_again": lambda: said("open", HALT, again=True),
    "voted_on_cash_decidedly": lambda: said(RAISED, RAISE, raised_to=usd("80000")),
    "voted_on_cash_to_stop": lambda: said(HALTED, HALT),
    "voted_on_cash_to_let_it_run": lambda: said(RUNNING, LET_RUN),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "share_of_cash": lambda: cash.share(dataclasses.replace(SPEND, cap=ENDLESS, services=(ENDLESS,) * 9)),
    "unasked": lambda: cash.unasked(hostile(ENDLESS).spend, 2),
    "card_of_cash": lambda: cash.card(hostile(ENDLESS)),
}
MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    "cash_raise": lambda: cash.raising(CARD, None, "{}"),
    "cash_raise_again": lambda: cash.raising(VOTED, usd("80000"), "{}"),
    "cash_raise_hostile": lambda: cash.raising(hostile(HOSTILE), None, "{}"),
    "cash_voted": lambda: cash.voted_view(QUESTION, RAISE, 1, again=False),
}
