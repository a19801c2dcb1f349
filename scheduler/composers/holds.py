"""That a cap stops someone's calls, from the view that the outbox keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import holds
from views import codec
from views.holds import Stopped

if TYPE_CHECKING:
    from templates.charts import Picture
    from templates.render import Message


def compose_stopped(view: object) -> tuple[Message, Picture | None]:
    return holds.stopped(codec.read(Stopped, view)), None
