"""From a stop to going on: an agent works through real holds until it is denied, and goes on once someone lifts it."""

from __future__ import annotations

import dataclasses
import time
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from programme.usage import keys
from tests.support import books, cash, cast, slack
from tests.support.books import ADA
from tests.support.clock import RunningClock
from tests.support.seen import card, modal, private, read, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from sandbox import Sandbox

MODEL = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
CALL = 60
"""USD; Ada's grant is worth a good many of them."""
SCOPES = ["holds:write", "usage:write", "usage:correct"]
AT_ONCE = 1.0
"""Seconds within which what is decided holds at the gateway."""


class Agent:
    """Ada's agent: each call is held, and settled by what it used; its ids say which call it is."""

    def __init__(self, address: str, key: str) -> None:
        self.http = httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}, trust_env=False)
        self._numbers = count(1)

    def call(self, id_: str | None = None, usd: int = CALL) -> httpx.Response:
        id_ = id_ or f"call_{next(self._numbers)}"
        asked = {"id": id_, "user": ADA, **MODEL, "estimate": {"usd": str(usd)}}
        answer = self.http.post("/v1/holds", json=asked)
        if answer.status_code == httpx.codes.OK:
            self.http.post(f"/v1/holds/{id_}/settle", json=_used(id_, usd)).raise_for_status()
        return answer

    def work(self) -> tuple[str, dict[str, Any]]:
        """Call until a call is denied; its id, and the error that the agent reads."""
        while True:
            id_ = f"call_{next(self._numbers)}"
            answer = self.call(id_)
            if answer.status_code != httpx.codes.OK:
                assert answer.status_code == httpx.codes.PAYMENT_REQUIRED, answer.text
                return id_, answer.json()["error"]


