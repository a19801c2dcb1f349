"""A company's calendar, played minute by minute where something is due: ticks, use, decisions, and every message read.

The courier is the real one; behind it stands a box that keeps what Slack would get and reads it at once.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from handlers.balance import balance as balance_commands
from handlers.slack.commands import Request
from programme import home
from programme.balance import balance, warnings
from scheduler import courier, tick
from scheduler import messages as composing
from scheduler.composers import grants, reports, reviews
from store import time_zones
from store.people import directory as people_store
from store.tables.outbox import outbox
from templates import homes
from templates.render import Message
from tests.support import books, reading
from tests.support.reading import Read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    import pytest
    from slack_sdk import WebClient

    from programme.app import App
    from scheduler.messages import Composed
    from tests.support.clock import Clock
    from views.balance import BalanceCard

BOARD, GENERAL = "C0BOARD", "C0GENERAL"
MIDNIGHT, MORNING = time(0, 10), time(9, 2)
HOURS = (MIDNIGHT, MORNING, time(15, 1), time(18, 5), time(22, 3))
"""When the clock stops on a working day, in the programme's zone: the mornings of Berlin, New York, Los Angeles and
Auckland begin then."""
FEW_HOURS = (MIDNIGHT, MORNING, time(22, 3))
MOST_EXAMPLES = 40


class Answer(dict[str, Any]):
    """What Slack answers, as its library hands it over."""

    @property
    def data(self) -> dict[str, Any]:
        return self


@dataclass
class Box:
    """Takes what is posted in Slack's place, and reads it at that minute in its reader's zone."""

    app: App
    zone_of: Callable[[str], ZoneInfo]
    found: Read = field(default_factory=Read)
    messages: Counter[str] = field(default_factory=Counter)
    untrue: list[str] = field(default_factory=list)
    template: str = ""
    serial: int = 0

    def chat_postMessage(self, *, channel: str, text: str, blocks: list[Any], **_: object) -> Answer:  # noqa: N802 - Slack's
        self.serial += 1
        self.read(self.template, Message(text, blocks), channel)
        return Answer(ok=True, channel=channel, ts=f"{self.serial}.000000")

    def chat_update(self, *, channel: str, ts: str, text: str, blocks: list[Any]) -> Answer:
        self.read(self.template, Message(text, blocks), channel)
        return Answer(ok=True, channel=channel, ts=ts)

    def read(self, what: str, message: Message, reader: str) -> None:
        now, zone = self.app.clock(), self.zone_of(reader)
        found = reading.read(message, now, zone)
        self.messages[what] += 1
        self.found += dataclasses.replace(found, untrue=())
        self.untrue += [f"{what} at {now.astimezone(zone):%a %Y-%m-%d %H:%M %Z}: {one}" for one in found.untrue]

    def compose(self, template: str, view: object) -> Composed | None:
        self.template = template
        return composing.compose(template, view, app=self.app)


@dataclass
class Walk:
    """A company in motion. `down` are the days on which no courier is at work, `dark` those without the calendar.

    In a large one only some people's messages are read; those of the others are taken as delivered.
    """

    app: App
    clock: Clock
    box: Box
    down: frozenset[date] = frozenset()
    dark: frozenset[date] = frozenset()
    hours: tuple[time, ...] = HOURS
    readers: frozenset[str] | None = None
    seen: dict[tuple[str, date], BalanceCard] = field(default_factory=dict)
    """The balance of each who was asked on a day, at its end."""

    def day(self, day: date, act: Callable[[datetime], None], use: Callable[[datetime], None]) -> None:
        """Let a day pass: what people do falls into its morning."""
        hours = self.hours if day.weekday() < 5 else (self.hours[0], self.hours[-1])
        for at in hours:
            self._go(day, at)
            if day not in self.dark:
                self.tick()
            if at == MORNING:
                act(self.clock())
            if at == hours[-1]:
                use(self.clock())
                self._warn()
            if day not in self.down:
                self.deliver()

    def _go(self, day: date, at: time) -> None:
        self.clock.now = max(self.clock.now, datetime.combine(day, at, tzinfo=self.app.zone).astimezone(UTC))

    def tick(self) -> None:
        ticked = tick.tick(self.app, now=self.clock(), announce_in=GENERAL)
        assert ticked.failed == (), ticked.failed

    def _warn(self) -> None:
        with self.app.transaction() as moment:
            warnings.look(moment)

    def deliver(self) -> None:
        """Everything that is due by now."""
        if self.readers is not None:
            o = outbox.c
            others = (o.person_id.is_not(None), o.person_id.not_in(self.readers), o.state == "waiting")
            with self.app.database.transaction() as session:
                session.execute(sa.update(outbox).where(*others).values(state="sent", sent_at=self.clock()))
        slack = cast("WebClient", self.box)
        while courier.deliver(self.app, slack, courier="walk", compose=self.box.compose, most=200).leased:
            # A channel takes one message a second.
            self.clock.now += timedelta(seconds=1)

    def ask_balances(self, people: Mapping[str, str], day: date) -> None:
        """Everyone (slack id by e-mail) reads their balance and how it comes about."""
        for email, slack_id in people.items():
            with self.app.reading() as moment:
                card = balance.of_email(moment, email)
            if card is None:
                continue
            self.seen[email, day] = card
            if card.left_on is not None and card.left_on < day:
                continue
            for show in (balance_commands.show_balance, balance_commands.show_why):
                message = show(self.app, Request(slack_id, "", self.clock()))
                assert message is not None
                self.box.read(show.__name__, message, slack_id)
            self._open_home(slack_id)

    def _open_home(self, slack_id: str) -> None:
        """A person's Home, as they open it."""
        with self.app.reading() as moment:
            person = people_store.by_slack_id(moment.session, slack_id)
            assert person is not None
            view = homes.person(home.of(moment, person))
        self.box.read("home", Message("", view["blocks"]), slack_id)


def begin(app: App, clock: Clock, down: frozenset[date], dark: frozenset[date], hours: tuple[time, ...]) -> Walk:
    """A walk of an app whose board decides in its channel."""
    known = dataclasses.replace(app, governance_channel=BOARD)
    zones: dict[str, ZoneInfo] = {}

    def zone_of(place: str) -> ZoneInfo:
        """A channel's is the programme's."""
        if place not in zones and place.startswith("U"):
            with app.database.reading() as session:
                person = people_store.by_slack_id(session, place)
            assert person is not None
            zones[place] = time_zones.zone(person.time_zone, app.zone)
        return zones.get(place, app.zone)

    return Walk(known, clock, Box(known, zone_of), down, dark, hours)


def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn takes most of the time, and is looked at elsewhere."""
    for module in (grants, reports, reviews):
        monkeypatch.setattr(module, "drawn", lambda _draw: None)


def outages(first: date, last: date, *, every: int, days: int) -> frozenset[date]:
    """So many days in a row, every so many days."""
    count = (last - first).days
    return frozenset(
        first + timedelta(days=i + j) for i in range(every, count, every) for j in range(days) if i + j < count
    )


def proved(app: App) -> None:
    """Every figure holds."""
    assert books.findings(app) == {}


def examples(untrue: Sequence[str]) -> str:
    """Some of what is not so, without repetition."""
    return "\n".join(list(dict.fromkeys(untrue))[:MOST_EXAMPLES])
