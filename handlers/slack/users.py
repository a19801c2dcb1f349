"""What Slack knows of a user."""

from __future__ import annotations

import logging

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from policy.reasons import Refusal

logger = logging.getLogger(__name__)

NOBODY = ("user_not_found", "user_not_visible")
PATIENCE_SECONDS = 2
"""A command has to be answered within three seconds."""


def quick(client: WebClient) -> WebClient:
    """The client, but patient only as long as someone who waits for an answer; the library would try again."""
    return WebClient(token=client.token, base_url=client.base_url, timeout=PATIENCE_SECONDS, retry_handlers=[])


def email_of(client: WebClient, slack_user_id: str) -> str | None:
    """The e-mail of a full member of the workspace; None for bots, guests, strangers and people who left.

    When Slack does not answer, or not to the point, that is a Refusal: the person can try again.
    """
    try:
        user = quick(client).users_info(user=slack_user_id)["user"]
    except (SlackApiError, SlackClientError, OSError) as error:
        if isinstance(error, SlackApiError) and error.response["error"] in NOBODY:
            return None
        logger.warning("users.info failed for %s: %s", slack_user_id, error)
        raise Refusal(
            "slack_silent", "Slack didn't tell me who you are.", next_step="Please try again in a minute."
        ) from error
    if any(user.get(flag) for flag in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")):
        return None
    email = user.get("profile", {}).get("email")
    return str(email) if email else None
