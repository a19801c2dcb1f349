"""Every message to everyone: no reader finds another person's figures in anything that they can read."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import day_of
from programme.app import App
from scheduler import ticker
from store.engine import open_database
from store.tables.outbox import outbox
from tests.conftest import ZONE
from tests.support import books, teams, who_sees, whose
from tests.support.books import ADA
from tests.support.clock import Clock
from tests.support.privacy_walk import (
    ADOPTED_ON,
    BOARD,
    DAYS,
    FAY,
    SAM,
    TIA,
    assert_walked,
    everything,
    leaks,
    live,
    numbers,
    opened_by,
    use,
)
from tests.support.teams import MARA, PIA, TEAM
from tests.support.whose import figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.privacy_walk import Read


@pytest.fixture(scope="module")
def walked(settled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Read]]:
    """The company at its end, and what everyone reads there."""
    path = shutil.copy(settled_sqlite, tmp_path_factory.mktemp("walked"))
    app = App(open_database(f"sqlite:///{path}"), ZONE, Clock())
    lived = live(app)
    yield lived, everything(lived)
    app.database.close()


def test_nobody_reads_anothers_figures(walked: tuple[App, Read]) -> None:
    """Engineers, managers, a director, the board: all that they are told, and no one else's amount in it."""
    app, read = walked
    kinds = {template for (template,) in books.rows(app, sa.select(outbox.c.template).distinct())}
    assert {
        "exceptions/card",
        "exceptions/mine",
        "exceptions/note",
        "grants/digest",
        "grants/greeting",
        "grants/statement",
        "reports/weekly",
        "warnings/warning",
        "reviews/pack",
        "reviews/face",
        "reviews/use",
        "reviews/page",
        "reviews/notice",
        "appeals/card",
        "appeals/face",
        "appeals/mine",
        "appeals/note",
    } <= kinds
    assert leaks(app, read) == set()
    assert_walked(read)
    # The walk would see them: everyone reads their own, and the manager the total of the seven.
    whose = figures(app)
    for who in (*TEAM, MARA):
        assert whose[who] & set(numbers(read[who])), who
    [answer] = [content for where, content in read[MARA] if where == "/tokens team"]
    assert "*Spent:*" in json.dumps(answer.blocks)


def test_the_guide_says_who_sees_what(walked: tuple[App, Read], pytestconfig: pytest.Config) -> None:
    """The tables in the guide to privacy are what the walk finds; nobody has to remember to change them."""
    found = who_sees.tables(who_sees.seen(*walked))
    if pytestconfig.getoption("--snapshot-update"):
        who_sees.write(found)
    assert who_sees.in_the_guide() == found


def test_what_a_manager_should_not_read_would_change_the_tables(walked: tuple[App, Read]) -> None:
    """Were Ada's own messages Mara's as well, the guide would say so in every row of which they tell."""
    app, read = walked
    found = who_sees.seen(app, {MARA: [*read[MARA], *read[ADA]]})
    told = {one.what for one in found if one.relation == who_sees.MANAGER}
    assert {whose.LEFT, whose.GRANT, whose.USED, whose.ASKED, who_sees.PURPOSE, who_sees.PLEA, who_sees.CASE} <= told


@pytest.mark.deep
def test_nobody_reads_anothers_figures_while_the_board_votes(sqlite_app: App) -> None:
    """With the draft before the board: the forms to hold and amend, and of the proposal nothing to whom it is about."""
    app = live(sqlite_app, days=ADOPTED_ON)
    # The rest is walked at the end: in January an even pace of Pia's happens to be a grant of Mara's.
    of_review = ("press_", "/tokens review", "pack:", "use:")
    read = everything(app)
    assert {leak for leak in leaks(app, read) if leak[1].startswith(of_review)} == set()
    opened = opened_by(read)
    for member in (*BOARD, FAY):
        assert {"press_why", "press_hold", "press_amend"} <= opened[member]
    for reader in read.keys() - {*BOARD, FAY}:
        assert not any(where.startswith("press_") for where in opened[reader]), reader
        [answer] = [content for where, content in read[reader] if where == "/tokens review"]
        assert "No quarterly review has been adopted yet" in json.dumps(answer.blocks)


@pytest.mark.deep
def test_a_bot_that_told_of_two_would_be_found(sqlite_app: App) -> None:
    """With a handbook that lets a total be of one person, the same walk finds what their manager reads of them."""
    app = live(sqlite_app, {"least_people = 5": "least_people = 1"})
    teams.leave(app, SAM, day_of(app.clock(), app.zone))
    app.clock.move(days=14)  # type: ignore[attr-defined]  # the tests' clock
    use(app, [TIA], DAYS)
    app.clock.move(days=7)  # type: ignore[attr-defined]  # the tests' clock
    ticker.tick_once(app)
    assert (TIA, PIA) in {(who, reader) for reader, _, who, _ in leaks(app, everything(app))}
