"""`make package-trial`: the wheel in an environment of its own, away from the repository, to the first grants of 200.

Each command is timed. What lies in the wheel beside code (templates, pages, migrations, the handbook, fonts of charts)
is used on the way. Slack is the sandbox of this repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bot import manifest
from sandbox import Sandbox, Workspace

PEOPLE = 200
TEAM = 8
BANDS = {"P1": "95,000", "P2": "110,000", "P3": "140k", "P4": "180k", "P5": "220k"}
LEVELS = ("junior", "mid", "senior", "staff", "principal")
UV = Path(sys.executable).with_name("uv")
BOT, BOARD, GENERAL = "U0TOKENS", "C0BOARD", "C0GENERAL"
WORKSPACE = {
    "name": "Example",
    "app": {
        "name": "Tokens",
        "bot_user": BOT,
        "scopes": [*manifest.BOT_SCOPES, *manifest.DOCTOR_SCOPES],
        "commands": [{"command": "/tokens", "should_escape": True}],
        "events": list(manifest.EVENTS),
    },
    "members": [{"id": "U0ADA", "name": "ada", "email": "e0@example.com"}],
    "channels": [
        {"id": GENERAL, "name": "general", "members": ["U0ADA", BOT]},
        {"id": BOARD, "name": "token-board", "members": ["U0ADA", BOT], "is_private": True},
    ],
    "user_groups": [],
}


def people() -> str:
    """A company: teams of eight with a manager each, every level and band, a board of six."""
    lines = ["email,name,level,role_family,pay_band,time_zone,hired_on,manager_email,wave,roles"]
    roles = ["board;chair", "board;finance", "board", "alternate", "alternate", "admin"]
    for number in range(PEOPLE):
        level = 4 if number % TEAM == 0 else number % len(LEVELS)
        manager = "" if number % TEAM == 0 else f"e{number - number % TEAM}@example.com"
        role = roles[number] if number < len(roles) else ""
        lines.append(
            f"e{number}@example.com,Engineer {number},{LEVELS[level]},engineering,P{level + 1},Europe/Berlin,"
            f"2022-01-01,{manager},1,{role}"
        )
    return "\n".join(lines) + "\n"


def answers(month: str) -> str:
    bands = "\n".join(f'{band} = "{midpoint}"' for band, midpoint in BANDS.items())
    return f"""\
time_zone = "Europe/Berlin"
contact = "the AI programme team in #ai-tokens"
launch = "{month}"
people = "people.csv"
budget = "1,000,000"

[slack]
bot_token_file = "bot-token"
app_token_file = "app-token"
governance_channel = "{BOARD}"
announce_channel = "{GENERAL}"

[bands]
{bands}

[gateway]
name = "litellm-eu"
"""


def trial(dist: Path, folder: Path, sandbox: Sandbox) -> float:
    """Seconds from the wheel to the first grants."""
    [wheel] = dist.glob("*.whl")
    month = f"{datetime.now(UTC):%Y-%m}"
    (folder / "people.csv").write_text(people())
    (folder / "setup.toml").write_text(answers(month))
    (folder / "bot-token").write_text(sandbox.workspace.app.bot_token)
    (folder / "app-token").write_text(sandbox.workspace.app.app_token)
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environ = {name: value for name, value in environ.items() if not name.startswith(("TOKENS_", "SLACK_", "PYTHON"))}
    environ["SLACK_API_URL"] = sandbox.api_url
    command = str(folder / "venv" / "bin" / "tokens-bot")

    def run(*words: str, fine: tuple[int, ...] = (0,), env: dict[str, str] | None = None) -> float:
        began = time.monotonic()
        done = subprocess.run(words, cwd=folder, env=env or environ, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        print(f"{seconds:7.2f} s  {Path(words[0]).name} {' '.join(words[1:])[:90]}")
        if done.returncode not in fine:
            print(done.stdout[-3000:], done.stderr[-3000:])
            raise SystemExit(1)
        return seconds

    with_network = {**os.environ}
    total = run(str(UV), "--quiet", "venv", "--python", sys.executable, str(folder / "venv"), env=with_network)
    python = str(folder / "venv" / "bin" / "python")
    locked = ("--require-hashes", "-r", str(dist / "requirements.txt"))
    total += run(str(UV), "--quiet", "--system-certs", "pip", "install", "--python", python, *locked, env=with_network)
    total += run(str(UV), "--quiet", "pip", "install", "--python", python, "--no-deps", str(wheel), env=with_network)
    for words in (
        ("--help",),
        ("setup", "--from", "setup.toml", "--check"),
        ("setup", "--from", "setup.toml"),
        ("doctor",),
        ("migrate", "--dry-run"),
        ("grants", "run", "--month", month, "--dry-run"),
        ("grants", "run", "--month", month),
        ("chart", "utilisation", "--out", "use.png"),
        ("backup", "copy.db"),
        ("verify",),
    ):
        total += run(command, *words)
    return total


def main() -> None:
    """Measure, and print each step."""
    dist = Path(sys.argv[1]).resolve()
    folder = Path(tempfile.mkdtemp(prefix="tokens-bot-package-"))
    try:
        with Sandbox(Workspace.from_dict(WORKSPACE)) as sandbox:
            total = trial(dist, folder, sandbox)
        print(f"{total:7.2f} s  from the wheel to the first grants of {PEOPLE} people, copied and proved")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
