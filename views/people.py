"""People as messages name them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonName:
    """Someone to be named, with their Slack user if they have one."""

    name: str
    slack: str | None


@dataclass(frozen=True, slots=True)
class AccountNotice:
    """A Slack account that has, or was given, somebody's place in the programme.

    `known_by` is the account on record; `command` makes the other one theirs.
    """

    name: str
    email: str
    account: PersonName
    known_by: PersonName
    command: str
    contact: str
