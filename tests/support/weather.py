"""Hours of faults drawn from a seed: what Slack, the line to it, the clocks and the machines do, and when."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.faults import PAGE
from tests.support.line import State

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from sandbox import Sandbox
    from tests.support.line import Line
    from tests.support.replicas import Replica, WallClock

STATUSES = (200, 302, 403, 413, 503)
BODIES = (PAGE, "{}", "null", "[]", "")
POSTING = ("chat.postMessage", "chat.postMessage", "chat.postMessage", "chat.update")
ASKED = (
    *("conversations.open", "conversations.history", "conversations.replies", "users.info", "auth.test"),
    *("views.open", "views.update", "apps.connections.open"),
    *("files.getUploadURLExternal", "files.completeUploadExternal", "upload"),
)
SKEW_MINUTES = 10


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong `at` so many seconds of a watch; `says` is how it is told."""

    at: float
    says: str
    happens: Callable[[Scene], None]


@dataclass(frozen=True)
class Scene:
    """What can go wrong."""

    sandbox: Sandbox
    line: Line
    replicas: Sequence[Replica]
    time: WallClock
    """The true one, which is Slack's as well."""

    def go_on(self, by: timedelta) -> None:
        """Let so much time pass at once, for Slack and on every machine."""
        for clock in (self.time, *(one.clock for one in self.replicas)):
            clock.move(by)

    def mend(self) -> None:
        """Everything works from now on, and every clock is right."""
        self.sandbox.faults.clear()
        self.line.become(State.WHOLE)
        for one in self.replicas:
            one.clock.set(self.time())
            if not one.is_running:
                one.start()


def drawn(chance: random.Random, seconds: float) -> list[Fault]:
    """The faults of a watch, in the order of time; each kind of them may come several times in a run."""
    makers = [_page, _page, _limit, _delay, _delay, _unanswered, _line, _skew, _skew, _kill, _kill_both, _goodbye]
    faults = [maker(chance, chance.uniform(0, seconds * 0.8)) for maker in chance.choices(makers, k=5)]
    return sorted(faults, key=lambda fault: fault.at)


def let_happen(scene: Scene, faults: Sequence[Fault], seconds: float) -> None:
    """A watch: every fault at its time."""
    begun, waiting = time.monotonic(), threading.Event()
    for fault in faults:
        waiting.wait(max(begun + fault.at - time.monotonic(), 0))
        fault.happens(scene)
    waiting.wait(max(begun + seconds - time.monotonic(), 0))


def _page(chance: random.Random, at: float) -> Fault:
    """Somebody else answers in Slack's place, whether or not Slack did what was asked."""
    method, times = chance.choice((*POSTING, *POSTING, *ASKED)), chance.randint(1, 3)
    status, body, performed = chance.choice(STATUSES), chance.choice(BODIES), chance.random() < 0.5

    def happens(scene: Scene) -> None:
        scene.sandbox.faults.add(method, times=times, status=status, body=body, performed=performed)

    return Fault(at, f"{times} x {method}: {status} {body[:9]!r}, performed {performed}", happens)


def _limit(chance: random.Random, at: float) -> Fault:
    method, seconds = chance.choice((*POSTING, *ASKED)), chance.randint(1, 3)
    return Fault(
        at,
        f"{method}: 429 for {seconds} s",
        lambda scene: scene.sandbox.faults.add(method, status=429, retry_after=seconds),
    )


def _delay(chance: random.Random, at: float) -> Fault:
    method, times, delay = chance.choice((*POSTING, *POSTING, *ASKED)), chance.randint(1, 5), chance.uniform(0.3, 2.5)
    return Fault(
        at,
        f"{times} x {method}: {delay:.1f} s late",
        lambda scene: scene.sandbox.faults.add(method, times=times, delay=delay),
    )


def _unanswered(chance: random.Random, at: float) -> Fault:
    """Slack ails: it does what was asked, late, and says that it failed."""
    delay = chance.uniform(0, 1.5)
    return Fault(
        at,
        f"chat.postMessage: done after {delay:.1f} s, and 503",
        lambda scene: scene.sandbox.faults.add(
            "chat.postMessage", times=2, status=503, body="", performed=True, delay=delay
        ),
    )


def _line(chance: random.Random, at: float) -> Fault:
    state, seconds = chance.choice((State.REFUSED, State.RESET, State.UNANSWERED)), chance.uniform(0.5, 2)

    def happens(scene: Scene) -> None:
        scene.line.become(state)
        threading.Event().wait(seconds)
        scene.line.become(State.WHOLE)

    return Fault(at, f"the line: {state.value} for {seconds:.1f} s", happens)


def _skew(chance: random.Random, at: float) -> Fault:
    """One machine's clock is set wrong, or set right again."""
    which, minutes = chance.randrange(2), chance.choice((-SKEW_MINUTES, 0, SKEW_MINUTES))

    def happens(scene: Scene) -> None:
        scene.replicas[which].clock.set(scene.time() + timedelta(minutes=minutes))

    return Fault(at, f"clock {which}: {minutes:+} minutes", happens)


def _kill(chance: random.Random, at: float) -> Fault:
    which, posts, seconds = chance.randrange(2), chance.random() < 0.5, chance.uniform(0.1, 1.5)

    def happens(scene: Scene) -> None:
        if posts:
            wait_for_a_post(scene.sandbox)
        _kill_for(scene.replicas[which : which + 1], seconds)

    return Fault(at, f"kill {which}{' at a post' if posts else ''}", happens)


def _kill_both(chance: random.Random, at: float) -> Fault:
    seconds = chance.uniform(0.1, 1)
    return Fault(at, "kill both", lambda scene: _kill_for(scene.replicas, seconds))


def _goodbye(chance: random.Random, at: float) -> Fault:
    """Slack says that it ends the connections, or something on the way ends them and says nothing."""
    if chance.random() < 0.5:
        return Fault(at, "Slack ends the connections", lambda scene: scene.sandbox.disconnect_sockets())
    return Fault(at, "the line ends the connections", lambda scene: scene.line.end())


def _kill_for(replicas: Sequence[Replica], seconds: float) -> None:
    for one in replicas:
        one.kill()
    threading.Event().wait(seconds)
    for one in replicas:
        one.start()


def wait_for_a_post(sandbox: Sandbox) -> None:
    """Until something is posted or changed in the workspace, before its answer is out, or a second is over."""
    posted = threading.Event()
    stop = sandbox.workspace.watch(lambda _channel: posted.set())
    posted.wait(1)
    stop()
