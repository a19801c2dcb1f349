"""What operators measure: counts and durations, never an amount or a name."""

from __future__ import annotations

from collections import Counter as Counters
from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from store import pulses, runs
from store.outbox import backlog
from store.usage import events as usage_store
from store.usage import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from prometheus_client.core import Metric

    from programme.app import App
    from programme.vitals import Link, Vital
    from store.outbox.backlog import Backlog
    from store.pulses import Process

COMMAND_SECONDS = Histogram("tokens_bot_command_seconds", "Time to answer a slash command.", ["command"])
command_seconds = cache(COMMAND_SECONDS.labels)
"""Of one command, looked up once: its labels are checked anew each time."""
USAGE_EVENTS = Counter("tokens_bot_usage_events", "Usage events by what became of them.", ["status"])
USAGE_DIFFERENCES = Counter(
    "tokens_bot_usage_differences", "Usage events that were posted while their gateway reckons with another price."
)
OUTCOMES = Counter("tokens_bot_outcomes", "Outcomes of work by what became of them.", ["status"])


class Kept:
    """What the database counts: the same for every process, and it outlives them."""

    def __init__(self, app: App) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("tokens_bot_database_up", "Whether the database answered just now.")
        try:
            with self._app.database.reading() as session:
                refused, held = refusals.totals(session), usage_store.count_held(session)
                owed, failed = backlog.read(session, self._app.clock()), len(runs.failures(session))
                running = pulses.running(session, self._app.clock())
        except sa.exc.DBAPIError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        answers = CounterMetricFamily(
            "tokens_bot_usage_refused", "Usage events not taken in, ever.", labels=["source", "status", "reason"]
        )
        for one in refused:
            answers.add_metric([one.source, one.status, one.reason], one.events)
        yield answers
        waiting = GaugeMetricFamily("tokens_bot_quarantine_waiting", "Usage events in quarantine.", labels=["reason"])
        for reason, count in sorted(held.items()):
            waiting.add_metric([reason], count)
        yield waiting
        yield from _outbox(owed, self._app.clock())
        yield _processes(running)
        yield _gauge("calendar_failed_runs", "Runs of the calendar that failed and are tried again.", failed)


def _processes(running: Sequence[Process]) -> Metric:
    processes = GaugeMetricFamily("tokens_bot_processes", "Processes that run a part, of all.", labels=["part"])
    for part, count in sorted(Counters(one.part for one in running).items()):
        processes.add_metric([part], count)
    return processes


def _outbox(owed: Backlog, now: datetime) -> Iterator[Metric]:
    messages = GaugeMetricFamily(
        "tokens_bot_outbox_messages", "Messages that are not delivered: to come, due now, parked.", labels=["state"]
    )
    for state, count in (("to_come", owed.waiting - owed.due), ("due", owed.due), ("parked", owed.parked)):
        messages.add_metric([state], count)
    yield messages
    age = (now - owed.oldest_due_at).total_seconds() if owed.oldest_due_at else 0.0
    yield _gauge("outbox_oldest_due_seconds", "For how long the oldest message has been due.", age)


class Parts:
    """How the parts of this process are doing. Ages are gauges: they are of a clock that nobody sets."""

    def __init__(self, app: App) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        vitals = self._app.vitals.read()
        up = GaugeMetricFamily("tokens_bot_part_up", "Whether a part is well.", labels=["part"])
        age = GaugeMetricFamily(
            "tokens_bot_part_last_success_seconds", "Seconds since a part's last success.", labels=["part"]
        )
        failures = CounterMetricFamily(
            "tokens_bot_part_failures", "Passes, ticks or connections without success.", labels=["part"]
        )
        problem = GaugeMetricFamily(
            "tokens_bot_part_problem", "1 for what a part met last, if it was no success.", labels=["part", "problem"]
        )
        for vital in vitals:
            up.add_metric([vital.part], vital.is_well)
            age.add_metric([vital.part], vital.age)
            failures.add_metric([vital.part], vital.failures)
            if vital.problem:
                problem.add_metric([vital.part, vital.problem], 1)
        yield from (up, age, failures, problem)
        yield _calendar(vitals, self._app.clock())
        yield from _link(self._app.vitals.link())


def _calendar(vitals: Sequence[Vital], now: datetime) -> Metric:
    since = min((vital.owed_since for vital in vitals if vital.owed_since), default=now)
    told = "For how long the oldest run is owed that the last tick left undone."
    return _gauge("calendar_oldest_due_seconds", told, (now - since).total_seconds())


def _link(link: Link | None) -> Iterator[Metric]:
    """Nothing where Slack reaches the bot over HTTP."""
    if link is None:
        return
    yield _gauge("socket_mode_connected", "Whether the connection to Slack is up.", link.connected)
    for name, told, count in (
        ("reconnects", "Times that Slack greeted a connection after the first.", link.reconnects),
        ("envelopes", "What Slack told through the connection.", link.envelopes),
    ):
        counter = CounterMetricFamily(f"tokens_bot_socket_mode_{name}", told)
        counter.add_metric([], count)
        yield counter
    if link.envelope_age is not None:
        told = "Seconds since Slack last told something."
        yield _gauge("socket_mode_last_envelope_seconds", told, link.envelope_age)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tokens_bot_{name}", told, value=float(value))


def of(app: App) -> CollectorRegistry:
    """Everything: counts of this process, its parts, and what an app's database counts whenever someone asks."""
    registry = CollectorRegistry()
    for collector in (REGISTRY, Parts(app), Kept(app)):
        registry.register(collector)
    return registry
