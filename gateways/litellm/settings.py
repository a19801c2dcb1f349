"""What an operator says to the plugin, in the environment of the proxy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

OnOutage = Literal["pass", "stop"]

PREFIX = "TOKENS_BOT_"


class Misconfigured(Exception):  # noqa: N818 - what the operator is told
    """A setting that cannot be used, with its name, its value and what was expected."""


@dataclass(frozen=True)
class Settings:
    """Times are seconds."""

    url: str
    key: str
    journal: Path
    grace: float = 600
    on_outage: OnOutage = "pass"
    leases: bool = True
    patience: float = 2
    """How long a call waits for the bot at most; then the bot counts as away."""


def load(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment; Misconfigured names the first one that does not fit."""
    return Settings(
        url=_url(environment),
        key=_required(environment, "KEY", "the secret of a key with the scope holds:write"),
        journal=Path(_required(environment, "JOURNAL", "a file that outlives the proxy")),
        grace=_seconds(environment, "GRACE", Settings.grace),
        on_outage=_on_outage(environment),
        leases=_switch(environment, "LEASES"),
        patience=_seconds(environment, "PATIENCE", Settings.patience),
    )


def _url(environment: Mapping[str, str]) -> str:
    expected = "the address of the bot, such as https://bot.example.com"
    url = _required(environment, "URL", expected).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise _unfit("URL", expected, url)
    return url


def _required(environment: Mapping[str, str], name: str, expected: str) -> str:
    value = environment.get(PREFIX + name, "").strip()
    if not value:
        raise Misconfigured(f"{PREFIX}{name} is not set: expected {expected}")
    return value


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    value = environment.get(PREFIX + name, "").strip()
    if not value:
        return default
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise _unfit(name, "a number of seconds", value)
    return seconds


def _on_outage(environment: Mapping[str, str]) -> OnOutage:
    value = environment.get(f"{PREFIX}ON_OUTAGE", "").strip() or "pass"
    if value == "pass":
        return "pass"
    if value == "stop":
        return "stop"
    raise _unfit("ON_OUTAGE", "pass or stop", value)


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(PREFIX + name, "").strip() or "on"
    if value not in {"on", "off"}:
        raise _unfit(name, "on or off", value)
    return value == "on"


def _unfit(name: str, expected: str, value: str) -> Misconfigured:
    return Misconfigured(f"{PREFIX}{name}: expected {expected}, got {value!r}")
