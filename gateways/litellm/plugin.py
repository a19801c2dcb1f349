"""What LiteLLM calls: `callbacks: ["tokens_bot_litellm.plugin.plugin"]` in the configuration of the proxy."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from litellm.integrations.custom_logger import (  # type: ignore[import-not-found]  # in the proxy's environment alone
    CustomLogger,
)
from litellm.proxy._types import ProxyException  # type: ignore[import-not-found]  # the same

from . import calls, estimates, payloads, routing, settings, upkeep
from .denials import Denial
from .gate import Gate
from .journal import Journal
from .outage import Outage
from .reports import Reports
from .sender import Post, Sender
from .wire import Ask, Bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .wire import Person

log = logging.getLogger("tokens_bot")

LAST_WORD_SECONDS = 1.0
"""How long the end of a stream waits at most for LiteLLM's account of it: as a rule milliseconds."""


class Plugin(CustomLogger):  # type: ignore[misc]  # its types are in the proxy's environment
    """One a worker. The journal is open from the start, and what it holds of an earlier life is sent at once."""

    def __init__(self, chosen: settings.Settings) -> None:
        super().__init__()
        self._settings = chosen
        self._journal = Journal(chosen.journal, checkpoints=False)
        self._reports = Reports(self._journal, time.time)
        self._sender = Sender(Post(chosen, Journal(chosen.journal), time.time))
        self._sender.start()
        self._gate: Gate | None = None
        atexit.register(self._sender.stop)

    async def close(self) -> None:
        """Send what can be sent, and end what goes on beside."""
        self._sender.stop()
        if self._gate is not None:
            await self._gate.close()
        self._journal.close()

    # --- Before a call -----------------------------------------------------------------------------------------------

    async def async_pre_call_hook(
        self, user_api_key_dict: object, cache: object, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        del cache
        kind, person = calls.kind_of(call_type), calls.person_of(user_api_key_dict)
        if kind == "free" or person is None:
            return data
        try:
            await self._admit(_ask(user_api_key_dict, person, data, call_type), data, checked=kind == "checked")
        except Denial as denial:
            raise _as_answer(denial) from None
        except sqlite3.Error:
            # A full disk is no reason to stop anybody's work; the operator hears of it.
            log.exception("the journal cannot be written")
        return data

    async def _admit(self, ask: Ask, data: dict[str, Any], *, checked: bool) -> None:
        gate = self._running_gate()
        if checked:
            await gate.check(ask)
            return
        call = await gate.admit(ask)
        call.request = asyncio.current_task()
        calls.mark(data, call.id)

    def _running_gate(self) -> Gate:
        """Made at the first call, in the loop that will serve all of them."""
        if self._gate is None:
            bot = Bot(self._settings)
            outage = Outage(self._settings, bot, self._journal, time.time, routing.prices_of)
            self._gate = Gate(self._settings, bot, self._journal, outage, time.time)
            upkeep.start(self._gate)
        return self._gate

    # --- After a call ------------------------------------------------------------------------------------------------

    async def async_log_success_event(self, kwargs: dict[str, Any], *_: object, **__: object) -> None:
        self._report(kwargs.get("standard_logging_object"), calls.marked(kwargs.get("litellm_params")))

    async def async_log_failure_event(self, kwargs: dict[str, Any], *_: object, **__: object) -> None:
        """A failed attempt: another may follow, so that the hold stays."""
        self._report(kwargs.get("standard_logging_object"), calls.marked(kwargs.get("litellm_params")))

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: object, response: object
    ) -> Any:  # noqa: ANN401 - what LiteLLM answers
        """The answer is about to leave: its account is kept before that, so that no kill loses it afterwards."""
        del user_api_key_dict
        told = getattr(data.get("litellm_logging_obj"), "model_call_details", None) or {}
        payload = told.get("standard_logging_object")
        if payload and payload.get("status") == "success":
            self._report(payload, calls.marked(data))
        else:
            self._report_first(payloads.first_account(told, response, time.time()), calls.marked(data))
        return response

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: object,
        *_: object,
        **__: object,
    ) -> None:
        """The whole request has failed, its retries and fallbacks included."""
        del original_exception, user_api_key_dict
        if self._gate is not None:
            self._gate.drop(calls.marked(request_data))

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: object, response: AsyncIterator[Any], request_data: dict[str, Any]
    ) -> AsyncIterator[Any]:
        """A stream ends once its account is kept, if that comes at once."""
        del user_api_key_dict
        async for chunk in response:
            yield chunk
        call = self._gate.running.get(calls.marked(request_data)) if self._gate else None
        if call is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD_SECONDS):
                    await call.ended.wait()

    def _report_first(self, account: dict[str, Any] | None, call_id: str) -> None:
        if account is None or self._gate is None:
            return
        try:
            self._reports.take_first(account, self._gate, call_id)
        except sqlite3.Error:
            log.exception("the journal cannot be written")

    def _report(self, payload: dict[str, Any] | None, call_id: str) -> None:
        if not payload:
            return
        try:
            if self._reports.take(payload, self._gate, call_id):
                self._sender.wake()
        except sqlite3.Error:
            log.exception("the journal cannot be written: usage of call %s is lost", payload.get("litellm_call_id"))


def _ask(key: object, person: Person, data: dict[str, Any], call_type: str) -> Ask:
    models = routing.models_of(str(data.get("model") or ""))
    return Ask(person, models, calls.project_of(key, data), estimates.of_call(data, call_type))


def _as_answer(denial: Denial) -> Exception:
    """Of LiteLLM's errors the one that keeps message, type and headers, whatever interface the client speaks."""
    answer: Exception = ProxyException(
        message=denial.message,
        type=denial.type,
        param=None,
        code=denial.status,
        headers=dict(denial.headers),
        openai_code=denial.code,
        provider_specific_fields={"code": denial.code, **denial.details},
    )
    return answer


plugin = Plugin(settings.load(os.environ))
