"""People as messages name them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonName:
    """Someone to be named, with their Slack user if they have one."""

    name: str
    slack: str | None
