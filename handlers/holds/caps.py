"""`/tokens caps`: what limits someone's calls now, what is left of each cap, and when it resets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack.commands import Command, Request
from handlers.slack.interactions import on_press
from programme.holds import limits, pricing
from store.people import directory as people_store
from templates import holds as words

if TYPE_CHECKING:
    from handlers.slack.interactions import Press
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.render import Message


def show_caps(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        return words.caps(limits.of(moment, pricing.known(moment, person.id)))


def press_caps(app: App, press: Press) -> Message | None:
    return show_caps(app, Request(str(press.person.slack_user_id), "", press.now))


COMMANDS = (Command("caps", "", "what limits your calls now, and what is left of it", show_caps, button="caps_show"),)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "caps_show", press_caps, app)
