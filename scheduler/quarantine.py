"""Trying again what waits in quarantine: a price, a person or a service may be known by now."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from programme.usage import intake

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from programme.app import App
    from programme.moment import Moment

logger = logging.getLogger(__name__)

BATCH = 5_000


def retry_all(app: App, *, within: Callable[[], AbstractContextManager[Moment]] | None = None) -> tuple[int, int]:
    """Try every event once, in batches of a transaction each; how many were released and how many still wait."""
    released = held = 0
    after = None
    while True:
        with (within or app.transaction)() as moment:
            tried = intake.retry_quarantine(moment, limit=BATCH, after=after)
        if tried.last is None:
            break
        released, held, after = released + tried.released, held + tried.held, tried.last
    if released:
        logger.info("quarantine: %d released, %d still waiting", released, held)
    return released, held
