"""What operators measure: counts and durations, never an amount or a name."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

COMMAND_SECONDS = Histogram("tokens_bot_command_seconds", "Time to answer a slash command.", ["command"])
USAGE_EVENTS = Counter("tokens_bot_usage_events", "Usage events by what became of them.", ["status"])
USAGE_DIFFERENCES = Counter(
    "tokens_bot_usage_differences", "Usage events that were posted while their gateway reckons with another price."
)
OUTCOMES = Counter("tokens_bot_outcomes", "Outcomes of work by what became of them.", ["status"])
