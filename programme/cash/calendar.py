"""What the calendar does about a month's cash: tell the board of shares, ask it, remind, call in, lapse.

A board that is too small to decide is told so instead, and asked once it is large enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import cash
from policy.exceptions import STANDARD
from policy.period import Month, first_instant
from policy.units import NanoUSD
from programme.cash import notices, questions, spending
from programme.exceptions.steps import STEPS
from programme.people import small_board
from store import runs
from store.holds import cash as store

if TYPE_CHECKING:
    from datetime import datetime

    from programme.cash.spending import CashCap
    from programme.moment import Moment
    from views.cash import Question

ASK, UNASKED, SHARE, OVERTAKEN = "ask", "unasked", "share", "overtaken"
CLAIM = "cash.told"
"""The job by which each share, and each question, is claimed once."""


def due(moment: Moment) -> list[tuple[str, str, datetime]]:
    """(the question or cap that it is about, what is to be done, since when it is due).

    Nothing is asked of the database where no handbook has a cash cap.
    """
    if not cash.is_in(moment.handbooks.versions):
        return []
    steps = store.due(moment.session, moment.now)
    steps += [
        (one.id, OVERTAKEN, moment.now)
        for one in store.all_open(moment.session)
        if questions.rule_of(moment, one) is None
    ]
    for cap in spending.caps(moment):
        what = _untold(moment, cap)
        if what is not None:
            steps.append((cap.rule.name, what if what in (ASK, UNASKED) else SHARE, moment.now))
    return steps


def advance(moment: Moment, about: str) -> str | None:
    """Do what is due about a question or a cap, once; what was done, or None when someone else did it."""
    for cap in spending.caps(moment):
        if cap.rule.name == about:
            return _watch(moment, cap)
    question = store.lock(moment.session, about)
    if question is None or not question.is_open:
        return None
    return _advance(moment, question)


# --- Shares --------------------------------------------------------------------------------------------------------


def unasked(moment: Moment) -> list[CashCap]:
    """The caps that the board should decide about, and can't, because it is too small."""
    return [cap for cap in spending.caps(moment) if _reached(moment, cap) == UNASKED]


def _reached(moment: Moment, cap: CashCap) -> str | None:
    """What the board is to be told of: a share in per cent, that it is asked, or that it can't be."""
    month = Month.containing(moment.today)
    ruling = store.rulings(moment.session, month.first_day).get((cap.rule.name, int(cap.rule.usd)))
    if (ruling is not None and ruling.state != cash.RAISED) or _was(moment, cap, ASK):
        return None
    used = NanoUSD(spending.total(moment, month).used)
    since = first_instant(month.first_day, moment.zone)
    if used >= cap.now.usd or store.has_stopped(moment.session, cap.rule.name, cap.now.usd, since):
        return ASK if small_board.can_decide(moment, STANDARD) else UNASKED
    share = cash.share_reached(used, cap.now.usd, moment.handbook.holds.cash_percent)
    return None if share is None else f"{share}"


def _untold(moment: Moment, cap: CashCap) -> str | None:
    """The same, where it was not told yet; of shares the highest alone is."""
    what = _reached(moment, cap)
    if what is None or what in (ASK, UNASKED):
        return None if what is None or _was(moment, cap, what) else what
    higher = [one for one in moment.handbook.holds.cash_percent if one >= int(what)]
    return None if any(_was(moment, cap, f"{one}") for one in higher) else what


def _was(moment: Moment, cap: CashCap, what: str) -> bool:
    return runs.is_done(moment.session, CLAIM, _key(moment, cap, what))


def _key(moment: Moment, cap: CashCap, what: str) -> str:
    """Of one share of one limit in one month: a raise has shares of its own."""
    return f"{Month.containing(moment.today)}:{int(cap.rule.usd)}:{int(cap.now.usd)}:{what}:{cap.rule.name}"


def _watch(moment: Moment, cap: CashCap) -> str | None:
    what = _untold(moment, cap)
    if what is None:
        return None
    key = _key(moment, cap, what)
    if not runs.claim(moment.session, CLAIM, key, now=moment.now):
        return None
    if what == ASK:
        questions.ask(moment, cap)
        return ASK
    month = Month.containing(moment.today)
    if what == UNASKED:
        notices.tell_unasked(moment, f"cash_unasked:{key}", cap.rule.name, month)
        return UNASKED
    notices.tell_of_share(moment, f"cash_share:{key}", cap.rule.name, month)
    return SHARE


# --- Questions -----------------------------------------------------------------------------------------------------


def _advance(moment: Moment, question: Question) -> str | None:
    """After an outage the latest of the steps that are due is done, and those before it are left out."""
    if moment.now >= question.lapse_at or questions.rule_of(moment, question) is None:
        questions.lapse(moment, question)
        return "lapse"
    if question.next_at is None or question.next_at > moment.now:
        return None
    instants = {
        "remind": question.remind_at,
        "escalate": question.escalate_at,
        "last_call": question.last_call_at,
        "lapse": question.lapse_at,
    }
    name = [step for step in STEPS if instants[step] <= moment.now][-1]
    later = [step for step in STEPS if moment.now < instants[step] <= question.lapse_at]
    steps: dict[str, object] = {"next_step": later[0], "next_at": instants[later[0]]}
    panel = store.panel(moment.session, question)
    stage = {"escalate": panel.next_stage, "last_call": panel.last_stage}.get(name, lambda _: None)(question.stage)
    if stage is None:
        notices.remind(moment, question, questions.silent(moment, question), name)
        questions.set_step(moment, question, **steps)
    else:
        questions.call_in(moment, question, stage, name, **steps)
    return name
