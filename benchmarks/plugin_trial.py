"""The second half of `make gateway-trial`: the plugin in a real LiteLLM proxy.

What it adds to a call; 64 clients on one wallet; the bot away in mid-traffic; the proxy killed in mid-traffic; what
clients show of a denial; and a proxy that asks as a guardrail instead. Providers and the bot are on this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.denial_trial import shown
from benchmarks.denials import clients
from benchmarks.gateway import bank, crowd, guardrail, hooks, proxy, upstream
from benchmarks.gateway.calls import GPT, NANO_USD
from benchmarks.gateway.relay import Relay, relaying

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = Path(proxy.__file__).parent / "plugin.yaml"
ADA, BEN = "ada@example.com", "ben@example.com"
COST = NANO_USD[GPT]
CLIENTS_AT_ONCE = 64
WORST_OUTPUT = 16_384
"""Sixteen cents for each call that really costs a third of one."""
WALLET_TOKENS = 135
"""Four hundred calls."""
PADDING = "and so on " * 400
"""About the 1,200 tokens that the providers of the trial report, most of them read from their cache."""
CALLS = 400
BLOCK = 50
WARM = 10
WORKERS = 2
PARTS = ("latency", "crowd", "outage", "denial", "guardrail", "kill")
OUTAGE_SECONDS = 6
ARRIVAL_SECONDS = 90


@dataclass
class Trial:
    """What runs, and what was found wrong."""

    folder: Path
    stack: ExitStack
    providers: dict[str, str]
    bot: bank.Bank
    relay: Relay
    problems: list[str] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    def expect(self, what: str, *, holds: bool) -> None:
        print(f"    {'yes' if holds else 'NO '}  {what}", flush=True)
        if not holds:
            self.problems.append(what)

    def settings(self, name: str, **said: str) -> dict[str, str]:
        """The environment of one proxy; its journal is named after it."""
        # Everything shares this machine: an answer that takes seconds is no outage.
        told = {"TOKENS_BOT_URL": self.relay.url, "TOKENS_BOT_KEY": self.bot.key, "TOKENS_BOT_PATIENCE": "6"}
        return self.providers | told | {"TOKENS_BOT_JOURNAL": str(self.folder / f"{name}.db")} | said

    def proxy(self, name: str, *, config: Path = CONFIG, workers: int = 1, **said: str) -> str:
        settings = self.settings(name, **said)
        return self.stack.enter_context(proxy.running(self._log(name), settings, config=config, workers=workers))

    def _log(self, name: str) -> Path:
        self.logs.append(self.folder / f"{name}.log")
        return self.logs[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", action="store_true", help="ask those that `make denial-trial` fetched, too")
    parser.add_argument("--only", choices=PARTS, action="append", help="leave the other parts out")
    options = parser.parse_args()
    parts = options.only or PARTS
    # Leave by the front door, so that the proxies are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    proxy.install()
    proxy.install_plugin()
    with ExitStack() as stack:
        trial = _start(stack)
        if "latency" in parts:
            _own_time()
            _latency(trial)
        gateway = trial.proxy("workers", workers=WORKERS)
        crowd.call(gateway, 4, lambda _, made: made < WARM)
        if "crowd" in parts:
            _crowd(trial, gateway)
        if "outage" in parts:
            _outage(trial, gateway)
        if "denial" in parts:
            _denial(trial, gateway, others=options.clients)
        if "guardrail" in parts:
            _guardrail(trial)
        if "kill" in parts:
            _kill(trial)
        if trial.problems:
            for log in trial.logs:
                said = [line for line in log.read_text(errors="replace").splitlines() if "tokens-bot" in line]
                print(f"{log.name} of the bot:", *said[-20:], sep="\n    ")
    for problem in trial.problems:
        print(f"WRONG  {problem}")
    print("The plugin's trial failed." if trial.problems else "The plugin did what it should.")
    return 1 if trial.problems else 0


def _start(stack: ExitStack) -> Trial:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plugin-trial-")))
    url = stack.enter_context(upstream.listening())
    providers = {"UPSTREAM_OPENAI": f"{url}/openai/v1", "UPSTREAM_ANTHROPIC": f"{url}/anthropic"}
    bot = stack.enter_context(bank.open_for_calls(folder))
    bot.give(ADA, 100_000)
    relay = stack.enter_context(relaying(int(bot.url.rpartition(":")[2])))
    return Trial(folder, stack, providers, bot, relay)


# --- What it adds to a call ------------------------------------------------------------------------------------------


def _latency(trial: Trial) -> None:
    """Blocks of calls in turn through three proxies, so that the machine's moods meet all of them."""
    bare = trial.folder / "bare.yaml"
    bare.write_text(CONFIG.read_text().replace('  callbacks: ["tokens_bot_litellm.plugin.plugin"]\n', ""))
    shutil.copy(CONFIG.parent / "custom_auth.py", trial.folder)
    print("Starting three proxies …", flush=True)
    gateways = {
        "the proxy alone": trial.proxy("bare", config=bare),
        "with a lease": trial.proxy("lease"),
        "with a round trip": trial.proxy("round-trip", TOKENS_BOT_LEASES="off"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in gateways}
    for url in gateways.values():
        crowd.call(url, 1, lambda _, made: made < BLOCK)
    for _ in range(CALLS // BLOCK):
        for name, url in gateways.items():
            seconds[name] += crowd.call(url, 1, lambda _, made: made < BLOCK).seconds
    print(f"\nOne call after another, {CALLS} each, milliseconds:")
    alone = _quantiles(seconds["the proxy alone"])
    for name, found in seconds.items():
        p50, p99 = _quantiles(found)
        print(f"    {name:<18} p50 {p50:6.1f} ({p50 - alone[0]:+.1f})   p99 {p99:6.1f} ({p99 - alone[1]:+.1f})")


def _own_time() -> None:
    """The hooks alone, as they were recorded: two proxies are never equally lucky on a busy machine."""
    print(f"\nIn the plugin's own hooks, {CALLS} calls, milliseconds:")
    for name, leases in (("with a lease", True), ("with a round trip", False)):
        p50, p99 = _quantiles(hooks.seconds(CALLS, leases=leases))
        print(f"    {name:<18} p50 {p50:6.2f}   p99 {p99:6.2f}", flush=True)


def _quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return statistics.median(seconds) * 1_000, cuts[98] * 1_000


# --- Many on one wallet ----------------------------------------------------------------------------------------------


def _crowd(trial: Trial, gateway: str) -> None:
    """Each call's worst case is fifty times what it costs: all of them at once are far more than the wallet."""
    bot = trial.bot
    wallet = bot.give(BEN, WALLET_TOKENS)
    _arrive(trial)
    before = bot.events()
    told = crowd.call(
        gateway, CLIENTS_AT_ONCE, lambda _, made: made < 100, key="sk-ben", max_tokens=WORST_OUTPUT, padding=PADDING
    )
    _arrive(trial)
    spent, arrived = wallet - bot.left(BEN), bot.events() - before
    print(
        f"\n{CLIENTS_AT_ONCE} clients on a wallet for {wallet // COST} calls, worst case {WORST_OUTPUT} output tokens:"
    )
    print(f"    {told.answered} answered, {len(told.denied_at)} denied, {arrived} events arrived, others {told.others}")
    print(f"    denied as {dict(told.codes)}")
    print(f"    spent {spent / wallet:.1%} of the wallet; allowed {(wallet + bank.OVERDRAFT) / wallet:.1%}")
    trial.expect("every answered call arrived, once", holds=arrived == told.answered)
    trial.expect("overspent by no more than the overdraft", holds=spent <= wallet + bank.OVERDRAFT)
    false = _false_denials(told, wallet)
    trial.expect(f"nobody was denied while there was room for what calls cost ({false} were)", holds=not false)


def _false_denials(told: crowd.Told, room: int) -> int:
    """Denials at moments when all calls made so far, and all that were under way, left room for one more."""
    return sum(
        sum(at <= denied for at in told.answered_at) * COST + CLIENTS_AT_ONCE * COST + COST <= room
        for denied in told.denied_at
    )


def _arrive(trial: Trial, expected: int = 0) -> None:
    """Wait until nothing more arrives and so much is there: what a killed worker had claimed waits for a minute."""
    seen = -1
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while (seen != trial.bot.events() or seen < expected) and time.monotonic() < deadline:
        seen = trial.bot.events()
        time.sleep(2)


# --- The bot is away -------------------------------------------------------------------------------------------------


def _outage(trial: Trial, gateway: str) -> None:
    """Clients go on; the line to the bot is cut for a while in their midst."""
    bot = trial.bot
    before, wallet = bot.events(), bot.left(ADA)
    ends = time.perf_counter() + OUTAGE_SECONDS + 8

    def cut() -> None:
        time.sleep(2)
        trial.relay.cut()
        time.sleep(OUTAGE_SECONDS)
        trial.relay.join()

    cutter = threading.Thread(target=cut)
    began = time.perf_counter()
    cutter.start()
    told = crowd.call(gateway, 16, lambda *_: time.perf_counter() < ends)
    cutter.join()
    _arrive(trial)
    calls = list(zip(told.answered_at, told.seconds, strict=True))
    meanwhile = [took for at, took in calls if began + 2.5 < at < began + 2 + OUTAGE_SECONDS]
    usual = max(took for at, took in calls if took not in meanwhile)
    longest = max(meanwhile, default=0.0)
    print(f"\nThe bot away for {OUTAGE_SECONDS} s, 16 clients:")
    print(
        f"    {told.answered} answered, {len(meanwhile)} of them meanwhile; the slowest of them took {longest:.1f} s,"
        f" of the others {usual:.1f} s"
    )
    trial.expect("work went on", holds=len(meanwhile) > 16 and not told.others and not told.denied_at)
    trial.expect("every answered call arrived, once", holds=bot.events() - before == told.answered)
    trial.expect("the wallet paid each of them", holds=wallet - bot.left(ADA) == told.answered * COST)
    trial.expect("nobody waited longer for the bot than its patience", holds=longest < usual + 7)


# --- The proxy is killed ---------------------------------------------------------------------------------------------


def _kill(trial: Trial) -> None:
    """SIGKILL in mid-traffic while the bot is away as well; whatever a client has an answer of arrives afterwards."""
    bot = trial.bot
    log, settings = trial.folder / "killed.log", trial.settings("killed")
    trial.logs.append(log)
    process, url = proxy.start(log, settings, CONFIG)
    proxy.wait_until_up(url, process, log)
    crowd.call(url, 4, lambda _, made: made < 5)
    _arrive(trial)
    before = bot.events()
    trial.relay.cut()
    killer = threading.Timer(3, process.kill)
    killer.start()
    told = crowd.call(url, 16, lambda *_: process.poll() is None)
    process.wait()
    trial.relay.join()
    process, url = proxy.start(log, settings, CONFIG)
    try:
        proxy.wait_until_up(url, process, log)
        _arrive(trial, before + told.answered)
    finally:
        process.terminate()
        process.wait(60)
    arrived = bot.events() - before
    print("\nSIGKILL of the proxy in mid-traffic, in an outage of the bot:")
    print(f"    {told.answered} answered, {arrived} arrived after the restart (others were under way)")
    trial.expect("nothing that was answered is lost", holds=told.answered <= arrived <= told.answered + 16)
    # A killed worker's leases lapse after a minute; nothing else may be left.
    trial.expect("every hold has ended, or ends by itself", holds=bot.held_for_calls() == 0)
    trial.expect("tokens-bot verify finds nothing", holds=bot.findings() == {})


# --- A denial, word for word -----------------------------------------------------------------------------------------


def _denial(trial: Trial, gateway: str, *, others: bool) -> None:
    # Until what is left is less than a small call costs.
    crowd.call(gateway, 4, lambda _, made: made < 100, key="sk-ben", max_tokens=300)
    print("\nA denial, as clients show it (asked: how often the proxy was):")
    python = proxy.VENV / "bin" / "python"
    _show(trial, "openai", [python, clients.HERE / "speak.py", "openai", gateway], gateway)
    for client in clients.CLIENTS:
        if others and client.name != "openai" and client.is_there:
            _show(trial, client.name, client.command(client.folder, gateway), gateway)


def _show(trial: Trial, name: str, command: Sequence[str | Path], gateway: str) -> None:
    before = _denials(trial)
    with tempfile.TemporaryDirectory(prefix="denial-") as home:
        clients.configure(Path(home), gateway)
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                list(command),
                env=clients.environment_of(home, gateway),
                cwd=home,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
                stdin=subprocess.DEVNULL,
            )
            print(f"  {name}, asked {_denials(trial) - before}:\n    {shown(done.stdout + done.stderr)}", flush=True)
            trial.expect(f"{name} shows the bot's words", holds="your wallet" in done.stdout + done.stderr)


def _denials(trial: Trial) -> int:
    """By the log of the proxy: how often it answered 402."""
    return next(log for log in trial.logs if log.stem == "workers").read_text(errors="replace").count('" 402 ')


# --- By configuration alone ------------------------------------------------------------------------------------------


def _guardrail(trial: Trial) -> None:
    """A proxy without the plugin: who has tokens calls, who has none is told why, and no prompt stays with the bot."""
    overheard = guardrail.Overheard()
    logging.getLogger().addHandler(overheard)
    shutil.copy(CONFIG.parent / "custom_auth.py", trial.folder)
    shutil.copy(CONFIG.parent / "guardrail.yaml", trial.folder)
    gateway = trial.proxy(
        "guardrail",
        config=trial.folder / "guardrail.yaml",
        TOKENS_BOT_GUARDRAIL=f"{trial.bot.url}/v1/guardrail",
        TOKENS_BOT_AUTHORIZATION=f"Bearer {trial.bot.key}",
    )
    trial.bot.empty(BEN)
    print("\nA proxy that asks as a guardrail:")
    passed = [heard.status for heard in guardrail.ask(gateway, "sk-ada")]
    trial.expect(f"who has tokens calls by every interface: {passed}", holds=set(passed) == {200})
    for heard in guardrail.ask(gateway, "sk-ben"):
        print(f"  {heard.path}, {heard.status}:\n    {heard.text[:400]}")
        trial.expect("who has none is stopped with the bot's words", holds="your wallet" in heard.text)
    logging.getLogger().removeHandler(overheard)
    trial.expect("the bot logs no prompt", holds=not any(guardrail.PROMPT in said for said in overheard.said))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "")
    sys.exit(main())
