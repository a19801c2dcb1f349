"""A launched company on the cluster, its Slack, and the bot in processes that can be killed."""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benchmarks.failover.machines import Machine, Service, waited
from benchmarks.gateway.proxy import free_port
from bot import settings, wiring
from programme.usage import keys
from sandbox import Sandbox, Workspace
from tests.support import cast, rollout, slack, teams
from tests.support import requests as asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.failover.cluster import Cluster
    from programme.app import App

TOKENS_BOT = Path(sys.executable).parent / "tokens-bot"
READY_SECONDS = 240
SOURCE = "trial"
PURSE = "1000000"
STAFF = ("ada", "ben", "kim", "lou", "max", "ned", "ola")
PROCESSES = {
    "http 1": ("http",),
    "http 2": ("http",),
    "courier 1": ("courier",),
    "courier 2": ("courier",),
    "bot": ("bot",),
    "tick": ("tick",),
}
NEWCOMERS = {f"U0{name.upper()}": name for name in STAFF[2:]}
PLAN = slack.PLAN | {
    "members": [
        *slack.PLAN["members"],
        *({"id": user, "name": name, "email": f"{name}@example.com"} for user, name in NEWCOMERS.items()),
    ],
    "channels": [
        channel | {"members": [*channel["members"], *NEWCOMERS]} if channel["id"] == slack.GENERAL else channel
        for channel in slack.PLAN["channels"]
    ],
}


class Bot(Service):
    """One process of the bot."""

    def __init__(self, name: str, port: int, parts: tuple[str, ...], environ: dict[str, str], folder: Path) -> None:
        words = [str(TOKENS_BOT), "run", *(word for part in parts for word in ("--only", part))]
        log = folder / f"{name.replace(' ', '-')}.log"
        super().__init__(Machine(name, "127.0.0.1", is_ours=True), words, log, environ)
        self.name, self.address = name, f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def wait_until_ready(self) -> float:
        return waited(f"{self.name} is ready", READY_SECONDS, self.is_ready)

    @property
    def resident_mib(self) -> int:
        [kib] = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(kib) // 1024


@dataclass(frozen=True)
class Company:
    """What there is to put under load."""

    app: App
    """Ours, to set up and to check with: straight to the primary."""
    sandbox: Sandbox
    bots: dict[str, Bot]
    environ: dict[str, str]
    secret: str
    folder: Path

    @property
    def addresses(self) -> list[str]:
        """Where usage is taken in."""
        return [bot.address for name, bot in self.bots.items() if name.startswith("http")]


@contextmanager
def at_work(cluster: Cluster, folder: Path) -> Iterator[Company]:
    """The company with all processes of its bot ready."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(Workspace.from_dict(PLAN)))
        environ = _environ(sandbox, cluster, folder)
        # Migrations take the server's own address.
        app = wiring.new_app(settings.load(environ | {"TOKENS_DATABASE_URL": cluster.primary_url}))
        stack.callback(app.database.close)
        secret = _found(app)
        folder.mkdir()
        bots = {
            name: Bot(name, port := free_port(), parts, environ | {"TOKENS_HTTP_PORT": str(port)}, folder)
            for name, parts in PROCESSES.items()
        }
        for bot in bots.values():
            stack.callback(bot.stop)
            bot.start()
        for bot in bots.values():
            bot.wait_until_ready()
        sandbox.wait_for(lambda: sandbox.connections, seconds=READY_SECONDS)
        yield Company(app, sandbox, bots, environ, secret, folder)


def _environ(sandbox: Sandbox, cluster: Cluster, folder: Path) -> dict[str, str]:
    ours = slack.environment(
        sandbox,
        cluster.pooled_url,
        TOKENS_DATABASE_READ_URL=cluster.copy_url,
        TOKENS_GOVERNANCE_CHANNEL=slack.BOARD,
        TOKENS_ANNOUNCE_CHANNEL=slack.GENERAL,
    )
    return ours | {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _found(app: App) -> str:
    """A launched programme with a board and a team that is large enough to be told of; the gateway's key."""
    cast.settle(app)
    cast.hire(app, asking.ALTERNATES)
    rollout.launch(app, changes=asking.ROOMY)
    rollout.run_calendar(app, app.clock())
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(teams.TEAM, 50), weeks=2)
    for name in STAFF:
        cast.give(app, f"{name}@example.com", PURSE)
    with app.transaction() as moment:
        made = keys.create(moment, name=SOURCE, source=SOURCE, scopes=["usage:write", "holds:write"], actor="trial")
    return made.secret
