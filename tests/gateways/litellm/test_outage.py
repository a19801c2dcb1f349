from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from gateways.litellm.denials import Denial
from tests.gateways.litellm.company import CENT, NOWHERE, Clock, Gateway, ask, gateway
from tests.gateways.litellm.test_gate import drive

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import holding


async def _lose(bot: holding.Bot, at: Gateway) -> None:
    """Ada has called while all was well; then the bot is away, and her lease is over."""
    at.gate.finish(await at.take(), CENT)
    bot.status = 503
    at.clock.advance(70)


def test_work_goes_on_within_what_was_known(bot: holding.Bot, tmp_path: Path) -> None:
    """Ada had 9 USD beside her lease: so much is spent, then she is denied, though the bot is away."""

    async def work(at: Gateway) -> None:
        await _lose(bot, at)
        for _ in range(9):
            await at.gate.admit(ask(0, input_tokens=800_000))
        assert at.journal.known("ada@example.com\n") == 0
        with pytest.raises(Denial) as denied:
            await at.take()
        assert (denied.value.status, denied.value.code) == (402, "spent_while_away")

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_what_a_call_did_not_use_may_be_spent_by_the_next(bot: holding.Bot, tmp_path: Path) -> None:
    """Reservations against what is known are put right when calls end or fail."""

    async def work(at: Gateway) -> None:
        await _lose(bot, at)
        first = (await at.gate.admit(ask(0, input_tokens=7_200_000))).id
        at.gate.finish(first, 100 * CENT)
        for ends in (True, False):
            call = (await at.gate.admit(ask(0, input_tokens=6_400_000))).id
            if ends:
                at.gate.drop(call)
        assert at.journal.known("ada@example.com\n") == 0

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_nobody_is_denied_by_what_was_known_once_the_bot_is_back(bot: holding.Bot, tmp_path: Path) -> None:
    """Between two looks for the bot it came back, and Ada got tokens meanwhile: it is asked before she is stopped."""

    async def work(at: Gateway) -> None:
        await _lose(bot, at)
        await at.gate.admit(ask(0, input_tokens=7_200_000))
        bot.status = 0
        at.gate.outage.away = True
        call = await at.gate.admit(ask(0, input_tokens=800_000))
        assert (call.hold, call.counted) == (call.id, 0)
        assert not at.gate.outage.away

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)


def test_a_short_outage_leaves_the_next_one_its_whole_grace(bot: holding.Bot, tmp_path: Path) -> None:
    """The bot is away and back within a second of its last answer: the next outage begins when it begins."""

    async def work(at: Gateway) -> None:
        await at.take()
        bot.status = 503
        await at.take()
        at.clock.advance(0.5)
        at.gate.outage.met()
        at.clock.advance(3_000)
        await at.take()
        assert at.journal.miss(now=at.clock()) == at.clock()

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)


def test_a_worst_case_that_does_not_fit_is_tried_with_the_usual(bot: holding.Bot, tmp_path: Path) -> None:
    """Also in an outage nobody is stopped for an output limit that they never reach."""

    async def work(at: Gateway) -> None:
        await _lose(bot, at)
        call = await at.gate.admit(ask(2_000_000))
        assert call.counted == 3_000_000

    with gateway(bot, tmp_path) as at:
        drive(work, at)


@pytest.mark.parametrize("on_outage", ["pass", "stop"])
def test_after_the_grace_it_is_as_the_operator_says(bot: holding.Bot, tmp_path: Path, on_outage: str) -> None:
    """Ten minutes after the outage was noticed everybody passes, or nobody does and may ask again later."""

    async def work(at: Gateway) -> None:
        await _lose(bot, at)
        await at.take()
        at.clock.advance(601)
        if on_outage == "pass":
            assert (await at.gate.admit(ask(50_000_000))).counted == 0
            return
        with pytest.raises(Denial) as denied:
            await at.take()
        assert (denied.value.status, denied.value.type) == (503, "budget_unknown")
        assert denied.value.headers == {"retry-after": "30"}

    with gateway(bot, tmp_path, on_outage="stop" if on_outage == "stop" else "pass") as at:
        drive(work, at)


@pytest.mark.parametrize(("on_outage", "passes"), [("pass", True), ("stop", False)])
def test_of_whom_nothing_is_known_the_operator_decides(tmp_path: Path, on_outage: str, *, passes: bool) -> None:
    """A proxy that starts while the bot is away knows nobody."""

    async def work(at: Gateway) -> None:
        try:
            await at.take()
        except Denial:
            assert not passes
        else:
            assert passes

    with gateway(NOWHERE, tmp_path, on_outage="stop" if on_outage == "stop" else "pass") as at:
        drive(work, at)


def test_a_proxy_that_starts_again_in_an_outage_still_knows(bot: holding.Bot, tmp_path: Path) -> None:
    """What was known is in the journal's file, for all workers and for the next life of the proxy."""
    clock = Clock()

    async def before(at: Gateway) -> None:
        await _lose(bot, at)
        await at.gate.admit(ask(0, input_tokens=3_200_000))

    async def after(at: Gateway) -> None:
        await at.gate.admit(ask(0, input_tokens=4_000_000))
        with pytest.raises(Denial):
            await at.gate.admit(ask(0, input_tokens=800_000))

    with gateway(bot, tmp_path, clock=clock) as at:
        drive(before, at)
    with gateway(bot, tmp_path, clock=clock) as at:
        drive(after, at)


def test_a_lease_outlives_the_bot(bot: holding.Bot, tmp_path: Path) -> None:
    """An outage within a lease's minute is not even noticed."""

    async def work(at: Gateway) -> None:
        await at.take()
        bot.status = 503
        await at.take()
        assert not at.gate.outage.away

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_nobody_waits_for_a_bot_that_is_away(bot: holding.Bot, tmp_path: Path) -> None:
    """One call finds out; those behind it ask nothing, until a look at its health tells that it is back."""

    async def work(at: Gateway) -> None:
        await _lose(bot, at)
        for _ in range(20):
            await at.take()
        asked = bot.asked["allowances"] + bot.asked["holds"]
        assert asked == 2
        bot.status = 0
        for task in list(at.gate._tasks):
            await task
        assert not at.gate.outage.away
        await at.take()
        assert bot.asked["allowances"] + bot.asked["holds"] > asked

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_hold_that_may_have_been_heard_is_given_back(bot: holding.Bot, tmp_path: Path) -> None:
    """A bot that answers too late holds something for a call that does not know of it."""

    async def work(at: Gateway) -> None:
        bot.status = 503
        call = await at.gate.admit(ask())
        assert call.hold == ""
        assert [hold for hold, _ in at.journal.claim_releases(now=time.time() + 100, most=9)] == [call.id]

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)
