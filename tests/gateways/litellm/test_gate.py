from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateways.litellm import upkeep
from gateways.litellm.denials import Denial
from gateways.litellm.gate import ASKING_SECONDS
from gateways.litellm.leases import Model
from gateways.litellm.wire import Ask, Person
from tests.gateways.litellm.company import ADA, CENT, GPT, Gateway, ask, gateway
from tests.support import holding

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

ADAS = "ada@example.com"


def drive(work: Callable[[Gateway], Awaitable[None]], at: Gateway) -> None:
    """Run it in a loop of its own, as a worker's calls do, and end what it began beside."""

    async def run() -> None:
        try:
            await asyncio.wait_for(work(at), 30)
        finally:
            await at.gate.close()

    asyncio.run(run())


async def settle_down(at: Gateway) -> None:
    """Wait for what goes on beside."""
    while at.gate._tasks:
        await asyncio.gather(*at.gate._tasks)


def test_one_lease_serves_many_calls_without_asking(bot: holding.Bot, tmp_path: Path) -> None:
    """The first call fetches a lease, a hundred more cost no request; all of it is inside of what is held."""

    async def work(at: Gateway) -> None:
        for _ in range(60):
            at.gate.finish(await at.take(), CENT // 2)
        assert bot.asked["allowances"] == 1
        assert bot.asked["holds"] == 0
        [lease] = at.gate.leases.values()
        assert lease.used == 30 * CENT

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_calls_that_come_at_once_fetch_one_lease(bot: holding.Bot, tmp_path: Path) -> None:
    """Fifty first calls wait for the one request and then share what it brought."""

    async def work(at: Gateway) -> None:
        await asyncio.gather(*(at.take() for _ in range(50)))
        assert (bot.asked["allowances"], bot.asked["holds"]) == (1, 0)

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_lease_that_runs_low_is_renewed_beside_the_call(bot: holding.Bot, tmp_path: Path) -> None:
    """The call that uses up three quarters goes on at once; the next lease is there for those behind it."""
    bot.lease_size = 10 * CENT

    async def work(at: Gateway) -> None:
        first = await at.take(1_000)
        old = at.gate.leases[ADA.name]
        await at.take(7_000)
        assert bot.asked["allowances"] == 1
        await settle_down(at)
        assert bot.asked["allowances"] == 2
        assert at.gate.leases[ADA.name] is not old
        assert at.journal.standing().releases == 0
        for call in [first, *at.gate.running]:
            at.gate.finish(call, None)
        assert at.journal.standing().releases == 1

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_call_that_no_lease_covers_asks_for_itself(bot: holding.Bot, tmp_path: Path) -> None:
    """A call larger than the lease is held by the bot under an id of its own, and released when it fails."""
    bot.lease_size = CENT

    async def work(at: Gateway) -> None:
        call = (await at.gate.admit(ask(1_000, input_tokens=800_000))).id
        assert bot.holds[call].amount == 101 * CENT
        at.gate.drop(call)
        at.post.round()
        assert bot.holds[call].status == "released"

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_without_leases_every_call_asks(bot: holding.Bot, tmp_path: Path) -> None:
    """An operator may switch leases off: then each call is held to the token."""

    async def work(at: Gateway) -> None:
        for _ in range(3):
            await at.take()
        assert (bot.asked["allowances"], bot.asked["holds"]) == (0, 3)
        assert bot.held(ADAS) == 3 * CENT

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)


