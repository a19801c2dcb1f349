"""Delivers what the journal holds: a thread of each worker, with a pause that grows while the bot is away."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from .wire import headers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .journal import Event, Journal
    from .settings import Settings

log = logging.getLogger("tokens_bot")

MOST_EVENTS, MOST_BYTES = 500, 8 * 1024 * 1024
MOST_RELEASES = 50
SEND_SECONDS = 30
IDLE_SECONDS = 1.0
LONGEST_PAUSE = 60.0
WRONG_KEY_PAUSE = 60.0
UNCERTAIN_SECONDS = 50
"""Less than a claim lasts: what is unknown is asked for once more, and then forgotten."""
TAKEN = frozenset({"accepted", "duplicate", "quarantined", "conflict"})
"""Answers after which the bot has the event, or keeps what was wrong with it on record."""


class Later(Exception):  # noqa: N818 - not an error: the journal keeps everything
    """Not now; `seconds` is what the bot asks to wait, or 0."""

    def __init__(self, reason: str, seconds: float = 0) -> None:
        super().__init__(reason)
        self.seconds = seconds


class TooLarge(Exception):  # noqa: N818 - the same
    """The request as a whole was refused: a smaller one may pass, or shows which event is at fault."""


@dataclass(frozen=True)
class Sent:
    """What one round did."""

    events: int = 0
    refused: int = 0
    releases: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.events or self.refused or self.releases)


class Post:
    """One round after another; a thread calls it, and so do tests."""

    def __init__(self, settings: Settings, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal, self._clock = journal, clock
        self._most = MOST_EVENTS
        self._client = httpx.Client(
            base_url=settings.url, headers=headers(settings), timeout=SEND_SECONDS, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def round(self) -> Sent:
        """Send the oldest events, then give back the holds whose events have arrived; Later if it has to wait."""
        events = self._journal.claim(now=self._clock(), most=self._most, most_bytes=MOST_BYTES)
        refused = 0
        if events:
            try:
                refused = self._deliver(events)
            except BaseException:
                self._journal.unclaim(events)
                raise
        holds = self._journal.claim_releases(now=self._clock(), most=MOST_RELEASES)
        for hold, since in holds:
            self._give_back(hold, since)
        return Sent(len(events) - refused, refused, len(holds))

    def _deliver(self, events: Sequence[Event]) -> int:
        """Send them; how many of them the bot refuses."""
        try:
            answers = self._send(events)
        except TooLarge as reason:
            if len(events) > 1:
                self._most = max(len(events) // 2, 1)
                raise Later(str(reason), IDLE_SECONDS) from reason
            self._journal.refuse(events[0], str(reason))
            answers = None
        self._most = min(self._most * 2, MOST_EVENTS)
        self._journal.touch(now=self._clock())
        if answers is None:
            return 1
        bad = [
            (event, answer) for event, answer in zip(events, answers, strict=True) if answer.get("status") not in TAKEN
        ]
        for event, answer in bad:
            self._journal.refuse(event, str(answer.get("detail") or answer.get("status")))
        known = {event.seq for event, _ in bad}
        self._journal.delivered([event for event in events if event.seq not in known])
        return len(bad)

    def _send(self, events: Sequence[Event]) -> list[dict[str, Any]]:
        content = f"[{','.join(event.body for event in events)}]"
        answer = self._ask("POST", "/v1/usage/litellm", content=content.encode())
        if answer.status_code in {400, 413, 422}:
            raise TooLarge(f"HTTP {answer.status_code}: {answer.text[:200]}")
        _require_success(answer)
        results = answer.json().get("results", [])
        if len(results) != len(events):
            raise Later(f"{len(results)} answers to {len(events)} events")
        return list(results)

    def _give_back(self, hold: str, since: float) -> None:
        """Holds and leases alike; what has ended by itself meanwhile, or never began, is as good.

        A request for a hold that nobody waited for may still be under way: what is unknown is asked for again later.
        """
        path = f"/v1/allowances/{hold}" if hold.startswith("lease_") else f"/v1/holds/{hold}/release"
        answer = self._ask("DELETE" if hold.startswith("lease_") else "POST", path)
        if answer.status_code == httpx.codes.NOT_FOUND and self._clock() - since < UNCERTAIN_SECONDS:
            return
        if answer.status_code not in {404, 409, 410, 422}:
            _require_success(answer)
        self._journal.released([hold])

    def _ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        try:
            return self._client.request(method, path, content=content, headers={"content-type": "application/json"})
        except httpx.HTTPError as error:
            raise Later(type(error).__name__) from error


def _require_success(answer: httpx.Response) -> None:
    if answer.status_code in {401, 403}:
        raise Later(f"HTTP {answer.status_code}: the key does not open this", WRONG_KEY_PAUSE)
    if not answer.is_success:
        after = answer.headers.get("retry-after", "")
        raise Later(f"HTTP {answer.status_code}", float(after) if after.isdecimal() else 0)


class Sender:
    """The thread."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tokens-bot-sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something was kept: send it now, not in a second."""
        self._wanted.set()

    def stop(self, patience: float = 5) -> None:
        self._stopping.set()
        self._wanted.set()
        self._thread.join(patience)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wanted.clear()
            pause, failures = self._turn(failures)
            if failures:
                # While the bot is away, nothing that is kept makes it come back sooner.
                self._stopping.wait(pause)
            elif pause:
                self._wanted.wait(pause)
        self._post.close()

    def _turn(self, failures: int) -> tuple[float, int]:
        """One round: how long to wait after it, and how many rounds have failed in a row."""
        try:
            sent = self._post.round()
        except Later as reason:
            failures += 1
            log.log(logging.WARNING if failures == 1 else logging.DEBUG, "usage waits in the journal: %s", reason)
            return pause_after(failures, asked=reason.seconds), failures
        except Exception:
            # The journal keeps what was not delivered; a thread that died would deliver nothing more.
            log.exception("usage waits in the journal")
            failures += 1
            return pause_after(failures), failures
        return (IDLE_SECONDS if sent.nothing else 0), 0


def pause_after(failures: int, *, asked: float = 0) -> float:
    """Twice as long each time, a minute at most; spread, so that workers do not come all at once."""
    return max(asked, min(2.0 ** (failures - 1), LONGEST_PAUSE) * random.uniform(0.8, 1.2))  # noqa: S311 - not for secrets
