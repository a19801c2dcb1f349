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

from policy.outcomes import Reported
from policy.period import Week
from programme import handbooks
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
    from programme.app import Desk
    from store.engine import Database
    from tests.support.clock import Clock

PERSONAL = ('unit = "team"', 'unit = "person"')


def merged(number: int = 1, **more: Any) -> Reported:  # noqa: ANN401 - of the payload
    return work.reported(work.pull_request(number, **more))


def reverted(number: int, of: int, *, days: int, **more: Any) -> Reported:  # noqa: ANN401 - the same
    return work.reported(work.revert(number, of, at=MERGED + timedelta(days=days), **more))


def told(outcome_id: str, kind: str = "task", *, user: str = ADA, at: datetime = MERGED, **more: Any) -> Reported:  # noqa: ANN401
    """An outcome of a tracker, by e-mail."""
    return Reported("jira", outcome_id, kind, at, user, "shop", **more)  # type: ignore[arg-type]  # a kind


def owners(desk: Desk) -> list[tuple[Any, ...]]:
    c = table.c
    return books.rows(desk, sa.select(c.outcome_id, c.unit, c.unit_id, c.waiting_for).order_by(c.id))


def measure_people(desk: Desk, since: date) -> None:
    text = books.handbook_text("2026.people", since).replace(*PERSONAL)
    with desk.transaction() as session:
        handbooks.apply(session, text, actor=handbooks.SYSTEM, now=desk.clock())


# --- What counts ---------------------------------------------------------------------------------------------------


def test_a_merged_pull_request_is_its_teams(desk: Desk) -> None:
    """What Ada merges is output of Mara's team in the week of the merge, and nothing in the row says it was Ada."""
    work.map_logins(desk)
    assert work.take_in(desk, merged()) == ["accepted"]
    mara = cast.person_id(desk, MARA)
    assert work.weekly(desk) == [("team", mara, Week.parse("2026-W41"), "pull_request", 2_000)]
    [row] = books.rows(desk, table)
    # A digest may spell anything by chance.
    kept = " ".join(str(value) for value in row if not isinstance(value, bytes)).casefold()
    assert cast.person_id(desk, ADA) not in kept
    assert not re.search(r"\bada\b|ada@", kept)


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    """A delivery that is repeated, in one batch or later, is a duplicate and adds no row."""
    work.map_logins(desk)
    assert work.take_in(desk, merged(), merged()) == ["accepted", "duplicate"]
    before = books.rows(desk, table)
    assert work.take_in(desk, merged()) == ["duplicate"]
    assert books.rows(desk, table) == before
    assert work.outputs(desk) == {"pull_request": 2_000}


def test_a_correction_is_a_version_of_its_own(desk: Desk) -> None:
    """Other content under the same id is kept beside the first, and counts in its place, also on another day."""
    work.map_logins(desk)
    work.take_in(desk, merged())
    later = merged(at=MERGED + timedelta(days=7), lines=(40, 10), updated_at=MERGED + timedelta(days=8))
    assert work.take_in(desk, later) == ["corrected"]
    assert books.count(desk, table) == 2
    assert [(str(row.week), row.output) for row in work.weekly(desk)] == [("2026-W42", 1_000)]


def test_a_version_that_comes_late_does_not_count(desk: Desk) -> None:
    """An older version that arrives after a newer one is kept, and changes no figure."""
    work.map_logins(desk)
    work.take_in(desk, merged(lines=(40, 10), updated_at=MERGED + timedelta(days=1)))
    assert work.take_in(desk, merged()) == ["corrected"]
    assert work.outputs(desk) == {"pull_request": 1_000}


