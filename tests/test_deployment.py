"""What deploys the bot names only what exists: commands, options, files, and nobody's root."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.settings import PARTS
from tests.test_docs import fault_of

ROOT = Path(__file__).parent.parent
UNITS = sorted((ROOT / "deploy").glob("*.service"))
GUIDE = (ROOT / "docs" / "operators" / "deployment.md").read_text()
FAILOVER = ROOT / "deploy" / "failover"
CONTAINERFILE = (ROOT / "Containerfile").read_text().replace("\\\n", " ")


def unit(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, strict=True)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    parsed.read(path)
    return parsed


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", CONTAINERFILE, flags=re.MULTILINE)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_services_run_commands_that_exist(path: Path) -> None:
    """Each starts a command of ours with options that it has, as a user of its own, and writes where it may."""
    service = unit(path)["Service"]
    # The part is the last word of the unit's name before its @.
    service["ExecStart"] = service["ExecStart"].replace("%j", "courier")
    [called] = re.findall(r"(tokens-bot(?: [a-z-]+)+)", service["ExecStart"].replace("/opt/tokens-bot/bin/", ""))
    command = called if "backup" not in called else f"{called} FILE"
    assert fault_of(command) is None
    assert service["User"] == "tokens-bot"
    assert (service["ProtectSystem"], service["StateDirectory"]) == ("strict", "tokens-bot")


def test_every_part_can_be_a_service() -> None:
    """The guide copies the unit of a part under the name of each, from which it takes the part."""
    [loop] = re.findall(r"for part in ([a-z ]+); do\n.*tokens-bot-part@.service (\S+);?\n", GUIDE)
    assert (loop[0].split(), loop[1]) == (list(PARTS), "/etc/systemd/system/tokens-bot-$part@.service")
    assert "%j" in unit(ROOT / "deploy" / "tokens-bot-part@.service")["Service"]["ExecStart"]


def test_the_timer_has_its_service() -> None:
    """A timer starts the service of its name."""
    assert (ROOT / "deploy" / "tokens-bot-backup.timer").with_suffix(".service") in UNITS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, but for the program and the user that are not here."""
    for path in (ROOT / "deploy").glob("*.*"):
        text = path.read_text().replace("/opt/tokens-bot/bin/tokens-bot", "/bin/true")
        text = re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text)
    units = [str(path) for path in tmp_path.glob("*.service")]
    said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in said.stderr.splitlines() if str(tmp_path) in line] == []


def test_the_examples_of_a_cluster_lead_to_each_other() -> None:
    """The bot finds PgBouncer, which finds HAProxy, which asks Patroni who leads; a commit waits for the standby."""
    pooler, balancer, node = ((FAILOVER / name).read_text() for name in ("pgbouncer.ini", "haproxy.cfg", "patroni.yml"))
    settings = configparser.ConfigParser(interpolation=None, strict=True)
    settings.read_string(pooler)
    assert f":{settings['pgbouncer']['listen_port']}/tokens?pooler={settings['pgbouncer']['pool_mode']}" in GUIDE
    [port] = re.findall(r"port=(\d+)", settings["databases"]["tokens"])
    [primary] = re.findall(r"listen primary\n(.+?)\n\n", balancer, flags=re.DOTALL)
    assert f"bind $address:{port}\n" in primary
    assert "OPTIONS /primary" in primary
    servers = set(re.findall(r"server pg\d \$pg\d:(\d+) check port (\d+)", balancer))
    api, postgresql = re.findall(r"  listen: \$address:(\d+)", node)
    assert servers == {(postgresql, api)}
    seconds = {name: int(number) for name, number in re.findall(r"    (ttl|loop_wait|retry_timeout): (\d+)", node)}
    assert seconds["loop_wait"] + 2 * seconds["retry_timeout"] <= seconds["ttl"]
    assert "synchronous_mode: true" in node


def test_the_image_is_built_from_what_make_package_leaves() -> None:
    """It copies dist/ alone, installs by hash, and runs a command that exists as somebody without rights."""
    assert instructions("COPY") == ["dist/ /dist/", "--from=built /opt/tokens-bot /opt/tokens-bot"]
    makefile = (ROOT / "Makefile").read_text()
    assert "--out-dir dist" in makefile
    assert "dist/requirements.txt" in makefile
    assert any("--require-hashes -r /dist/requirements.txt" in step for step in instructions("RUN"))
    entry, [first, *rest] = json.loads(instructions("ENTRYPOINT")[0]), json.loads(instructions("CMD")[-1])
    assert fault_of(shlex.join([*entry, first, *rest])) is None
    assert int(instructions("USER")[-1]) > 0
