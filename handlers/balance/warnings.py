"""When a person wants to be warned: `/tokens warnings`, and the button below each warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack.interactions import Modal, on_press, on_submit
from policy.period import day_of
from policy.reasons import FieldsRefused
from policy.warnings import ALL, Choice
from programme.balance import warnings
from store.balance import warnings as store
from store.people import directory as people_store
from templates import render

if TYPE_CHECKING:
    from datetime import datetime

    from slack_bolt import App

    from handlers.slack.interactions import Form, Press, View
    from handlers.tokens import Request
    from programme.app import Desk
    from store.engine import Session

HOURS = [(str(hour), f"{hour:02}:00") for hour in range(24)]


def open_choice(desk: Desk, request: Request) -> Modal | None:
    """`/tokens warnings`."""
    with desk.reading() as session:
        person = people_store.by_slack_id(session, request.slack_user_id)
        return Modal(_form(session, person.id, desk=desk, now=request.now)) if person else None


def press_choose(desk: Desk, press: Press) -> Modal:
    with desk.reading() as session:
        return Modal(_form(session, press.person.id, desk=desk, now=press.now))


def _form(session: Session, person_id: str, *, desk: Desk, now: datetime) -> View:
    offered = [p for p in warnings.rules_of(session, day_of(now, desk.zone)) if p != ALL]
    choice = store.choice(session, person_id)
    chosen = offered if choice.percent is None else [p for p in offered if p in choice.percent]
    return render.modal(
        "warnings/choose",
        options=[(str(percent), f"{percent} %") for percent in offered],
        chosen=[str(percent) for percent in chosen],
        hours=HOURS,
        quiet_from=str(choice.quiet_from),
        quiet_until=str(choice.quiet_until),
    )


def submit_choice(desk: Desk, form: Form) -> None:
    """Keep it; what is no percentage or no hour is refused beside its field."""
    ticked, begin, end = (form.values.get(name, "") for name in ("percent", "quiet_from", "quiet_until"))
    hours = {hour for hour, _ in HOURS}
    problems = {
        name: "Choose an hour." for name, hour in (("quiet_from", begin), ("quiet_until", end)) if hour not in hours
    }
    if problems:
        raise FieldsRefused(problems)
    with desk.transaction() as session:
        offered = {str(percent) for percent in warnings.rules_of(session, day_of(form.now, desk.zone))}
        wanted = frozenset(int(percent) for percent in ticked or () if percent in offered)
        warnings.choose(session, form.person.id, Choice(wanted, int(begin), int(end)), now=form.now)


def register(app: App, desk: Desk) -> None:
    on_press(app, "warnings_choose", press_choose, desk)
    on_submit(app, "warnings_choose", submit_choice, desk)
