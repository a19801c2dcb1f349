"""A request as the board and as the person who asked see it: the one rendering of each, for every place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from templates import render

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from templates.render import Message


class Request(Protocol):
    """A request, as far as its buttons name it."""

    @property
    def id(self) -> str: ...
    @property
    def revision(self) -> int: ...


class Card(Protocol):
    """The view of a request; the templates say what else they need of it."""

    @property
    def request(self) -> Request: ...


def card(shown: Card) -> Message:
    """A request for those who decide it: in the channel, in a conversation, in an answer."""
    return render.message("exceptions/card", card=shown, button_value=button_value(shown))


def mine(shown: Card, *, reached: str = "told") -> Message:
    """Where a request stands, for the person who asked; `reached` is how far its card came."""
    return render.message("exceptions/mine", card=shown, button_value=button_value(shown), reached=reached)


def note(
    shown: Card,
    *,
    for_requester: bool = True,
    stage: int | None = None,
    is_told_before: bool = True,
) -> Message:
    """A word at a step; what was granted may be so short that no notice comes before its end."""
    return render.message(
        "exceptions/note",
        card=shown,
        for_requester=for_requester,
        stage=stage,
        is_told_before=is_told_before,
        button_value=button_value(shown),
    )


def more_time(shown: Card, end: datetime, zone: ZoneInfo, now: datetime) -> Message:
    """What is left of an exception that ends soon, as its reader counts days."""
    last_day = (end - timedelta(microseconds=1)).astimezone(zone).date()
    return render.message(
        "exceptions/more_time",
        card=shown,
        end=end,
        zone=zone,
        last_day=last_day,
        today=now.astimezone(zone).date(),
        button_value=button_value(shown),
    )


def button_value(shown: Card) -> str:
    """What a button carries: which request, and at which revision it was shown."""
    return f"{shown.request.id}:{shown.request.revision}"
