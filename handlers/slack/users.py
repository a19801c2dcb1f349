"""What Slack knows of a user."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from policy.reasons import Refusal
from programme.people import linking, slack_accounts
from programme.people.slack_accounts import SlackAccount

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import App
    from programme.people.linking import Met

logger = logging.getLogger(__name__)

NOBODY = ("user_not_found", "user_not_visible")
PATIENCE_SECONDS = 2
"""A command has to be answered within three seconds."""
FURTHER_PATIENCE_SECONDS = 0.5
"""What a second or third question to Slack may take of them."""


def quick(client: WebClient, patience: float | None = None) -> WebClient:
    """The client, but patient only as long as someone who waits for an answer; the library would try again."""
    timeout: Any = patience or PATIENCE_SECONDS
    return WebClient(token=client.token, base_url=client.base_url, timeout=timeout, retry_handlers=[])


def meet(app: App, client: WebClient, slack_user_id: str, now: datetime) -> Met:
    """First contact: ask Slack who somebody is, outside of any transaction, and link them if they may be linked."""
    account = account_of(app, client, slack_user_id, now)
    with app.reading(now) as moment:
        earlier = linking.to_look_at(moment, account)
    is_used = earlier is None or is_active(client, earlier)
    # What is done once is what comes after it.
    with app.once("").transaction(now) as moment:
        return linking.link(moment, account, earlier_is_active=is_used)


def account_of(app: App, client: WebClient, slack_user_id: str, now: datetime) -> SlackAccount:
    """A user as Slack describes them, compared with the bot's own workspace; an unknown one has no e-mail.

    When Slack does not answer, or not to the point, that is a Refusal: the person can try again.
    """
    try:
        user = quick(client).users_info(user=slack_user_id)["user"]
        is_ours = app.own_team.includes(slack_accounts.home_of(user), lambda: own_team(client), now)
    except (SlackApiError, SlackClientError, OSError) as error:
        if isinstance(error, SlackApiError) and error.response["error"] in NOBODY:
            return SlackAccount(slack_user_id, is_known=False)
        logger.warning("users.info failed for %s: %s", slack_user_id, error)
        raise Refusal(
            "slack_silent", "Slack didn't tell me who you are.", next_step="Please try again in a minute."
        ) from error
    return slack_accounts.account_of(user, is_ours=is_ours)


def own_team(client: WebClient) -> Any:  # noqa: ANN401 - what Slack answers
    """What Slack says of the bot's own workspace."""
    return quick(client, FURTHER_PATIENCE_SECONDS).auth_test()


def is_active(client: WebClient, slack_user_id: str) -> bool:
    """Whether an account is still in use; taken to be, where Slack does not say."""
    try:
        user = quick(client, FURTHER_PATIENCE_SECONDS).users_info(user=slack_user_id)["user"]
    except (SlackApiError, SlackClientError, OSError) as error:
        return not (isinstance(error, SlackApiError) and error.response["error"] in NOBODY)
    return not user.get("deleted")
