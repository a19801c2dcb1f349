"""Outcomes of work: kept once, corrected by later versions, the team's and not the author's, in any order."""

from __future__ import annotations

import itertools
import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.outcomes import OutcomeReport
from policy.period import Week
from programme import handbooks
from programme.handbook import applying
from programme.outcomes import intake
from programme.people import directory
from store.outcomes import records as store
from store.tables.outcomes import outcomes as table
from tests.support import books, cast, depth, teams
from tests.support import outcomes as work
from tests.support.books import ADA, BEN, MARA
from tests.support.outcomes import MERGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.outcomes import WeekOutput
    from programme.app import App
    from store.engine import Database
    from tests.support.clock import Clock

PERSONAL = ('unit = "team"', 'unit = "person"')


def merged(number: int = 1, **more: Any) -> OutcomeReport:  # noqa: ANN401 - of the payload
    return work.reported(work.pull_request(number, **more))


def reverted(number: int, of: int, *, days: int, **more: Any) -> OutcomeReport:  # noqa: ANN401 - the same
    return work.reported(work.revert(number, of, at=MERGED + timedelta(days=days), **more))


def told(outcome_id: str, kind: str = "task", *, user: str = ADA, at: datetime = MERGED, **more: Any) -> OutcomeReport:  # noqa: ANN401
    """An outcome of a tracker, by e-mail."""
    return OutcomeReport("jira", outcome_id, kind, at, user, "shop", **more)  # type: ignore[arg-type]  # a kind


def owners(app: App) -> list[tuple[Any, ...]]:
    c = table.c
    return books.rows(app, sa.select(c.outcome_id, c.unit, c.unit_id, c.waiting_for).order_by(c.id))


def measure_people(app: App, since: date) -> None:
    text = books.handbook_text("2026.people", since).replace(*PERSONAL)
    with app.transaction() as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)


# --- What counts ---------------------------------------------------------------------------------------------------


def test_a_merged_pull_request_is_its_teams(app: App) -> None:
    """What Ada merges is output of Mara's team in the week of the merge, and nothing in the row says it was Ada."""
    work.map_logins(app)
    assert work.take_in(app, merged()) == ["accepted"]
    mara = cast.person_id(app, MARA)
    assert work.weekly(app) == [("team", mara, Week.parse("2026-W41"), "pull_request", 2_000)]
    [row] = books.rows(app, table)
    # A digest may spell anything by chance.
    kept = " ".join(str(value) for value in row if not isinstance(value, bytes)).casefold()
    assert cast.person_id(app, ADA) not in kept
    assert not re.search(r"\bada\b|ada@", kept)


def test_the_same_again_changes_nothing(app: App) -> None:
    """A delivery that is repeated, in one batch or later, is a duplicate and adds no row."""
    work.map_logins(app)
    assert work.take_in(app, merged(), merged()) == ["accepted", "duplicate"]
    before = books.rows(app, table)
    assert work.take_in(app, merged()) == ["duplicate"]
    assert books.rows(app, table) == before
    assert work.outputs(app) == {"pull_request": 2_000}


def test_a_correction_is_a_version_of_its_own(app: App) -> None:
    """Other content under the same id is kept beside the first, and counts in its place, also on another day."""
    work.map_logins(app)
    work.take_in(app, merged())
    later = merged(at=MERGED + timedelta(days=7), lines=(40, 10), updated_at=MERGED + timedelta(days=8))
    assert work.take_in(app, later) == ["corrected"]
    assert books.count(app, table) == 2
    assert [(str(row.week), row.output) for row in work.weekly(app)] == [("2026-W42", 1_000)]


def test_a_version_that_comes_late_does_not_count(app: App) -> None:
    """An older version that arrives after a newer one is kept, and changes no figure."""
    work.map_logins(app)
    work.take_in(app, merged(lines=(40, 10), updated_at=MERGED + timedelta(days=1)))
    assert work.take_in(app, merged()) == ["corrected"]
    assert work.outputs(app) == {"pull_request": 1_000}


def test_without_a_time_of_its_own_the_version_that_came_last_counts(app: App, clock: Clock) -> None:
    """A tracker that does not say when something was so is believed as of its arrival."""
    work.take_in(app, told("SHOP-1", figure=3_000))
    clock.move(minutes=5)
    assert work.take_in(app, told("SHOP-1", figure=5_000)) == ["corrected"]
    assert work.outputs(app) == {"task": 5_000}
    assert work.take_in(app, told("SHOP-1", figure=3_000)) == ["duplicate"]
    assert work.outputs(app) == {"task": 5_000}
    back = told("SHOP-1", figure=3_000, as_of=app.clock() + timedelta(minutes=1))
    assert work.take_in(app, back) == ["corrected"]
    assert work.outputs(app) == {"task": 3_000}


