"""Gateways, people and a board who do not give up, and a book of all they were answered."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from benchmarks.failover.company import SOURCE, STAFF
from sandbox import WorkspaceError
from tests.support import slack
from tests.support.bustle import Ask, Bustle, Press, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from benchmarks.failover.company import Company

GATEWAYS, HOLDERS = 4, 2
BATCH = 20
PACES = {"usage": 0.2, "hold": 0.3, "balance": 1.0, "team": 3.0, "ask": 8.0, "vote": 1.0}
"""Seconds that each rests between two of its works."""
AGAIN_SECONDS = 0.5
"""After which a gateway asks again. One that takes our Retry-After at its word waits for five seconds."""
PATIENCE_SECONDS = 15.0
FINISH_SECONDS = 180
NANO_USD_A_TOKEN = 15_000
"""What an output token of claude-sonnet-4-5 costs."""
MODEL = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
DENIED = 402
APPROVERS = (slack.IRIS, slack.OMAR, slack.TESS)


@dataclass
class Book:
    """What was sent, and what was acknowledged of it, kept beside the ledger."""

    sent: dict[str, int] = field(default_factory=dict)
    """Nano-USD by event."""
    taken: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    moments: dict[str, list[float]] = field(default_factory=dict)
    """When work of each kind was acknowledged, by the monotonic clock."""
    guard: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, answer: str) -> None:
        with self.guard:
            self.answers[f"{kind}: {answer}"] += 1

    def complain(self, what: str) -> None:
        with self.guard:
            self.wrong[what] += 1

    def done(self, kind: str, answer: str = "done") -> None:
        self.note(kind, answer)
        self.moments.setdefault(kind, []).append(time.monotonic())

    def longest_without(self, kinds: Iterable[str], begun: float, ended: float) -> float:
        """Seconds in which nothing of some kinds was acknowledged."""
        found = sorted(at for kind in kinds for at in tuple(self.moments.get(kind, ())) if begun <= at <= ended)
        times = [begun, *found, ended]
        return max(after - before for before, after in pairwise(times))


class Office(Bustle):
    """People who look again where the database does not answer them."""

    def is_made(self, ask: Ask) -> bool:
        try:
            return super().is_made(ask)
        except sa.exc.DBAPIError:
            return False


class Load:
    """Everybody at work, until they are told that it is over; then each finishes what they began."""

    def __init__(self, company: Company, seed: int) -> None:
        self.book, self.company, self._seed = Book(), company, seed
        self.office = Office(company.app, company.sandbox, (), company.secret, Wanted())
        self.given_up: set[str] = set()
        """Purposes of requests."""
        self._over, self._numbers = threading.Event(), count()
        works: list[Callable[[int], None]] = [*[self._gateway] * GATEWAYS, *[self._holder] * HOLDERS]
        works += [self._balances, self._teams, self._asks, self._votes]
        self._pool = ThreadPoolExecutor(len(works))
        self._begun: list[Future[None]] = [self._pool.submit(work, number) for number, work in enumerate(works)]

    @property
    def approvers(self) -> tuple[str, ...]:
        return APPROVERS

    def end(self) -> None:
        self._over.set()
        for one in self._begun:
            one.result(FINISH_SECONDS)
        self._pool.shutdown()

    @property
    def failed(self) -> list[BaseException]:
        """What ended a worker before its time."""
        return [error for one in self._begun if one.done() and (error := one.exception())]

    def _until_over(self, kind: str, work: Callable[[], object]) -> None:
        while not self._over.wait(PACES[kind]):
            work()

    # --- Gateways --------------------------------------------------------------------------------------------------

    def _gateway(self, number: int) -> None:
        chance = random.Random(self._seed * 100 + number)
        with self._client() as client:
            self._until_over("usage", lambda: self._report(client, chance))

    def _report(self, client: httpx.Client, chance: random.Random) -> None:
        events = [self._event(chance) for _ in range(BATCH)]
        self._taken("usage", self._until_answered(client, "usage", "/v1/usage", events))

    def _holder(self, number: int) -> None:
        chance = random.Random(self._seed * 100 + number)
        with self._client() as client:
            self._until_over("hold", lambda: self._hold(client, chance))

    def _hold(self, client: httpx.Client, chance: random.Random) -> None:
        """A call: held before, settled after."""
        hold, event = str(uuid4()), self._event(chance)
        who = {"id": hold, "user": event["data"]["user.email"], "estimate": {"usd": "0.01"}}
        wanted = who | {"provider": "anthropic", "model": "claude-sonnet-4-5"}
        answer = self._until_answered(client, "hold", "/v1/holds", wanted)
        if answer["status"] not in {"held", "settled"}:
            self.book.complain(f"a hold is {answer['status']}")
        self.book.held.add(hold)
        self._taken("settle", self._until_answered(client, "settle", f"/v1/holds/{hold}/settle", event))
        self.book.settled.add(hold)

    def _event(self, chance: random.Random) -> dict[str, Any]:
        tokens, event_id = chance.randint(10, 100), str(uuid4())
        self.book.sent[event_id] = tokens * NANO_USD_A_TOKEN
        counts = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": tokens}
        return {
            "specversion": "1.0",
            "id": event_id,
            "source": SOURCE,
            "type": "gen_ai.usage",
            "time": datetime.now(UTC).isoformat(),
            "data": {"user.email": f"{chance.choice(STAFF)}@example.com", **MODEL, **counts},
        }

    def _taken(self, kind: str, answer: dict[str, Any]) -> None:
        for result in answer["results"]:
            if result["status"] not in {"accepted", "duplicate"}:
                self.book.complain(f"{kind}: an event is {result['status']}: {result['detail']}")
            self.book.note(f"{kind} event", result["status"])
            self.book.taken.add(result["id"])

    def _client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.company.secret}"}
        return httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS, headers=headers)

    def _until_answered(self, client: httpx.Client, kind: str, path: str, body: object) -> dict[str, Any]:
        """The same to one replica and then to the other, until one of them has done it."""
        addresses = self.company.addresses
        for attempt in count(next(self._numbers)):
            try:
                answer = client.post(f"{addresses[attempt % len(addresses)]}{path}", json=body)
            except httpx.HTTPError as error:
                self.book.note(kind, type(error).__name__)
            else:
                if answer.is_success:
                    self.book.done(kind)
                    done: dict[str, Any] = answer.json()
                    return done
                self._note_refusal(kind, answer)
            time.sleep(AGAIN_SECONDS)
        raise AssertionError

    def _note_refusal(self, kind: str, answer: httpx.Response) -> None:
        self.book.note(kind, str(answer.status_code))
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.book.complain(f"{kind}: {answer.status_code} {answer.text[:200]}")
        elif "retry-after" not in answer.headers:
            self.book.complain(f"{kind}: 503 without Retry-After")

    # --- People ----------------------------------------------------------------------------------------------------

    def _balances(self, number: int) -> None:
        chance = random.Random(self._seed * 100 + number)
        self._until_over("balance", lambda: self._look(f"U0{chance.choice(STAFF).upper()}", "balance", "tokens left"))

    def _teams(self, _number: int) -> None:
        self._until_over("team", lambda: self._look(slack.MARA, "team", "Only totals"))

    def _look(self, user: str, word: str, sign: str) -> None:
        """Ask in Slack, and note whether the answer is one, and of the copy."""
        try:
            told = self.company.sandbox.command(user, slack.GENERAL, f"/tokens {word}")
            shown = str(told.blocks)
        except (LookupError, WorkspaceError) as error:
            self.book.note(word, f"no answer ({error})")
            return
        if sign not in shown:
            self.book.note(word, "asked to try again")
            return
        self.book.done(word, "of the copy" if "As of" in shown else "of the database")

    def _asks(self, number: int) -> None:
        chance = random.Random(self._seed * 100 + number)
        self._until_over("ask", lambda: self._ask(Ask(f"U0{chance.choice(STAFF).upper()}", f"Work {uuid4()}", 150, "")))

    def _ask(self, ask: Ask) -> None:
        deadline = time.monotonic() + FINISH_SECONDS
        while not self.office.has_asked(ask):
            if time.monotonic() > deadline:
                # It may be made or not: whoever asked looked for it in vain.
                self.given_up.add(ask.purpose)
                self.book.note("ask", "given up")
                return
            time.sleep(AGAIN_SECONDS)
        self.office.wanted.asked.append(ask)
        self.book.done("ask")

    def _votes(self, number: int) -> None:
        chance = random.Random(self._seed * 100 + number)
        self._until_over("vote", lambda: self.vote(chance.choice(APPROVERS)))

    def vote(self, *members: str) -> bool:
        """Some members approve of the first open card; whether there was one."""
        cards = self.office.open_cards()
        if cards:
            self.office.decide(cards[0], Press(0, members, rejects=False))
            self.book.note("vote", "pressed")
        return bool(cards)
