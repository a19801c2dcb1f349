"""What gateways and people are told of caps, from their views."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from policy.parameters.holds import PERSON, PERSON_SERVICE, PROGRAMME
from templates import formats, render

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from policy.units import MicroTokens
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


def stopped(told: Stopped, at_once: MicroTokens) -> Message:
    """For who is stopped; `at_once` is what they could take in an incident, 0 where that would not help."""
    return render.message(
        "holds/stopped",
        denial=told.denial,
        at=told.at,
        is_own=is_own(told.denial.cap),
        at_once=at_once,
        amount=formats.exact_tokens(at_once),
    )


def is_own(cap: CapTold) -> bool:
    """Whether more tokens lift it: a wallet, or a cap on a person."""
    return cap.room_tokens is not None or cap.scope in {PERSON, PERSON_SERVICE}


def break_glass_helps(cap: CapTold) -> bool:
    return is_own(cap) or cap.scope == PROGRAMME


def caps(shown: Limits) -> Message:
    """`/tokens caps`."""
    return render.message("holds/caps", shown=shown)
