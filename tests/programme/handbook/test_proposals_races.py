"""Many people press at once, on several replicas: one decision, one version, one message of each kind."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from programme import handbooks
from programme.handbook import applying, cards, deciding
from scheduler import tick
from store.tables.handbook import handbook_proposals
from store.tables.handbook import handbooks as handbook_table
from tests.support import books, cast, proposed
from tests.support.proposed import ADMIN, ADMINS, propose, states, text
from tests.support.requests import IRIS, OMAR, TESS, convene

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from store.engine import Database
    from views.handbook import Proposal

pytestmark = pytest.mark.every_database

PRESSES = 5
"""Of each member, for each of the two buttons."""


def attempt(office: App, codes: list[str], act: Callable[[App], str]) -> Callable[[Database], object]:
    """Something that is tried through another replica; what came of it goes into the list."""

    def work(database: Database) -> None:
        try:
            codes.append(act(dataclasses.replace(office, database=database)))
        except Refusal as refusal:
            codes.append(refusal.code)

    return work


def versions(office: App) -> list[str]:
    return [version for (version,) in books.rows(office, sa.select(handbook_table.c.version))]


def test_thirty_presses_at_once_decide_once(app: App, database_url: str) -> None:
    """Three members confirm and decline at the same moment: one of them decides, and everyone else is told so."""
    office = convene(app)
    cast.hire(office, ADMINS)
    made, codes = propose(office, text()), list[str]()

    def confirming(who: str) -> Callable[[App], str]:
        return lambda replica: f"confirmed {proposed.confirm(replica, who, made).version}"

    def declining(who: str) -> Callable[[App], str]:
        return lambda replica: proposed.decline(replica, who, made).state

    acts = [kind(who) for who in (IRIS, OMAR, TESS) for kind in (confirming, declining)] * PRESSES
    assert books.at_once(database_url, [attempt(office, codes, act) for act in acts]) == []
    counted = Counter(codes)
    assert counted["decided"] == len(acts) - 1
    [decided] = [code for code in counted if code != "decided"]
    held = decided == "confirmed 2026.9"
    assert states(office) == {"2026.9": "confirmed" if held else "declined"}
    assert versions(office).count("2026.9") == held
    owed = proposed.owed(office, made)
    assert len(owed) == len(set(owed)) == 5
    assert books.findings(office) == {}


def test_two_versions_confirmed_at_once_follow_one_another(app: App, database_url: str) -> None:
    """Whoever comes second has read changes that are no longer those, and is told to look again."""
    office = convene(app)
    cast.hire(office, ADMINS)
    marks = {one: proposed.seen(office, one).mark for one in [propose(office, text(f"2026.{n}")) for n in range(4, 10)]}
    codes: list[str] = []

    def confirming(one: Proposal, who: str) -> Callable[[App], str]:
        return lambda replica: proposed.confirm(replica, who, one, mark=marks[one]).version

    acts = [confirming(one, who) for one in marks for who in (IRIS, TESS)]
    assert books.at_once(database_url, [attempt(office, codes, act) for act in acts]) == []
    counted = Counter(codes)
    assert counted["handbook_moved"] + counted["decided"] == len(acts) - 1
    [confirmed] = counted.keys() - {"handbook_moved", "decided"}
    assert versions(office).count(confirmed) == 1
    assert Counter(states(office).values()) == {"confirmed": 1, "open": len(marks) - 1}
    assert books.findings(office) == {}


def test_the_same_proposed_at_once_is_one_proposal(app: App, database_url: str) -> None:
    """Two administrators who run the command at the same moment: the same text of the same person is one card."""
    office = convene(app)
    cast.hire(office, ADMINS)
    codes: list[str] = []

    def proposing(who: str) -> Callable[[App], str]:
        return lambda replica: propose(replica, text(), by=who).proposed_by

    acts = [proposing(who) for who in (ADMIN, ADMIN, ADMIN, TESS, TESS, TESS)]
    assert books.at_once(database_url, [attempt(office, codes, act) for act in acts]) == []
    assert books.count(office, handbook_proposals) == 1
    [(winner,)] = books.rows(office, sa.select(handbook_proposals.c.proposed_by))
    assert Counter(codes) == {winner: 3, "proposal_waits": 3}
    assert books.findings(office) == {}


def test_a_decision_and_the_deadline_at_once(app: App, database_url: str) -> None:
    """Replicas that lapse a proposal while its proposer withdraws it and others press leave it in one state."""
    office = convene(app)
    cast.hire(office, ADMINS)
    made = propose(office, text(effective_from=proposed.DECEMBER.replace(year=2027)))
    tick.tick(office, now=office.clock())
    office.clock.move(seconds=cards.OPEN_FOR.total_seconds())  # type: ignore[attr-defined]  # the tests' clock
    codes: list[str] = []

    def lapse(database: Database) -> None:
        with dataclasses.replace(office, database=database).transaction() as moment:
            deciding.lapse(moment, made.id)

    work: list[Callable[[Database], object]] = [lapse] * 4
    work += [attempt(office, codes, lambda replica: proposed.withdraw(replica, ADMIN, made).state)] * 3
    work += [attempt(office, codes, lambda replica: proposed.confirm(replica, TESS, made).version)] * 3
    assert books.at_once(database_url, work) == []
    assert set(codes) <= {"too_late", "decided"}
    assert states(office) == {"2026.9": "lapsed"}
    owed = proposed.owed(office, made)
    assert len(owed) == len(set(owed)) == 5
    assert books.findings(office) == {}


def test_an_application_and_a_confirmation_at_once(app: App, database_url: str) -> None:
    """What the system applies meanwhile comes before or after what is confirmed, and never beside it."""
    office = convene(app)
    cast.hire(office, ADMINS)
    made, codes = propose(office, text()), list[str]()
    mark = proposed.seen(office, made).mark

    def apply(replica: App) -> str:
        with replica.transaction(office.clock()) as moment:
            body = text("2026.8", proposed.DECEMBER.replace(day=2))
            return applying.apply(moment, body, actor=handbooks.SYSTEM).version

    acts = [apply, lambda replica: proposed.confirm(replica, TESS, made, mark=mark).version]
    assert books.at_once(database_url, [attempt(office, codes, act) for act in acts]) == []
    assert sorted(codes) in (["2026.8", "2026.9"], ["2026.8", "handbook_moved"])
    assert books.findings(office) == {}