def test_without_a_time_of_its_own_the_version_that_came_last_counts(desk: Desk, clock: Clock) -> None:
    """A tracker that does not say when something was so is believed as of its arrival."""
    work.take_in(desk, told("SHOP-1", figure=3_000))
    clock.move(minutes=5)
    assert work.take_in(desk, told("SHOP-1", figure=5_000)) == ["corrected"]
    assert work.outputs(desk) == {"task": 5_000}
    assert work.take_in(desk, told("SHOP-1", figure=3_000)) == ["duplicate"]
    assert work.outputs(desk) == {"task": 5_000}
    back = told("SHOP-1", figure=3_000, as_of=desk.clock() + timedelta(minutes=1))
    assert work.take_in(desk, back) == ["corrected"]
    assert work.outputs(desk) == {"task": 3_000}


def test_a_revert_may_come_before_what_it_reverts(desk: Desk) -> None:
    """Whichever of the two is told first, the original counts nothing, and neither does the revert."""
    work.map_logins(desk)
    assert work.take_in(desk, reverted(2, 1, days=3)) == ["accepted"]
    assert work.take_in(desk, merged(1)) == ["accepted"]
    assert work.weekly(desk) == []


@pytest.mark.parametrize(("days", "counts"), [(30, {}), (31, {"pull_request": 2_000})])
def test_thirty_days_are_days_of_the_programme(desk: Desk, days: int, counts: dict[str, int]) -> None:
    """A revert on the thirtieth day counts, on the thirty-first not, by the calendar of Berlin and over its clocks."""
    work.map_logins(desk)
    # In Berlin it is the evening of the 6th; the clocks go back on 25 October.
    first = datetime(2026, 10, 6, 21, 59, tzinfo=UTC)
    last_minute = datetime(2026, 10, 6, 22, 59, tzinfo=UTC) + timedelta(days=days)
    work.take_in(desk, merged(1, at=first), work.reported(work.revert(2, 1, at=last_minute)))
    assert work.outputs(desk) == counts


def test_a_revert_after_the_quarter_still_counts(desk: Desk) -> None:
    """What was merged in the last week of a period and reverted after it is not in the period's figures."""
    work.map_logins(desk)
    begin, end = date(2026, 10, 5), date(2026, 10, 12)
    work.take_in(desk, merged(1))
    with desk.reading() as session:
        assert len(intake.weekly(session, begin, end)) == 1
    work.take_in(desk, reverted(2, 1, days=20))
    with desk.reading() as session:
        assert intake.weekly(session, begin, end) == []
        assert intake.weekly(session, end, date(2026, 12, 1)) == []


def test_a_reopened_bug_counts_nothing_until_it_is_closed_again(desk: Desk) -> None:
    """A bug counts once, in the week in which it was closed last, and not at all while it is open again."""
    work.map_logins(desk)
    steps = ("closed", "reopened", "closed")
    told = [work.reported(work.issue(7, step, at=MERGED + timedelta(days=8 * i))) for i, step in enumerate(steps)]
    work.take_in(desk, told[0])
    assert [(str(row.week), row.output) for row in work.weekly(desk)] == [("2026-W41", 1_000)]
    work.take_in(desk, told[1])
    assert work.weekly(desk) == []
    work.take_in(desk, told[2])
    assert [(str(row.week), row.output) for row in work.weekly(desk)] == [("2026-W43", 1_000)]


def test_scores_are_of_projects(desk: Desk) -> None:
    """A score needs nobody, adds nothing to output, and the last of a week is told."""
    rated = [
        Reported(
            "sonarqube", f"m{day}", "quality", MERGED + timedelta(days=day), "", "shop", figure=score, metric="debt"
        )
        for day, score in ((0, 3_000), (1, 2_500), (7, 1_000))
    ]
    assert work.take_in(desk, *rated) == ["accepted"] * 3
    assert work.weekly(desk) == []
    with desk.reading() as session:
        assert intake.quality(session, date(2026, 10, 1), date(2026, 11, 1)) == [
            ("shop", Week.parse("2026-W41"), "debt", 2_500), ("shop", Week.parse("2026-W42"), "debt", 1_000),
        ]  # fmt: skip


# --- Whose it is ---------------------------------------------------------------------------------------------------


