"""What Slack may answer instead of taking a message, and what a courier then does (docs/decisions/0010, 0030)."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Literal, TypeVar

from slack_sdk.errors import SlackApiError, SlackClientError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

Course = Literal["back_off", "retry", "wait", "pace", "stop", "hold", "park"]
"""Try again later, and leave Slack alone for a moment; try this message alone again later; wait as long as Slack says
and send nothing else; let others go first until its rate allows this message; stop until the app is mended; hold this
message alone until then; set aside."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=15)
LONGEST_LIMIT = timedelta(hours=1)
"""No longer than that is waited because of a `Retry-After`, whatever it says."""
MOST_ATTEMPTS = 10
STOPPED_FOR = timedelta(minutes=5)

NO_ANSWER, CERTIFICATE, RATE_LIMITED = "no_answer", "certificate", "ratelimited"

OF_THE_APP = frozenset({
    "access_denied",
    "accesslimited",
    "account_inactive",
    "app_access_restricted",
    "deprecated_endpoint",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "invalid_auth",
    "invalid_token",
    "message_limit_exceeded",
    "messages_tab_disabled",
    "method_deprecated",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
    "unknown_method",
})  # fmt: skip
"""Refusals that would meet every message alike."""

OF_THE_METHOD = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})
"""Those of them that may be about one question, when it was a question."""

PASSING = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})

OF_ONE_MESSAGE = frozenset({
    "as_user_not_supported",
    "attachment_payload_limit_exceeded",
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "cant_update_message",
    "channel_is_archived",
    "channel_not_found",
    "duplicate_channel_not_found",
    "duplicate_message_not_found",
    "edit_window_closed",
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_thread_ts",
    "invalid_users_list",
    "is_archived",
    "is_inactive",
    "message_not_found",
    "metadata_too_large",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "not_in_channel",
    "posting_to_general_channel_denied",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "slack_connect_file_link_sharing_blocked",
    "thread_locked",
    "thread_not_found",
    "too_many_attachments",
    "user_disabled",
    "user_not_found",
    "user_not_in_channel",
    "user_not_visible",
    "users_not_found",
})  # fmt: skip
"""Refusals of one message, or of one place: the others can go on at once."""

TOO_MANY, SERVER_ERRORS = 429, 500
_CODE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Trouble:
    """`performed` is whether Slack may have done what was asked in spite of the answer."""

    code: str
    course: Course
    retry_after: timedelta = timedelta(0)
    performed: bool = False


class Refused(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """What keeps a message from going out."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.code)
        self.trouble = trouble


class OddAnswerError(Exception):
    """Slack says `ok` without saying what it did."""


class PictureNotTakenError(Exception):
    """The bytes of a picture did not arrive where Slack wants them."""


def of(error: Exception) -> Trouble:
    """What an error of the client library, or one of the two above, means."""
    if isinstance(error, OddAnswerError):
        return Trouble("odd_answer", "park", performed=True)
    if isinstance(error, PictureNotTakenError):
        return Trouble("picture_not_taken", "retry")
    if not isinstance(error, SlackApiError):
        return Trouble(CERTIFICATE if is_certificate(error) else NO_ANSWER, "back_off", performed=True)
    code, status = said(error), getattr(error.response, "status_code", 200)
    if status == TOO_MANY or code in {"ratelimited", "rate_limited"}:
        return Trouble(RATE_LIMITED, "wait", retry_after=_retry_after(error), performed=code is None)
    if code is None or status >= SERVER_ERRORS or code in PASSING:
        return Trouble(code or NO_ANSWER, "back_off", performed=True)
    return Trouble(code, _course(code))


def _course(code: str) -> Course:
    if code in OF_THE_APP:
        return "stop"
    # What no one has listed may meet every message: they are not to be parked one after the other.
    return "park" if code in OF_ONE_MESSAGE else "back_off"


def said(error: SlackApiError) -> str | None:
    """The code in Slack's answer; None where no one can say that it is Slack's.

    Only a JSON object with a one-word `error` is an answer. A page, `{}`, `null`, `[]` or nothing comes from a proxy,
    a firewall, or a Slack that is ailing: what was asked may have been done or not.
    """
    answer = getattr(error.response, "data", error.response)
    code = answer.get("error") if isinstance(answer, dict) and answer.get("ok") is False else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def asked(call: Callable[[], T], *, posting: bool, renewing: bool = False) -> T:
    """What Slack answers; only a call that posts can leave a message behind although it failed.

    One that gives a message a new face can show that late, in place of a later one.
    """
    try:
        return call()
    except (SlackApiError, SlackClientError, OddAnswerError, PictureNotTakenError, OSError, HTTPException) as error:
        trouble = of(error)
        if not posting:
            # Others may need no answer to this question.
            course = "hold" if trouble.code in OF_THE_METHOD else trouble.course
            trouble = replace(trouble, performed=trouble.performed and renewing, course=course)
        raise Refused(trouble) from error


def is_certificate(error: BaseException) -> bool:
    """Whether somebody answered for Slack with a certificate that this machine doesn't trust, such as a proxy."""
    return isinstance(error, ssl.SSLCertVerificationError) or isinstance(
        getattr(error, "reason", None), ssl.SSLCertVerificationError
    )


def _retry_after(error: SlackApiError) -> timedelta:
    headers = {name.lower(): value for name, value in getattr(error.response, "headers", {}).items()}
    try:
        seconds = max(int(headers.get("retry-after", 1)), 1)
    except ValueError:
        return FIRST_WAIT
    return timedelta(seconds=min(seconds, int(LONGEST_LIMIT.total_seconds())))


def wait(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 5 s, 10 s, 20 s … 15 minutes."""
    return min(FIRST_WAIT * (1 << min(attempts, 20)), LONGEST_WAIT)
