"""`make collector-trial`: what an application traces reaches the ledger by way of a collector, and does so once.

The collector is Rotel, a small one in Rust that a wheel carries: it takes in OTLP, makes batches, compresses them and
sends them on with retries, as OpenTelemetry's own does. The application is OpenTelemetry's SDK; the bot runs as intake
alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from benchmarks.gateway.proxy import free_port
from bot import serving, settings, wiring
from programme.balance import balance
from programme.usage import keys
from store.tables.usage import usage_events
from tests.support import books, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.sdk.trace import ReadableSpan

    from bot.settings import Settings
    from programme.app import App

RELEASE = "0.0.1a15"
ROOT = Path(__file__).parents[1]
VENV = ROOT / "var" / "collector-venv"
INSTALL_SECONDS, START_SECONDS, ARRIVAL_SECONDS, AWAY_SECONDS, POLL_SECONDS = 300, 20, 30, 4, 0.05
GRANT, CENTS_A_CALL = 1_000, 54
ADA = "ada@example.com"
CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 1_200,
    "gen_ai.usage.cache_read.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 300,
    "gen_ai.input.messages": "a prompt",
}
"""USD 0.0054, which is 0.54 tokens."""
AGENT = CALL | {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner"}
SILENT = {name: value for name, value in CALL.items() if ".usage." not in name}


def main() -> int:
    install()
    # Exporters go by way of the environment's proxies; everything here is on this machine.
    os.environ["NO_PROXY"] = "127.0.0.1"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="collector-trial-")))
        loaded = settings.load(
            {"TOKENS_DATABASE_URL": f"sqlite:///{folder / 'tokens.db'}", "TOKENS_HTTP_PORT": str(free_port())}
        )
        app = wiring.new_app(loaded)
        stack.callback(app.database.close)
        secret = _prepare(app)
        collector = stack.enter_context(collecting(folder / "collector.log", loaded, secret))
        problems = list(_take_steps(loaded, app, OTLPSpanExporter(f"{collector}/v1/traces")))
        problems += _check_accounts(app)
        if problems:
            print(f"The collector's log:\n{(folder / 'collector.log').read_text(errors='replace')[-2_000:]}")
    for problem in problems:
        print(f"WRONG  {problem}")
    print("The collector trial failed." if problems else "Every call arrived once.")
    return 1 if problems else 0


# --- The collector ---------------------------------------------------------------------------------------------------


def install() -> None:
    """Rotel in var/collector-venv, unless it is there."""
    if agent().exists() and (VENV / RELEASE).exists():
        return
    print(f"Installing Rotel {RELEASE} into {VENV.relative_to(ROOT)} …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True, timeout=INSTALL_SECONDS)
    fetch: list[str | Path] = [VENV / "bin" / "python", "-m", "pip", "install", "-qq", "--no-deps", f"rotel=={RELEASE}"]
    subprocess.run(fetch, check=True, timeout=INSTALL_SECONDS)
    agent().chmod(0o755)
    (VENV / RELEASE).touch()


def agent() -> Path:
    return next(iter(VENV.glob("lib/python*/site-packages/rotel/rotel-agent")), VENV / "nothing")


@contextmanager
def collecting(log: Path, loaded: Settings, secret: str) -> Iterator[str]:
    """A collector that leads traces to the bot, whether or not that is there; where it takes them in."""
    port = free_port()
    options: Mapping[str, str | None] = {
        "otlp-http-endpoint": f"127.0.0.1:{port}",
        "otlp-grpc-endpoint": f"127.0.0.1:{free_port()}",
        "otlp-receiver-metrics-disabled": None,
        "otlp-receiver-logs-disabled": None,
        "exporter": "otlp",
        "otlp-exporter-protocol": "http",
        "otlp-exporter-endpoint": f"http://127.0.0.1:{loaded.http_port}/v1/otlp",
        "otlp-exporter-compression": "gzip",
        "otlp-exporter-custom-headers": f"authorization=Bearer {secret}",
        "otlp-exporter-retry-initial-backoff": "500ms",
        "otlp-exporter-retry-max-backoff": "1s",
        "batch-timeout": "200ms",
    }
    command: list[str | Path] = [agent(), "start"]
    for name, value in options.items():
        command += [f"--{name}"] if value is None else [f"--{name}", value]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent)
    try:
        # It says that it listens; nothing of OTLP asks whether it does.
        deadline = time.monotonic() + START_SECONDS
        while "Starting Rotel" not in log.read_text(errors="replace") and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_SECONDS)


# --- What happens ----------------------------------------------------------------------------------------------------


def _prepare(app: App) -> str:
    """People, a grant for Ada, and a key for the collector, whose secret is returned."""
    cast.settle(app)
    cast.give(app, ADA, str(GRANT), reason="Collector trial")
    with app.transaction() as moment:
        return keys.create(moment, name="collector", source="collector", scopes=["usage:write"], actor="trial").secret


def _take_steps(loaded: Settings, app: App, exporter: OTLPSpanExporter) -> Iterator[str]:
    """Each step with what became of its spans, and what is wrong with that."""
    first = spans(calls=20)
    with serving.serving(loaded, app, ["http"]):
        yield from _step(exporter, "20 calls of agents, and a page of the web", first, {"accepted": 20})
        yield from _step(exporter, "the same spans again", first, {"duplicate": 20})
        yield from _step(exporter, "a call that is silent, beside two that tell", spans(2, silent=1), PARTLY)
    away = spans(calls=50)
    exporter.export(away)
    print(f"  the bot is away for {AWAY_SECONDS} s", flush=True)
    time.sleep(AWAY_SECONDS)
    with serving.serving(loaded, app, ["http"]):
        yield from _step(None, "50 calls from the outage", away, {"accepted": 50})
        yield from _step(exporter, "a thousand calls at once", spans(calls=1_000), {"accepted": 1_000})


PARTLY = {"accepted": 2, "rejected": 1}


def _step(
    exporter: OTLPSpanExporter | None, what: str, made: list[ReadableSpan], expected: Mapping[str, int]
) -> Iterator[str]:
    before = _counts()
    began = time.perf_counter()
    if exporter is not None:
        exporter.export(made)
    found: Counter[str] = Counter()
    while found.total() < sum(expected.values()) and time.perf_counter() - began < ARRIVAL_SECONDS:
        time.sleep(POLL_SECONDS)
        found = _counts() - before
    took = (time.perf_counter() - began) * 1_000
    told = ", ".join(f"{count} {status}" for status, count in found.items())
    print(f"  {what:<46} {told:<28} {took:>6.0f} ms", flush=True)
    if found != Counter(expected):
        yield f"{what}: {dict(found)}, expected {dict(expected)}"


def _counts() -> Counter[str]:
    """Events by status, as this process counts them for Prometheus."""
    told = ("accepted", "duplicate", "conflict", "quarantined", "rejected")
    name = "tokens_bot_usage_events_total"
    return Counter({status: int(REGISTRY.get_sample_value(name, {"status": status}) or 0) for status in told})


def spans(calls: int, *, silent: int = 0) -> list[ReadableSpan]:
    """What an application traces: agents with a call of a model in each, and a request of its own."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "assistant", "user.email": ADA}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("trial")
    for attributes in [CALL] * calls + [SILENT] * silent:
        with tracer.start_as_current_span("invoke_agent Planner", attributes=AGENT):
            tracer.start_span("chat claude-sonnet-4-5", attributes=attributes).end()
    tracer.start_span("GET /", attributes={"http.request.method": "GET"}).end()
    return list(kept.get_finished_spans())


def _check_accounts(app: App) -> Iterator[str]:
    with app.database.reading() as session:
        count = session.execute(sa.select(sa.func.count()).select_from(usage_events)).scalar_one()
    findings = books.findings(app)
    with app.reading(app.clock()) as moment:
        card = balance.of_email(moment, ADA)
        assert card is not None
    left = GRANT * 100 - CENTS_A_CALL * count
    print(f"\n{count:,} calls, {card.available.decimal} tokens left of {GRANT:,}; {len(findings)} findings of `verify`")
    if int(card.available.decimal * 100) != left:
        yield f"Ada has {card.available.decimal} tokens left, expected {left / 100}"
    for check, said in findings.items():
        yield f"{check}: {said}"


if __name__ == "__main__":
    sys.exit(main())
