"""App Home: shown when someone opens it, with buttons for what people do most."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers import contact_of, note_failure
from handlers.balance.balance import show_why
from handlers.slack import homes
from handlers.slack.commands import Request
from handlers.slack.interactions import known_person, on_press
from policy.reasons import Refusal
from store.outbox import homes as store
from templates import render

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from handlers.slack.interactions import Press
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from templates.blocks import Block
    from templates.render import Message

logger = logging.getLogger(__name__)


def opened(event: dict[str, Any], _body: dict[str, Any], client: WebClient, *, app: App) -> None:
    """Someone looks at the app: show them their Home, whoever they are."""
    user = event.get("user")
    if event.get("tab") != "home" or not isinstance(user, str):
        return
    try:
        view = _show(app, client, user)
        if view is not None:
            homes.put(client, user, view, over=None)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("the Home of %s was not published: %s", user, error)


def _show(app: App, client: WebClient, user: str) -> Block | None:
    """Publish the Home of someone we know; else what to show instead."""
    now = app.clock()
    try:
        person = known_person(app, client, user, now)
        with app.database.transaction() as session:
            store.opened(session, person.id, now=now)
        homes.publish(app, client, person)
    except Refusal as refusal:
        if refusal.code == "unknown_person":
            with app.reading(now) as moment:
                return render.home("unknown", contact=contact_of(moment))
        return render.home("refused", refusal=refusal)
    except (SlackApiError, SlackClientError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the person sees something
        failure_id = note_failure(logger, "app_home_opened", error)
        return render.home("failure", failure_id=failure_id, contact="the administrators")
    return None


def press_why(app: App, press: Press) -> Message | None:
    """The arithmetic behind the balance, as `/tokens why` tells it."""
    return show_why(app, Request(str(press.person.slack_user_id), "", press.now))


def register(listeners: Listeners, app: App) -> None:
    listeners.on_event("app_home_opened", partial(opened, app=app))
    on_press(listeners, "home_why", press_why, app)
