"""The files that a setup writes: `.env`, the first handbook, a key's secret. Each is whole, or as it was before.

What was answered and is in none of them yet waits in a file of its own, so that nothing is lost when a setup is ended.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import tomlkit
from dotenv import dotenv_values

from policy import handbook
from policy.reasons import Refusal
from store.engine import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.setup.answers import Answers

ENV = Path(".env")
UNFINISHED = Path(".env.unfinished")
"""Whatever keeps `.env` out of a repository or a back-up keeps this out as well."""
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,?&-]*")
_ASSIGNED = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_UNSET = "# launched_on = 2027-01-01"


def env_values(path: Path = ENV) -> dict[str, str]:
    """What a file of settings says; nothing where there is none."""
    return {name: value for name, value in dotenv_values(path).items() if value}


def env_text(before: str, changes: Mapping[str, str]) -> str:
    """Settings with some of them changed: comments and other settings stay where they are."""
    left = dict(changes)
    lines = []
    for line in before.splitlines():
        named = _ASSIGNED.match(line)
        name = named[1] if named else ""
        lines.append(f"{name}={_quoted(left.pop(name))}" if name in left else line)
    return "\n".join([*lines, *(f"{name}={_quoted(value)}" for name, value in left.items())]) + "\n"


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def write_private(path: Path, text: str) -> None:
    """Put a text into a file that only its owner may read; whoever reads it meanwhile sees the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def keep(answers: Answers, known: Answers) -> None:
    """The answers that are not among what is known already, until they are carried out: they may be secrets."""
    news = _news(msgspec.to_builtins(answers), msgspec.to_builtins(known))
    if not news:
        forget_kept()
        return
    write_private(UNFINISHED, f"{msgspec.json.format(msgspec.json.encode(news)).decode()}\n")


def with_kept(known: Answers) -> Answers:
    """What is known, and over it what was answered before a setup was ended."""
    if not UNFINISHED.exists():
        return known
    try:
        news = msgspec.json.decode(UNFINISHED.read_bytes(), type=dict[str, Any])
        return msgspec.convert(_over(msgspec.to_builtins(known), news), type(known))
    except msgspec.MsgspecError as error:
        text = f"{UNFINISHED} holds the answers of a setup that was ended, and can't be read."
        raise Refusal("unfinished_unreadable", text, next_step="Delete it, and answer again.") from error


def forget_kept() -> None:
    UNFINISHED.unlink(missing_ok=True)


def _news(now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _news(value, before[name]) if isinstance(value, dict) and isinstance(before.get(name), dict) else value
        for name, value in now.items()
        if value != before.get(name)
    }


def _over(before: dict[str, Any], news: dict[str, Any]) -> dict[str, Any]:
    return before | {
        name: _over(before[name], value) if isinstance(value, dict) and isinstance(before.get(name), dict) else value
        for name, value in news.items()
    }


def handbook_text(before: str, answers: Answers) -> str:
    """A handbook with what a setup was told in it; its comments stay, and what was not told as well."""
    launch = answers.launch_month
    if launch is not None:
        before = before.replace(_UNSET, f"launched_on = {launch.first_day}")
    document = tomlkit.parse(before)
    if answers.contact:
        document["contact"] = answers.contact
    rollout = document["rollout"]
    if launch is not None and rollout.get("launched_on") != launch.first_day:
        rollout["launched_on"] = launch.first_day
    if answers.role_families:
        rollout["role_families"] = list(answers.role_families)
    if answers.services:
        kept = document["services"]
        for index in reversed(range(len(kept))):
            if kept[index]["key"] not in answers.services:
                del kept[index]
    return tomlkit.dumps(document)


def first_handbook(path: Path, answers: Answers) -> str:
    """The handbook at a path, or the packaged one, with the answers in it."""
    return handbook_text(path.read_text("utf-8") if path.exists() else handbook.packaged(), answers)


def with_free_version(text: str, taken: set[str]) -> str:
    """A handbook whose version has no other text: `2026.1` becomes `2026.2`, or `company` `company.2`."""
    document = tomlkit.parse(text)
    version = str(document["version"])
    stem, _, number = version.rpartition(".")
    first, stem = (int(number), stem) if stem and number.isdecimal() else (1, version)
    while version in taken:
        first += 1
        version = f"{stem}.{first}"
    document["version"] = version
    return tomlkit.dumps(document)