def test_a_revert_may_come_before_what_it_reverts(app: App) -> None:
    """Whichever of the two is told first, the original counts nothing, and neither does the revert."""
    work.map_logins(app)
    assert work.take_in(app, reverted(2, 1, days=3)) == ["accepted"]
    assert work.take_in(app, merged(1)) == ["accepted"]
    assert work.weekly(app) == []


@pytest.mark.parametrize(("days", "counts"), [(30, {}), (31, {"pull_request": 2_000})])
def test_thirty_days_are_days_of_the_programme(app: App, days: int, counts: dict[str, int]) -> None:
    """A revert on the thirtieth day counts, on the thirty-first not, by the calendar of Berlin and over its clocks."""
    work.map_logins(app)
    # In Berlin it is the evening of the 6th; the clocks go back on 25 October.
    first = datetime(2026, 10, 6, 21, 59, tzinfo=UTC)
    last_minute = datetime(2026, 10, 6, 22, 59, tzinfo=UTC) + timedelta(days=days)
    work.take_in(app, merged(1, at=first), work.reported(work.revert(2, 1, at=last_minute)))
    assert work.outputs(app) == counts


def test_a_revert_after_the_quarter_still_counts(app: App) -> None:
    """What was merged in the last week of a period and reverted after it is not in the period's figures."""
    work.map_logins(app)
    begin, end = date(2026, 10, 5), date(2026, 10, 12)
    work.take_in(app, merged(1))
    with app.reading() as moment:
        assert len(intake.weekly(moment, begin, end)) == 1
    work.take_in(app, reverted(2, 1, days=20))
    with app.reading() as moment:
        assert intake.weekly(moment, begin, end) == []
        assert intake.weekly(moment, end, date(2026, 12, 1)) == []


def test_a_reopened_bug_counts_nothing_until_it_is_closed_again(app: App) -> None:
    """A bug counts once, in the week in which it was closed last, and not at all while it is open again."""
    work.map_logins(app)
    steps = ("closed", "reopened", "closed")
    told = [work.reported(work.issue(7, step, at=MERGED + timedelta(days=8 * i))) for i, step in enumerate(steps)]
    work.take_in(app, told[0])
    assert [(str(row.week), row.output) for row in work.weekly(app)] == [("2026-W41", 1_000)]
    work.take_in(app, told[1])
    assert work.weekly(app) == []
    work.take_in(app, told[2])
    assert [(str(row.week), row.output) for row in work.weekly(app)] == [("2026-W43", 1_000)]


def test_scores_are_of_projects(app: App) -> None:
    """A score needs no one, adds nothing to output, and the last of a week is told."""
    rated = [
        OutcomeReport(
            "sonarqube", f"m{day}", "quality", MERGED + timedelta(days=day), "", "shop", figure=score, metric="debt"
        )
        for day, score in ((0, 3_000), (1, 2_500), (7, 1_000))
    ]
    assert work.take_in(app, *rated) == ["accepted"] * 3
    assert work.weekly(app) == []
    with app.reading() as moment:
        assert intake.quality(moment, date(2026, 10, 1), date(2026, 11, 1)) == [
            ("shop", Week.parse("2026-W41"), "debt", 2_500),
            ("shop", Week.parse("2026-W42"), "debt", 1_000),
        ]


# --- Whose it is ---------------------------------------------------------------------------------------------------


def test_who_is_not_known_yet_waits(app: App) -> None:
    """Work of a name that no one has is kept, counts for no one, and is its team's once the name is mapped."""
    assert work.take_in(app, merged()) == ["waiting"]
    assert work.weekly(app) == []
    with app.transaction() as moment:
        assert intake.attribute_waiting(moment) == (0, 1)
    with app.database.reading() as session:
        assert [(one.outcome_id, one.user) for one in store.waiting(session)] == [("acme/shop#1", "Ada-L")]
    work.map_logins(app)
    with app.transaction() as moment:
        assert intake.attribute_waiting(moment) == (1, 0)
        assert intake.attribute_waiting(moment) == (0, 0)
    assert owners(app) == [("acme/shop#1", "team", cast.person_id(app, MARA), None)]
    assert work.outputs(app) == {"pull_request": 2_000}
    assert work.take_in(app, merged()) == ["duplicate"]


