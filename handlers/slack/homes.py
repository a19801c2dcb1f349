"""Publishing a person's Home: composed from what holds, never over anything newer, and only where someone looks.

Slack gives every published view a hash, and refuses a view that was meant to replace another one than is there. So
whoever publishes keeps the hash, and anyone who meets a newer view reads everything again and retries.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers import note_failure
from handlers.slack.users import quick
from programme import home
from store.outbox import homes as store
from store.people import directory as people_store
from templates import homes as shown

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from programme.app import App
    from programme.moment import Moment
    from programme.value.standing import RecentFigures
    from store.people.directory import Person
    from templates.blocks import Block

logger = logging.getLogger(__name__)

LOOKS_FOR = timedelta(minutes=15)
"""A person who opened their Home so lately may still be looking at it."""
ATTEMPTS = 3
WORKERS = 2
REFUSALS = ("invalid_blocks", "invalid_arguments")


class Homes:
    """Shows Homes anew beside what changed them, so that no one who clicked a button waits for it."""

    def __init__(self, app: App, client: WebClient) -> None:
        self._app, self._client = app, client
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="home")

    def refresh(self, person_id: str) -> None:
        """Show someone's Home anew soon, if they looked at it lately."""
        try:
            self._pool.submit(refresh, self._app, self._client, person_id)
        except RuntimeError:
            logger.info("the Home of %s is not updated: the bot is stopping", person_id)

    def close(self) -> None:
        """Finish what is under way."""
        self._pool.shutdown()


def refresh(app: App, client: WebClient, person_id: str) -> bool:
    """Show someone's Home anew if they looked at it lately; whether it was. A failure is logged, never raised."""
    try:
        with app.database.reading() as session:
            opened = store.of(session, person_id)
            if opened is None or app.clock() - opened.opened_at > LOOKS_FOR:
                return False
            person = people_store.by_id(session, person_id)
        if person is None or person.slack_user_id is None:
            return False
        publish(app, client, person)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("the Home of %s was not published: %s", person_id, _reason(error))
        return False
    except Exception as error:  # noqa: BLE001 - what changed it is done, and must not seem to have failed
        note_failure(logger, f"the Home of {person_id}", error)
        return False
    return True


def _reason(error: Exception) -> str:
    return str(error.response["error"]) if isinstance(error, SlackApiError) else type(error).__name__


def publish(app: App, client: WebClient, person: Person) -> None:
    """Publish a person's Home as it is now; raises what the client library raises.

    The hash is read before the state: what is composed is at least as new as the view that it replaces.
    """
    for _ in range(ATTEMPTS):
        with app.reading() as moment:
            before = store.of(moment.session, person.id)
            view = compose(moment, person, app.recent_standing)
        over = before.hash if before else None
        try:
            new = put(client, str(person.slack_user_id), view, over=over)
        except SlackApiError as error:
            if over is None or error.response["error"] != "hash_conflict":
                raise
            continue
        with app.database.transaction() as session:
            kept = store.published(session, person.id, new, over=over)
        # Two who publish first have no hash to tell them of each other.
        if kept or over is not None:
            return
    with app.reading() as moment:
        view = compose(moment, person, app.recent_standing)
    new = put(client, str(person.slack_user_id), view, over=None)
    with app.database.transaction() as session:
        store.forced(session, person.id, new)


def compose(moment: Moment, person: Person, standing: RecentFigures | None = None) -> Block:
    return shown.person(home.of(moment, person, standing))


def put(client: WebClient, slack_user_id: str, view: Block, *, over: str | None) -> str:
    """Publish a view over another one, or whatever is there; its hash. Without charts where Slack refuses them."""
    slack = quick(client)
    try:
        answer: Any = slack.views_publish(user_id=slack_user_id, view=view, hash=over)
    except SlackApiError as error:
        plain = shown.without_native_blocks(view)
        if error.response["error"] not in REFUSALS or len(plain["blocks"]) == len(view["blocks"]):
            raise
        logger.warning("a Home was published without charts: %s", error.response["error"])
        answer = slack.views_publish(user_id=slack_user_id, view=plain, hash=over)
    return str(answer["view"]["hash"])
