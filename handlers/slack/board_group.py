"""The board's user group: read from Slack when the bot starts, when the group changes, and now and then."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers.slack.users import account_of, meet
from policy.reasons import Refusal
from programme.people import board, linking
from store.people import board as board_store
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slack_sdk import WebClient

    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.people.linking import Met
    from programme.people.slack_accounts import SlackAccount

logger = logging.getLogger(__name__)


def refresh(app: App, client: WebClient) -> bool:
    """Read the group's members and keep them; False when Slack does not tell, and what was read before goes on."""
    if app.board_usergroup is None:
        return False
    try:
        read(app, client, app.board_usergroup)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("the board's user group was not read: %s", error)
        return False
    return True


def read(app: App, client: WebClient, usergroup: str) -> None:
    """Read a group's members and keep them; raises what the client library raises."""
    members = list(client.usergroups_users_list(usergroup=usergroup)["users"])
    now = app.clock()
    with app.database.reading() as session:
        unknown = [user for user in members if people_store.by_slack_id(session, user) is None]
    for user in unknown:
        _link(app, client, user)
    with app.transaction(now) as moment:
        board.refresh(moment, usergroup, members)


def _link(app: App, client: WebClient, user: str) -> None:
    """A member who never wrote to the bot is known by their e-mail."""
    try:
        meet(app, client, user, app.clock())
    except Refusal:
        return


def unknown(app: App, client: WebClient, usergroup: str) -> Iterator[tuple[SlackAccount, Met]]:
    """The accounts in a group, as it was read last, that are nobody's, and why; those that Slack describes."""
    with app.database.reading() as session:
        members = sorted(board_store.group_members(session, usergroup))
        nobodys = [user for user in members if people_store.by_slack_id(session, user) is None]
    for user in nobodys:
        try:
            account = account_of(app, client, user, app.clock())
        except Refusal:
            continue
        with app.reading() as moment:
            yield account, linking.meet(moment, account)


def changed(event: dict[str, Any], _body: dict[str, Any], client: WebClient, *, app: App) -> None:
    """A group changed: the board is read again if it is the board's."""
    group = event.get("subteam_id") or event.get("subteam", {}).get("id")
    if group == app.board_usergroup:
        refresh(app, client)


def register(listeners: Listeners, app: App) -> None:
    for event in ("subteam_members_changed", "subteam_updated"):
        listeners.on_event(event, partial(changed, app=app))