def test_who_is_not_known_yet_waits(desk: Desk) -> None:
    """Work of a name that nobody has is kept, counts for nobody, and is its team's once the name is mapped."""
    assert work.take_in(desk, merged()) == ["waiting"]
    assert work.weekly(desk) == []
    with desk.transaction() as session:
        assert intake.attribute_waiting(session) == (0, 1)
    with desk.reading() as session:
        assert [(one.outcome_id, one.user) for one in store.waiting(session)] == [("acme/shop#1", "Ada-L")]
    work.map_logins(desk)
    with desk.transaction() as session:
        assert intake.attribute_waiting(session) == (1, 0)
        assert intake.attribute_waiting(session) == (0, 0)
    assert owners(desk) == [("acme/shop#1", "team", cast.person_id(desk, MARA), None)]
    assert work.outputs(desk) == {"pull_request": 2_000}
    assert work.take_in(desk, merged()) == ["duplicate"]


def test_what_waited_is_put_together_with_the_rest(desk: Desk) -> None:
    """Whether a name was known from the start or not, the same work weighs the same."""
    work.take_in(desk, merged(1, lines=(50, 0)))
    work.map_logins(desk)
    work.take_in(desk, merged(2, lines=(50, 0)))
    with desk.transaction() as session:
        intake.attribute_waiting(session)
    assert work.outputs(desk) == {"pull_request": 1_414}


def test_names_of_github_are_known_in_any_case(desk: Desk) -> None:
    """GitHub's names are the same in capitals and in small letters."""
    with desk.transaction() as session:
        directory.map_identity(
            session, source="github", kind="user", value="ada-l", email=ADA, actor="test", now=desk.clock()
        )
    assert work.take_in(desk, merged()) == ["accepted"]


def test_what_only_takes_back_waits_for_nobody(desk: Desk) -> None:
    """A revert, a reopened bug and a score keep no name, and need none to take effect."""
    told = [
        work.reported(work.revert(2, 1, at=MERGED + timedelta(days=1), by="revert[bot]", kind="Bot")),
        work.reported(work.issue(7, "reopened", assignee="who")),
        work.reported(work.issue(8, reason="not_planned", assignee="who")),
    ]
    assert work.take_in(desk, *told) == ["accepted"] * 3
    assert [row[1:] for row in owners(desk)] == [(None, None, None)] * 3


def test_work_stays_with_the_team_of_its_day(desk: Desk) -> None:
    """After a change of manager, work of before is still the old team's, even when it is told only now."""
    teams.hire(desk, teams.person("dana@example.com", manager=""))
    teams.take_in(desk, [teams.used(date(2026, 11, 2), ADA, 10)])
    work.map_logins(desk)
    teams.move(desk, ADA, "dana@example.com")
    desk.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    work.take_in(desk, merged(1), merged(2, at=desk.clock()))
    mara, dana = (cast.person_id(desk, email) for email in (MARA, "dana@example.com"))
    assert owners(desk) == [("acme/shop#1", "team", mara, None), ("acme/shop#2", "team", dana, None)]


def test_who_is_in_no_team_brings_about_nothing_for_one(desk: Desk) -> None:
    """Mara reports to nobody: her work is kept, told so, and in no team's output."""
    work.map_logins(desk)
    with desk.transaction() as session:
        [answer] = intake.take_in(session, [merged(by="maraq")], zone=desk.zone, now=desk.clock())
    assert (answer.status, answer.detail) == ("accepted", "its author was in no one's team on that day")
    assert owners(desk) == [("acme/shop#1", "team", None, None)]
    assert work.weekly(desk) == []


def test_people_are_measured_only_where_the_handbook_says_so(desk: Desk) -> None:
    """From the day on which a handbook says `person`, output is a person's; what happened before stays the team's."""
    work.map_logins(desk)
    measure_people(desk, MERGED.date())
    work.take_in(desk, merged(1, at=MERGED - timedelta(days=1)), merged(2), merged(3, by="ben-o"))
    mara, ada, ben = (cast.person_id(desk, email) for email in (MARA, ADA, BEN))
    found = [(row.unit, row.unit_id, row.output) for row in work.weekly(desk)]
    assert sorted(found) == sorted([("team", mara, 2_000), ("person", ada, 2_000), ("person", ben, 2_000)])


