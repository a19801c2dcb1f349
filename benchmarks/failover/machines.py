"""Machines of a cluster: each a network namespace with an address, on one bridge; or an address of the loopback.

The bridge is in a namespace of the trial's own, so nothing of it is seen on the machine, or left there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

NETWORK, BRIDGE, OWN = "10.75.0", "tokens", 1
INSIDE = "TOKENS_TRIAL_INSIDE"
"""Says that this process is in a network namespace of its own."""
STOP_SECONDS = 30


@dataclass(frozen=True)
class Machine:
    """Where a part of the cluster runs."""

    name: str
    address: str
    namespace: str = ""
    is_ours: bool = False
    """Programs run as ourselves."""

    def command(self, words: Sequence[str]) -> list[str]:
        """The same words as run here, by somebody without rights, until we end."""
        alone = ["setpriv", "--pdeathsig", "TERM"]
        if not os.geteuid() and not self.is_ours:
            alone += ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return [*inside, *alone, "--", *words]

    def link(self, state: str) -> None:
        """Pull its cable (`down`), or put it back (`up`)."""
        _ip("link", "set", _cable(self.name), state)


class Service:
    """A program on a machine that can be started, stopped and killed; its log outlives each."""

    def __init__(self, machine: Machine, words: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        self._command, self._log, self._environ = machine.command(words), log, environ
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environ, cwd=self._log.parent
            )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; how it ended."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def can_have_namespaces() -> bool:
    """Whether we may make network namespaces here."""
    tried = ["unshare", "--net", "ip", "link", "add", BRIDGE, "type", "bridge"]
    return not os.geteuid() and not subprocess.run(tried, capture_output=True, check=False).returncode


def are_namespaces() -> bool:
    return INSIDE in os.environ


def go_inside(module: str) -> None:
    """Become this very program in a network namespace of its own."""
    if not are_namespaces() and can_have_namespaces():
        os.environ[INSIDE] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-m", module, *sys.argv[1:]])  # noqa: S606, S607


@contextmanager
def network(names: Sequence[str]) -> Iterator[dict[str, Machine]]:
    """A machine for each name, all of which reach each other and us."""
    if not are_namespaces():
        print("No network namespaces (they need root): all parts share this machine's loopback, and none is cut off")
        yield {name: Machine(name, f"127.75.0.{number}") for number, name in enumerate(names, OWN + 1)}
        return
    with ExitStack() as stack:
        _ip("link", "set", "lo", "up")
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{NETWORK}.{OWN}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        yield {name: _machine(stack, name, f"{NETWORK}.{number}") for number, name in enumerate(names, OWN + 1)}


def _machine(stack: ExitStack, name: str, address: str) -> Machine:
    namespace, cable = f"{BRIDGE}-{os.getpid()}-{name}", _cable(name)
    _ip("netns", "add", namespace)
    stack.callback(_ip, "netns", "del", namespace)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _ip("link", "set", cable, "master", BRIDGE, "up")
    _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
    for link in ("eth0", "lo"):
        _ip("-n", namespace, "link", "set", link, "up")
    return Machine(name, address, namespace)


def _cable(name: str) -> str:
    return f"v-{name}"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=STOP_SECONDS)  # noqa: S607


def waited(what: str, seconds: float, condition: object) -> float:
    """Seconds until something is so."""
    assert callable(condition)
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} seconds")
        time.sleep(0.2)
    return time.monotonic() - begun
