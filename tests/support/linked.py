"""What is said of Slack accounts: linked, moved, and others with somebody's e-mail."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from programme.people import linking
from templates import render
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views.people import AccountNotice, PersonName

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

NOTICE = AccountNotice(
    name="Ada Lovelace",
    email="ada@example.com",
    account=PersonName("another account", "W0ADA2"),
    known_by=PersonName("no account", "U0ADA"),
    command=linking.command("ada@example.com", "W0ADA2"),
    contact=CONTACT,
)


def told(template: str, text: str = "") -> Message:
    """A message; with a text, everything that someone may have written is that."""
    notice = NOTICE
    if text:
        notice = dataclasses.replace(NOTICE, name=text, email=text, contact=text, command=linking.command(text, "W0"))
    return render.message(template, notice=notice)


CASES: dict[str, Callable[[], Message]] = {
    "linked": lambda: told("people/linked"),
    "moved": lambda: told("people/moved"),
    "other_account": lambda: told("people/other_account"),
    "relink_wanted": lambda: told("people/relink_wanted"),
    "relink_wanted_hostile": lambda: told("people/relink_wanted", HOSTILE),
    "other_account_hostile": lambda: told("people/other_account", HOSTILE),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "linked": lambda: told("people/linked", ENDLESS),
    "moved": lambda: told("people/moved", ENDLESS),
    "other_account": lambda: told("people/other_account", ENDLESS),
    "relink_wanted": lambda: told("people/relink_wanted", ENDLESS),
}
