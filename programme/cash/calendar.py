"""What the calendar does about a month's cash: tell the board of shares, ask it, remind, call in, lapse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import cash
from policy.period import Month, first_instant
from policy.units import NanoUSD
from programme.cash import notices, questions, spending
from programme.exceptions.steps import STEPS
from store import runs
from store.holds import cash as store

if TYPE_CHECKING:
    from datetime import datetime

    from programme.cash.spending import CashCap
    from programme.moment import Moment
    from views.cash import Question

ASK, SHARE, OVERTAKEN = "ask", "share", "overtaken"
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
        share, is_all = _reached(moment, cap)
        if is_all or share is not None:
            steps.append((cap.rule.name, ASK if is_all else SHARE, moment.now))
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


def _reached(moment: Moment, cap: CashCap) -> tuple[int | None, bool]:
    """(the share that the board is to be told of, whether it is to be asked); of what it was not told or asked yet."""
    month = Month.containing(moment.today)
    ruling = store.rulings(moment.session, month.first_day).get((cap.rule.name, int(cap.rule.usd)))
    if (ruling is not None and ruling.state != cash.RAISED) or _was(moment, cap, ASK):
        return None, False
    used = NanoUSD(spending.total(moment, month).used)
    since = first_instant(month.first_day, moment.zone)
    if used >= cap.now.usd or store.has_stopped(moment.session, cap.rule.name, cap.now.usd, since):
        return None, True
    percents = sorted(moment.handbook.holds.cash_percent)
    share = cash.share_reached(used, cap.now.usd, percents)
    if share is None or any(_was(moment, cap, f"{one}") for one in percents if one >= share):
        return None, False
    return share, False


def _was(moment: Moment, cap: CashCap, what: str) -> bool:
    return runs.is_done(moment.session, CLAIM, _key(moment, cap, what))


def _key(moment: Moment, cap: CashCap, what: str) -> str:
    """Of one share of one limit in one month: a raise has shares of its own."""
    return f"{Month.containing(moment.today)}:{int(cap.rule.usd)}:{int(cap.now.usd)}:{what}:{cap.rule.name}"


def _watch(moment: Moment, cap: CashCap) -> str | None:
    share, is_all = _reached(moment, cap)
    if not is_all and share is None:
        return None
    key = _key(moment, cap, ASK if is_all else str(share))
    if not runs.claim(moment.session, CLAIM, key, now=moment.now):
        return None
    if is_all:
        questions.ask(moment, cap)
        return ASK
    notices.tell_of_share(moment, f"cash_share:{key}", cap.rule.name, Month.containing(moment.today))
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
