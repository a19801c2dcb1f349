"""A board that is too small to decide about the month's cash: who is told instead, and when it is asked after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.cash import LET_RUN
from scheduler import messages
from store.tables.holds import cash_questions
from tests.support import books, cash, cast
from tests.support.cast import person_id
from tests.support.requests import IRIS, TESS

if TYPE_CHECKING:
    from programme.app import App

ALONE = """\
email,roles
iris@example.com,-
omar@example.com,-
tess@example.com,board
zoe@example.com,-
kofi@example.com,-
lena@example.com,admin
"""
LENA = "lena@example.com"


def used_up(app: App, channel: str | None = "C0BOARD") -> App:
    """Tess alone is left on the board, Lena administers, and all of the month's cash is used."""
    office = cash.company(app, channel=channel)
    cast.hire(office, ALONE)
    cash.spend(office, "15", "all")
    return office


def said(app: App) -> str:
    """What the note about the cap says now; nothing where it is left out."""
    told = messages.LIVE["cash/unasked"](app, {"cap": "Cash", "month": "2026-11"})
    return "" if told is None else str(told.blocks)


def test_its_channel_and_administrators_are_told_once(app: App) -> None:
    """No card is put that nobody could decide, and the calendar has nothing to do about it until the board grows."""
    office = used_up(app)
    assert (cash.look(office), cash.look(office)) == (["unasked"], [])
    assert cash.owed(office, "cash/unasked") == [person_id(office, LENA), None]
    assert (books.count(office, cash_questions), cash.owed(office, "cash/card")) == (0, [])
    assert "It takes two who can vote" in said(office)


def test_without_a_channel_each_on_the_board_is_told(app: App) -> None:
    """Tess, who can't decide alone, and Lena, who administers."""
    office = used_up(app, channel=None)
    assert cash.look(office) == ["unasked"]
    assert set(cash.owed(office, "cash/unasked")) == {person_id(office, one) for one in (TESS, LENA)}


def test_it_is_asked_once_it_is_large_enough(app: App) -> None:
    """With Iris back there is a card, which two decide; a note that did not go out yet is left out."""
    office = used_up(app)
    cash.look(office)
    cast.hire(office, "email,roles\niris@example.com,board\n")
    assert said(office) == ""
    assert (cash.look(office), cash.owed(office, "cash/card")) == (["ask"], [None])
    for who in (IRIS, TESS):
        cash.vote(office, who, LET_RUN)
    assert cash.card(office).question.state == "running"
    assert books.findings(office) == {}
