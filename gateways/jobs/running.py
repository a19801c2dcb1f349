"""Runs a command within what is held for it: reserves, reports in parts, asks for more in time, gives the rest back."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from gateways.jobs.bot import Away, Denied, Refused
from gateways.jobs.job import GPU_SECONDS
from gateways.jobs.spool import WITHOUT_A_HOLD, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateways.jobs.bot import Bot
    from gateways.jobs.job import Job
    from gateways.jobs.spool import Spool

NOT_STARTED = 1
CANCELLED = "cancelled"
SHELL_SIGNAL_BASE = 128
"""Shells say of a command that a signal ended: 128 and its number."""


class Process(Protocol):
    """A command that runs."""

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None while it still runs after so many seconds."""

    def terminate(self) -> None:
        """Ask it to end, as the end of its time does."""


class Machine(Protocol):
    """What a job needs of the machine that it runs on."""

    def now(self) -> datetime:
        """The time, for the reports."""

    def elapsed(self) -> float:
        """Seconds since some moment, whatever happens to the clock."""

    def start(self, command: Sequence[str]) -> Process:
        """Start a command."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a job is run. Every `period` seconds it reports; without a word for `keep_for` its hold ends."""

    period: float = 300
    keep_for: int = 3600
    source: str = "jobs"
    on_outage: str = "pass"
    let_run: bool = False
    """Whether it runs on where a cap denies more, instead of being asked to end when what it holds is used up."""


@dataclass(slots=True)
class _Running:
    """A job that runs, and what the bot knows of it."""

    job: Job
    bot: Bot
    spool: Spool
    manner: Manner
    machine: Machine
    say: Callable[[str], None]
    hold_id: str
    source: str
    provider: str
    model: str
    held: Decimal
    """Tokens still held."""
    began: datetime
    part: int = 0
    reported: int = 0
    used: Decimal = Decimal(0)
    """Tokens captured so far."""
    is_denied: bool = False
    is_cancelled: bool = False
    started: float = 0.0

    def report(self, *, final: bool) -> None:
        """Keep what was used since the last report, and deliver everything that waits."""
        total = self.job.gpu_seconds(self.machine.elapsed() - self.started)
        used, self.reported, self.part = total - self.reported, total, self.part + 1
        # The same job may run again under its id, as after a node failed: its parts are others then.
        part = f"{self.began:%Y%m%dT%H%M%S}.{self.part}"
        event = self.job.event(
            part, used, self.machine.now(), source=self.source, provider=self.provider, model=self.model
        )
        self.spool.keep(Report(self.hold_id, final, event))
        try:
            self._note(self.spool.send(self.bot))
        except Away as away:
            self.say(f"The token bot does not answer ({away}). What was used is kept, and told later.")
        except Refused as refusal:
            self.say(f"The token bot does not take the report: {refusal}. It is kept in {self.spool.folder}.")

    def _note(self, answer: dict[str, Any]) -> None:
        told = answer.get("hold")
        if isinstance(told, dict) and told.get("id") == self.hold_id:
            left = _decimal(told.get("tokens"))
            self.used += max(self.held - left, Decimal(0))
            self.held = left

    def seconds_left(self) -> float | None:
        """For how long what is held lasts; None while nothing is known of its price."""
        if self.hold_id == WITHOUT_A_HOLD or not self.used or not self.reported:
            return None
        return float(self.held / (self.used / self.reported) / self.job.gpus)

    def stay(self) -> None:
        """Tell that it still runs, and ask for more where less than two periods are left."""
        if self.hold_id == WITHOUT_A_HOLD:
            return
        left, period = self.seconds_left(), self.manner.period
        wanted: dict[str, Any] = {"expires_in": self.manner.keep_for}
        asks = left is not None and left < 2 * period
        if asks:
            wanted["estimate"] = {GPU_SECONDS: int(self.job.gpus * 4 * period)}
        try:
            self._extended(self.bot.extend(self.hold_id, wanted), asks=asks)
        except Away as away:
            self.say(f"The token bot does not answer ({away}). The job goes on.")
        except Denied as denial:
            self._deny(str(denial))
        except Refused as refusal:
            self.is_cancelled = refusal.code == CANCELLED
            self.say(f"The token bot ended the job's hold: {refusal}")
            self.hold_id = WITHOUT_A_HOLD

    def _extended(self, answer: dict[str, Any], *, asks: bool) -> None:
        if asks:
            self.held, self.is_denied = _decimal(answer.get("tokens")), False

    def _deny(self, why: str) -> None:
        if not self.is_denied:
            end = "It goes on." if self.manner.let_run else "It is asked to end when what it holds is used up."
            self.say(f"{why} {end}")
        self.is_denied = True

    def is_over(self) -> bool:
        """Whether the job has to end now."""
        left = self.seconds_left()
        used_up = self.is_denied and not self.manner.let_run and left is not None and left <= 0
        return self.is_cancelled or used_up

    def next_look(self) -> float:
        """Seconds until the next report; sooner where what is held ends before."""
        left = self.seconds_left()
        if self.is_denied and not self.manner.let_run and left:
            return min(self.manner.period, left)
        return self.manner.period


