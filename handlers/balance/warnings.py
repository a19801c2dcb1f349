"""When a person wants to be warned: `/tokens warnings`, and the button below each warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack.commands import Command
from handlers.slack.interactions import Modal, on_press, on_submit
from policy.period import day_of
from policy.reasons import FieldsRefused
from policy.warnings import ALL, Choice
from programme.balance import warnings
from store.balance import warnings as store
from store.people import directory as people_store
from templates import render

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.moment import Moment

HOURS = [(str(hour), f"{hour:02}:00") for hour in range(24)]


def open_choice(app: App, request: Request) -> Modal | None:
    """`/tokens warnings`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        return Modal(_form(moment, person.id)) if person else None


def press_choose(app: App, press: Press) -> Modal:
    with app.reading(press.now) as moment:
        return Modal(_form(moment, press.person.id))


def _form(moment: Moment, person_id: str) -> View:
    offered = [p for p in warnings.rules_of(moment, moment.today) if p != ALL]
    choice = store.choice(moment.session, person_id)
    chosen = offered if choice.percent is None else [p for p in offered if p in choice.percent]
    return render.modal(
        "warnings/choose",
        options=[(str(percent), f"{percent} %") for percent in offered],
        chosen=[str(percent) for percent in chosen],
        hours=HOURS,
        quiet_from=str(choice.quiet_from),
        quiet_until=str(choice.quiet_until),
    )


def submit_choice(app: App, form: Form) -> None:
    """Keep it; what is no percentage or no hour is refused beside its field."""
    ticked, begin, end = (form.values.get(name, "") for name in ("percent", "quiet_from", "quiet_until"))
    hours = {hour for hour, _ in HOURS}
    problems = {
        name: "Choose an hour from the list, for example 22:00."
        for name, hour in (("quiet_from", begin), ("quiet_until", end))
        if hour not in hours
    }
    if problems:
        raise FieldsRefused(problems)
    with app.transaction(form.now) as moment:
        offered = {str(percent) for percent in warnings.rules_of(moment, day_of(form.now, app.zone))}
        wanted = frozenset(int(percent) for percent in ticked or () if percent in offered)
        warnings.choose(moment, form.person.id, Choice(wanted, int(begin), int(end)))


COMMANDS = (
    Command(
        "warnings",
        "",
        "at what share of your tokens you are warned, and when not",
        open_choice,
        button="warnings_choose",
    ),
)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "warnings_choose", press_choose, app)
    on_submit(listeners, "warnings_choose", submit_choice, app)
