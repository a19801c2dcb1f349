"""A LiteLLM that is none: the few names that the plugin takes from it, and calls of hooks as a real proxy made them.

`tests/data/litellm_hooks` has those; tests/data/README.md says how they were recorded.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

HOOKS = Path(__file__).parents[2] / "data" / "litellm_hooks"
NAMES = tuple(sorted(path.stem for path in HOOKS.glob("*.json")))
PLUGIN = "gateways.litellm.plugin"

DEPLOYMENTS = {
    "gpt": "openai/gpt-5",
    "claude": "anthropic/claude-sonnet-4-5",
    "falls-back": "openai/gpt-5",
    "broken": "openai/gpt-5",
    "slow": "openai/gpt-5",
    "emb": "openai/text-embedding-3-small",
    "img": "openai/gpt-image-1",
}


class ProxyException(Exception):  # noqa: N818 - LiteLLM's name
    """With the fields that LiteLLM answers from."""

    def __init__(self, **told: Any) -> None:  # noqa: ANN401 - LiteLLM's fields
        super().__init__(told["message"])
        self.told = told


class _Router:
    def get_model_list(self, model_name: str) -> list[dict[str, Any]] | None:
        model = DEPLOYMENTS.get(model_name)
        return [{"litellm_params": {"model": model}, "model_info": {}}] if model else None


@contextmanager
def pretending(environment: dict[str, str]) -> Iterator[ModuleType]:
    """The plugin's module, as a proxy imports it, with `environment` for its own."""
    names = ("litellm", "litellm.integrations", "litellm.integrations.custom_logger", "litellm.proxy")
    modules = {name: ModuleType(name) for name in (*names, "litellm.proxy._types", "litellm.proxy.proxy_server")}
    modules["litellm.integrations.custom_logger"].CustomLogger = type("CustomLogger", (), {})  # type: ignore[attr-defined]
    modules["litellm.proxy._types"].ProxyException = ProxyException  # type: ignore[attr-defined]
    modules["litellm.proxy.proxy_server"].llm_router = _Router()  # type: ignore[attr-defined]
    modules["litellm"].get_llm_provider = lambda model: (model, "openai")  # type: ignore[attr-defined]
    routing = import_module("gateways.litellm.routing")
    os_module = import_module("os")
    before = dict(os_module.environ)
    sys.modules.update(modules)
    os_module.environ.update(environment)
    routing._known.clear()
    sys.modules.pop(PLUGIN, None)
    try:
        yield import_module(PLUGIN)
    finally:
        os_module.environ.clear()
        os_module.environ.update(before)
        for name in (*modules, PLUGIN):
            sys.modules.pop(name, None)


def recorded(name: str) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = json.loads((HOOKS / f"{name}.json").read_text(encoding="utf-8"))
    return calls


class Replay:
    """One request's hooks in the order in which the proxy called them, with what the first hook wrote carried along."""

    def __init__(self, plugin: Any, name: str) -> None:  # noqa: ANN401 - the plugin has the fake's types
        self.plugin = plugin
        self.calls = recorded(name)
        self.data: dict[str, Any] = {}
        self.is_early = False
        """Whether the answer leaves before LiteLLM has made up its payload, as it does about every other time."""

    async def all(self) -> None:
        for call in self.calls:
            await self.step(call)

    async def step(self, call: dict[str, Any]) -> None:
        await getattr(self, call["hook"])(call)

    async def pre_call(self, call: dict[str, Any]) -> None:
        key = SimpleNamespace(**call["key"])
        self.data = call["data"]
        self.data = await self.plugin.async_pre_call_hook(key, None, self.data, call["call_type"])

    async def post_success(self, call: dict[str, Any]) -> None:
        payload = call["payload"]
        if self.is_early:
            whole = next(one["payload"] for one in self.calls if one["hook"] == "success")
            told, answer = self._details(whole), {"id": whole["id"], "usage": whole["metadata"]["usage_object"]}
        else:
            told, answer = {"standard_logging_object": payload}, {}
        data = {**self.data, "litellm_logging_obj": SimpleNamespace(model_call_details=told)}
        await self.plugin.async_post_call_success_hook(data, None, answer)

    async def success(self, call: dict[str, Any]) -> None:
        await self.plugin.async_log_success_event(self._kwargs(call), None, None, None)

    async def failure(self, call: dict[str, Any]) -> None:
        await self.plugin.async_log_failure_event(self._kwargs(call), None, None, None)

    async def post_failure(self, call: dict[str, Any]) -> None:
        del call
        await self.plugin.async_post_call_failure_hook(self.data, RuntimeError(), None)

    async def stream_end(self, call: dict[str, Any]) -> None:
        del call

        async def chunks() -> AsyncIterator[str]:
            yield "Good "
            yield "morning."

        hook = self.plugin.async_post_call_streaming_iterator_hook
        assert [chunk async for chunk in hook(None, chunks(), self.data)] == ["Good ", "morning."]

    def _details(self, payload: dict[str, Any]) -> dict[str, Any]:
        """What LiteLLM knows of a call by then."""
        names = ("litellm_call_id", "call_type", "custom_llm_provider", "model")
        carried = {name: self.data[name] for name in ("metadata", "litellm_metadata") if name in self.data}
        began = datetime.fromtimestamp(payload["startTime"] - 0.01, UTC)
        return {name: payload[name] for name in names} | {"start_time": began, "litellm_params": carried}

    def _kwargs(self, call: dict[str, Any]) -> dict[str, Any]:
        """As LiteLLM hands on the metadata of the request: by the names under which the real proxy did."""
        carried = {name: self.data.get(name) for name in ("metadata", "litellm_metadata")}
        known = [metadata for metadata in carried.values() if isinstance(metadata, dict)]
        there = dict.fromkeys(call["litellm_params"], known[0]) if known else {}
        return {"litellm_params": there, "standard_logging_object": call["payload"]}
