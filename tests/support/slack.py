"""The cast's workspace, and the real bot in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bot import manifest, serving, settings
from handlers.slack import interactions, users
from sandbox import Sandbox, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from bot.settings import Settings
    from programme.app import App

ADA, BEN, MARA, IRIS, OMAR, TESS = "U0ADA", "U0BEN", "U0MARA", "U0IRIS", "U0OMAR", "U0TESS"
KOFI, LENA = "U0KOFI", "U0LENA"
NEWCOMER, GUEST = "U0ZOE", "U0GUEST"
"""Zoe is known by e-mail alone; the guest by nothing."""
GENERAL, BOARD, PRIVATE, OLD = "C0GENERAL", "C0BOARD", "C0PRIVATE", "C0OLD"
BOT = "U0TOKENS"
GROUP = "S0BOARD"

_STAFF = {ADA: "ada", BEN: "ben", MARA: "mara", IRIS: "iris", OMAR: "omar", TESS: "tess", NEWCOMER: "zoe"}
_STAFF |= {KOFI: "kofi", LENA: "lena"}

PLAN: dict[str, Any] = {
    "name": "Example",
    "app": {
        "name": "Tokens",
        "bot_user": BOT,
        "scopes": [*manifest.BOT_SCOPES, *manifest.DOCTOR_SCOPES],
        "commands": [{"command": "/tokens", "should_escape": True}],
        "events": list(manifest.EVENTS),
    },
    "members": [
        *({"id": user, "name": name, "email": f"{name}@example.com"} for user, name in _STAFF.items()),
        {"id": GUEST, "name": "gus", "email": "gus@elsewhere.example", "is_restricted": True},
    ],
    "channels": [
        {"id": GENERAL, "name": "general", "members": [*_STAFF, GUEST, BOT]},
        {"id": BOARD, "name": "token-board", "members": [IRIS, OMAR, TESS, BOT], "is_private": True},
        {"id": PRIVATE, "name": "without-the-bot", "members": [ADA]},
        {"id": OLD, "name": "old-times", "members": [ADA, BOT], "is_archived": True},
    ],
    "user_groups": [{"id": GROUP, "handle": "board", "name": "Board", "members": [ADA, BEN, IRIS, OMAR, TESS]}],
}

ZOE = (
    "email,name,slack_user_id,level,role_family,time_zone,hired_on\n"
    "zoe@example.com,Zoe Martin,,mid,engineering,Europe/Paris,2024-01-01\n"
)


NO_DATABASE = "sqlite:///unused.db"
"""What the environment says where the app has a database already."""
PATIENT = 30.0
"""Seconds that a workspace gives the bot in tests of what is said, not of how fast, with a browser beside it."""


def without_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot gives a workspace as long as the workspace gives the bot, however busy the machine is."""
    monkeypatch.setattr(users, "PATIENCE_SECONDS", PATIENT)
    monkeypatch.setattr(interactions, "ANSWER_SECONDS", PATIENT)


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library sends even local calls through a proxy that the environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def workspace(**options: Any) -> Iterator[Sandbox]:  # noqa: ANN401 - the options of Sandbox
    with Sandbox(Workspace.from_dict(PLAN), **options) as running:
        yield running


def environment(sandbox: Sandbox, database_url: str, **changes: str) -> dict[str, str]:
    """What the environment of a bot in this workspace says: Socket Mode, and any free port."""
    installed = sandbox.workspace.app
    return {
        "SLACK_BOT_TOKEN": installed.bot_token,
        "SLACK_APP_TOKEN": installed.app_token,
        "SLACK_API_URL": sandbox.api_url,
        "TOKENS_DATABASE_URL": database_url,
        "TOKENS_HTTP_PORT": "0",
        "TOKENS_TIME_ZONE": "Europe/Berlin",
        **changes,
    }


def signed_environment(sandbox: Sandbox, database_url: str) -> dict[str, str]:
    """The same in HTTP mode."""
    secret = sandbox.workspace.app.signing_secret
    return environment(sandbox, database_url, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=secret)


@contextmanager
def bot(sandbox: Sandbox, app: App, loaded: Settings) -> Iterator[str]:
    """The real bot, reachable for the workspace in the mode of its settings; yields the address of its HTTP side."""
    with serving.serving(loaded, app) as address:
        if loaded.socket_mode:
            sandbox.wait_for(lambda: sandbox.connections)
        else:
            sandbox.workspace.change_app(request_url=f"{address}/slack/events")
        yield address


def load(environ: dict[str, str]) -> Settings:
    return settings.load(environ)
