from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateways.litellm import payloads
from tests.gateways.litellm import proxy
from tests.support import holding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

ADAS = "ada@example.com"
WITHOUT_EVENT = {"failure"}
FREE = {"batch"}


@contextmanager
def plugged_in(bot: holding.Bot, folder: Path, **said: str) -> Iterator[Any]:
    environment = {"TOKENS_BOT_URL": bot.url, "TOKENS_BOT_KEY": "tb_key", "TOKENS_BOT_JOURNAL": str(folder / "j.db")}
    with proxy.pretending(environment | said) as module:
        yield module.plugin


def drive(plugin: Any, work: Callable[[], Awaitable[None]]) -> None:  # noqa: ANN401 - the plugin has the fake's types
    async def run() -> None:
        try:
            await asyncio.wait_for(work(), 30)
        finally:
            await plugin.close()

    asyncio.run(run())


async def _arrived(bot: holding.Bot, events: int) -> None:
    assert await asyncio.to_thread(holding.wait_until, lambda: len(bot.events) >= events, 10)


@pytest.mark.parametrize("name", [name for name in proxy.NAMES if name not in WITHOUT_EVENT])
def test_each_kind_of_call_is_reported_once(bot: holding.Bot, tmp_path: Path, name: str) -> None:
    """Chat, streams, messages, responses, embeddings, pictures, fallbacks, hang-ups: one event, nothing still runs."""
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            await proxy.Replay(plugin, name).all()
            await _arrived(bot, 1)
            assert plugin._gate.running == {}

        drive(plugin, work)
    [event] = bot.events.values()
    assert event.get("hold", "").startswith("lease_") == (name not in FREE)
    assert bot.late == []


@pytest.mark.parametrize("name", ["chat", "chat_stream", "messages", "responses_stream", "fallback", "hang_up"])
def test_a_call_with_a_hold_of_its_own_settles_it(bot: holding.Bot, tmp_path: Path, name: str) -> None:
    """Without leases the event names the call's own hold, also behind a failed attempt and for a client that left."""
    with plugged_in(bot, tmp_path, TOKENS_BOT_LEASES="off") as plugin:

        async def work() -> None:
            await proxy.Replay(plugin, name).all()
            await _arrived(bot, 1)

        drive(plugin, work)
    [(hold_id, hold)] = bot.holds.items()
    [event] = bot.events.values()
    assert (event["hold"], hold.status) == (hold_id, "settled")


def test_a_cache_hit_frees_its_hold_and_costs_nothing(bot: holding.Bot, tmp_path: Path) -> None:
    """Nobody knows before the call that the proxy's cache will answer: what was reserved comes back."""
    with plugged_in(bot, tmp_path, TOKENS_BOT_LEASES="off") as plugin:

        async def work() -> None:
            await proxy.Replay(plugin, "cache_hit").all()
            await _arrived(bot, 1)

        drive(plugin, work)
    assert (bot.wallets[ADAS], bot.held(ADAS)) == (10 * holding.NANO, 0)


def test_a_failed_request_frees_its_hold_and_reports_nothing(bot: holding.Bot, tmp_path: Path) -> None:
    """A provider that fails costs nothing; the hold is given back behind the last attempt, not behind the first."""
    with plugged_in(bot, tmp_path, TOKENS_BOT_LEASES="off") as plugin:

        async def work() -> None:
            replay = proxy.Replay(plugin, "failure")
            *attempts, last = replay.calls
            for call in attempts:
                await replay.step(call)
            assert len(plugin._gate.running) == 1
            await replay.step(last)
            assert plugin._gate.running == {}
            assert await asyncio.to_thread(holding.wait_until, lambda: bot.asked["release"] == 1, 10)

        drive(plugin, work)
    assert (bot.events, bot.held(ADAS)) == ({}, 0)


def test_the_answer_leaves_once_it_is_kept(bot: holding.Bot, tmp_path: Path) -> None:
    """When the last hook before the answer returns, the event is in the journal: a kill after that loses nothing."""
    bot.status = 503
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            replay = proxy.Replay(plugin, "chat")
            for call in replay.calls:
                await replay.step(call)
                if call["hook"] == "post_success":
                    break
            assert plugin._journal.standing().waiting == 1

        drive(plugin, work)


@pytest.mark.parametrize("name", ["chat", "messages", "fallback"])
def test_a_first_account_is_kept_where_the_whole_one_is_late(bot: holding.Bot, tmp_path: Path, name: str) -> None:
    """The answer leaves with what is known by then in the journal; the bot is told the whole account, once."""
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            replay = proxy.Replay(plugin, name)
            replay.is_early = True
            for call in replay.calls:
                await replay.step(call)
                if call["hook"] == "post_success":
                    assert plugin._journal.standing().waiting == 1
            await _arrived(bot, 1)
            nothing_waits = lambda: plugin._journal.standing().waiting == 0  # noqa: E731 - asked again and again
            assert await asyncio.to_thread(holding.wait_until, nothing_waits, 10)

        drive(plugin, work)
    [(event_id, event)] = bot.events.items()
    whole = next(call["payload"] for call in proxy.recorded(name) if call["hook"] == "success")
    assert event_id == payloads.event_id(whole)
    assert event["response_cost"] == whole["response_cost"]


