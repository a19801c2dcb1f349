"""What the calendar does about requests: remind, call in, lapse; tell before an exception ends, ask what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import day_of, first_instant
from policy.units import MICRO_PER_TOKEN
from programme import handbooks
from programme.exceptions import asking, notices, voting
from programme.exceptions.asking import STEPS
from store.exceptions import requests as store
from store.people import directory as people_store

if TYPE_CHECKING:
    from datetime import date, datetime

    from programme.app import Desk
    from store.engine import Session
    from store.exceptions.requests import Request


def advance(session: Session, request_id: str, *, desk: Desk, now: datetime) -> str | None:
    """Do what is due about a request, once; what was done, or None when someone else did it.

    After an outage the latest of the steps that are due is done, and those before it are left out.
    """
    if not store.lock(session, request_id):
        return None
    request = store.get(session, request_id)
    if request is None or request.next_at is None or request.next_at > now:
        return None
    if request.is_undecided:
        return _advance_undecided(session, request, desk=desk, now=now)
    return _advance_credited(session, request, desk=desk, now=now)


def _advance_undecided(session: Session, request: Request, *, desk: Desk, now: datetime) -> str:
    instants = {
        "remind": request.remind_at,
        "escalate": request.escalate_at,
        "last_call": request.last_call_at,
        "lapse": request.lapse_at,
    }
    if now >= request.lapse_at:
        voting.lapse(session, request, desk=desk, now=now)
        return "lapse"
    name = [step for step in STEPS if instants[step] <= now][-1]
    following = next(step for step in STEPS if instants[step] > now)
    steps: dict[str, object] = {"next_step": following, "next_at": instants[following]}
    panel = store.panel(session, request)
    stage = {"escalate": panel.next_stage, "last_call": panel.last_stage}.get(name, lambda _: None)(request.stage)
    if stage is None:
        notices.remind(session, request, panel, name, desk=desk, now=now)
        asking.move(session, request, **steps)
    else:
        voting.call_in(session, request, stage, name, desk=desk, now=now, **steps)
    return name


def _advance_credited(session: Session, request: Request, *, desk: Desk, now: datetime) -> str:
    last_day = request.granted_last_day
    assert last_day is not None  # noqa: S101 - it is credited
    today = day_of(now, desk.zone)
    book = handbooks.load(session).on(today)
    zone = voting.zone_of(session, request.person_id)
    planned = voting.steps_after(last_day, book, zone, desk.zone)
    due = [step for step, at in planned if at <= now]
    later = [(step, at) for step, at in planned if at > now]
    steps = (
        dict(zip(("next_step", "next_at"), later[0], strict=True)) if later else {"next_step": None, "next_at": None}
    )
    moved = asking.move(session, request, **steps)
    step = due[-1] if due else str(request.next_step)
    if step == "outcome":
        _ask_outcome(session, moved, today, desk=desk, now=now)
    elif (
        now < first_instant(last_day + timedelta(days=1), desk.zone)
        and store.remaining(session, moved) >= MICRO_PER_TOKEN
    ):
        notices.notice(session, moved, int(step.partition(":")[2]), desk=desk, now=now)
    return step


def _ask_outcome(session: Session, request: Request, today: date, *, desk: Desk, now: datetime) -> None:
    person = people_store.by_id(session, request.person_id)
    gone = person is None or (person.left_on is not None and person.left_on < today)
    if request.outcome is None and not gone:
        notices.ask_outcome(session, request, desk=desk, now=now)
