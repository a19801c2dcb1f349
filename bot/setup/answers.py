"""What a setup is told, by a file or in answers: decoded, and every mistake in it named at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from handlers import amounts
from policy import handbook, texts
from policy.period import Month
from policy.reasons import Refusal
from policy.value.currencies import USD, Money, require_code
from store import time_zones
from store.engine import OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.units import NanoUSD

SECRETS = ("bot_token", "app_token", "signing_secret")


class Slack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Each secret itself, or the file that holds it; channels and the board's group by their ids."""

    bot_token: str = ""
    bot_token_file: str = ""
    app_token: str = ""
    app_token_file: str = ""
    signing_secret: str = ""
    signing_secret_file: str = ""
    governance_channel: str = ""
    announce_channel: str = ""
    board_usergroup: str = ""


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first key: its secret goes into a file that nobody else may read."""

    name: str
    source: str = ""
    scopes: tuple[str, ...] = ("usage:write",)
    key_file: str = ""

    @property
    def path(self) -> Path:
        return Path(self.key_file or f"{self.name}.key")


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything a setup may be told; what is empty is left as it is.

    `launch` is a month; `bands` have a midpoint a year each, with a currency unless it is USD; `budget` is for a month.
    """

    time_zone: str
    database: str = "sqlite:///var/tokens.db"
    handbook: str = "handbook.toml"
    contact: str = ""
    launch: str = ""
    role_families: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    people: str = ""
    bands: dict[str, str | int | float] = {}
    budget: str | int | float = ""
    slack: Slack = Slack()
    gateway: Gateway | None = None

    @property
    def launch_month(self) -> Month | None:
        return Month.parse(self.launch) if self.launch else None


def read(path: Path) -> Answers:
    """The answers in a TOML file; a Refusal names every mistake. Paths in it are beside the file."""
    try:
        answers = msgspec.toml.decode(path.read_bytes(), type=Answers)
    except OSError as error:
        raise Refusal("file_unreadable", f"{path} cannot be read: {error}.") from error
    except msgspec.MsgspecError as error:
        raise _invalid(path, [str(error)]) from error
    answers = _beside(answers, path.parent)
    if any(getattr(answers.slack, name) for name in SECRETS) and path.stat().st_mode & OTHERS:
        text = f"{path} holds secrets, and others on this machine may read it."
        raise Refusal("file_readable", text, next_step=f"Run `chmod 600 {path}`, or name files: bot_token_file = …")
    if wrong := list(mistakes(answers)):
        raise _invalid(path, wrong)
    return answers


def _invalid(path: Path, wrong: list[str]) -> Refusal:
    return Refusal("setup_invalid", f"{path} has mistakes:\n" + "\n".join(wrong), next_step="Correct them.")


def _beside(answers: Answers, folder: Path) -> Answers:
    """With the files that are read found from the folder of the file that names them."""
    files = {name: _found(getattr(answers.slack, name), folder) for name in (f"{one}_file" for one in SECRETS)}
    slack = msgspec.structs.replace(answers.slack, **files)
    return msgspec.structs.replace(answers, slack=slack, people=_found(answers.people, folder))


def _found(name: str, folder: Path) -> str:
    return str(folder / name) if name else ""


def mistakes(answers: Answers) -> Iterator[str]:
    """What is wrong in the answers themselves, without asking anyone else."""
    time_zones.use_packaged()
    if time_zones.known(answers.time_zone) is None:
        yield f"time_zone = {answers.time_zone!r}: expected a time zone such as Europe/Berlin"
    if answers.launch:
        yield from _of(f"launch = {answers.launch!r}", Month.parse, answers.launch)
    for band, midpoint in answers.bands.items():
        yield from _of(f"bands.{band} = {midpoint!r}", midpoint_of, midpoint)
    if answers.budget != "":
        yield from _of(f"budget = {answers.budget!r}", budget_of, answers)
    approved = [service.key for service in handbook.parse(handbook.packaged()).services]
    for key in answers.services:
        if key not in approved:
            yield f"services: {texts.quoted(key)} is none of {', '.join(approved)}; others go into the handbook itself"
    for name in ("people", *(f"slack.{one}_file" for one in SECRETS)):
        file = answers.people if name == "people" else getattr(answers.slack, name.removeprefix("slack."))
        if file and not Path(file).is_file():
            yield f"{name} = {file!r}: there is no such file"


def _of(what: str, parse: object, value: object) -> Iterator[str]:
    try:
        parse(value)  # type: ignore[operator]
    except ValueError as error:
        yield f"{what}: {error}"
    except Refusal as refusal:
        yield f"{what}: {refusal.text}"


def midpoint_of(given: str | float) -> Money:
    """A year's pay as people write it, `95,000` or `88,000 EUR`; ValueError or Refusal where it is none."""
    words = str(given).split()
    codes = [word for word in words if word.isalpha() and len(word) == len(USD)]
    number = " ".join(word for word in words if word not in codes)
    amount = amounts.usd(number)
    if amount <= 0:
        raise ValueError("expected an amount above 0")
    return Money(require_code(codes[0]) if codes else USD, int(amount))


def budget_of(answers: Answers) -> NanoUSD:
    """What a month's grants may cost; ValueError where that is no amount above 0."""
    usd = amounts.usd(str(answers.budget))
    if usd <= 0:
        raise ValueError("expected an amount above 0")
    return usd


def secret(answers: Answers, name: str) -> str:
    """A secret of Slack's: as it was given, or from its file."""
    if given := getattr(answers.slack, name):
        return str(given)
    file = getattr(answers.slack, f"{name}_file")
    return Path(file).read_text("utf-8").strip() if file else ""