def test_a_first_account_is_sent_where_no_whole_one_comes(bot: holding.Bot, tmp_path: Path) -> None:
    """A proxy that is killed behind its answer: the next one reports what was used, to the token, by the same hold."""
    with plugged_in(bot, tmp_path, TOKENS_BOT_LEASES="off") as plugin:

        async def work() -> None:
            replay = proxy.Replay(plugin, "chat")
            replay.is_early = True
            for call in replay.calls[:2]:
                await replay.step(call)
            # As if ten seconds had gone by.
            plugin._journal._connection.execute("UPDATE events SET claimed_until = 0")
            plugin._sender.wake()
            await _arrived(bot, 1)

        drive(plugin, work)
    [event] = bot.events.values()
    assert holding.cost_of(event) == 3_375_000
    assert bot.holds[event["hold"]].status == "settled"


def test_a_denial_is_what_clients_do_not_repeat(bot: holding.Bot, tmp_path: Path) -> None:
    """The proxy gets the status, the type, the header and the bot's words; nothing is left running."""
    bot.wallets[ADAS] = 0
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            with pytest.raises(proxy.ProxyException) as raised:
                await proxy.Replay(plugin, "chat").all()
            told = raised.value.told
            assert (told["code"], told["type"], told["openai_code"]) == (402, "budget_exceeded", "wallet_empty")
            assert told["headers"] == {"x-should-retry": "false"}
            assert "0.0 tokens left" in told["message"]
            assert told["provider_specific_fields"]["cap"] == "wallet"
            assert plugin._gate.running == {}

        drive(plugin, work)


def test_a_batch_may_not_begin_on_an_empty_wallet(bot: holding.Bot, tmp_path: Path) -> None:
    """What a batch will use is not known, so that nothing is held; but whoever has nothing left may not begin one."""
    bot.wallets[ADAS] = 0
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            with pytest.raises(proxy.ProxyException):
                await proxy.Replay(plugin, "batch").all()

        drive(plugin, work)
    assert bot.asked == {"authorize": 1}


def test_a_client_cannot_settle_the_hold_of_another(bot: holding.Bot, tmp_path: Path) -> None:
    """What a client writes into the metadata is overwritten, and an id that does not run here is not believed."""
    with plugged_in(bot, tmp_path, TOKENS_BOT_LEASES="off") as plugin:

        async def work() -> None:
            replay = proxy.Replay(plugin, "chat")
            first, *_, success = replay.calls
            first["data"]["metadata"]["tokens_bot_call"] = "call_of_somebody_else"
            await replay.step(first)
            assert replay.data["metadata"]["tokens_bot_call"] in plugin._gate.running
            kwargs = {
                "litellm_params": {"metadata": {"tokens_bot_call": "call_of_somebody_else"}},
                "standard_logging_object": success["payload"],
            }
            await plugin.async_log_success_event(kwargs, None, None, None)
            await _arrived(bot, 1)

        drive(plugin, work)
    [event] = bot.events.values()
    assert "hold" not in event


def test_a_key_of_nobody_passes(bot: holding.Bot, tmp_path: Path) -> None:
    """A key that says nobody's name has no wallet: nothing is asked, and its usage is reported all the same."""
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            replay = proxy.Replay(plugin, "chat")
            replay.calls[0]["key"] = dict.fromkeys(replay.calls[0]["key"])
            await replay.all()
            await _arrived(bot, 1)

        drive(plugin, work)
    assert set(bot.asked) == {"usage"}


def test_a_journal_that_cannot_be_written_stops_nobody(
    bot: holding.Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk loses usage, which the log says with the call's id and without a word of it."""
    with plugged_in(bot, tmp_path) as plugin:

        def full(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        async def work() -> None:
            monkeypatch.setattr(plugin._journal, "keep", full)
            await proxy.Replay(plugin, "chat").all()

        drive(plugin, work)
    assert "usage of call" in caplog.text
    assert "secret" not in caplog.text


def test_what_an_earlier_life_left_is_sent_before_any_call(bot: holding.Bot, tmp_path: Path) -> None:
    """A proxy that was killed in an outage sends what it owes as soon as it starts again."""
    bot.status = 503
    with plugged_in(bot, tmp_path) as plugin:

        async def work() -> None:
            await proxy.Replay(plugin, "chat").all()

        drive(plugin, work)
    assert bot.events == {}
    bot.status = 0
    with plugged_in(bot, tmp_path) as plugin:

        async def nothing() -> None:
            await _arrived(bot, 1)

        drive(plugin, nothing)
