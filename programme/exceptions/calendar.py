"""What the calendar does about requests: remind, call in, lapse; tell before an exception ends, ask what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.period import first_instant
from policy.units import MICRO_PER_TOKEN
from programme.exceptions import notices, voting
from programme.exceptions.request import case_of, move
from programme.exceptions.steps import NO_STEP, STEPS, steps_after
from store.exceptions import requests as store
from store.people import directory as people_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.people.directory import Person


def advance(moment: Moment, request_id: str) -> str | None:
    """Do what is due about a request, once; what was done, or None when someone else did it.

    After an outage the latest of the steps that are due is done, and those before it are left out.
    """
    request = store.lock(moment.session, request_id)
    if request is None or request.next_at is None or request.next_at > moment.now:
        return None
    if request.is_undecided:
        return _advance_undecided(moment, request)
    return _advance_credited(moment, request)


def _advance_undecided(moment: Moment, request: Request) -> str:
    instants = {
        "remind": request.remind_at,
        "escalate": request.escalate_at,
        "last_call": request.last_call_at,
        "lapse": request.lapse_at,
    }
    if moment.now >= request.lapse_at:
        voting.lapse(moment, request)
        return "lapse"
    name = [step for step in STEPS if instants[step] <= moment.now][-1]
    following = next(step for step in STEPS if instants[step] > moment.now)
    steps: dict[str, object] = {"next_step": following, "next_at": instants[following]}
    case = case_of(moment, request)
    panel = case.panel
    stage = {"escalate": panel.next_stage, "last_call": panel.last_stage}.get(name, lambda _: None)(request.stage)
    if stage is None:
        notices.remind(moment, request, case.silent(), name)
        move(moment, request, **steps)
    else:
        voting.call_in(moment, case, stage, name, **steps)
    return name


def _advance_credited(moment: Moment, request: Request) -> str:
    last_day = request.granted_last_day
    assert last_day is not None  # noqa: S101 - it is credited
    person = people_store.by_id(moment.session, request.person_id)
    assert person is not None  # noqa: S101 - a foreign key
    planned = steps_after(last_day, moment.handbook, people_store.zone_of(person, moment.zone), moment.zone)
    due = [step for step, at in planned if at <= moment.now]
    later = [(step, at) for step, at in planned if at > moment.now]
    steps = dict(zip(("next_step", "next_at"), later[0], strict=True)) if later else NO_STEP
    moved = move(moment, request, **steps)
    step = due[-1] if due else str(request.next_step)
    if step == "outcome":
        _ask_outcome(moment, moved, person)
    elif (
        moment.now < first_instant(last_day + timedelta(days=1), moment.zone)
        and store.remaining(moment.session, moved) >= MICRO_PER_TOKEN
    ):
        notices.notice(moment, moved, int(step.partition(":")[2]))
    return step


def _ask_outcome(moment: Moment, request: Request, person: Person) -> None:
    gone = person.left_on is not None and person.left_on < moment.today
    if request.outcome is None and not gone:
        notices.ask_outcome(moment, request)
