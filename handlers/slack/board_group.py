"""The board's user group: read from Slack when the bot starts, when the group changes, and now and then."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers.slack.users import email_of
from policy.reasons import Refusal
from programme.people import board, directory
from store.people import directory as people_store

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk import WebClient

    from programme.app import Desk

logger = logging.getLogger(__name__)


def refresh(desk: Desk, client: WebClient) -> bool:
    """Read the group's members and keep them; False when Slack does not tell, and what was read before goes on."""
    if desk.board_usergroup is None:
        return False
    try:
        read(desk, client, desk.board_usergroup)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("the board's user group was not read: %s", error)
        return False
    return True


def read(desk: Desk, client: WebClient, usergroup: str) -> None:
    """Read a group's members and keep them; raises what the client library raises."""
    members = list(client.usergroups_users_list(usergroup=usergroup)["users"])
    now = desk.clock()
    with desk.reading() as session:
        unknown = [user for user in members if people_store.by_slack_id(session, user) is None]
    for user in unknown:
        _link(desk, client, user)
    with desk.transaction() as session:
        board.refresh(session, usergroup, members, now=now)


def _link(desk: Desk, client: WebClient, user: str) -> None:
    """A member who never wrote to the bot is known by their e-mail."""
    try:
        email = email_of(client, user)
    except Refusal:
        return
    with desk.transaction() as session:
        directory.link(session, slack_user_id=user, email=email, now=desk.clock())


def changed(event: dict[str, Any], client: WebClient, *, desk: Desk) -> None:
    """A group changed: the board is read again if it is the board's."""
    group = event.get("subteam_id") or event.get("subteam", {}).get("id")
    if group == desk.board_usergroup:
        refresh(desk, client)


def register(app: App, desk: Desk) -> None:
    for event in ("subteam_members_changed", "subteam_updated"):
        app.event(event)(partial(changed, desk=desk))