def _used(id_: str, usd: int) -> dict[str, Any]:
    """Output at USD 15 per million; when, the bot's clock says."""
    data = {"user.email": ADA, "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
    data |= {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": usd * 10**6 // 15}  # type: ignore[dict-item]
    event = {"specversion": "1.0", "id": f"event_{id_}", "source": "gateway", "type": "gen_ai.usage"}
    return event | {"time": "2026-11-20T12:00:00+00:00", "data": data}


@contextmanager
def at_work(sandbox: Sandbox, office: App) -> Iterator[Agent]:
    """The agent beside the real bot."""
    with office.transaction() as moment:
        made = keys.create(moment, name="gateway", source="gateway", scopes=SCOPES, actor="test")
    environment = slack.load(slack.environment(sandbox, slack.NO_DATABASE))
    with slack.bot(sandbox, office, environment) as address:
        agent = Agent(address, made.secret)
        with agent.http:
            yield agent


def goes_on(agent: Agent, id_: str) -> bool:
    """Whether the call that was denied is let in at once, asked for as it was."""
    began = time.monotonic()
    return agent.call(id_).status_code == httpx.codes.OK and time.monotonic() - began < AT_ONCE


def test_stopped_asked_for_more_approved_and_going_on(sandbox: Sandbox, office: App) -> None:
    """Denied with a next step, told once; what the board approves, or an incident brings, lets it run at once."""
    with at_work(sandbox, office) as agent:
        lease = {"id": "lease", "user": ADA, "models": [MODEL]}
        assert agent.http.post("/v1/allowances", json=lease).json()["status"] == "held"
        id_, error = agent.work()
        assert error["next_step"] == "Ask for more with `/tokens request` in Slack."
        assert "your wallet has " in error["message"]
        assert agent.call(id_).status_code == httpx.codes.PAYMENT_REQUIRED
        stop = told(sandbox, slack.ADA, "could have cost up to")
        assert "In an incident you can go on at once" in read(stop)
        sandbox.press(slack.ADA, stop, "caps_show")
        private(sandbox, slack.ADA, "Your wallet is what limits you first", sandbox.dm(slack.ADA))

        sandbox.press(slack.ADA, stop, "fast_track_request")
        sandbox.fill(slack.ADA, {"amount": "20,000", "purpose": "Finish the migration"})
        sandbox.submit(slack.ADA)
        assert "The board has your request for 20,000 tokens" in modal(sandbox, slack.ADA)
        sandbox.dismiss(slack.ADA)
        sandbox.press(slack.TESS, card(sandbox, saying="0 of 1 approve"), "fast_track_approve")
        private(sandbox, slack.TESS, "Your vote decided it")
        assert goes_on(agent, id_)
        began = time.monotonic()
        assert "lease" in agent.http.get("/v1/allowances/changes", params={"wait": 5}).json()["recalled"]
        assert time.monotonic() - began < AT_ONCE

        id_, _ = agent.work()
        again = sandbox.wait_for(lambda: _stops(sandbox)[1:], seconds=30)[0]
        sandbox.press(slack.ADA, again, "caps_incident")
        sandbox.fill(slack.ADA, {"incident": "INC-7", "purpose": "The shop is down"})
        sandbox.submit(slack.ADA)
        assert goes_on(agent, id_)

        agent.work()
        last = sandbox.wait_for(lambda: _stops(sandbox)[2:], seconds=30)[0]
        assert "caps_incident" not in read(last)
    assert books.findings(office) == {}


def _stops(sandbox: Sandbox) -> list[Any]:
    """What Ada was told of being stopped, oldest first."""
    said = sandbox.messages(sandbox.dm(slack.ADA), slack.ADA)
    return [one for one in said if "could have cost up to" in read(one)]


@pytest.mark.deep
def test_a_correction_and_a_grant_lift_it_too(sandbox: Sandbox, office: App) -> None:
    """Usage that is withdrawn comes back and the denied call runs; denied once more, a grant lets it run."""
    with at_work(sandbox, office) as agent:
        id_, _ = agent.work()
        withdrawn = _used("call_1", CALL) | {"type": "gen_ai.usage.withdrawn"}
        withdrawn |= {"data": {"revision": 1, "reason": "It was a test"}}
        agent.http.post("/v1/usage", json=withdrawn).raise_for_status()
        assert goes_on(agent, id_)
        id_, _ = agent.work()
        cast.give(office, ADA, "10000")
        assert goes_on(agent, id_)
    assert books.findings(office) == {}


def test_the_board_decides_on_the_month_s_cash_in_slack(sandbox: Sandbox, sqlite_app: App) -> None:
    """Two raise it in the form; then the card says so and is dead, and the stopped call runs at once."""
    office = dataclasses.replace(cash.company(sqlite_app), clock=RunningClock())
    with at_work(sandbox, office) as agent:
        for _ in range(5):
            assert agent.call(usd=3).status_code == httpx.codes.OK
        denied = agent.call("late", usd=3)
        assert "or the board raises it" in denied.json()["error"]["next_step"]
        told(sandbox, slack.ADA, "The board decides whether it is raised before")
        assert cash.look(office) == ["ask"]
        shown = card(sandbox, saying="*The cash for November is used up*")
        for user, limit in ((slack.IRIS, "30"), (slack.TESS, "0.02k")):
            assert agent.call("late", usd=3).status_code == httpx.codes.PAYMENT_REQUIRED
            sandbox.press(user, shown, "cash_raise")
            sandbox.fill(user, {"limit": "15"})
            sandbox.submit(user)
            form = sandbox.modal(user)
            assert form is not None
            assert form.errors["limit"] == "Write more than USD 15.00, which is used already."
            sandbox.fill(user, {"limit": limit})
            sandbox.submit(user)
        assert "Raised to USD 20.00.* Your vote decided it" in modal(sandbox, slack.TESS)
        assert agent.call("late", usd=3).status_code == httpx.codes.OK
        decided = card(sandbox, saying="*The cash for November is raised to USD 20.00*")
        assert (decided.ts, "cash_stop" in read(decided)) == (shown.ts, False)
        sandbox.press(slack.OMAR, shown, "cash_stop")
        private(
            sandbox, slack.OMAR, "This question was answered: the cap is raised, with the deciding vote of Tess Novak"
        )
    assert books.findings(office) == {}
