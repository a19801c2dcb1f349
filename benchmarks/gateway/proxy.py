"""A real LiteLLM proxy: installed once into a venv of its own, run as a child process on this machine alone."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE = "1.106.12"
ROOT = Path(__file__).parents[2]
VENV = ROOT / "var" / "gateway-venv"
CONFIG = Path(__file__).parent / "litellm.yaml"

INSTALL_SECONDS, START_SECONDS, STOP_SECONDS = 900, 180, 30
NOWHERE = "http://127.0.0.1:9"


def install() -> None:
    """LiteLLM in var/gateway-venv, unless it is there: it is far too large for our own dependencies."""
    if _installed() == RELEASE:
        return
    print(f"Installing LiteLLM {RELEASE} into {VENV.relative_to(ROOT)} …", flush=True)
    package, uv = f"litellm[proxy]=={RELEASE}", ROOT / ".venv" / "bin" / "uv"
    if uv.exists():
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
        _run(uv, "pip", "install", "--quiet", "--python", VENV / "bin" / "python", package)
    else:
        _run(sys.executable, "-m", "venv", "--clear", VENV)
        _run(VENV / "bin" / "python", "-m", "pip", "install", "-qq", package)


def install_plugin() -> None:
    """Our plugin beside it, built as an operator would build it."""
    uv, python = ROOT / ".venv" / "bin" / "uv", VENV / "bin" / "python"
    options = ["--quiet", "--no-deps", "--reinstall", str(ROOT / "gateways" / "litellm")]
    if uv.exists():
        _run(uv, "pip", "install", "--python", python, *options)
    else:
        _run(python, "-m", "pip", "install", "-qq", "--no-deps", "--force-reinstall", options[-1])


def _installed() -> str:
    python = VENV / "bin" / "python"
    if not python.exists():
        return ""
    asked: list[str | Path] = [python, "-c", "from importlib.metadata import version; print(version('litellm'))"]
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60).stdout.strip()


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS)


@contextmanager
def running(log: Path, settings: dict[str, str], *, config: Path = CONFIG, workers: int = 1) -> Iterator[str]:
    """The address of a proxy with `settings` in its environment; it is gone when the block ends."""
    process, address = start(log, settings, config, workers=workers)
    try:
        wait_until_up(address, process, log)
        yield address
    finally:
        _end(process)


def start(
    log: Path, settings: dict[str, str], config: Path, *, workers: int = 1
) -> tuple[subprocess.Popen[bytes], str]:
    """A proxy that is about to listen, and where.

    Whatever it might want from outside is sent to a port on which no one listens.
    """
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(log.parent),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # It does not start without one; no one uses it.
        "LITELLM_MASTER_KEY": f"sk-{secrets.token_hex(32)}",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        **settings,
    }
    command: list[str | Path] = [
        VENV / "bin" / "litellm",
        "--config",
        config,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--num_workers",
        str(workers),
        # A worker that imports LiteLLM on a busy machine is silent for longer than uvicorn's five seconds.
        "--timeout_worker_healthcheck",
        str(START_SECONDS),
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=log.parent)
    return process, f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/liveliness", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"LiteLLM did not start:\n{log.read_text(errors='replace')[-4_000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