def test_what_waited_is_put_together_with_the_rest(app: App) -> None:
    """Whether a name was known from the start or not, the same work weighs the same."""
    work.take_in(app, merged(1, lines=(50, 0)))
    work.map_logins(app)
    work.take_in(app, merged(2, lines=(50, 0)))
    with app.transaction() as moment:
        intake.attribute_waiting(moment)
    assert work.outputs(app) == {"pull_request": 1_414}


def test_names_of_github_are_known_in_any_case(app: App) -> None:
    """GitHub's names are the same in capitals and in small letters."""
    with app.transaction() as moment:
        directory.map_identity(moment, source="github", kind="user", value="ada-l", email=ADA, actor="test")
    assert work.take_in(app, merged()) == ["accepted"]


def test_what_only_takes_back_waits_for_nobody(app: App) -> None:
    """A revert, a reopened bug and a score keep no name, and need none to take effect."""
    told = [
        work.reported(work.revert(2, 1, at=MERGED + timedelta(days=1), by="revert[bot]", kind="Bot")),
        work.reported(work.issue(7, "reopened", assignee="who")),
        work.reported(work.issue(8, reason="not_planned", assignee="who")),
    ]
    assert work.take_in(app, *told) == ["accepted"] * 3
    assert [row[1:] for row in owners(app)] == [(None, None, None)] * 3


def test_work_stays_with_the_team_of_its_day(app: App) -> None:
    """After a change of manager, work of before is still the old team's, even when it is told only now."""
    teams.hire(app, teams.person("dana@example.com", manager=""))
    teams.take_in(app, [teams.used(date(2026, 11, 2), ADA, 10)])
    work.map_logins(app)
    teams.move(app, ADA, "dana@example.com")
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    work.take_in(app, merged(1), merged(2, at=app.clock()))
    mara, dana = (cast.person_id(app, email) for email in (MARA, "dana@example.com"))
    assert owners(app) == [("acme/shop#1", "team", mara, None), ("acme/shop#2", "team", dana, None)]


def test_who_is_in_no_team_brings_about_nothing_for_one(app: App) -> None:
    """Mara reports to no one: her work is kept, told so, and in no team's output."""
    work.map_logins(app)
    with app.transaction() as moment:
        [answer] = intake.take_in(moment, [merged(by="maraq")])
    assert (answer.status, answer.detail) == ("accepted", "its author was in no one's team on that day")
    assert owners(app) == [("acme/shop#1", "team", None, None)]
    assert work.weekly(app) == []


def test_people_are_measured_only_where_the_handbook_says_so(app: App) -> None:
    """From the day on which a handbook says `person`, output is a person's; what happened before stays the team's."""
    work.map_logins(app)
    measure_people(app, MERGED.date())
    work.take_in(app, merged(1, at=MERGED - timedelta(days=1)), merged(2), merged(3, by="ben-o"))
    mara, ada, ben = (cast.person_id(app, email) for email in (MARA, ADA, BEN))
    found = [(row.unit, row.unit_id, row.output) for row in work.weekly(app)]
    assert sorted(found) == sorted([("team", mara, 2_000), ("person", ada, 2_000), ("person", ben, 2_000)])


def test_two_people_of_a_team_do_not_share_a_weight(app: App) -> None:
    """A team's output is the sum of what its people bring about: only one person's work is put together."""
    work.map_logins(app)
    work.take_in(app, merged(1), merged(2, by="ben-o"))
    assert work.outputs(app) == {"pull_request": 4_000}


# --- Any order, any repetition -------------------------------------------------------------------------------------

