"""`/tokens roi`: board and finance read what the programme brings; nobody else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slack_sdk import WebClient

from handlers.slack_app import COMMANDS
from programme.roi import reports
from templates.render import Message
from tests.support import returned

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock


def ask(app: App, user: str) -> Message:
    said = COMMANDS.answer(app, text="roi", slack_user_id=user, client=WebClient())
    assert isinstance(said, Message)
    return said


def text_of(said: Message) -> str:
    return "\n".join(str(block) for block in said.blocks)


@pytest.fixture
def company(sqlite_app: App, clock: Clock) -> App:
    returned.settle(sqlite_app, clock)
    return sqlite_app


def test_the_board_and_finance_read_the_last_report(company: App) -> None:
    """The answer first, five lines, two charts, no figure in the notification."""
    assert "There is no report of the return yet" in text_of(ask(company, "U0IRIS"))
    with company.transaction() as moment:
        reports.make(moment, None, actor="cli:test")
    for user in ("U0IRIS", "U0OMAR"):
        said = ask(company, user)
        assert said.blocks[0]["text"]["text"].startswith("*It pays.* ")
        assert len(said.blocks[0]["text"]["text"].splitlines()) == 5
        assert [block["type"] for block in said.blocks].count("data_visualization") == 2
        assert not any(letter.isdigit() for letter in said.text)


@pytest.mark.parametrize("user", ["U0ADA", "U0MARA", "U0R0"])
def test_nobody_else_does(company: App, user: str) -> None:
    """Engineers and managers are told where theirs is, whether there is a report or not."""
    with company.transaction() as moment:
        reports.make(moment, None, actor="cli:test")
    said = text_of(ask(company, user))
    assert "shown to the board and to finance" in said
    assert "%" not in said
