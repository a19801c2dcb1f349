"""Ada's agent: it calls a model that is invented through holds that are real, until a cap stops it; then it waits.

It speaks HTTP to the demo's own intake, as a gateway does. Once more tokens are there, it goes on by itself.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bot.demo import company

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SOURCE = "agent"
SCOPES = ("holds:write",)
WHO = f"ada@{company.DOMAIN}"
PROVIDER, MODEL = company.OPUS
CALLS, TOO_MANY = 50, Decimal("1.25")
"""A piece of work is so many calls, and costs so much more than Ada has left."""
LEAST_USD = Decimal("0.10")
PAUSE, LOOK_AGAIN = 0.1, 1.0
"""Seconds between two calls, so that a person can watch; and between two looks at what was denied."""
PATIENCE = 10
DOLLARS_PER_MILLION_INPUT = Decimal(5)
"""Of the model, so that a call costs about what it shall."""
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Denied(Exception):  # noqa: N818 - an answer
    """What a call reads that may not run."""


@dataclass
class Work:
    """What the agent is at: each call reads so many input tokens; `done` of them are answered."""

    name: str
    input_tokens: int
    done: int = 0

    @property
    def call(self) -> str:
        """The id of the next call: one that was denied is asked for again under the same."""
        return f"{self.name}-{self.done + 1}"


@dataclass
class Agent:
    """The button's other end. `say` writes to Ada's conversation, `show` what the page shows while it is at work."""

    url: str
    key: str
    clock: Callable[[], datetime]
    say: Callable[[str], object]
    show: Callable[[str], None]
    _work: Work | None = None
    _waiting: threading.Thread | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    def press(self) -> str:
        """Work until all is done or a cap stops it; what the page says then."""
        if self._waiting is not None and self._waiting.is_alive():
            return "Ada's agent waits for more tokens. Ask for them in her conversation, or let time pass."
        self._work = self._new_work()
        return self._go_on(self._work)

    def stop(self) -> None:
        """The demo ends."""
        self._over.set()
        if self._waiting is not None:
            self._waiting.join(PATIENCE)

    def _new_work(self) -> Work:
        wallet = self._get(f"/v1/wallets/me?user={WHO}")
        room = Decimal(wallet["available_tokens"]) + Decimal(wallet["overdraft_tokens"])
        # A token is about a cent: what exactly a call costs, the bot works out.
        usd = max(room * TOO_MANY / 100 / CALLS, LEAST_USD)
        tokens = usd / DOLLARS_PER_MILLION_INPUT * 1_000_000
        return Work(f"work-{self.clock():%Y%m%d%H%M%S%f}", int(tokens.to_integral_value(ROUND_UP)))

    def _go_on(self, work: Work) -> str:
        """Call after call, and wait where one is denied."""
        while work.done < CALLS and not self._over.is_set():
            try:
                left = self._call(work)
            except Denied as denied:
                return self._stopped(work, str(denied))
            work.done += 1
            self.show(f"Call {work.done} of {CALLS}: {Decimal(left):,.0f} tokens left")
            self._over.wait(PAUSE)
        said = f"Ada's agent has finished its work: {work.done} calls to {MODEL}."
        self.say(f"*{said}* `/tokens balance` shows what it used.")
        return said

    def _stopped(self, work: Work, why: str) -> str:
        self.say(
            f"*Ada's agent stopped at call {work.done + 1} of {CALLS}.* This is what it read instead of an answer:\n"
            f"> {why}\n"
            "The demo asks for the same call again every second. Click *Request more…* in the bot's message; then be "
            "Iris, go to #token-board, and approve. The agent goes on by itself."
        )
        self._waiting = threading.Thread(target=self._wait, args=(work,), daemon=True)
        self._waiting.start()
        return (
            f"Ada's agent was stopped at call {work.done + 1} of {CALLS}. Her conversation with Tokens says what to do."
        )

    def _wait(self, work: Work) -> None:
        while not self._over.wait(LOOK_AGAIN):
            try:
                self._call(work)
            except Denied:
                continue
            except OSError:
                # The demo is being stopped.
                return
            work.done += 1
            self.say(f"*Ada's agent goes on with call {work.done}.*")
            self._go_on(work)
            return

    def _call(self, work: Work) -> str:
        """One call: held, answered by a model that is invented, and settled; the tokens that are left."""
        answered = work.input_tokens // 50
        estimate = {"gen_ai.usage.input_tokens": work.input_tokens, "max_output_tokens": answered}
        ask = {"id": work.call, "user": WHO, "provider": PROVIDER, "model": MODEL, "estimate": estimate}
        held = self._post("/v1/holds", ask)
        used = {"gen_ai.usage.input_tokens": work.input_tokens, "gen_ai.usage.output_tokens": answered}
        named = {"user.email": WHO, "gen_ai.provider.name": PROVIDER, "gen_ai.request.model": MODEL}
        event = {
            "specversion": "1.0",
            "type": "gen_ai.usage",
            "source": SOURCE,
            "id": work.call,
            "time": self.clock().isoformat(),
            "data": named | used,
        }
        self._post(f"/v1/holds/{work.call}/settle", event)
        return str(held["available_tokens"])

    def _get(self, path: str) -> dict[str, Any]:
        return self._asked(urllib.request.Request(self.url + path))  # noqa: S310 - this machine's

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        kind = {"Content-Type": "application/json"}
        return self._asked(urllib.request.Request(self.url + path, json.dumps(body).encode(), kind))  # noqa: S310 - as above

    def _asked(self, request: urllib.request.Request) -> dict[str, Any]:
        request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with _direct.open(request, timeout=PATIENCE) as answer:
                said: dict[str, Any] = json.load(answer)
                return said
        except urllib.error.HTTPError as error:
            with error:
                if error.code != HTTPStatus.PAYMENT_REQUIRED:
                    raise
                raise Denied(json.load(error)["error"]["message"]) from error
