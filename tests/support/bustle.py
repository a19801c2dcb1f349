"""People and gateways who do not give up: what got no answer they try again, as people and gateways do."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import sqlalchemy as sa

from sandbox import WorkspaceError
from store.tables.exceptions import requests
from tests.support import books, slack

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import datetime

    from programme.app import App
    from sandbox import Message, Sandbox
    from tests.support.replicas import Replica

ASKING = ("U0ADA", "U0BEN", "U0KIM", "U0LOU", "U0MAX", "U0NED", "U0OLA", "U0MARA")
BOARD = (slack.IRIS, slack.OMAR, slack.TESS)
NANO_USD_A_TOKEN = 15_000
"""What an output token of claude-sonnet-4-5 costs."""
APPROVE, REJECT = "fast_track_approve", "fast_track_reject"
IMPATIENT, PATIENT = 0.02, 5.0


@dataclass(frozen=True)
class Ask:
    """A request that a person wants to make, once; `purpose` is like no other."""

    user: str
    purpose: str
    amount: int
    incident: str


@dataclass(frozen=True)
class Press:
    """What members of the board do about a card: all of them at once."""

    card: int
    members: tuple[str, ...]
    rejects: bool


@dataclass(frozen=True)
class Batch:
    """Usage that a gateway reports, first to one of the replicas; or it hangs up before the answer."""

    events: tuple[dict[str, Any], ...]
    first: int
    hangs_up: bool


@dataclass
class Wanted:
    """What is still to be done, and what was: a watch leaves to the next what it did not get done."""

    asks: list[Ask] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)
    reported: dict[str, int] = field(default_factory=dict)
    """Output tokens by event."""
    statuses: Counter[str] = field(default_factory=Counter)


def more(wanted: Wanted, chance: random.Random, now: datetime) -> None:
    """What people, the board and gateways want to do in the next watch."""
    for _ in range(2):
        number, user = len(wanted.asks) + len(wanted.asked), chance.choice(ASKING)
        # A person may take tokens for an incident once a month.
        helped = {ask.user for ask in (*wanted.asks, *wanted.asked) if ask.incident}
        incident = f"INC-{number}" if chance.random() < 0.2 and user not in helped else ""
        amount = chance.choice((150, 400, 3_000))
        wanted.asks.append(Ask(user, f"Work no. {number}", 150 if incident else amount, incident))
    for _ in range(3):
        members = chance.choice([(one,) for one in BOARD] + [(one, one) for one in BOARD] + [BOARD[:2], BOARD])
        wanted.presses.append(Press(chance.randrange(8), members, chance.random() < 0.2))
    for _ in range(4):
        events = tuple(_event(wanted, chance, now) for _ in range(chance.randint(1, 5)))
        wanted.batches.append(Batch(events, chance.randrange(2), chance.random() < 0.4))


def _event(wanted: Wanted, chance: random.Random, now: datetime) -> dict[str, Any]:
    event_id, tokens = f"e{len(wanted.reported)}", chance.randint(100, 9_999)
    wanted.reported[event_id] = tokens
    who = chance.choice(("ada", "ben", "kim", "lou", "max"))
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "gateway",
        "type": "gen_ai.usage",
        "time": now.isoformat(),
        "data": {
            "user.email": f"{who}@example.com",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.input_tokens": 0,
            "gen_ai.usage.output_tokens": tokens,
        },
    }


@dataclass(frozen=True)
class Bustle:
    """Everyone at once, until they are told that the watch is over."""

    app: App
    sandbox: Sandbox
    replicas: Sequence[Replica]
    secret: str
    wanted: Wanted
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self, pool: ThreadPoolExecutor) -> list[Any]:
        self.over.clear()
        return [pool.submit(work) for work in (self._ask, self._decide, self._report)]

    def end(self, begun: list[Any]) -> None:
        self.over.set()
        for one in begun:
            one.result(60)

    # --- People who ask --------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        wanted = self.wanted
        while wanted.asks and not self.over.is_set():
            if self.has_asked(wanted.asks[0]):
                wanted.asked.append(wanted.asks.pop(0))
            else:
                self.over.wait(0.3)

    def has_asked(self, ask: Ask) -> bool:
        """Whether the receipt is there; without one the same form is sent again, or another one opened."""
        try:
            form = self.sandbox.modal(ask.user)
            if form is None:
                # What came of a form that closed nobody knows but the bot: the person would look at their requests.
                if self.is_made(ask):
                    return True
                self.sandbox.command(ask.user, slack.GENERAL, "/tokens request")
                return False
            if not form.submit:
                self.sandbox.dismiss(ask.user)
                return self.is_made(ask)
            fields = {"purpose": ask.purpose, "amount": str(ask.amount), "incident": ask.incident}
            # Not every form offers everything, and one that was left from before may be another one.
            self.sandbox.fill(ask.user, {name: text for name, text in fields.items() if text and name in form.values})
            self.sandbox.submit(ask.user)
        except (LookupError, WorkspaceError):
            self._close(ask.user)
        return False

    def _close(self, user: str) -> None:
        with contextlib.suppress(LookupError, WorkspaceError):
            self.sandbox.dismiss(user)

    def is_made(self, ask: Ask) -> bool:
        return bool(books.rows(self.app, sa.select(requests.c.id).where(requests.c.purpose == ask.purpose)))

    # --- The board -------------------------------------------------------------------------------------------------

    def open_cards(self) -> list[Message]:
        shown = self.sandbox.messages(slack.BOARD, slack.IRIS)
        return [one for one in shown if APPROVE in str(one.blocks) and not one.ephemeral_to]

    def _decide(self) -> None:
        presses = self.wanted.presses
        while presses and not self.over.is_set():
            cards = self.open_cards()
            if cards:
                self.decide(cards[presses[0].card % len(cards)], presses.pop(0))
            self.over.wait(0.5)

    def decide(self, card: Message, press: Press) -> None:
        # An incident's tokens are spent already: the board lets them stand here.
        rejects = press.rejects and "incident" not in str(card.blocks)
        if rejects:
            self._reject(press.members[0], card)
            return
        with ThreadPoolExecutor(len(press.members)) as at_once:
            list(at_once.map(lambda member: self._approve(member, card), press.members))

    def _approve(self, member: str, card: Message) -> None:
        with contextlib.suppress(LookupError, WorkspaceError):
            self.sandbox.press(member, card, APPROVE)

    def _reject(self, member: str, card: Message) -> None:
        with contextlib.suppress(LookupError, WorkspaceError):
            self.sandbox.press(member, card, REJECT)
            form = self.sandbox.modal(member)
            if form is not None:
                self.sandbox.fill(member, {"reason": "Not this month"})
                self.sandbox.submit(member)
            while self.sandbox.modal(member) is not None:
                self.sandbox.dismiss(member)

    # --- Gateways --------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        wanted = self.wanted
        attempt = 0
        while wanted.batches and not self.over.is_set():
            if self._taken(wanted.batches[0], attempt):
                wanted.batches.pop(0)
                attempt = 0
            else:
                attempt += 1
                self.over.wait(0.2)

    def _taken(self, batch: Batch, attempt: int) -> bool:
        """Whether the answer came; without one the batch goes out again, to the other replica."""
        address = self.replicas[(batch.first + attempt) % 2].address
        patience = IMPATIENT if batch.hangs_up and not attempt else PATIENT
        headers = {"authorization": f"Bearer {self.secret}"}
        try:
            with httpx.Client(trust_env=False, timeout=patience) as client:
                answer = client.post(f"{address}/v1/usage", json=list(batch.events), headers=headers)
        except httpx.HTTPError:
            return False
        if answer.status_code != httpx.codes.OK:
            self.wanted.statuses[str(answer.status_code)] += 1
            return False
        self.wanted.statuses.update(result["status"] for result in answer.json()["results"])
        return True
