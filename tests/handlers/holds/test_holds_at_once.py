"""A gateway that loses patience asks for the same hold again while the first answer is on its way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from handlers.holds import routes
from programme.holds import reserving
from programme.holds.reserving import Held
from programme.holds.usual import UsualCalls
from store.tables.holds import holds
from tests.support import books, cast, held
from tests.support.books import ADA

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

pytestmark = pytest.mark.every_database

CROWD = 10


def test_the_same_hold_asked_for_by_many_at_once_is_made_once(database_url: str, app: App) -> None:
    """Everyone gets the one answer, and what is held is held once."""
    held.stop(app)
    cast.give(app, ADA, "1000")
    answers: list[bool] = []

    def work(database: Database) -> None:
        mine = dataclasses.replace(app, database=database)
        answer = routes.once_more(mine, lambda moment: reserving.reserve(moment, held.ask("call_1"), UsualCalls()))
        answers.append(isinstance(answer, Held))

    assert books.at_once(database_url, [work] * CROWD) == []
    assert answers == [True] * CROWD
    assert books.count(app, holds) == 1
    assert held.on_wallet(app) == held.tokens("100")
    assert books.findings(app) == {}
