"""The plugin's gate and sender against the bot's own HTTP side and ledger."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot import serving, settings
from gateways.litellm import doctor, payloads
from gateways.litellm.denials import Denial
from gateways.litellm.estimates import Estimate
from gateways.litellm.leases import Model
from gateways.litellm.sender import Sent
from gateways.litellm.wire import Ask, Person
from programme.usage import keys
from tests.gateways.litellm.company import ADA, Clock, Gateway, gateway
from tests.gateways.litellm.test_gate import drive
from tests.support import books, cast, held
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from programme.app import App

SONNET = Model("anthropic", "claude-sonnet-4-5")
SOURCE = "litellm-eu"


@contextmanager
def connected(app: App, folder: Path, *, leases: bool = True) -> Iterator[Gateway]:
    """A gateway whose bot is real; Ada has 250 tokens, and an empty wallet stops her."""
    held.stop(app)
    cast.give(app, ADA.user, "250")
    with app.transaction() as moment:
        made = keys.create(moment, name=SOURCE, source=SOURCE, scopes=["holds:write"], actor="test")
    clock = Clock()
    clock.now = NOON.timestamp()
    loaded = settings.load({"TOKENS_DATABASE_URL": "sqlite://", "TOKENS_HTTP_PORT": "0"})
    with (
        serving.serving(loaded, app, parts=["http"]) as url,
        gateway(url, folder, leases=leases, clock=clock, key=made.secret) as at,
    ):
        yield at


def a_call(output: int = 1_000, person: Person = ADA) -> Ask:
    return Ask(person, (SONNET,), "apollo", Estimate(0, output))


def payload(call_id: str, hold: str, output: int = 1_000, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What LiteLLM tells of a call of Sonnet's; a thousand output tokens are 1.5 tokens."""
    told = {
        "litellm_call_id": call_id,
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "anthropic",
        "model": "claude-sonnet-4-5",
        "startTime": NOON.timestamp() - 1,
        "endTime": NOON.timestamp(),
        "prompt_tokens": 0,
        "completion_tokens": output,
        "metadata": {"user_api_key_user_email": ADA.user},
    }
    return told | ({"hold": hold} if hold else {}) | more


def _keep(at: Gateway, told: dict[str, Any]) -> None:
    at.journal.keep(payloads.event_id(told), told.get("hold", ""), json.dumps(told), now=at.clock())


def test_a_lease_pays_for_what_is_reported_of_it(app: App, tmp_path: Path) -> None:
    """Calls on a lease are debited to the token, what is left of it returns, and the ledger holds."""

    async def work(at: Gateway) -> None:
        for number in range(3):
            call = await at.gate.admit(a_call())
            _keep(at, payload(f"call-{number}", call.hold))
            at.gate.finish(call.id, 15_000_000)
        [lease] = at.gate.leases.values()
        assert held.on_wallet(app) > 0
        at.gate.retire(lease)
        assert at.post.round() == Sent(events=3, releases=1)
        assert held.one(app, lease.id, SOURCE).status in {"released", "settled"}

    with connected(app, tmp_path) as at:
        drive(work, at)
    assert books.wallet(app, ADA.user) == held.tokens("245.5")
    assert held.on_wallet(app) == 0
    assert books.findings(app) == {}


def test_a_hold_is_settled_by_the_event_that_names_it(app: App, tmp_path: Path) -> None:
    """Without leases a call has a hold of its own; it is over once the event has arrived, also when sent twice."""

    async def work(at: Gateway) -> None:
        call = await at.gate.admit(a_call())
        assert held.on_wallet(app) == held.tokens("1.5")
        told = payload("call-1", call.hold, output=400)
        _keep(at, told)
        at.gate.finish(call.id, None)
        assert at.post.round() == Sent(events=1)
        assert held.one(app, call.hold, SOURCE).status == "settled"
        _keep(at, told)
        assert at.post.round() == Sent(events=1)

    with connected(app, tmp_path, leases=False) as at:
        drive(work, at)
    assert books.wallet(app, ADA.user) == held.tokens("249.4")
    assert held.on_wallet(app) == 0
    assert books.findings(app) == {}