DELIVERIES: tuple[dict[str, Any], ...] = (
    work.pull_request(1),
    work.pull_request(1, lines=(300, 150), updated_at=MERGED + timedelta(hours=5)),
    work.pull_request(2, by="ben-o", at=MERGED + timedelta(days=1)),
    work.pull_request(3, at=MERGED + timedelta(days=2), lines=(20, 5)),
    work.revert(4, 2, at=MERGED + timedelta(days=4), by="maraq"),
    work.revert(5, 4, at=MERGED + timedelta(days=9), by="ben-o"),
    work.revert(6, 3, at=MERGED + timedelta(days=33)),
    work.pull_request(7, by="ben-o", at=MERGED + timedelta(days=7)),
    work.revert(8, 7, at=MERGED + timedelta(days=37)),
    work.issue(9),
    work.issue(9, "reopened", at=MERGED + timedelta(days=3)),
    work.issue(9, at=MERGED + timedelta(days=10), assignee="ben-o"),
    work.issue(10, assignee="ben-o"),
    work.issue(10, "reopened", at=MERGED),
    work.issue(11, at=MERGED + timedelta(days=1)),
    work.issue(11, at=MERGED + timedelta(days=1), reason="not_planned"),
)
EXPECTED = {
    # 450 lines of #1 and 25 of #3, whose revert came on day 31: √(475 ÷ 50); #2 is back.
    ("2026-W41", "pull_request"): 3_082 + 2_000,
    # The second closing of #9.
    ("2026-W42", "bug"): 1_000,
}


def by_week(rows: Sequence[WeekOutput]) -> dict[tuple[str, str], int]:
    assert len({row.unit_id for row in rows}) == 1
    return {(str(row.week), row.kind): row.output for row in rows}


def test_the_deliveries_add_up_as_worked_out_by_hand(app: App) -> None:
    """Told once each, in the order in which things happened, the deliveries give the figures of a calculator."""
    work.map_logins(app)
    for payload in DELIVERIES:
        work.take_in(app, work.reported(payload))
    assert by_week(work.weekly(app)) == EXPECTED


@settings(max_examples=depth.examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), repeats=st.integers(0, 12), largest=st.integers(1, 8))
def test_order_and_repetition_change_nothing(app: App, seed: int, repeats: int, largest: int) -> None:
    """The same deliveries, in any order, any of them again, in any batches, before or after names are known."""
    rng = random.Random(seed)  # noqa: S311 - to repeat a failure
    deliveries = [work.reported(payload) for payload in DELIVERIES]
    deliveries += rng.choices(deliveries, k=repeats)
    rng.shuffle(deliveries)
    known_after = {login: rng.randrange(len(deliveries)) for login in work.LOGINS}
    done = 0
    with books.rolled_back(app) as moment:
        while done < len(deliveries):
            size = rng.randint(1, largest)
            intake.take_in(moment, deliveries[done : done + size])
            work.map_logins_in(moment, [who for who, at in known_after.items() if done <= at < done + size])
            done += size
            if rng.random() < 0.3:
                intake.attribute_waiting(moment)
        intake.attribute_waiting(moment)
        assert by_week(work.year(moment)) == EXPECTED
        kept = moment.session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        assert kept == len(DELIVERIES)
        intake.take_in(moment, deliveries)
        assert moment.session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == kept


# --- At once -------------------------------------------------------------------------------------------------------


@pytest.mark.every_database
def test_two_that_tell_the_same_at_once_double_nothing(app: App, database_url: str) -> None:
    """Eight sessions tell the same sixteen things at the same moment: each is kept once, and no one fails."""
    work.map_logins(app)
    deliveries = [work.reported(payload) for payload in DELIVERIES]
    statuses: list[str] = []

    def tell(database: Database) -> None:
        with database.transaction() as session:
            answers = intake.take_in(app.moment(session), deliveries)
        statuses.extend(answer.status for answer in answers)

    assert books.at_once(database_url, [tell] * 8) == []
    assert books.count(app, table) == len(DELIVERIES)
    assert statuses.count("duplicate") == 7 * len(DELIVERIES)
    assert by_week(work.weekly(app)) == EXPECTED


@pytest.mark.every_database
def test_two_that_attribute_at_once_count_each_once(app: App, database_url: str) -> None:
    """What waits is attributed by one of several replicas, and counted by that one."""
    work.take_in(app, *(merged(number) for number in range(1, 21)))
    work.map_logins(app)
    done: list[int] = []

    def attribute(database: Database) -> None:
        with database.transaction() as session:
            done.append(intake.attribute_waiting(app.moment(session)).attributed)

    assert books.at_once(database_url, [attribute] * 4) == []
    assert sum(done) == 20
    assert books.findings(app) == {}


def test_batches_of_what_waits_leave_nothing_out(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is read at a time is attributed to the last one, however many of it still wait."""
    monkeypatch.setattr(intake, "AT_A_TIME", 3)
    logins = itertools.cycle(["Ada-L", "ghost"])
    work.take_in(app, *(merged(number, by=next(logins)) for number in range(1, 11)))
    work.map_logins(app)
    with app.transaction() as moment:
        assert intake.attribute_waiting(moment) == (5, 5)
