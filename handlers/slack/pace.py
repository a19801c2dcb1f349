"""One person's clicks and commands do not take the time of everyone else's."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from handlers.rates import BY_PERSON, Buckets
from handlers.slack import own_team
from handlers.slack.listeners import Step
from policy.reasons import Refusal

if TYPE_CHECKING:
    from slack_bolt import App as Bolt
    from slack_bolt import BoltRequest
    from slack_bolt.response import BoltResponse

    from handlers.rates import Rate
    from programme.app import App

logger = logging.getLogger(__name__)


def not_too_fast(request: BoltRequest, *, app: App, buckets: Buckets) -> BoltResponse | None:
    """A step: answers whoever asks faster than anyone types, and does nothing for them meanwhile."""
    user = request.context.user_id
    wait = buckets.seconds_to_wait(user, app.clock()) if user else 0
    if not wait:
        return None
    logger.warning("%s asks too often", user)
    refusal = Refusal(
        "too_fast", "That was more than I can answer at once, so nothing was done.", next_step="Try again in a moment."
    )
    return own_team.answered(refusal, request)


def register(bolt: Bolt, app: App, rate: Rate | None = None) -> None:
    bolt.use(Step(partial(not_too_fast, app=app, buckets=Buckets(rate or BY_PERSON))))
