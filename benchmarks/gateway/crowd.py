"""Many clients that call at once, and what became of their calls."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 60
DENIED = 402


@dataclass
class Told:
    """What clients were told; `denied_at` are moments of the same clock as `answered_at`."""

    answered: int = 0
    denied_at: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)


def call(
    gateway: str,
    clients: int,
    goes_on: Callable[[Told, int], bool],
    *,
    key: str = "sk-ada",
    padding: str = "",
    **body: Any,  # noqa: ANN401 - JSON
) -> Told:
    """Let so many clients call one after another, each until `goes_on(told, calls of this client)` says no."""
    return asyncio.run(_call(gateway, clients, goes_on, body, key=key, padding=padding))


async def _call(
    gateway: str, clients: int, goes_on: Callable[[Told, int], bool], body: dict[str, Any], *, key: str, padding: str
) -> Told:
    told = Told()
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=gateway, headers=headers, limits=limits, timeout=PATIENCE_SECONDS, trust_env=False
    ) as client:
        await asyncio.gather(
            *(_one(client, told, f"client {number} {padding}", goes_on, body) for number in range(clients))
        )
    return told


async def _one(
    client: httpx.AsyncClient, told: Told, name: str, goes_on: Callable[[Told, int], bool], body: dict[str, Any]
) -> None:
    made = 0
    while goes_on(told, made):
        made += 1
        question = [{"role": "user", "content": f"question {made} of {name}"}]
        began = time.perf_counter()
        try:
            answer = await client.post("/v1/chat/completions", json={"model": "gpt", "messages": question, **body})
        except httpx.TransportError as error:
            told.others.append(type(error).__name__)
            return
        _note(told, answer, began)
        if answer.status_code == DENIED:
            return


def _note(told: Told, answer: httpx.Response, began: float) -> None:
    now = time.perf_counter()
    if answer.is_success:
        told.answered += 1
        told.answered_at.append(now)
        told.seconds.append(now - began)
    elif answer.status_code == DENIED:
        told.denied_at.append(now)
        error = answer.json()["error"]
        figures = error.get("provider_specific_fields") or {}
        told.codes[str(figures.get("code") or error.get("code"))] += 1
    else:
        told.others.append(f"{answer.status_code} {answer.text[:200]}")
