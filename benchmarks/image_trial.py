"""`make image-trial`: the Containerfile built and run without an engine, on a stand-in for its base image.

Needs root and Debian's packages buildah and debootstrap. The stand-in is a minimal Debian 13 with its own Python 3.13,
made once in var/image-trial; with `--pull`, the base image is fetched as the Containerfile names it. Every step of the
Containerfile is then carried out in a chroot. What came of it is run as an engine would, and as a careful operator asks
for: as the image's user, with its environment, on a root that is read-only but for /data and /tmp.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.package_trial import WORKSPACE, answers, people
from sandbox import Sandbox, Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var" / "image-trial"
TAG = "localhost/tokens-bot:trial"
NEEDED = ("buildah", "debootstrap", "unshare", "chroot")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PORT = 8080
START_SECONDS, STOP_SECONDS = 180, 60
CONFINED = """\
set -e
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
mount --bind "$2" "$1/data"
mount -t tmpfs tmpfs "$1/tmp"
mount --rbind /dev "$1/dev"
cd "$1"
user=$3
shift 3
exec chroot --userspec="$user:$user" . "$@"
"""
"""In a namespace of mounts of its own: the image's root ($1), its data ($2), its user ($3), and what is run."""


@dataclass(frozen=True)
class Image:
    """What was built: where its files are, and what it says of itself."""

    root: Path
    config: dict[str, Any]
    data: Path

    def command(self, words: Sequence[str], environment: dict[str, str]) -> list[str]:
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in environment.items())]
        inside = ["/usr/bin/env", "-i", f"--chdir={self.config['WorkingDir']}", *variables, *words]
        return ["unshare", "--mount", "sh", "-c", CONFINED, "sh", str(self.root), str(self.data), self.user, *inside]

    @property
    def user(self) -> str:
        return str(self.config["User"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pull", action="store_true", help="fetch the base image from its registry, with no stand-in")
    pull = parser.parse_args().pull
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        print(f"Not here: {', '.join(missing)}. `apt-get install buildah debootstrap`, and run this again.")
        return 1
    if os.geteuid():
        print("It takes root: base images are unpacked, and mounts made.")
        return 1
    began = time.monotonic()
    if not pull:
        _stand_in()
    flags = ["--pull"] if pull else ["--pull-never"]
    _buildah("bud", "--isolation", "chroot", "--format", "docker", *flags, "-t", TAG, str(ROOT))
    print(f"{time.monotonic() - began:7.1f} s  built, {_size(TAG):,} MB ({_size(_base()):,} MB of them the base image)")
    container = _buildah("from", "--pull-never", TAG)
    try:
        root = Path(_buildah("mount", container))
        config = json.loads(_buildah("inspect", "--type", "image", TAG))["Docker"]["config"]
        with tempfile.TemporaryDirectory(prefix="image-trial-") as data:
            problems = _try(Image(root, config, Path(data)))
    finally:
        _buildah("rm", container)
    for problem in problems:
        print(f"WRONG  {problem}")
    print("The image trial failed." if problems else "The image does what the guide says.")
    return bool(problems)


# --- Building --------------------------------------------------------------------------------------------------------


def _base() -> str:
    named: list[str] = re.findall(r"^FROM (\S+)", (ROOT / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    return named[-1]


def _stand_in() -> None:
    """A Debian with the base image's Python, under the base image's name."""
    if _base() in _buildah("images", "--format", "{{.Name}}:{{.Tag}}").splitlines():
        return
    tree, mirror = FOLDER / "debian", _mirror()
    if not (tree / "usr" / "bin" / "python").is_symlink():
        shutil.rmtree(tree, ignore_errors=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        _run(
            "debootstrap", "--variant=minbase", "--include=ca-certificates,python3,python3-venv", "trixie", tree, mirror
        )
        shutil.copy(CERTIFICATES, tree / CERTIFICATES.lstrip("/"))
        (tree / "usr" / "bin" / "python").symlink_to("python3")
    container = _buildah("from", "scratch")
    _buildah("add", "-q", container, str(tree))
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    _buildah("config", "--env", path, container)
    _buildah("commit", "-q", "--rm", container, _base())


def _mirror() -> str:
    """Where this machine has Debian's packages from."""
    sources = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    said = "\n".join(one.read_text("utf-8", errors="replace") for one in sources)
    named: list[str] = re.findall(r"\bhttps?://\S+/debian/?(?=\s)", said)
    return named[0].rstrip("/")


def _buildah(*words: str) -> str:
    kept = [f"--root={FOLDER / 'store'}", f"--runroot={FOLDER / 'run'}", "--storage-driver=vfs"]
    return _run("buildah", *kept, *words)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}")
    return done.stdout.strip()


def _size(image: str) -> int:
    return int(json.loads(_buildah("images", "--json", image))[0]["size"].split()[0].partition(".")[0])


# --- Running ---------------------------------------------------------------------------------------------------------


def _try(image: Image) -> list[str]:
    """What is wrong with the image, by running it."""
    _write_company(image)
    with Sandbox(Workspace.from_dict(WORKSPACE)) as sandbox:
        installed = sandbox.workspace.app
        (image.data / "bot-token").write_text(installed.bot_token)
        (image.data / "app-token").write_text(installed.app_token)
        environment = {"SLACK_API_URL": sandbox.api_url}
        entry = image.config["Entrypoint"]
        problems = [
            f"{' '.join(words)}: exit {done.returncode}, {(done.stdout + done.stderr)[-1_500:]}"
            for words, expected in (
                ([*entry, "--version"], 0),
                ([*entry, "setup", "--from", "setup.toml"], 0),
                ([*entry, "migrate"], 0),
                ([*entry, "doctor"], 0),
                (["sh", "-c", "test $(id -u) -ne 0"], 0),
                (["touch", "/opt/tokens-bot/here"], 1),
            )
            if (done := _once(image, words, environment)).returncode != expected
        ]
        return problems + _serve(image, environment)


def _write_company(image: Image) -> None:
    (image.data / "people.csv").write_text(people())
    (image.data / "setup.toml").write_text(answers(f"{datetime.now(UTC):%Y-%m}"))
    os.chown(image.data, int(image.user), int(image.user))


def _once(image: Image, words: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    began = time.monotonic()
    done = subprocess.run(image.command(words, environment), capture_output=True, text=True, check=False)
    print(f"{time.monotonic() - began:7.1f} s  {' '.join(words)[:90]}: exit {done.returncode}", flush=True)
    return done


def _serve(image: Image, environment: dict[str, str]) -> list[str]:
    """By its own command, until its own health check passes; then it is told to stop as the image says."""
    with socket.socket() as taken:
        if taken.connect_ex(("127.0.0.1", PORT)) == 0:
            return [f"port {PORT} is taken on this machine, so its health check would ask something else"]
    began, log = time.monotonic(), image.data / "log"
    words = [*image.config["Entrypoint"], *image.config["Cmd"]]
    with log.open("wb") as output:
        process = subprocess.Popen(image.command(words, environment), stdout=output, stderr=output)
    try:
        while not (healthy := _is_healthy(image, environment)) and time.monotonic() - began < START_SECONDS:
            if process.poll() is not None:
                break
        print(f"{time.monotonic() - began:7.1f} s  {' '.join(words)}: {'healthy' if healthy else 'not healthy'}")
        began = time.monotonic()
        process.send_signal(getattr(signal, image.config.get("StopSignal") or "SIGTERM"))
        code = process.wait(STOP_SECONDS)
        print(f"{time.monotonic() - began:7.1f} s  stopped: exit {code}")
    finally:
        process.kill()
    if healthy and code == 0:
        return []
    return [f"{' '.join(words)}: healthy {healthy}, exit {code}, {log.read_text(errors='replace')[-1_500:]}"]


def _is_healthy(image: Image, environment: dict[str, str]) -> bool:
    kind, *words = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"  # without a shell, as the Containerfile has it
    return subprocess.run(image.command(words, environment), capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
