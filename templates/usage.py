"""What is said of usage, from its views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import render

if TYPE_CHECKING:
    from templates.render import Message
    from views.usage import RefusalNote

LIMITS = {"most_gateways": 5, "most_fields": 3, "longest_name": 48}
"""More would not fit into a message; the commands that it names list all."""


def refusals(note: RefusalNote) -> Message:
    """For administrators: what was refused, and what to do about it."""
    return render.message("usage/refusals", note=note, **LIMITS)
