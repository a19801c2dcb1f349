"""Drawing the picture of a message: one that cannot be drawn is left out, and the words go."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.charts import Picture

logger = logging.getLogger(__name__)


def drawn(draw: Callable[[], Picture | None]) -> Picture | None:
    """A picture; None where drawing it fails, which is in the log with its place and without any figure."""
    try:
        return draw()
    except Exception as error:  # noqa: BLE001 - whatever it is, the words are worth more than the picture
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("a picture cannot be drawn: %s\n%s", type(error).__qualname__, where)  # noqa: TRY400 - no figures
        return None
