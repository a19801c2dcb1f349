"""That a cap stops someone's calls, written from what holds when it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import MicroTokens
from programme.exceptions import emergency
from programme.holds import limits
from templates import holds
from views import codec
from views.holds import Stopped

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose_stopped(app: App, view: object) -> Message | None:
    """None once what stopped them was lifted."""
    told = codec.read(Stopped, view)
    with app.reading() as moment:
        if limits.runs_again(moment, told):
            return None
        helps = bool(told.person_id) and holds.break_glass_helps(told.denial.cap)
        at_once = emergency.available(moment, told.person_id) if helps else MicroTokens(0)
    return holds.stopped(told, at_once)
