"""Runs as a process of its own: a worker of a proxy with the plugin in it, and its clients, until it is killed.

In place of LiteLLM stands what calls the plugin's hooks, as a real proxy was recorded to; providers answer within a
tenth of a second. Two files tell what nobody may lose: `billed` the calls that a provider will charge, `answered` those
whose answer left the proxy.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.gateways.litellm import proxy
from tests.support.replicas import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable

PEOPLE = ("ada", "ben", "mara", "iris", "omar", "tess")
CLIENTS = 10
PROVIDER_SECONDS, THINKING_SECONDS, PAYLOAD_SECONDS = 0.1, 0.2, 0.02
"""At most: until a provider has answered, a client asks again, and LiteLLM has made up its account of a call."""
KINDS = ("chat", "chat", "chat_stream", "messages", "fallback", "failure")
ANSWERING = ("post_success", "stream_end")
DENIED = {"budget_exceeded", "budget_unknown"}
STOP = "stop"
"""A file: while it is there, nobody calls."""


def work(begun: str, name: str) -> None:
    Path(begun).touch()
    clock_file, folder, *lines = sys.argv[1:]
    clock, place = WallClock(Path(clock_file)), Path(folder)
    time.time = lambda: clock().timestamp()
    os.dup2(_appended(place / f"{name}.proxy"), sys.stderr.fileno())
    logging.basicConfig(level=logging.WARNING)
    with proxy.pretending(dict(line.split("=", 1) for line in lines)) as module:
        asyncio.run(_serve(module.plugin, place))


def _appended(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


async def _serve(plugin: Any, place: Path) -> None:  # noqa: ANN401 - the plugin has the fake's types
    billed, answered = _appended(place / "billed"), _appended(place / "answered")

    def note(file: int, call: str) -> None:
        os.write(file, f"{call}\n".encode())

    clients = (
        _client(plugin, (place / STOP).exists, lambda call: note(billed, call), lambda call: note(answered, call))
        for _ in range(CLIENTS)
    )
    await asyncio.gather(*clients)


async def _client(
    plugin: Any,  # noqa: ANN401 - the same
    is_over: Callable[[], bool],
    bill: Callable[[str], None],
    answer: Callable[[str], None],
) -> None:
    chance = random.Random()  # noqa: S311 - for no secrets
    while True:
        await asyncio.sleep(chance.uniform(0, THINKING_SECONDS))
        if is_over():
            continue
        call = _Call(plugin, chance, bill, answer)
        try:
            await call.make()
        except proxy.ProxyException as denial:
            if denial.told["type"] not in DENIED:
                raise


class _Call(proxy.Replay):
    """A recorded request as another one of someone's: with an id and times of its own."""

    def __init__(
        self,
        plugin: Any,  # noqa: ANN401 - the same
        chance: random.Random,
        bill: Callable[[str], None],
        answer: Callable[[str], None],
    ) -> None:
        super().__init__(plugin, chance.choice(KINDS))
        there = (call.get("payload") for call in self.calls if call["hook"] == "post_success")
        self.is_early = chance.random() < 0.5 or not all(there)
        self._chance, self._bill, self._answer = chance, bill, answer
        self._id = str(uuid4())
        text = json.dumps(self.calls).replace("ada@example.com", f"{chance.choice(PEOPLE)}@example.com")
        self.calls = json.loads(text.replace(self.calls[0]["data"]["litellm_call_id"], self._id))

    async def make(self) -> None:
        first, *rest = self.calls
        await self.step(first)
        began = time.time()
        await asyncio.sleep(self._chance.uniform(0, PROVIDER_SECONDS))
        for call in rest:
            if payload := call.get("payload"):
                payload |= {"startTime": began, "endTime": time.time()}
        if any(call["hook"] == "success" for call in rest):
            self._bill(self._id)
        # LiteLLM makes up its account beside the answer, of which a stream's end waits for it.
        await asyncio.gather(*(self._later(call) for call in rest if call["hook"] == "success"), self._answered(rest))

    async def _later(self, call: dict[str, Any]) -> None:
        await asyncio.sleep(self._chance.uniform(0, PAYLOAD_SECONDS))
        await self.step(call)

    async def _answered(self, rest: list[dict[str, Any]]) -> None:
        for call in rest:
            if call["hook"] != "success":
                await self.step(call)
            if call["hook"] in ANSWERING:
                self._answer(self._id)
