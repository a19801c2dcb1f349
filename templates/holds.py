"""What gateways and people are told of caps, from their views."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from templates import render

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from templates.render import Message
    from views.holds import CapTold, Denial, Limits, Stopped


def sentence(denial: Denial, zone: ZoneInfo) -> str:
    """A denial in one sentence, for an agent and whoever reads what it says."""
    return str(_plain().sentence(denial, _when(denial.cap, zone)))


def next_step(denial: Denial, zone: ZoneInfo) -> str:
    """What to do about it, alone."""
    said = str(_plain().next_step(denial, _when(denial.cap, zone)))
    return f"{said[:1].upper()}{said[1:]}."


def warning(cap: CapTold) -> str:
    """That a call runs although a cap is reached."""
    said = str(_plain().figures(cap))
    return f"{said[:1].upper()}{said[1:]}; for now that only warns."


@cache
def _plain() -> Any:  # noqa: ANN401 - a template's macros
    """The same words without Slack's escaping."""
    env = render.environment()
    env.autoescape, env.finalize = False, None
    return env.get_template("holds/_denial.j2").module


def _when(cap: CapTold, zone: ZoneInfo) -> str:
    return f"{cap.resets_at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})" if cap.resets_at else ""


def stopped(told: Stopped) -> Message:
    """For who is stopped."""
    return render.message("holds/stopped", denial=told.denial, at=told.at)


def caps(shown: Limits) -> Message:
    """`/tokens caps`."""
    return render.message("holds/caps", shown=shown)
