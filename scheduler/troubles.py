"""What Slack may answer instead of taking a message, what a courier then does, and what people can do."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from slack_sdk.errors import SlackApiError

Course = Literal["back_off", "wait", "stop", "hold", "park"]
"""Try again later, and leave Slack alone for a moment; wait as long as Slack says and send nothing else; stop until the
app is mended; hold this message alone until then; set aside."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
MOST_ATTEMPTS = 10
STOPPED_FOR = timedelta(minutes=5)

TOKEN = "Install the app again and set SLACK_BOT_TOKEN; the messages then go out by themselves."  # noqa: S105 - advice
REMEDIES = {
    "account_inactive": TOKEN,
    "invalid_auth": TOKEN,
    "not_authed": TOKEN,
    "token_expired": TOKEN,
    "token_revoked": TOKEN,
    "missing_scope": "Paste `tokens-bot manifest` into the app's settings and install it again.",
    "is_archived": "Unarchive the channel, or set TOKENS_ANNOUNCE_CHANNEL to another for the next ones; "
    "then `tokens-bot deliver --retry KEY`.",
    "not_in_channel": "/invite the bot to the channel, then `tokens-bot deliver --retry KEY`.",
    "channel_not_found": "The channel is gone or hidden, or the person is deactivated. Settle that, then "
    "`tokens-bot deliver --retry KEY`.",
    "user_disabled": "The person is deactivated in Slack. If they are back, `tokens-bot deliver --retry KEY`.",
    "user_not_found": "Correct the person's slack_user_id (`people import`), then `tokens-bot deliver --retry KEY`.",
    "cannot_dm_bot": "Correct the person's slack_user_id (`people import`), then `tokens-bot deliver --retry KEY`.",
    "no_slack_user": "No one in Slack has the person's e-mail. Correct it, or set their slack_user_id "
    "(`people import`), then `tokens-bot deliver --retry KEY`.",
    "slack_user_taken": "The Slack user with the person's e-mail is on record as someone else. Correct either "
    "slack_user_id (`people import`), then `tokens-bot deliver --retry KEY`.",
    "unknown_template": "This version of the bot does not know the message: update it, then "
    "`tokens-bot deliver --retry KEY`.",
    "anchor_parked": "The message that it belongs to did not go out. Settle that one, then "
    "`tokens-bot deliver --retry KEY` for both.",
    "message_not_found": "Someone deleted the message in Slack. What it said still applies; nothing has to be done.",
    "certificate": "Something between the bot and Slack answers with a certificate of its own: let Slack through, "
    "or set SSL_CERT_FILE to its authority.",
    "not_written": "The message could not be composed; the log has the reason. Report it.",
}
ANY_OTHER = "Settle what Slack says, then `tokens-bot deliver --retry KEY`."

STOPPING = frozenset(
    {"account_inactive", "invalid_auth", "missing_scope", "not_authed", "token_expired", "token_revoked"}
)
PASSING = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
TOO_MANY, SERVER_ERRORS = 429, 500


@dataclass(frozen=True, slots=True)
class Trouble:
    """`performed` is whether Slack may have done what was asked in spite of the answer."""

    code: str
    course: Course
    retry_after: timedelta = timedelta(0)
    performed: bool = False


def of(error: Exception) -> Trouble:
    """What an error of the client library means."""
    if not isinstance(error, SlackApiError):
        return Trouble("certificate" if is_certificate(error) else "no_answer", "back_off", performed=True)
    code, status = str(error.response.get("error") or "no_answer"), getattr(error.response, "status_code", 200)
    if status == TOO_MANY or code in {"ratelimited", "rate_limited"}:
        return Trouble("ratelimited", "wait", retry_after=_retry_after(error))
    if status >= SERVER_ERRORS or code in PASSING:
        return Trouble(code, "back_off", performed=True)
    return Trouble(code, "stop" if code in STOPPING else "park")


def is_certificate(error: BaseException) -> bool:
    """Whether somebody answered for Slack with a certificate that this machine doesn't trust, such as a proxy."""
    return isinstance(error, ssl.SSLCertVerificationError) or isinstance(
        getattr(error, "reason", None), ssl.SSLCertVerificationError
    )


def _retry_after(error: SlackApiError) -> timedelta:
    headers = {name.lower(): value for name, value in getattr(error.response, "headers", {}).items()}
    try:
        return timedelta(seconds=max(int(headers.get("retry-after", 1)), 1))
    except ValueError:
        return FIRST_WAIT


def wait(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 s, 10 s, 20 s … 15 minutes."""
    return min(FIRST_WAIT * (1 << min(attempts, 20)), LONGEST_WAIT)


def remedy(problem: str) -> str:
    return REMEDIES.get(problem, ANY_OTHER)
