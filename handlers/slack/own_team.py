"""Who belongs to another workspace has no part in the programme: whatever they click or send is answered kindly.

People of other companies can click in channels that are shared with theirs, and ids are unique in a workspace only. So
each request is compared with the bot's own workspace before anything looks at who sent it. Where Slack names no
workspace of theirs, as when someone opens Home, `users.info` says it at first contact.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers import contact_of
from handlers.slack import interactions, users
from handlers.slack.listeners import Step
from programme.people import linking, slack_accounts
from programme.people.slack_accounts import SlackAccount, Team
from templates import render

if TYPE_CHECKING:
    from datetime import datetime

    from slack_bolt import App as Bolt
    from slack_bolt import BoltContext, BoltRequest
    from slack_bolt.response import BoltResponse

    from policy.reasons import Refusal
    from programme.app import App

logger = logging.getLogger(__name__)


def sender_of(body: dict[str, Any]) -> Team:
    """The workspace and organization of whoever sent something; for commands and events those that they are in."""
    if (event := body.get("event")) is not None:
        team = _named(event, "user_team") or _named(event, "source_team")
        return Team(team, None) if team else Team(_named(body, "team_id"), _named(body, "enterprise_id"))
    team_in, enterprise = body.get("team"), body.get("enterprise")
    named = _named(body.get("user"), "team_id") or _named(team_in, "id") or _named(body, "team_id")
    organization = _named(enterprise, "id") or _named(team_in, "enterprise_id") or _named(body, "enterprise_id")
    return Team(named, organization)


def _named(part: Any, key: str) -> str | None:  # noqa: ANN401 - whatever JSON holds
    """An id, where a part of a request has one; anything else that stands there names no one."""
    found = part.get(key) if isinstance(part, dict) else None
    return found if isinstance(found, str) else None


def is_outsider(app: App, context: BoltContext, body: dict[str, Any], now: datetime) -> bool:
    """Whether someone is of another workspace than the bot, and of no organization that it is part of."""
    sender, known = sender_of(body), context.authorize_result
    if known is None or not any(sender):
        return False
    installed = Team(known.team_id, known.enterprise_id)
    app.own_team.seed(installed, now)
    if installed.includes(sender):
        return False
    # The library asks Slack once, at the first request: the workspace may be in an organization since.
    try:
        return not app.own_team.includes(sender, lambda: users.own_team(context.client), now)
    except (SlackApiError, SlackClientError, OSError):
        return True


def only_ours(request: BoltRequest, *, app: App) -> BoltResponse | None:
    """A step: lets requests of our own people pass, and answers the others."""
    context, now = request.context, app.clock()
    if not is_outsider(app, context, request.body, now):
        return None
    logger.info("%s is of another workspace", context.user_id)
    with app.reading(now) as moment:
        account = SlackAccount(str(context.user_id), barred=slack_accounts.OUTSIDER)
        refusal = linking.barred(account, contact_of(moment))
    return answered(refusal, request)


def answered(refusal: Refusal, request: BoltRequest) -> BoltResponse:
    """Say why nothing was done, in the way that what was sent is answered; events are only acknowledged."""
    body, ack = request.body, request.context.ack
    said = render.message("shared/refusal", refusal=refusal)
    if "command" in body:
        return ack(**said.ephemeral())
    if body.get("type") == "view_submission":
        return ack(response_action="update", view=interactions.closed(str(refusal)))
    if body.get("type") == "block_suggestion":
        return ack(options=[])
    if body.get("type") == "block_actions":
        interactions.tell(request.context.client, body, said)
    return ack()


def register(bolt: Bolt, app: App) -> None:
    bolt.use(Step(partial(only_ours, app=app)))
