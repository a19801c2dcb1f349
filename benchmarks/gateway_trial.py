"""`make gateway-trial`: the bot bills what a real LiteLLM proxy reports, and nothing else.

A proxy of its own, providers on this machine, our bot beside a local workspace. People make calls through the proxy;
then Ada asks in Slack, and what she is shown is compared with the price lists.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.gateway import proxy, steps, upstream
from benchmarks.gateway.calls import ALIASES, CALLS, INPUT_TOKENS, OUTPUT_TOKENS, PATIENCE_SECONDS, Call, Fate, make
from benchmarks.gateway.steps import STEPS
from bot import serving, settings, wiring
from policy.period import Month, day_of
from programme.balance import balance, history
from programme.usage import keys
from sandbox.server import Sandbox
from sandbox.workspace import Workspace
from store.usage import events as usage_store
from tests.support import cast

if TYPE_CHECKING:
    from policy.units import MicroTokens
    from programme.app import App

GRANT = 1_000
NANO_USD_PER_TOKEN = 10_000_000
"""The packaged handbook's token: one cent."""
CENT = Decimal("0.01")
ARRIVAL_SECONDS = 20
POLL_SECONDS = 0.01
TOKENS_BOT = Path(sys.executable).parent / "tokens-bot"

WORKSPACE = {
    "name": "Gateway trial",
    "app": {"name": "Tokens", "commands": [{"command": "/tokens"}]},
    "members": [
        {"id": "U0ADA", "name": "ada", "email": "ada@example.com"},
        {"id": "U0BEN", "name": "ben", "email": "ben@example.com"},
    ],
    "channels": [{"id": "C0GENERAL", "name": "general", "members": ["U0ADA", "U0BEN"]}],
}


