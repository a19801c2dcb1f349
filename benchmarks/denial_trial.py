"""What clients do with a denial: how often they ask again, what they raise, what they show.

The clients are none of our dependencies. Install them in a folder of your own; those that are missing are left out.

    uv venv DIR/python
    VIRTUAL_ENV=DIR/python uv pip install openai anthropic openai-agents pydantic-ai-slim[openai] langchain-openai
    uv venv DIR/aider
    VIRTUAL_ENV=DIR/aider uv pip install aider-chat
    cd DIR
    npm install openai @anthropic-ai/sdk ai @ai-sdk/openai @openai/codex @anthropic-ai/claude-code opencode-ai
    python -m benchmarks.denial_trial DIR
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.denials.server import WAYS, Refusing, Way, refusing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent / "denials"
PATIENCE_SECONDS = 90
"""Agents that ask again for longer are ended, and said to be still asking."""
NOWHERE = "http://127.0.0.1:9"
QUESTION = "Say hello."


@dataclass(frozen=True)
class Client:
    """A program that asks a model once, by its own habits."""

    name: str
    needs: str
    """What has to be there, from the folder of the clients on."""
    command: Callable[[Path, str], Sequence[str | Path]]


def _python(name: str, package: str = "") -> Client:
    return Client(
        name,
        f"python/lib/python3.11/site-packages/{(package or name).replace('-', '_')}",
        lambda folder, url: [folder / "python" / "bin" / "python", HERE / "speak.py", name, url],
    )


def _node(name: str, package: str) -> Client:
    return Client(
        name,
        f"node_modules/{package}",
        lambda folder, url: ["node", HERE / "speak.mjs", name, url, folder],
    )


def _codex(folder: Path, url: str) -> Sequence[str | Path]:
    provider = f'{{name="trial", base_url="{url}/v1", env_key="OPENAI_API_KEY", wire_api="responses"}}'
    options = ["-c", f"model_providers.trial={provider}", "-c", "model_provider=trial", "-m", "gpt-5"]
    return [folder / "node_modules/.bin/codex", "exec", "--skip-git-repo-check", *options, QUESTION]


def _aider(folder: Path, url: str) -> Sequence[str | Path]:
    fixed = ["--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings", "--no-analytics"]
    where = ["--openai-api-base", f"{url}/v1", "--openai-api-key", "sk-trial", "--model", "openai/gpt-4o"]
    return [folder / "aider/bin/aider", *fixed, *where, "--message", QUESTION]


CLIENTS = (
    _python("openai"),
    _python("anthropic"),
    _node("openai (npm)", "openai"),
    _node("@anthropic-ai/sdk", "@anthropic-ai/sdk"),
    _python("openai-agents", "agents"),
    _python("pydantic-ai"),
    _python("langchain-openai"),
    _node("ai", "ai"),
    Client("aider", "aider/bin/aider", _aider),
    Client("codex", "node_modules/.bin/codex", _codex),
    Client(
        "claude",
        "node_modules/.bin/claude",
        lambda folder, _: [folder / "node_modules/.bin/claude", "-p", QUESTION],
    ),
    Client(
        "opencode",
        "node_modules/.bin/opencode",
        lambda folder, _: [folder / "node_modules/.bin/opencode", "run", "-m", "anthropic/claude-sonnet-4-5", QUESTION],
    ),
)


@dataclass(frozen=True)
class Seen:
    """What one client did with one way of refusing."""

    client: str
    way: Way
    asked: int
    ended: bool
    shown: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the clients are installed")
    parser.add_argument("--only", action="append", help="a client's name; may be given several times")
    options = parser.parse_args()
    folder = options.folder.resolve()
    there = [client for client in CLIENTS if (folder / client.needs).exists()]
    for client in CLIENTS:
        if client not in there:
            print(f"{client.name}: not installed in {folder}, left out")
    chosen = [client for client in there if not options.only or client.name in options.only]
    with refusing() as server, ThreadPoolExecutor(4) as pool:
        asked = [(client, way) for client in chosen for way in WAYS]
        found = list(pool.map(lambda pair: _ask(folder, server, *pair), asked))
    for client in chosen:
        _show(client.name, [seen for seen in found if seen.client == client.name])
    return 0


def _ask(folder: Path, server: Refusing, client: Client, way: Way) -> Seen:
    tag = str(CLIENTS.index(client))
    url = server.base(way, tag)
    with tempfile.TemporaryDirectory(prefix="denial-") as home:
        configure(Path(home), url)
        process = subprocess.Popen(
            list(client.command(folder, url)),
            env=environment_of(home, url),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
            ended = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            ended = False
    return Seen(client.name, way, server.asked[way.path, tag], ended, shown(output))


def environment_of(home: str, url: str) -> dict[str, str]:
    """Nothing of this machine's own settings, and no way out of it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "TERM": "dumb",
        "OPENAI_API_KEY": "sk-trial",
        "ANTHROPIC_API_KEY": "sk-trial",
        "ANTHROPIC_BASE_URL": url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def configure(home: Path, url: str) -> None:
    """Opencode reads its providers from a file."""
    options = {"baseURL": f"{url}/v1", "apiKey": "sk-trial"}
    settings = {"provider": {"anthropic": {"options": options}}, "autoupdate": False, "share": "disabled"}
    (home / "opencode.json").write_text(json.dumps(settings), encoding="utf-8")


def shown(output: str) -> str:
    """The libraries' exception and its text, or what a program wrote."""
    try:
        told = json.loads(output.strip().splitlines()[-1])
    except (json.JSONDecodeError, IndexError):
        return "\n".join(output.strip().splitlines()[-12:])
    return f"{told['raised']}: {told['text']}" if isinstance(told, dict) and "raised" in told else output


def _show(name: str, found: Sequence[Seen]) -> None:
    print(f"\n## {name}")
    for seen in found:
        headers = ", ".join(f"{header}: {value}" for header, value in seen.way.headers.items()) or "no header"
        print(f"  {seen.way.status} {headers:<42} asked {seen.asked}{'' if seen.ended else ', still asking'}")
    for status in dict.fromkeys(seen.way.status for seen in found):
        text = next(seen.shown for seen in found if seen.way.status == status)
        print(f"  {status} shows: {text}")


if __name__ == "__main__":
    sys.exit(main())
