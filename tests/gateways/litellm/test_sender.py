from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateways.litellm import sender
from gateways.litellm.sender import Later, Sender, Sent, pause_after
from tests.gateways.litellm.company import CENT, NOWHERE, Gateway, gateway
from tests.support import holding

if TYPE_CHECKING:
    from pathlib import Path


def _keep(at: Gateway, name: str, hold: str = "", **changed: object) -> None:
    payload = {
        "litellm_call_id": name,
        "startTime": 1_795_861_619.0,
        "status": "success",
        "custom_llm_provider": "openai",
        "model": "gpt-5",
        "prompt_tokens": 0,
        "completion_tokens": 1_000,
        "metadata": {"user_api_key_user_email": "ada@example.com"},
        **({"hold": hold} if hold else {}),
        **changed,
    }
    at.journal.keep(name, hold, json.dumps(payload), now=at.clock())


def test_what_is_kept_is_sent_and_forgotten(bot: holding.Bot, tmp_path: Path) -> None:
    """Two events arrive in one request, with the contract's version and the key; nothing is left here."""
    with gateway(bot, tmp_path) as at:
        _keep(at, "a")
        _keep(at, "b")
        assert at.post.round() == Sent(events=2)
        assert at.post.round().nothing
        assert (at.journal.standing().waiting, bot.asked["usage"], len(bot.events)) == (0, 1, 2)
    assert (bot.headers["x-tokens-contract"], bot.headers["authorization"]) == ("1", "Bearer tb_key")


def test_an_event_that_is_sent_twice_counts_once(bot: holding.Bot, tmp_path: Path) -> None:
    """A worker that was killed after sending and before forgetting sends again: the bot knows the event."""
    with gateway(bot, tmp_path) as at:
        _keep(at, "a")
        events = at.journal.claim(now=at.clock(), most=9, most_bytes=10_000)
        at.post._send(events)
        at.clock.advance(61)
        assert at.post.round() == Sent(events=1)
    assert bot.wallets["ada@example.com"] == 10 * holding.NANO - CENT


@pytest.mark.parametrize("status", [500, 503, 401, 403, 429])
def test_a_bot_that_cannot_take_it_is_asked_again_later(bot: holding.Bot, tmp_path: Path, status: int) -> None:
    """Neither an outage nor a revoked key loses an event; a wrong key is not tried every second."""
    with gateway(bot, tmp_path) as at:
        _keep(at, "a")
        bot.status = status
        with pytest.raises(Later) as later:
            at.post.round()
        assert later.value.seconds == (60 if status in {401, 403} else 0)
        bot.status = 0
        assert at.post.round() == Sent(events=1)


def test_a_bot_that_is_not_there_loses_nothing(tmp_path: Path) -> None:
    """Without a connection everything stays in the journal, claimed by nobody."""
    with gateway(NOWHERE, tmp_path) as at:
        _keep(at, "a")
        for _ in range(3):
            with pytest.raises(Later):
                at.post.round()
        assert at.journal.standing().waiting == 1


def test_a_rejected_event_is_set_aside_and_the_others_arrive(bot: holding.Bot, tmp_path: Path) -> None:
    """One event that the bot will not have holds nobody up."""
    bot.reject = {"bad"}
    with gateway(bot, tmp_path) as at:
        for name in ("a", "bad", "b"):
            _keep(at, name)
        assert at.post.round() == Sent(events=2, refused=1)
        assert at.journal.refused() == [("bad", "rejected")]


def test_a_request_that_is_too_large_is_halved_until_the_culprit_stands_alone(
    bot: holding.Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that is refused as a whole is sent in parts; what is refused alone is set aside."""

    def take_in(payloads: list[dict[str, object]]) -> tuple[int, dict[str, object]]:
        bad = any(payload["litellm_call_id"] == "bad" for payload in payloads)
        return (413, {}) if bad else (200, {"results": [{"status": "accepted"} for _ in payloads]})

    monkeypatch.setattr(bot, "take_in", take_in)
    with gateway(bot, tmp_path) as at:
        for name in ("a", "b", "bad", "c"):
            _keep(at, name)
        for _ in range(12):
            try:
                at.post.round()
            except Later:
                continue
        assert at.journal.standing().waiting == 0
        assert [event for event, _ in at.journal.refused()] == ["bad"]


def test_leases_and_holds_are_given_back_each_in_its_way(bot: holding.Bot, tmp_path: Path) -> None:
    """What ended by itself counts as given back; what the bot does not know yet is asked for once more."""
    bot.holds["lease_1"] = holding.Hold("ada@example.com", CENT, "lease")
    bot.holds["call_1"] = holding.Hold("ada@example.com", CENT, "call")
    bot.holds["call_2"] = holding.Hold("ada@example.com", CENT, "call", "settled")
    with gateway(bot, tmp_path) as at:
        for hold in ("lease_1", "call_1", "call_2", "call_3"):
            at.journal.release(hold, now=at.clock())
        assert at.post.round() == Sent(releases=4)
        assert at.journal.standing().releases == 1
        at.clock.advance(61)
        assert at.post.round() == Sent(releases=1)
        assert at.journal.standing().releases == 0
    assert [bot.holds[hold].status for hold in ("lease_1", "call_1", "call_2")] == ["released", "released", "settled"]


def test_pauses_double_up_to_a_minute() -> None:
    """About 1, 2, 4, 8 seconds; never more than a minute and a fifth; the bot's own wish counts."""
    for failures, expected in ((1, 1), (2, 2), (4, 8), (7, 60), (50, 60)):
        assert 0.8 * expected <= pause_after(failures) <= 1.2 * expected
    assert pause_after(1, asked=30) == 30


def test_the_thread_sends_at_once_when_it_is_woken(
    bot: holding.Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event does not wait for the next look, and the thread ends when it is told to."""
    monkeypatch.setattr(sender, "IDLE_SECONDS", 30)
    with gateway(bot, tmp_path) as at:
        thread = Sender(at.post)
        thread.start()
        for number in (1, 2, 3):
            _keep(at, str(number))
            thread.wake()
            assert holding.wait_until(lambda: len(bot.events) == number, 10)  # noqa: B023 - asked before it changes
        thread.stop()
        assert not thread._thread.is_alive()
