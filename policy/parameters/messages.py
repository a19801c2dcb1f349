"""When the bot may write to people, of what it warns them, and what it may tell of groups."""

# ruff: noqa: TC003 - the types of fields are read at run time

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, OneOf, Share, read
from policy.period import is_working_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.toml_table import Table


AGAIN = ("below", "never")


def no_public_holiday(_zone: str, _day: date) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose public holidays people in a time zone have: a country's, or those of a part of it (`DE`, `BE`)."""

    zone: str
    country: str
    subdivision: str = ""


@dataclass(frozen=True, slots=True)
class MessageRules:
    """When the bot may write to people of its own accord: working days, between two hours of their own time.

    `holidays` are everyone's; `calendars` add the public ones of where people are, but for `working_days`.
    """

    from_hour: Annotated[int, Between(0, 23)]
    until_hour: Annotated[int, Between(1, 24)]
    holidays: tuple[date, ...]
    calendars: tuple[Calendar, ...] = ()
    working_days: tuple[date, ...] = ()
    is_public_holiday: Callable[[str, date], bool] = field(default=no_public_holiday, compare=False)
    """Of people in a time zone, as somebody knows them who knows the world's calendars; this one knows none."""

    def is_open(self, day: date, zone: str) -> bool:
        """Whether people in a zone work on a day."""
        if not is_working_day(day, self.holidays):
            return False
        return day in self.working_days or not self.is_public_holiday(zone, day)


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


def read_messages(table: Table) -> MessageRules:
    return read(MessageRules, table, is_public_holiday=no_public_holiday)


def message_contradictions(messages: MessageRules) -> Iterator[str]:
    zones = [calendar.zone for calendar in messages.calendars]
    for zone in sorted({zone for zone in zones if zones.count(zone) > 1}):
        yield f"messages.calendars: zone = {zone!r} is there twice"
    if messages.until_hour <= messages.from_hour:
        yield f"messages.until_hour = {messages.until_hour}: not after messages.from_hour"