def test_an_empty_wallet_is_denied_in_the_words_of_the_bot(bot: holding.Bot, tmp_path: Path) -> None:
    """Message, code and figures are handed on, with the status and header that clients obey."""
    bot.wallets[ADAS] = 0

    async def work(at: Gateway) -> None:
        with pytest.raises(Denial, match=r"your wallet has 0\.0 tokens left until 1 December 2026") as denied:
            await at.take()
        assert (denied.value.status, denied.value.type, denied.value.code) == (402, "budget_exceeded", "wallet_empty")
        assert denied.value.headers == {"x-should-retry": "false"}
        assert denied.value.details["cap"] == "wallet"
        assert at.gate.running == {}

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_nobody_is_refused_for_what_the_own_lease_keeps_back(bot: holding.Bot, tmp_path: Path) -> None:
    """A call that fits the wallet only with what the lease holds gets it: the lease goes back first."""

    async def work(at: Gateway) -> None:
        at.gate.finish(await at.take(), 0)
        bot.wallets[ADAS] = 150 * CENT
        call = (await at.gate.admit(ask(1_000, input_tokens=1_000_000))).id
        assert bot.holds[call].amount == 126 * CENT
        assert bot.asked["release"] == 1

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_nobody_is_refused_for_what_others_only_hold(bot: holding.Bot, tmp_path: Path) -> None:
    """A call that fits as soon as another one ends waits for that moment; its client is told of nothing."""
    bot.wallets[ADAS] = 3 * CENT // 2

    async def work(at: Gateway) -> None:
        first = await at.take()
        second = asyncio.create_task(at.take())
        assert await asyncio.to_thread(holding.wait_until, lambda: bot.denied == 1, 5)
        at.gate.drop(first)
        await asyncio.to_thread(at.post.round)
        assert bot.holds[await second].amount == CENT

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)


def test_a_model_that_the_bot_would_not_have_spoils_nobody_else_s_lease(bot: holding.Bot, tmp_path: Path) -> None:
    """A request for a lease that is refused as a whole is not made again with the same models."""
    strange = Model("openai", "strange")

    async def work(at: Gateway) -> None:
        bot.status = 422
        await at.gate.admit(Ask(ADA, (strange,), "", ask().estimate))
        bot.status = 0
        at.clock.advance(ASKING_SECONDS)
        await at.gate.admit(ask())
        assert set(at.gate.leases[ADA.name].prices) == {GPT}
        assert at.gate._models[ADA.name] == {GPT}

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_somebody_unknown_may_call(bot: holding.Bot, tmp_path: Path) -> None:
    """Whoever the bot does not know is not stopped: their usage waits in quarantine, and nothing is held."""

    async def work(at: Gateway) -> None:
        running = await at.gate.admit(ask(person=Person("stranger@example.com")))
        assert (running.hold, running.lease, running.counted) == ("", None, 0)

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_recalled_lease_serves_nobody_any_more(bot: holding.Bot, tmp_path: Path) -> None:
    """What a grant lifts is lifted at once: the next call asks, while one that runs keeps what it has."""

    async def work(at: Gateway) -> None:
        running = await at.take()
        await at.gate.admit(ask())
        [lease] = at.gate.leases.values()
        at.gate.recall([lease.id])
        assert at.gate.leases == {}
        await at.take()
        assert bot.asked["allowances"] == 2
        assert running in at.gate.running
        assert at.journal.standing().releases == 0

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_recall_reaches_the_gateway_within_a_second(bot: holding.Bot, tmp_path: Path) -> None:
    """The long poll hears of it."""

    async def work(at: Gateway) -> None:
        await at.take()
        upkeep.start(at.gate)
        assert await asyncio.to_thread(holding.wait_until, lambda: bot.asked["changes"] > 0, 5)
        bot.recall()
        assert await asyncio.to_thread(holding.wait_until, lambda: not at.gate.leases, 1)

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_whoever_has_too_little_for_a_lease_asks_each_time_and_is_tried_again(bot: holding.Bot, tmp_path: Path) -> None:
    """Five seconds long nobody asks for a lease that was not to be had; then it is tried again."""
    bot.wallets[ADAS] = 5 * CENT

    async def work(at: Gateway) -> None:
        for _ in range(3):
            at.gate.drop(await at.take())
        assert (bot.asked["allowances"], bot.asked["holds"]) == (1, 3)
        bot.wallets[ADAS] = 1_000 * CENT
        at.clock.advance(ASKING_SECONDS)
        await at.take()
        assert bot.asked["allowances"] == 2

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_lease_ends_in_time_and_its_calls_go_on(bot: holding.Bot, tmp_path: Path) -> None:
    """A lease about to end while a call runs on it is extended for that call and serves no other."""

    async def work(at: Gateway) -> None:
        call = await at.take()
        lease = at.gate.leases[ADA.name]
        at.clock.advance(45)
        await upkeep.beat(at.gate)
        assert (bot.asked["extend"], at.gate.leases) == (1, {})
        at.gate.finish(call, CENT)
        assert at.journal.claim_releases(now=at.clock(), most=9) == [(lease.id, at.clock())]

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_long_call_keeps_its_hold(bot: holding.Bot, tmp_path: Path) -> None:
    """A stream of half an hour is extended every five minutes, not at every beat."""

    async def work(at: Gateway) -> None:
        await at.take()
        for _ in range(180):
            at.clock.advance(10)
            await upkeep.beat(at.gate)
        assert bot.asked["extend"] == 6

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)