@dataclass
class Trial:
    """What runs, and what was found wrong."""

    app: App
    sandbox: Sandbox
    environment: dict[str, str]
    log: Path
    journal: Path
    bot: httpx.Client
    gateway: httpx.Client
    problems: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.problems.append(f"{what}: {found}, expected {expected}")

    def ask(self, text: str) -> list[dict[str, Any]]:
        return list(self.sandbox.command("U0ADA", "C0GENERAL", text).blocks)

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [TOKENS_BOT, *arguments],
            env=self.environment,
            cwd=self.environment["HOME"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            self.problems.append(f"tokens-bot {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout.rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=1, help="LiteLLM's DEFAULT_BATCH_SIZE (its own: 512)")
    parser.add_argument("--flush-seconds", type=int, default=1, help="its DEFAULT_FLUSH_INTERVAL_SECONDS (its own: 5)")
    options = parser.parse_args()
    # Leave by the front door, so that the proxy is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    proxy.install()
    proxy.install_plugin()
    with ExitStack() as stack:
        trial = _start(stack, options)
        delays = _make_calls(trial)
        _take_steps(trial)
        # What would be reported twice, or late, has arrived by then.
        time.sleep(2 * options.flush_seconds)
        _show_arrivals(trial, delays, options)
        _send_journal_again(trial)
        _check_accounts(trial)
        _show_ada(trial)
        _show_operators(trial)
        if trial.problems:
            print(f"The end of LiteLLM's log:\n{trial.log.read_text(errors='replace')[-2_000:]}")
    for problem in trial.problems:
        print(f"WRONG  {problem}")
    print("The gateway trial failed." if trial.problems else "Every figure is as the price lists say.")
    return 1 if trial.problems else 0


# --- Starting --------------------------------------------------------------------------------------------------------


def _start(stack: ExitStack, options: argparse.Namespace) -> Trial:
    """Our bot in this process, the proxy in another; what was started last stops first."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-trial-")))
    log, journal = folder / "litellm.log", folder / "journal.jsonl"
    sandbox = stack.enter_context(Sandbox(Workspace.from_dict(WORKSPACE)))
    environment = {
        "HOME": str(folder),
        "SLACK_BOT_TOKEN": sandbox.workspace.app.bot_token,
        "SLACK_APP_TOKEN": sandbox.workspace.app.app_token,
        "SLACK_API_URL": sandbox.api_url,
        "TOKENS_DATABASE_URL": f"sqlite:///{folder / 'tokens.db'}",
        "TOKENS_HTTP_PORT": "0",
    }
    loaded = settings.load(environment)
    app = wiring.new_app(loaded)
    stack.callback(app.database.close)
    authorization = {"Authorization": f"Bearer {_prepare(app)}"}
    bot_url = stack.enter_context(serving.serving(loaded, app))
    gateway_settings = {
        "DEFAULT_BATCH_SIZE": str(options.batch_size),
        "DEFAULT_FLUSH_INTERVAL_SECONDS": str(options.flush_seconds),
        "TOKENS_BOT_INTAKE": f"{bot_url}/v1/usage/litellm",
        "TOKENS_BOT_AUTHORIZATION": authorization["Authorization"],
        "TOKENS_BOT_JOURNAL": str(journal),
        **_provider_addresses(stack.enter_context(upstream.listening())),
    }
    print(f"Starting LiteLLM {proxy.RELEASE} …", flush=True)
    gateway_url = stack.enter_context(proxy.running(log, gateway_settings))
    bot = stack.enter_context(httpx.Client(base_url=bot_url, headers=authorization, trust_env=False))
    gateway = stack.enter_context(httpx.Client(base_url=gateway_url, trust_env=False))
    return Trial(app, sandbox, environment, log, journal, bot, gateway)


def _provider_addresses(url: str) -> dict[str, str]:
    return {
        "UPSTREAM_OPENAI": f"{url}/openai/v1",
        "UPSTREAM_ANTHROPIC": f"{url}/anthropic",
        "UPSTREAM_BROKEN": f"{url}/broken/v1",
    }


def _prepare(app: App) -> str:
    """People, a grant for each of the two, and a key for the gateway, whose secret is returned."""
    cast.settle(app)
    for email in ("ada@example.com", "ben@example.com"):
        cast.give(app, email, str(GRANT), reason="Gateway trial")
    with app.transaction() as moment:
        return keys.create(
            moment, name="litellm-trial", source="litellm-trial", scopes=["usage:write"], actor="trial"
        ).secret


# --- Calling ---------------------------------------------------------------------------------------------------------


def _make_calls(trial: Trial) -> list[float]:
    """Make the calls one after another; how many seconds after its answer each moved its balance."""
    delays: list[float] = []
    for call in CALLS:
        before = _traces(trial, call)
        answered_at = make(trial.gateway, call)
        arrived = _wait_for_change(trial, call, before)
        delay = time.perf_counter() - answered_at
        if not arrived:
            trial.problems.append(f"{call.what}: nothing arrived within {ARRIVAL_SECONDS} s")
        elif call.nano_usd:
            delays.append(delay)
        print(
            f"  {call.owner.partition('@')[0]:<4} {call.what:<34} {call.fate:<13} {delay * 1_000:>6.0f} ms", flush=True
        )
    return delays


def _take_steps(trial: Trial) -> None:
    """Calls of other kinds, one after another; each is there when its reports are."""
    headers = {"Authorization": "Bearer sk-ada"}
    with httpx.Client(
        base_url=trial.gateway.base_url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        for step in STEPS:
            before = _counts(trial)
            step.make(client)
            accepted = step.posted + step.accepted
            deadline = time.monotonic() + ARRIVAL_SECONDS
            found = _counts(trial) - before
            while (
                found["accepted"] < accepted or found["duplicate"] < step.duplicates
            ) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                found = _counts(trial) - before
            # The callback may send what is still under way once more: then there are more duplicates.
            found["duplicate"] = min(found["duplicate"], step.duplicates)
            trial.expect(step.what, found, Counter(accepted=accepted, duplicate=step.duplicates))
            print(f"  ada  {step.what:<34} {'posted' if step.posted else 'nothing used':<13}", flush=True)


def _wait_for_change(trial: Trial, call: Call, before: object) -> bool:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        if _traces(trial, call) != before:
            return True
        time.sleep(POLL_SECONDS)
    return False


def _traces(trial: Trial, call: Call) -> object:
    """What a call changes when it arrives: its owner's balance, the number of their calls, or a count of the intake."""
    if call.fate == "nothing used":
        return _counts(trial)["accepted"]
    if call.fate == "held":
        with trial.app.database.reading() as session:
            return usage_store.count_held(session)
    available, used = _account(trial.app, call.owner)
    return used.calls if call.cached else available


def _account(app: App, email: str) -> tuple[MicroTokens, history.History]:
    now = app.clock()
    with app.reading(now) as moment:
        card = balance.of_email(moment, email)
        assert card is not None
        month = Month.containing(day_of(now, app.zone))
        return card.available, history.of_month(moment, card.person_id, month)


def _counts(trial: Trial) -> Counter[str]:
    """Events by status, as the bot counts them for Prometheus."""
    text = trial.bot.get("/metrics").text
    name = 'tokens_bot_usage_events_total{status="'
    lines = (line.removeprefix(name) for line in text.splitlines() if line.startswith(name))
    return Counter({status: int(float(count)) for status, _, count in (line.partition('"} ') for line in lines)})


# --- Looking ---------------------------------------------------------------------------------------------------------


def _show_arrivals(trial: Trial, delays: list[float], options: argparse.Namespace) -> None:
    if delays:
        print(
            f"\nFrom answer to moved balance: median {statistics.median(delays) * 1_000:.0f} ms, longest"
            f" {max(delays) * 1_000:.0f} ms of {len(delays)} calls (batch size {options.batch_size},"
            f" flush {options.flush_seconds} s)"
        )
    counts = _counts(trial)
    print("Events: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    accepted = _made("posted") + _made("nothing used") + sum(step.posted + step.accepted for step in STEPS)
    trial.expect("accepted", counts["accepted"], accepted)
    trial.expect("quarantined", counts["quarantined"], _made("held"))
    trial.expect("conflicts", counts["conflict"], 0)
    trial.expect("rejected", counts["rejected"], 0)


def _made(fate: Fate) -> int:
    return sum(call.fate == fate for call in CALLS)


def _send_journal_again(trial: Trial) -> None:
    """What the gateway kept on disk is what it reported: nothing in it is new."""
    lines = trial.journal.read_text(encoding="utf-8").splitlines()
    answer = trial.bot.post("/v1/usage/litellm", content=f"[{','.join(lines)}]").raise_for_status().json()
    summary = {status: count for status, count in answer["summary"].items() if count}
    print(f"The gateway's journal, sent again: {', '.join(f'{count} {status}' for status, count in summary.items())}")
    free = _made("nothing used") + sum(step.accepted - step.unpayloaded for step in STEPS)
    known = _made("posted") + _made("held") + sum(step.posted + step.duplicates for step in STEPS)
    expected = {"accepted": free, "duplicate": known}
    trial.expect("journal", summary, expected)


def _check_accounts(trial: Trial) -> None:
    """The ledger to the last digit: calls, input and output tokens and cost by model, and what is left."""
    for email in ("ada@example.com", "ben@example.com"):
        available, used = _account(trial.app, email)
        found = {line.model: (line.calls, line.input_tokens, line.output_tokens, int(line.cost)) for line in used.lines}
        expected = {model: figures for (_, model), figures in _lines(email).items()}
        trial.expect(f"{email}, calls, tokens in and out, nano-USD", found, expected)
        trial.expect(f"{email}, balance", available.decimal, _left(email))


def _left(email: str) -> Decimal:
    spent = sum(cost for _, _, _, cost in _lines(email).values())
    return GRANT - Decimal(spent) / NANO_USD_PER_TOKEN


def _lines(email: str) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """Calls, input and output tokens and nano-USD by service and model, as the price lists have it."""
    lines: dict[tuple[str, str], tuple[int, int, int, int]] = {}
    for call in CALLS:
        if call.owner == email and call.fate == "posted":
            line = ALIASES[call.model]
            calls, tokens_in, tokens_out, cost = lines.get(line, (0, 0, 0, 0))
            bought = not call.cached
            lines[line] = (
                calls + 1,
                tokens_in + bought * INPUT_TOKENS[line],
                tokens_out + bought * OUTPUT_TOKENS[line],
                cost + call.nano_usd,
            )
    if email == "ada@example.com":
        for step in STEPS:
            if step.posted:
                calls, tokens_in, tokens_out, cost = lines.get(step.line, (0, 0, 0, 0))
                answers = steps.times(step)
                lines[step.line] = (
                    calls + 1,
                    tokens_in + answers * steps.INPUT_TOKENS[step.line],
                    tokens_out + answers * steps.OUTPUT_TOKENS[step.line],
                    cost + step.nano_usd,
                )
    return lines


def _show_ada(trial: Trial) -> None:
    """What she sees, compared with the price lists to the digits that are shown."""
    shown = {question: trial.ask(f"/tokens {question}") for question in ("history", "balance")}
    for question, blocks in shown.items():
        print(f"\nAda: /tokens {question}\n" + "\n".join(_text(block) for block in blocks))
    [table] = [block for block in shown["history"] if block["type"] == "table"]
    rows = [[cell["text"] for cell in row] for row in table["rows"][1:]]
    found = {(row[6], row[0]): (row[3], *map(Decimal, row[1:3])) for row in rows}
    expected = {line: (str(calls), *_rounded(cost)) for line, (calls, _, _, cost) in _lines("ada@example.com").items()}
    trial.expect("what Ada is shown (calls, tokens, USD)", found, expected)
    left = _left("ada@example.com").quantize(Decimal(1))
    if f"*{left} tokens left*" not in _text(shown["balance"][0]):
        trial.problems.append(f"Ada's balance does not say {left} tokens left")


def _rounded(nano_usd: int) -> tuple[Decimal, Decimal]:
    """Whole tokens, and USD to the cent, as messages have them."""
    return (Decimal(nano_usd) / NANO_USD_PER_TOKEN).quantize(Decimal(1)), Decimal(nano_usd).scaleb(-9).quantize(CENT)


def _text(block: dict[str, Any]) -> str:
    if block["type"] == "table":
        rows = [[cell["text"] for cell in row] for row in block["rows"]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    texts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
    said = [text["text"] for text in texts if text]
    # A button's text is an object of its own.
    return "\n".join(text if isinstance(text, str) else text["text"] for text in said)


def _show_operators(trial: Trial) -> None:
    print(f"\n$ tokens-bot quarantine list\n{trial.command('quarantine', 'list')}")
    print(f"\n$ tokens-bot usage differences\n{trial.command('usage', 'differences')}")
    different = json.loads(trial.command("usage", "differences", "--json") or "null")
    trial.expect("differences", different, {"by_model": [], "events": []})
    verdict = json.loads(trial.command("verify", "--json") or "null")
    print(f"\n$ tokens-bot verify --json\n{json.dumps(verdict)}\n")
    trial.expect("verify", verdict, {"holds": True, "findings": []})


if __name__ == "__main__":
    sys.exit(main())
