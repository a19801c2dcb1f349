"""What operators measure: counts and durations, never an amount or a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from store.usage import events as usage_store
from store.usage import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from programme.app import App

COMMAND_SECONDS = Histogram("tokens_bot_command_seconds", "Time to answer a slash command.", ["command"])
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


def kept_by(app: App) -> CollectorRegistry:
    """The metrics that are read from an app's database whenever someone asks."""
    registry = CollectorRegistry()
    registry.register(Kept(app))
    return registry
