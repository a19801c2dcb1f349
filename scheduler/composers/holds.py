"""That a cap stops someone's calls, from the view that the outbox keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import holds
from views import codec
from views.holds import Stopped

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose_stopped(app: App, view: object) -> Message | None:
    """None once the window is over that stopped them: their calls run again."""
    told = codec.read(Stopped, view)
    if told.denial.cap.resets_at is not None and told.denial.cap.resets_at <= app.clock():
        return None
    return holds.stopped(told)
