"""The clients that the trial asks: what each is installed from, into a folder of its own, and how it is asked once."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "var" / "denial-clients"
UV = ROOT / ".venv" / "bin" / "uv"
INSTALL_SECONDS = 900
QUESTION = "Say hello."
READY = ".ready"
NODE = FOLDER / "node"
"""Node itself, from npm: a machine's own may be too old for the newest of what runs on it."""


@dataclass(frozen=True)
class Client:
    """A program that asks a model once, by its own habits."""

    name: str
    packages: tuple[str, ...]
    """As their registry names them; the first is the one whose version is told."""
    command: Callable[[Path, str], Sequence[str | Path]]
    """From the folder it is installed in, and the address to ask."""
    is_node: bool = False

    @property
    def folder(self) -> Path:
        return FOLDER / re.sub(r"\W+", "-", self.name).strip("-")

    @property
    def is_there(self) -> bool:
        return (self.folder / READY).exists()


def _python(name: str, *packages: str) -> Client:
    """A library, which `speak.py` asks in the environment that it is installed in."""
    return Client(name, packages or (name,), lambda folder, url: [_bin(folder, "python"), HERE / "speak.py", name, url])


def _node(name: str, *packages: str) -> Client:
    """A library, which `speak.mjs` asks."""
    return Client(name, packages, lambda folder, url: ["node", HERE / "speak.mjs", name, url, folder], is_node=True)


def _program(name: str, package: str, *arguments: str, binary: str = "") -> Client:
    """A program on Node that finds its model by what `environment_of` and its settings say."""
    command = functools.partial(_run, binary or name, arguments)
    return Client(name, (package,), command, is_node=True)


def _run(binary: str, arguments: Sequence[str], folder: Path, _url: str) -> Sequence[str | Path]:
    return [folder / "node_modules" / ".bin" / binary, *arguments]


def _bin(folder: Path, name: str) -> Path:
    return folder / "bin" / name


def _codex(folder: Path, url: str) -> Sequence[str | Path]:
    provider = f'{{name="trial", base_url="{url}/v1", env_key="OPENAI_API_KEY", wire_api="responses"}}'
    options = ["-c", f"model_providers.trial={provider}", "-c", "model_provider=trial", "-m", "gpt-5"]
    return [folder / "node_modules/.bin/codex", "exec", "--skip-git-repo-check", *options, QUESTION]


def _aider(folder: Path, url: str) -> Sequence[str | Path]:
    fixed = ["--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings", "--no-analytics"]
    where = ["--openai-api-base", f"{url}/v1", "--openai-api-key", "sk-trial", "--model", "openai/gpt-4o"]
    return [_bin(folder, "aider"), *fixed, *where, "--message", QUESTION]


CLIENTS = (
    _python("openai"),
    _python("anthropic"),
    _node("openai (npm)", "openai"),
    _node("@anthropic-ai/sdk", "@anthropic-ai/sdk"),
    _python("litellm"),
    _python("openai-agents"),
    _python("pydantic-ai", "pydantic-ai-slim[openai]"),
    _python("langchain-openai"),
    _python("langchain-anthropic"),
    _python("llama-index", "llama-index-llms-openai"),
    _python("smolagents", "smolagents[openai]"),
    _python("strands", "strands-agents[openai]"),
    _python("crewai"),
    _python("autogen", "autogen-agentchat", "autogen-ext[openai]"),
    _python("google-adk", "google-adk", "litellm"),
    _python("agno", "agno", "openai"),
    _python("dspy"),
    _node("ai", "ai", "@ai-sdk/openai"),
    Client("aider", ("aider-chat",), _aider),
    Client("codex", ("@openai/codex",), _codex, is_node=True),
    _program("claude", "@anthropic-ai/claude-code", "-p", QUESTION),
    _program("opencode", "opencode-ai", "run", "-m", "anthropic/claude-sonnet-4-5", QUESTION),
    _program("qwen-code", "@qwen-code/qwen-code", "-p", QUESTION, "--auth-type", "openai", binary="qwen"),
    _program("gemini-cli", "@google/gemini-cli", "-p", QUESTION, "--skip-trust", binary="gemini"),
)


def install(client: Client, *, newest: bool) -> str:
    """The version that is there now, or why there is none: a client that cannot be had is left out, and named."""
    if newest:
        shutil.rmtree(client.folder, ignore_errors=True)
    try:
        if not client.is_there:
            _fetch(client)
            (client.folder / READY).touch()
        return _version(client)
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise LookupError(said.strip().splitlines()[-1]) from error


def _fetch(client: Client) -> None:
    if client.is_node:
        _fetch_node()
        _npm(client.folder, *client.packages)
        return
    _do(UV, "venv", "--quiet", "--clear", "--python", sys.executable, client.folder)
    _do(UV, "--quiet", "--system-certs", "pip", "install", "--python", _bin(client.folder, "python"), *client.packages)


def _fetch_node() -> None:
    if not (NODE / READY).exists():
        _npm(NODE, "node")
        (NODE / READY).touch()


def _npm(folder: Path, *packages: str) -> None:
    _do("npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, *packages)


def _do(*command: str | Path) -> None:
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        env={**os.environ, "PATH": _path()},
    )


def _path() -> str:
    return f"{NODE / 'node_modules' / '.bin'}:{os.environ['PATH']}"


def _version(client: Client) -> str:
    package = client.packages[0]
    if client.is_node:
        told = json.loads((client.folder / "node_modules" / package / "package.json").read_text("utf-8"))
        return str(told["version"])
    asked = f"from importlib.metadata import version; print(version({package.partition('[')[0]!r}))"
    python = _bin(client.folder, "python")
    return subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True, timeout=60).stdout.strip()


NOWHERE = "http://127.0.0.1:9"


def environment_of(home: str, url: str) -> dict[str, str]:
    """Nothing of this machine's own settings, and no way out of it."""
    return {
        "PATH": _path(),
        "HOME": home,
        "TMPDIR": home,
        "TERM": "dumb",
        "NO_COLOR": "1",
        "OPENAI_API_KEY": "sk-trial",
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_MODEL": "gpt-5",
        "ANTHROPIC_API_KEY": "sk-trial",
        "ANTHROPIC_BASE_URL": url,
        "GEMINI_API_KEY": "trial",
        "GOOGLE_GEMINI_BASE_URL": url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "OTEL_SDK_DISABLED": "true",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def configure(home: Path, url: str) -> None:
    """What some programs read from files alone."""
    options = {"baseURL": f"{url}/v1", "apiKey": "sk-trial"}
    opencode = {"provider": {"anthropic": {"options": options}}, "autoupdate": False, "share": "disabled"}
    gemini = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    qwen = {"security": {"auth": {"selectedType": "openai"}}, "privacy": {"usageStatisticsEnabled": False}}
    for name, settings in (
        ("opencode.json", opencode),
        (".gemini/settings.json", gemini),
        (".qwen/settings.json", qwen),
    ):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(json.dumps(settings), encoding="utf-8")
