"""When the bot may write to people, of what it warns them, and what it may tell of groups."""

# ruff: noqa: TC003 - the types of fields are read at run time

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, OneOf, Share, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.toml_table import Table


AGAIN = ("below", "never")


@dataclass(frozen=True, slots=True)
class MessageRules:
    """When the bot may write to people of its own accord: working days, between two hours of their own time."""

    from_hour: Annotated[int, Between(0, 23)]
    until_hour: Annotated[int, Between(1, 24)]
    holidays: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class WarningRules:
    """At what percentages of what can be spent in a month people are warned, in ascending order.

    `again` says whether one counts anew once the share has been below it. Handbooks from before there was this say
    nothing: then each is told once a month, unless a correction took it back.
    """

    percent: Annotated[tuple[int, ...], Between(1, 100)]
    again: Annotated[str, OneOf(AGAIN)] = "never"

    @property
    def count_anew(self) -> bool:
        return self.again == "below"


@dataclass(frozen=True, slots=True)
class ReportRules:
    """When a team's week counts as unusual, and how many weeks before it must be known."""

    jump_deviations: Factor
    jump_share: Factor
    jump_of_week: Share
    jump_weeks: Annotated[int, Between(3, 11)]


@dataclass(frozen=True, slots=True)
class DisclosureRules:
    """The smallest group of people of which anything is told."""

    least_people: Annotated[int, Between(1, 1_000)]


@dataclass(frozen=True, slots=True)
class DigestRules:
    """When a month's last days count as a rush."""

    rush_days: Annotated[int, Between(1, 27)]
    rush_factor: Factor


def read_warnings(table: Table) -> WarningRules:
    rules = read(WarningRules, table)
    if not rules.percent:
        table.wrong("percent", [], "at least one percentage")
    return replace(rules, percent=tuple(sorted(set(rules.percent))))


def message_contradictions(messages: MessageRules) -> Iterator[str]:
    if messages.until_hour <= messages.from_hour:
        yield f"messages.until_hour = {messages.until_hour}: not after messages.from_hour"
