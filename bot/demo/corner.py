"""The administrator's corner of the demo: what would you do if …, with the commands that do it, ready to be pasted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bot.setup import files

if TYPE_CHECKING:
    from collections.abc import Mapping


class Question(NamedTuple):
    """Something that happens to administrators, and what they then run."""

    what_if: str
    commands: tuple[str, ...]


QUESTIONS = (
    Question(
        "Ben was given tokens that were meant for Ada?",
        (
            'tokens-bot grants give ben@northwind.example 50k --reason "Pilot" --expires 2099-12-31',
            "tokens-bot grants list ben@northwind.example --open",
            'tokens-bot grants revoke LOT --reason "Meant for Ada" --dry-run',
        ),
    ),
    Question("somebody asks why they get nothing next month?", ("tokens-bot doctor",)),
    Question(
        "finance asks who set the budget, and when?",
        ("tokens-bot audit list --what budgets", "tokens-bot audit show SEQ"),
    ),
    Question(
        "finance closes the month? (A month that is closed lies in the demo's folder as focus-*.csv.)",
        (
            "tokens-bot cost-centres list",
            "tokens-bot reconcile show --month MONTH",
            "tokens-bot close list",
            "tokens-bot export focus --month MONTH --out focus.csv",
        ),
    ),
    Question(
        "the disk fails tonight? (The second one once the demo is stopped.)",
        ("tokens-bot backup tonight.backup", "tokens-bot restore tonight.backup --stopped"),
    ),
)


def text(folder: Path) -> str:
    """The corner as the terminal shows it; `folder` is the demo's, whose settings the commands find."""
    program = Path(sys.executable).with_name("tokens-bot")
    lines = ["The administrator's corner, in another terminal. What would you do if …", f"cd {folder.resolve()}"]
    for question in QUESTIONS:
        lines.append(f"… {question.what_if}")
        lines += [f"    {command.replace('tokens-bot', str(program), 1)}" for command in question.commands]
    return "\n".join(lines)


def keep_settings(folder: Path, environment: Mapping[str, str]) -> None:
    """The demo's settings, as a command that is run in its folder reads them."""
    files.write_private(folder / ".env", files.env_text("", environment))
