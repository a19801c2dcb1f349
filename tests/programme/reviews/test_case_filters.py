"""Cases that a member of the board looks for, and what a search must not tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from policy.reasons import Refusal
from programme.reviews import calendar, file, packs
from scheduler import messages
from tests.support import books, cast, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import IRIS, TESS
from tests.support.reviewed import IDLE, MORNING, Q4
from tests.support.voted import hold
from views.reviews import CaseFilter, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment

M3 = "m3@example.com"
"""Leads a team, and sits on the board of these tests."""


@pytest.fixture(scope="module")
def office(shared_app: App) -> App:
    assert isinstance(shared_app.clock, Clock)
    reviewed.settle(shared_app, shared_app.clock)
    cast.hire(shared_app, f"email,roles\n{M3},board\n")
    with shared_app.transaction(MORNING) as moment:
        reviewed.draft(moment)
        assert calendar.advance(moment, Q4) == "convene"
    return shared_app


@pytest.fixture
def moment(office: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(office) as moment:
        yield moment.at(MORNING)


def found(moment: Moment, who: str = IRIS, **wanted: str) -> Page:
    """The first page of what someone looks for."""
    return packs.page(moment, voted.person(moment.session, who), Q4, 0, CaseFilter(**wanted))


def everything(moment: Moment, who: str, **wanted: str) -> list[tuple[str, int | None]]:
    """(name, change) of all pages."""
    person, number, lines = voted.person(moment.session, who), 0, list[tuple[str, int | None]]()
    while True:
        page = packs.page(moment, person, Q4, number, CaseFilter(**wanted))
        lines += [(one.name, one.case.delta_thousandths if one.case else None) for one in page.lines]
        number += 1
        if number == page.pages:
            assert len(lines) == page.found
            return lines


def test_cases_are_found_by_change(moment: Moment) -> None:
    """Raises, cuts and the others are three lists that together are all that their reader may see."""
    raised, cut, same = (everything(moment, TESS, change=kind) for kind in ("raise", "cut", "none"))
    assert all(change is not None and change > 0 for _, change in raised)
    assert all(change is not None and change < 0 for _, change in cut)
    assert {change for _, change in same} == {0}
    seen = [name for name, change in everything(moment, TESS) if change is not None]
    assert raised
    assert cut
    assert sorted(name for name, _ in raised + cut + same) == sorted(seen)


def test_what_is_held_is_found_as_that(moment: Moment) -> None:
    """A held case is in the list of the held ones, and in none of the others."""
    assert found(moment, change="held").found == 0
    hold(moment, TESS, IDLE)
    [line] = found(moment, change="held").lines
    assert line.person_id == voted.person(moment.session, IDLE).id
    assert line.person_id not in {one.person_id for one in found(moment, change="cut").lines}


def test_names_are_found_as_they_are_typed(moment: Moment) -> None:
    """A part of the name is enough, whatever its case, width and accents; a team is found by whom it reports to."""
    [line] = found(moment, name="ADA lové").lines
    assert line.name == "Ada Lovelace"
    assert found(moment, name="nobody at all").lines == ()
    team = found(moment, team="m3 exa")
    assert 0 < team.found < team.cases
    assert found(moment, team="m3 exa", level="principal").found == 0


def test_a_search_by_change_does_not_tell_of_ones_own_people(moment: Moment) -> None:
    """Whatever change a lead looks for, their own case and their reports' are in no such list; by team they are."""
    own = {name for name, change in everything(moment, M3, team="m3 exa") if change is None}
    assert own
    for kind in ("raise", "cut", "none", "held"):
        assert not own & {name for name, _ in everything(moment, M3, change=kind)}
    seen_by_others = [name for kind in ("raise", "cut", "none") for name, _ in everything(moment, TESS, change=kind)]
    assert own <= set(seen_by_others)


def test_the_page_with_cases_is_sent_once_for_each_state(moment: Moment) -> None:
    """Asking twice brings one file; after a case changed it is another one. Someone without a vote is refused."""
    iris = voted.person(moment.session, IRIS)
    assert file.ask_for(moment, iris, Q4)
    assert not file.ask_for(moment, iris, Q4)
    hold(moment, TESS, IDLE)
    assert file.ask_for(moment, iris, Q4)
    with pytest.raises(Refusal):
        file.ask_for(moment, voted.person(moment.session, IDLE), Q4)


def test_a_lead_s_page_leaves_their_people_out(office: App, moment: Moment) -> None:
    """The file has what the list has: of the reader's own case and their reports' only that there is one."""
    m3 = voted.person(moment.session, M3)
    shown = file.for_reader(moment, m3.id, Q4)
    assert shown is not None
    assert shown.cases is not None
    hidden = {row.name for row in shown.cases.rows if row.case is None}
    assert hidden == {name for name, change in everything(moment, M3) if change is None}
    assert all(row.team and row.level for row in shown.cases.rows if row.case is None and row.name != m3.name)
    composed = messages.compose("reviews/page_with_cases", {"quarter": str(Q4), "reader": m3.id}, app=office)
    assert composed is not None
    assert composed.document is not None
    assert b"<h2>Cases</h2>" in composed.document.content
    idle = voted.person(moment.session, IDLE).id
    assert messages.compose("reviews/page_with_cases", {"quarter": str(Q4), "reader": idle}, app=office) is None
