"""The bot's HTTP interface as the plugin uses it: what is asked, what may be answered, and when the bot is away."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from . import CONTRACT, denials
from .leases import NANO, Lease, Model, Prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .estimates import Estimate
    from .settings import Settings

DENIED = frozenset({402, 429})
"""The latter with `budget_exceeded` alone."""
BUSY = frozenset({408, 429})
NOBODY = ("unknown_person", "unknown_user")
EXTENSION_SECONDS = 900
"""What a lease or a hold is extended by, as long as its call runs."""


class Away(Exception):  # noqa: N818 - a state of the world
    """The bot did not answer, or not in a way that a call could go by."""


class Mistaken(Exception):  # noqa: N818 - whose mistake it is, the doctor finds out
    """The bot is there, and does not take the request: a wrong key, a model or a field that it does not like."""


class Person(NamedTuple):
    """Whose a key is, by the names in its usage; an alias may be mapped to somebody else than its user."""

    user: str
    key_alias: str = ""

    @property
    def name(self) -> str:
        return f"{self.user}\n{self.key_alias}"

    @property
    def told(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value}


@dataclass(frozen=True)
class Ask:
    """A call that wants to be made: whose, by which models, for which project, how large."""

    person: Person
    models: tuple[Model, ...]
    project: str
    estimate: Estimate


@dataclass(frozen=True)
class Held:
    """A hold of the bot's; `available` is what else the person may spend, in nano-USD."""

    id: str
    amount: int
    available: int | None


@dataclass(frozen=True)
class Granted:
    """A lease, or None where too little is left for one and each call asks for itself; what else may be spent."""

    lease: Lease | None
    available: int | None = None


@dataclass(frozen=True)
class Recalls:
    """Leases that no longer hold."""

    cursor: str
    leases: tuple[str, ...] = field(default_factory=tuple)


def headers(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.key}", "X-Tokens-Contract": CONTRACT}


class Bot:
    """Asks from within the proxy's event loop."""

    def __init__(self, settings: Settings) -> None:
        self._client = httpx.AsyncClient(
            base_url=settings.url,
            headers=headers(settings),
            timeout=settings.patience,
            # The proxy's own way out to providers is not the way to the bot.
            trust_env=False,
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def hold(self, hold_id: str, ask: Ask, *, waits: bool = False) -> Held | None:
        """A hold for one call; Denial where it does not fit, Away where the bot is.

        Who `waits` asks again if only running calls stand in the way: the bot tells their person of nothing until then.
        None for somebody whom the bot does not know: the call is made, and its usage waits in quarantine.
        """
        told = await self._post("/v1/holds", _hold_body(hold_id, ask) | ({"waits": True} if waits else {}))
        if told is None:
            return None
        return Held(str(told.get("id", hold_id)), _nano(told.get("usd")) or 0, _available(told))

    async def lease(self, lease_id: str, person: Person, models: Sequence[Model]) -> Granted:
        """A lease, if the bot grants one."""
        body = {
            "id": lease_id,
            **person.told,
            "models": [{"provider": model.provider, "model": model.name} for model in models],
        }
        told = await self._post("/v1/allowances", body)
        if told is None:
            return Granted(None)
        size, available = _nano(told.get("usd")) or 0, _available(told)
        if size <= 0 or told.get("ask") or told.get("slow"):
            # Where only cheaper models may be called, the bot decides which.
            return Granted(None, available)
        prices = {Model(one["provider"], one["model"]): _prices(one) for one in told.get("prices", ())}
        lease = Lease(str(told.get("id", lease_id)), person.name, size, _instant(told["expires_at"]), prices)
        return Granted(lease, available)

    async def give_back(self, lease_id: str) -> None:
        """The rest of a lease, at once."""
        # One that has ended by itself is as good.
        with contextlib.suppress(Mistaken):
            await self._answer(await self._send("DELETE", f"/v1/allowances/{lease_id}"))

    async def authorize(self, ask: Ask) -> None:
        """Whether somebody may call at all, where nobody can say how much: Denial if not."""
        model = ask.models[0] if ask.models else Model("", "")
        told = {"X-Tokens-User": ask.person.user, "X-Tokens-Provider": model.provider, "X-Tokens-Model": model.name}
        if ask.person.key_alias:
            told["X-Tokens-Key-Alias"] = ask.person.key_alias
        await self._answer(await self._send("POST", "/v1/authorize", headers=told))

    async def extend(self, hold_id: str) -> None:
        """Keep a hold whose call still runs."""
        await self._post(f"/v1/holds/{hold_id}/extend", {"expires_in": EXTENSION_SECONDS})

    async def recalls(self, cursor: str, *, wait: int) -> Recalls:
        """Leases that were recalled since `cursor`; waits for some."""
        params: dict[str, str | int] = {"wait": wait} | ({"since": cursor} if cursor else {})
        answer = await self._send("GET", "/v1/allowances/changes", params=params, timeout=wait + 5)
        told = await self._answer(answer) or {}
        return Recalls(str(told.get("cursor", cursor)), tuple(map(str, told.get("recalled", ()))))

    async def is_there(self) -> bool:
        try:
            answer = await self._send("GET", "/healthz")
        except Away:
            return False
        return answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        return await self._answer(await self._send("POST", path, json=body))

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own options
        try:
            return await self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Away(type(error).__name__) from error

    async def _answer(self, response: httpx.Response) -> dict[str, Any] | None:
        """What was answered; None for somebody whom the bot does not know."""
        try:
            told = response.json()
        except ValueError:
            told = {}
        error = told.get("error") if isinstance(told, dict) else None
        kind = error if isinstance(error, dict) else {}
        if response.status_code in DENIED and kind.get("type") == denials.TYPE:
            raise denials.told(kind)
        if response.status_code == httpx.codes.NOT_FOUND and any(code in response.text for code in NOBODY):
            return None
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or response.status_code in BUSY:
            raise Away(f"HTTP {response.status_code}")
        if not response.is_success or not isinstance(told, dict):
            raise Mistaken(f"HTTP {response.status_code}: {response.text[:200]}")
        return told


def _hold_body(hold_id: str, ask: Ask) -> dict[str, Any]:
    estimate: dict[str, Any] = {"gen_ai.usage.input_tokens": ask.estimate.input_tokens}
    if ask.estimate.output_tokens is not None:
        estimate["gen_ai.usage.output_tokens"] = ask.estimate.output(None)
    model = ask.models[0] if ask.models else Model("", "")
    body = {
        "id": hold_id,
        "kind": "call",
        **ask.person.told,
        "provider": model.provider,
        "model": model.name,
        "estimate": estimate,
    }
    return body | ({"project": ask.project} if ask.project else {})


def _prices(told: Mapping[str, Any]) -> Prices:
    quantile = told.get("output_quantile")
    return Prices.of(told.get("prices", {}), quantile if isinstance(quantile, int) and quantile > 0 else None)


def _nano(usd: object) -> int | None:
    """Decimal USD of a text to whole nano-USD, the rest left out."""
    return int(Decimal(usd) * NANO) if isinstance(usd, str) else None


def _available(told: Mapping[str, Any]) -> int | None:
    """What else may be spent before a cap denies it, if calls that run cost what is usual."""
    return _nano(told.get("room_usd"))


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