def test_a_call_of_which_nobody_tells_is_given_up(bot: holding.Bot, tmp_path: Path) -> None:
    """A client that left before anything began leaves no hold behind; one that is still served keeps it."""

    async def work(at: Gateway) -> None:
        over, going = await at.gate.admit(ask()), await at.gate.admit(ask())
        over.request = asyncio.create_task(asyncio.sleep(0))
        going.request = asyncio.create_task(asyncio.sleep(60))
        await over.request
        await upkeep.beat(at.gate)
        assert len(at.gate.running) == 2
        at.clock.advance(61)
        await upkeep.beat(at.gate)
        assert list(at.gate.running) == [going.id]
        at.post.round()
        assert bot.holds[over.id].status == "released"
        going.request.cancel()

    with gateway(bot, tmp_path, leases=False) as at:
        drive(work, at)


def test_what_nobody_can_size_is_checked(bot: holding.Bot, tmp_path: Path) -> None:
    """A batch may begin while something is left, and not when nothing is; nothing is held for it."""

    async def work(at: Gateway) -> None:
        await at.gate.check(ask())
        bot.wallets[ADAS] = 0
        with pytest.raises(Denial):
            await at.gate.check(ask())
        assert bot.holds == {}

    with gateway(bot, tmp_path) as at:
        drive(work, at)


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_request_that_the_bot_does_not_like_stops_nobody(bot: holding.Bot, tmp_path: Path, status: int) -> None:
    """A revoked key or an older bot is the operator's business: calls go on, and it is no outage."""
    bot.status = status

    async def work(at: Gateway) -> None:
        await at.take()
        await at.gate.check(ask())
        assert not at.gate.outage.away

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_person_is_known_by_user_and_alias(bot: holding.Bot, tmp_path: Path) -> None:
    """Keys of one user with different aliases may be different people to the bot, so that they share no lease."""

    async def work(at: Gateway) -> None:
        await at.gate.admit(ask(person=Person(ADAS, "laptop")))
        await at.gate.admit(ask(person=Person(ADAS, "agents")))
        assert len(at.gate.leases) == 2
        assert Person(ADAS, "laptop").told == {"user": ADAS, "key_alias": "laptop"}
        assert Person(ADAS).told == {"user": ADAS}

    with gateway(bot, tmp_path) as at:
        drive(work, at)


def test_a_new_model_joins_the_next_lease(bot: holding.Bot, tmp_path: Path) -> None:
    """A model that the lease has no price for asks for itself, and is in the lease after it."""
    claude = Model("anthropic", "claude-sonnet-4-5")

    async def work(at: Gateway) -> None:
        await at.take()
        other = ask()
        await at.gate.admit(type(other)(ADA, (claude,), "", other.estimate))
        assert bot.asked["holds"] == 1
        at.clock.advance(61)
        bot.lease_seconds = 600
        await at.gate.admit(type(other)(ADA, (claude,), "", other.estimate))
        assert bot.asked["holds"] == 1
        assert set(at.gate.leases[ADA.name].prices) == {GPT, claude}

    with gateway(bot, tmp_path) as at:
        drive(work, at)