def test_a_failed_call_returns_what_it_held(app: App, tmp_path: Path) -> None:
    """The release arrives by way of the journal."""

    async def work(at: Gateway) -> None:
        call = await at.gate.admit(a_call())
        at.gate.drop(call.id)
        assert at.post.round() == Sent(releases=1)

    with connected(app, tmp_path, leases=False) as at:
        drive(work, at)
    assert held.on_wallet(app) == 0
    assert books.findings(app) == {}


def test_an_empty_wallet_is_denied_as_the_bot_says_it(app: App, tmp_path: Path) -> None:
    """The sentence that an agent shows is the bot's, to the letter, with the figures beside it."""

    async def work(at: Gateway) -> None:
        with pytest.raises(
            Denial, match=r"your wallet has room for 250 tokens \(USD 2.50\) more.*`/tokens request` in Slack"
        ) as denied:
            await at.gate.admit(a_call(1_000_000))
        assert (denied.value.code, denied.value.details["cap"]) == ("wallet_empty", "wallet")

    with connected(app, tmp_path) as at:
        drive(work, at)


def test_strangers_and_unknown_models_are_not_stopped(app: App, tmp_path: Path) -> None:
    """What the bot cannot price or attribute is called all the same: it waits in quarantine, as ever."""

    async def work(at: Gateway) -> None:
        stranger = await at.gate.admit(a_call(person=Person("stranger@example.com")))
        assert stranger.hold == ""
        unknown = await at.gate.admit(Ask(ADA, (Model("openai", "inhouse-llm-9"),), "", Estimate(0, 9)))
        assert unknown.hold == ""
        known = await at.gate.admit(a_call())
        assert known.hold != ""
        assert not at.gate.outage.away

    with connected(app, tmp_path) as at:
        drive(work, at)


def test_tokens_that_are_credited_recall_the_lease(app: App, tmp_path: Path) -> None:
    """The gateway hears which lease it has to drop."""

    async def work(at: Gateway) -> None:
        await at.gate.admit(a_call())
        [lease] = at.gate.leases.values()
        before = await at.gate.bot.recalls("", wait=0)
        cast.give(app, ADA.user, "100", reason="More")
        after = await at.gate.bot.recalls(before.cursor, wait=0)
        assert lease.id in after.leases
        at.gate.recall(after.leases)
        assert at.gate.leases == {}

    with connected(app, tmp_path) as at:
        drive(work, at)


def test_what_is_known_in_an_outage_is_what_the_bot_said_last(app: App, tmp_path: Path) -> None:
    """Ada's 250 tokens and what she may overdraw are known in USD, less what the lease holds."""

    async def work(at: Gateway) -> None:
        await at.gate.admit(a_call())
        [lease] = at.gate.leases.values()
        assert at.journal.known(ADA.name) == 2_500_000_010 - lease.size

    with connected(app, tmp_path) as at:
        drive(work, at)


def test_a_long_call_is_extended(app: App, tmp_path: Path) -> None:
    """A hold ends later after a heartbeat."""

    async def work(at: Gateway) -> None:
        call = await at.gate.admit(a_call())
        before = held.one(app, call.hold, SOURCE).expires_at
        app.clock.move(minutes=5)  # type: ignore[attr-defined]  # the clock of tests
        await at.gate.bot.extend(call.hold)
        assert held.one(app, call.hold, SOURCE).expires_at > before

    with connected(app, tmp_path, leases=False) as at:
        drive(work, at)


def test_the_doctor_finds_the_key_good(app: App, tmp_path: Path) -> None:
    """Asked for the wallet of nobody, a bot answers a key with the right scope that nobody is there."""
    with connected(app, tmp_path) as at:
        chosen = at.gate.settings
        environment = {"URL": chosen.url, "KEY": chosen.key, "JOURNAL": str(chosen.journal)}
        found = doctor.examine({f"TOKENS_BOT_{name}": value for name, value in environment.items()}, at.clock)
        [key] = [finding for finding in found if finding.what == "key"]
        assert key.verdict == "good"