def test_two_people_of_a_team_do_not_share_a_weight(desk: Desk) -> None:
    """A team's output is the sum of what its people bring about: only one person's work is put together."""
    work.map_logins(desk)
    work.take_in(desk, merged(1), merged(2, by="ben-o"))
    assert work.outputs(desk) == {"pull_request": 4_000}


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


def test_the_deliveries_add_up_as_worked_out_by_hand(desk: Desk) -> None:
    """Told once each, in the order in which things happened, the deliveries give the figures of a calculator."""
    work.map_logins(desk)
    for payload in DELIVERIES:
        work.take_in(desk, work.reported(payload))
    assert by_week(work.weekly(desk)) == EXPECTED


@settings(max_examples=depth.examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), repeats=st.integers(0, 12), largest=st.integers(1, 8))
def test_order_and_repetition_change_nothing(desk: Desk, seed: int, repeats: int, largest: int) -> None:
    """The same deliveries, in any order, any of them again, in any batches, before or after names are known."""
    rng = random.Random(seed)  # noqa: S311 - to repeat a failure
    deliveries = [work.reported(payload) for payload in DELIVERIES]
    deliveries += rng.choices(deliveries, k=repeats)
    rng.shuffle(deliveries)
    known_after = {login: rng.randrange(len(deliveries)) for login in work.LOGINS}
    done = 0
    with books.rolled_back(desk) as session:
        while done < len(deliveries):
            size = rng.randint(1, largest)
            intake.take_in(session, deliveries[done : done + size], zone=desk.zone, now=desk.clock())
            work.map_logins_in(session, desk, [who for who, at in known_after.items() if done <= at < done + size])
            done += size
            if rng.random() < 0.3:
                intake.attribute_waiting(session)
        intake.attribute_waiting(session)
        assert by_week(work.year(session)) == EXPECTED
        kept = session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        assert kept == len(DELIVERIES)
        intake.take_in(session, deliveries, zone=desk.zone, now=desk.clock())
        assert session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == kept


# --- At once -------------------------------------------------------------------------------------------------------


@pytest.mark.every_database
def test_two_that_tell_the_same_at_once_double_nothing(desk: Desk, database_url: str) -> None:
    """Eight sessions tell the same sixteen things at the same moment: each is kept once, and nobody fails."""
    work.map_logins(desk)
    deliveries = [work.reported(payload) for payload in DELIVERIES]
    statuses: list[str] = []

    def tell(database: Database) -> None:
        with database.transaction() as session:
            answers = intake.take_in(session, deliveries, zone=desk.zone, now=desk.clock())
        statuses.extend(answer.status for answer in answers)

    assert books.at_once(database_url, [tell] * 8) == []
    assert books.count(desk, table) == len(DELIVERIES)
    assert statuses.count("duplicate") == 7 * len(DELIVERIES)
    assert by_week(work.weekly(desk)) == EXPECTED


@pytest.mark.every_database
def test_two_that_attribute_at_once_count_each_once(desk: Desk, database_url: str) -> None:
    """What waits is attributed by one of several replicas, and counted by that one."""
    work.take_in(desk, *(merged(number) for number in range(1, 21)))
    work.map_logins(desk)
    done: list[int] = []

    def attribute(database: Database) -> None:
        with database.transaction() as session:
            done.append(intake.attribute_waiting(session).attributed)

    assert books.at_once(database_url, [attribute] * 4) == []
    assert sum(done) == 20
    assert books.findings(desk) == {}


def test_batches_of_what_waits_leave_nothing_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is read at a time is attributed to the last one, however many of it still wait."""
    monkeypatch.setattr(intake, "AT_A_TIME", 3)
    logins = itertools.cycle(["Ada-L", "ghost"])
    work.take_in(desk, *(merged(number, by=next(logins)) for number in range(1, 11)))
    work.map_logins(desk)
    with desk.transaction() as session:
        assert intake.attribute_waiting(session) == (5, 5)