def run(
    job: Job,
    command: Sequence[str],
    bot: Bot,
    spool: Spool,
    *,
    manner: Manner,
    machine: Machine,
    say: Callable[[str], None],
) -> int:
    """Run a command and hand its exit code through; NOT_STARTED where a cap or the bot did not let it start."""
    running = _admitted(job, bot, spool, manner, machine, say)
    if running is None:
        return NOT_STARTED
    try:
        process = machine.start(command)
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        _give_back(running)
        return NOT_STARTED
    running.started = machine.elapsed()
    code = _until_its_end(running, process)
    running.report(final=True)
    return SHELL_SIGNAL_BASE - code if code < 0 else code


def _until_its_end(running: _Running, process: Process) -> int:
    wait = running.next_look()
    asked = False
    while (code := process.wait(wait)) is None:
        running.report(final=False)
        running.stay()
        if running.is_over() and not asked:
            running.say("The job is asked to end.")
            process.terminate()
            asked = True
        wait = running.manner.period if asked else running.next_look()
    return code


def _admitted(  # noqa: PLR0917 - private, called once
    job: Job, bot: Bot, spool: Spool, manner: Manner, machine: Machine, say: Callable[[str], None]
) -> _Running | None:
    """The job as it may start, or None."""
    hold_id, told = job.id, dict[str, Any]()
    try:
        told = bot.reserve(job.hold(manner.keep_for))
        if told.get("status") != "held":
            say(f"A job {job.id!r} is over already. Give this one another --id.")
            return None
    except (Denied, Refused) as answer:
        say(str(answer))
        return None
    except Away as away:
        if manner.on_outage == "stop":
            say(f"The token bot does not answer ({away}). The job was not started.")
            return None
        say(f"The token bot does not answer ({away}). The job runs, and what it uses is told later.")
        hold_id = WITHOUT_A_HOLD
    return _Running(
        *(job, bot, spool, manner, machine, say, hold_id),
        source=str(told.get("source") or manner.source),
        provider=str(told.get("provider") or job.service),
        model=str(told.get("model") or job.model),
        held=_decimal(told.get("tokens")),
        began=machine.now(),
    )


def _give_back(running: _Running) -> None:
    """What could not start used nothing; without an answer the hold ends by itself."""
    if running.hold_id == WITHOUT_A_HOLD:
        return
    try:
        running.bot.release(running.hold_id)
    except (Away, Refused) as error:
        running.say(f"What was held could not be given back at once ({error}). It is free again within an hour.")


def _decimal(told: object) -> Decimal:
    return Decimal(told) if isinstance(told, str) else Decimal(0)


class Here:
    """The machine it runs on. Signals that end a job are passed on to it, and its end is reported all the same."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.monotonic()

    def start(self, command: Sequence[str]) -> Process:
        return _Here(command)


class _Here:
    def __init__(self, command: Sequence[str]) -> None:
        # A terminal sends its interrupt to both: the command ends by it, and is waited for. A handler that does nothing
        # is not inherited, as "ignore" would be.
        signal.signal(signal.SIGINT, lambda _got, _frame: None)
        self._process = subprocess.Popen(command)  # noqa: S603 - theirs to choose
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda got, _frame: self._process.send_signal(got))

    def wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def terminate(self) -> None:
        self._process.terminate()
