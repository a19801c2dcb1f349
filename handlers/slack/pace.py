"""One person's clicks and commands do not take the time of everyone else's."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from handlers.rates import BY_PERSON, Buckets
from handlers.slack import own_team
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt import Ack, BoltContext
    from slack_bolt import App as Bolt
    from slack_bolt.response import BoltResponse
    from slack_sdk import WebClient

    from handlers.rates import Rate
    from programme.app import App

logger = logging.getLogger(__name__)


def not_too_fast(
    body: dict[str, Any],
    context: BoltContext,
    client: WebClient,
    ack: Ack,
    next: Callable[[], BoltResponse],  # noqa: A002 - Bolt's name
    *,
    app: App,
    buckets: Buckets,
) -> BoltResponse | None:
    """Bolt's middleware: answers whoever asks faster than anyone types, and does nothing for them meanwhile."""
    wait = buckets.seconds_to_wait(str(context.user_id), app.clock()) if context.user_id else 0
    if not wait:
        return next()
    logger.warning("%s asks too often", context.user_id)
    refusal = Refusal(
        "too_fast", "That was more than I can answer at once, so nothing was done.", next_step="Try again in a moment."
    )
    return own_team.answered(refusal, body, client, ack)


def register(bolt: Bolt, app: App, rate: Rate | None = None) -> None:
    bolt.use(partial(not_too_fast, app=app, buckets=Buckets(rate or BY_PERSON)))
