"""The Bolt app: every topic registers its listeners here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_bolt import App as Bolt
from slack_bolt import BoltRequest
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient

from handlers import home, note_failure
from handlers.appeals import annual, deciding
from handlers.balance import balance, warnings
from handlers.cash import voting as cash_voting
from handlers.exceptions import asking, voting
from handlers.gates import board as gates_board
from handlers.handbook import proposals, services
from handlers.holds import caps
from handlers.offers import forms as offers
from handlers.offers import listings, worth
from handlers.reconciliation import findings
from handlers.reports import team
from handlers.reviews import board, thresholds
from handlers.roi import report
from handlers.slack import SLACK_API_URL, board_group, conversation, own_team, pace
from handlers.slack.commands import Commands
from handlers.slack.listeners import Listeners, Step
from policy import texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt.authorization import AuthorizeResult

    from handlers.rates import Rate
    from programme.app import App

logger = logging.getLogger(__name__)

DEEPEST = 64

COMMANDS = Commands(
    *balance.COMMANDS,
    *worth.COMMANDS,
    *asking.COMMANDS,
    *team.COMMANDS,
    *deciding.COMMANDS,
    *warnings.COMMANDS,
    *caps.COMMANDS,
    *services.COMMANDS,
    *proposals.COMMANDS,
    *voting.COMMANDS,
    *report.COMMANDS,
    *offers.COMMANDS,
    *listings.COMMANDS,
)
"""What `/tokens` understands, its help lists and the manifest hints at."""
TOPICS = (
    COMMANDS,
    balance,
    asking,
    voting,
    cash_voting,
    proposals,
    board,
    thresholds,
    gates_board,
    deciding,
    annual,
    warnings,
    caps,
    findings,
    offers,
    home,
    board_group,
)


def build(
    app: App,
    *,
    token: str | None = None,
    signing_secret: str | None = None,
    api_url: str = SLACK_API_URL,
    authorize: Callable[..., AuthorizeResult] | None = None,
    rate: Rate | None = None,
) -> Bolt:
    """The app for one workspace.

    `process_before_response`: a listener runs in the thread that received the request and the acknowledgement goes out
    when it returns, after its commit. `authorize` replaces the token where there is no workspace to ask; `rate` is
    how often a person may ask, where that is not the usual one.
    """
    bolt = Bolt(
        # Else the library looks for a name in the whole stack of callers, and reads their files for it.
        name="tokens-bot",
        client=WebClient(token=token, base_url=api_url),
        signing_secret=signing_secret,
        # Socket Mode has no signatures; Bolt then wants no secret.
        request_verification_enabled=signing_secret is not None,
        process_before_response=True,
        authorize=authorize,
        token_verification_enabled=False,
        # Else the library would log what it does not know whole.
        raise_error_for_unhandled_request=True,
    )
    bolt.use(Step(_clean))
    own_team.register(bolt, app)
    pace.register(bolt, app, rate)
    bolt.use(Step(listeners(app).answer))
    bolt.error(_answer_failure)
    return bolt


def listeners(app: App) -> Listeners:
    """Those of every topic."""
    found = Listeners()
    for topic in TOPICS:
        topic.register(found, app)
    conversation.register(found, app, COMMANDS)
    return found


def _clean(request: BoltRequest) -> None:
    """What people typed, without what no database takes: one place for all commands, forms, buttons and events."""
    body = request.body
    for key, value in body.items():
        body[key] = _cleaned(value)


def _cleaned(value: Any, deep: int = 0) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Nothing that is nested deeper than Slack nests anything: it would only exhaust the stack."""
    if isinstance(value, str):
        return texts.storable(value)
    if isinstance(value, list | dict) and deep == DEEPEST:
        return None
    if isinstance(value, list):
        return [_cleaned(one, deep + 1) for one in value]
    if isinstance(value, dict):
        return {key: _cleaned(one, deep + 1) for key, one in value.items()}
    return value


def _answer_failure(error: Exception, body: dict[str, Any]) -> BoltResponse:
    if isinstance(error, BoltUnhandledRequestError):
        logger.warning("nothing here handles a request of the kind %.40r", body.get("type"))
        return BoltResponse(status=404, body={"error": "unhandled request"})
    failure_id = note_failure(logger, str(body.get("command") or body.get("type")), error)
    text = f"Something went wrong on our side. Please tell the administrators the number {failure_id}."
    return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
