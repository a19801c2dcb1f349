"""When the bot may write to people, of what it warns them, and what it may tell of groups (RULES 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.toml_table import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from decimal import Decimal

    from policy.toml_table import Table


@dataclass(frozen=True, slots=True)
class MessageRules:
    """When the bot may write to people of its own accord: working days, between two hours of their own time."""

    from_hour: int
    until_hour: int
    holidays: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class WarningRules:
    """At what percentages of what can be spent in a month people are warned, in ascending order."""

    percent: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReportRules:
    """When a team's week counts as unusual, and how many weeks before it must be known."""

    jump_deviations: Decimal
    jump_share: Decimal
    jump_of_week: Decimal
    jump_weeks: int


@dataclass(frozen=True, slots=True)
class DigestRules:
    """What a digest may tell of groups, and when a month's last days count as a rush."""

    least_people: int
    rush_days: int
    rush_factor: Decimal


def read_messages(table: Table) -> MessageRules:
    rules = MessageRules(table.count("from_hour", 0, 23), table.count("until_hour", 1, 24), table.days("holidays"))
    table.done()
    return rules


def read_warnings(table: Table) -> WarningRules:
    percent = tuple(sorted(set(table.counts("percent", 1, 100))))
    if not percent:
        table.wrong("percent", list(percent), "at least one percentage")
    table.done()
    return WarningRules(percent)


def read_reports(table: Table) -> ReportRules:
    rules = ReportRules(
        jump_deviations=table.share("jump_deviations", MOST),
        jump_share=table.share("jump_share", MOST),
        jump_of_week=table.share("jump_of_week"),
        jump_weeks=table.count("jump_weeks", 3, 11),
    )
    table.done()
    return rules


def read_digest(table: Table) -> DigestRules:
    rules = DigestRules(
        table.count("least_people", 1, 1_000), table.count("rush_days", 1, 27), table.share("rush_factor", MOST)
    )
    table.done()
    return rules


def message_contradictions(messages: MessageRules) -> Iterator[str]:
    if messages.until_hour <= messages.from_hour:
        yield f"messages.until_hour = {messages.until_hour}: not after messages.from_hour"
