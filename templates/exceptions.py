"""A request as the board and as the person who asked see it: the one rendering of each, for every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from templates import render

if TYPE_CHECKING:
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


def button_value(shown: Card) -> str:
    """What a button carries: which request, and at which revision it was shown."""
    return f"{shown.request.id}:{shown.request.revision}"
