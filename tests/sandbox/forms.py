"""An app with modals, and what it was sent."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox import Sandbox, View
from tests.sandbox.company import ADA
from tests.sandbox.conftest import TokensApp


@dataclass
class Forms:
    """`on_submit` and `on_action` are given what Bolt's listeners are."""

    client: WebClient
    sandbox: Sandbox
    submitted: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    acted: list[dict[str, Any]] = field(default_factory=list)
    on_submit: Callable[..., object] = lambda ack, **_: ack()
    on_action: Callable[..., object] = lambda ack, **_: ack()

    def listen(self, app: TokensApp) -> None:
        def submit(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
            self.submitted.append(body)
            self.on_submit(ack=ack, body=body)

        def close(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
            self.closed.append(body)
            ack()

        def act(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
            self.acted.append(body)
            self.on_action(ack=ack, body=body)

        anything = re.compile(".*")
        app.bolt.view(anything)(submit)
        app.bolt.view_closed(anything)(close)
        app.bolt.action(anything)(act)

    def trigger(self, user: str = ADA) -> str:
        """Like that of a command."""
        return self.sandbox._platform.new_trigger(user)

    def open(self, shown: dict[str, Any], user: str = ADA) -> View:
        self.client.views_open(trigger_id=self.trigger(user), view=shown)
        return self.top(user)

    def top(self, user: str = ADA) -> View:
        seen = self.sandbox.modal(user)
        assert seen is not None
        return seen


def refused(method: Callable[..., object], **arguments: object) -> Any:  # noqa: ANN401 - the client's answer
    with pytest.raises(SlackApiError) as caught:
        method(**arguments)
    return caught.value.response
