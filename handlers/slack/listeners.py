"""Who answers what Slack sends: one look into a table, however many buttons, forms and events there are.

Bolt would ask one listener after the other whether it is meant, and a click stands behind a hundred of them. So the
last step of its chain is this table. What is not in it is left to Bolt, which has no listeners and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_bolt.middleware import Middleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_bolt import Ack, BoltRequest
    from slack_bolt.response import BoltResponse
    from slack_sdk import WebClient

    Listener = Callable[[Ack, dict[str, Any], WebClient], object]
    EventListener = Callable[[dict[str, Any], dict[str, Any], WebClient], None]

COMMAND, PRESS, FORM, CLOSED_FORM, SEARCH, EVENT = "command", "press", "form", "closed form", "search", "event"


class Step(Middleware):
    """What every request passes on its way; an answer ends it."""

    def __init__(self, answer: Callable[[BoltRequest], BoltResponse | None]) -> None:
        self._answer = answer

    def process(
        self,
        *,
        req: BoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's
        next: Callable[[], BoltResponse],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        """Bolt's way to ask."""
        answer = self._answer(req)
        return next() if answer is None else answer


class Listeners:
    """By what each of them answers; a listener acknowledges, and one of an event need not."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], Listener] = {}

    def names(self, kind: str) -> list[str]:
        return sorted(name for of, name in self._by_name if of == kind)

    def on(self, kind: str, name: str, listener: Listener) -> None:
        """Have a listener answer one thing; another one for the same is a mistake of ours."""
        if (kind, name) in self._by_name:
            raise ValueError(f"two listeners for the {kind} {name!r}")
        self._by_name[kind, name] = listener

    def on_event(self, name: str, listener: EventListener) -> None:
        """Have an event noticed; the listener is given the event, and the body that it came in."""

        def notice(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
            listener(body["event"], body, client)
            ack()

        self.on(EVENT, name, notice)

    def answer(self, request: BoltRequest) -> BoltResponse | None:
        """The acknowledgement of whoever is meant; None where no one is."""
        named = _meant(request.body)
        listener = self._by_name.get(named) if named else None
        if listener is None:
            return None
        ack = request.context.ack
        listener(ack, request.body, request.context.client)
        return ack.response or ack()


_NAMED: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "block_actions": (PRESS, lambda body: body["actions"][0]["action_id"]),
    "view_submission": (FORM, lambda body: body["view"]["callback_id"]),
    "view_closed": (CLOSED_FORM, lambda body: body["view"]["callback_id"]),
    "block_suggestion": (SEARCH, lambda body: body["action_id"]),
    "event_callback": (EVENT, lambda body: body["event"]["type"]),
}
"""What Slack calls a kind of request, and where such a request says which one it is."""


def _meant(body: dict[str, Any]) -> tuple[str, str] | None:
    """(kind, name) of what was sent; None for what we know nothing of."""
    if "command" in body:
        return COMMAND, body["command"]
    try:
        kind, name_of = _NAMED[body["type"]]
        return kind, name_of(body)
    except (LookupError, TypeError):
        return None
