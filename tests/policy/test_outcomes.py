"""What work counts: size matters less and less, cutting it up gains nothing, and what was undone counts nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy.arrivals import Ways, counted, undone
from policy.handbook import HandbookError
from policy.outcomes import Kind, Merge, Outcome, OutcomeReport, OutcomeRules, batch_of, weekly_output, weekly_scores
from policy.period import Week

RULES = handbook.parse(handbook.packaged()).outcomes
DAY = date(2026, 10, 7)


def outcome(
    outcome_id: str = "shop#1",
    kind: Kind = "pull_request",
    day: date = DAY,
    *,
    lines: int | None = None,
    figure: int | None = None,
    reverts: tuple[str, ...] = (),
    who: str = "per_a",
    team: str | None = "per_m",
    project: str = "shop",
    metric: str = "",
    hour: int = 12,
) -> Outcome:
    return Outcome(
        source="github",
        outcome_id=outcome_id,
        kind=kind,
        occurred_at=datetime.combine(day, time(hour), UTC),
        day=day,
        state="done",
        project=project,
        lines=lines,
        figure=figure,
        metric=metric,
        reverts=reverts,
        unit="team",
        unit_id=team,
        batch=batch_of(who, project, day),
    )


def same_rules(_day: date) -> OutcomeRules:
    return RULES


def total(*outcomes: Outcome) -> int:
    return sum(row.output for row in weekly_output(counted(outcomes, same_rules), same_rules))


def gone(*outcomes: Outcome) -> set[tuple[str, str]]:
    return set(undone(Ways(outcomes, same_rules), same_rules))


@pytest.mark.parametrize(
    ("lines", "weight"), [(0, 0), (1, 141), (50, 1_000), (200, 2_000), (450, 3_000), (5_000, 10_000), (10**9, 10_000)]
)
def test_the_weight_of_a_pull_request_grows_with_the_root_of_its_lines(lines: int, weight: int) -> None:
    """A small one counts 1, a medium one 2, a large one 3, and from 5,000 lines on 10, whatever was generated."""
    assert RULES.weight_of_lines(lines) == weight
    assert total(outcome(lines=lines)) == weight


@given(st.lists(st.integers(0, 4_000), min_size=1, max_size=12))
def test_cutting_work_up_gains_nothing(parts: list[int]) -> None:
    """What a person merges in a project in a week counts the same in one piece and in any number of pieces."""
    pieces = [outcome(f"shop#{i}", lines=lines) for i, lines in enumerate(parts)]
    assert total(*pieces) == total(outcome(lines=sum(parts)))


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_lines_never_count_less_and_never_in_proportion(fewer: int, more: int) -> None:
    """The weight does not fall with size, and two sizes together never count more than each alone."""
    assert RULES.weight_of_lines(fewer + more) >= RULES.weight_of_lines(fewer)
    # The root of a sum, rounded down, may exceed the sum of roots, each rounded down, by one thousandth.
    assert RULES.weight_of_lines(fewer + more) <= RULES.weight_of_lines(fewer) + RULES.weight_of_lines(more) + 1


def test_people_projects_and_weeks_are_weighed_apart() -> None:
    """Two people, two projects and two weeks do not share a weight: only one person's work is put together."""
    one = outcome("shop#1", lines=50)
    assert total(one, outcome("shop#2", lines=50, who="per_b")) == 2_000
    assert total(one, outcome("till#2", lines=50, project="till")) == 2_000
    assert total(one, outcome("shop#2", lines=50, day=DAY + timedelta(days=7))) == 2_000
    assert total(one, outcome("shop#2", lines=50)) == 1_414


def test_bugs_and_tasks_count_what_is_said_or_one() -> None:
    """A weight that a source gives stands; without one the handbook's holds."""
    assert total(outcome("1", "bug"), outcome("2", "bug", figure=2_500)) == 3_500
    assert total(outcome("3", "task"), outcome("4", "task", figure=0)) == 1_000


@pytest.mark.parametrize(("days", "counts"), [(0, 0), (1, 0), (30, 0), (31, 1_000), (400, 1_000)])
def test_a_revert_counts_for_thirty_days(days: int, counts: int) -> None:
    """Up to the thirtieth day after the merge a revert takes all of it back, from the next on nothing."""
    back = outcome("shop#2", day=DAY + timedelta(days=days), lines=50, reverts=("shop#1",), hour=13)
    assert total(outcome("shop#1", lines=50), back) == counts


def test_a_revert_that_is_reverted_takes_nothing_back() -> None:
    """Work that comes back counts again, once: neither the revert nor the revert of the revert counts itself."""
    original = outcome("shop#1", lines=50)
    back = outcome("shop#2", day=DAY + timedelta(days=1), lines=50, reverts=("shop#1",))
    again = outcome("shop#3", day=DAY + timedelta(days=2), lines=50, reverts=("shop#2",))
    out_again = outcome("shop#4", day=DAY + timedelta(days=3), lines=50, reverts=("shop#3",))
    assert total(original, back) == 0
    assert total(original, back, again) == 1_000
    assert total(original, back, again, out_again) == 0


def test_a_revert_reaches_only_what_was_before_it() -> None:
    """Two that name each other make no circle, one that names itself is only worth nothing, and ids are of a source."""
    first = outcome("shop#1", lines=50, reverts=("shop#2",), hour=9)
    second = outcome("shop#2", lines=50, reverts=("shop#1",), hour=10)
    assert gone(first, second) == {("github", "shop#1")}
    assert gone(outcome("shop#3", lines=50, reverts=("shop#3",))) == set()
    elsewhere = outcome("shop#9", lines=50)._replace(source="gitlab")
    assert gone(elsewhere, outcome("shop#10", reverts=("shop#9",), hour=13)) == set()


def test_one_revert_may_take_back_several() -> None:
    """All that it names are gone, and what it does not name stays."""
    work = [outcome(f"shop#{number}", lines=50, who=f"per_{number}") for number in (1, 2, 3)]
    assert total(*work, outcome("shop#4", lines=150, reverts=("shop#1", "shop#3"), hour=13)) == 1_000


def test_what_is_nobodys_is_in_no_total() -> None:
    """Work of someone in no team, reopened work and scores are in no row."""
    assert total(outcome(lines=50, team=None)) == 0
    assert total(outcome("1", "bug")._replace(state="reopened")) == 0
    assert total(outcome("2", "quality", figure=1_000)) == 0


def test_a_week_is_cut_on_monday() -> None:
    """Sunday's work belongs to the week before Monday's, in the order of weeks and kinds."""
    sunday = date(2026, 10, 11)
    rows = weekly_output(
        [outcome("1", "task", sunday + timedelta(days=1)), outcome("2", "bug", sunday), outcome("3", "task", sunday)],
        same_rules,
    )
    assert [(str(row.week), row.kind, row.output) for row in rows] == [
        ("2026-W41", "bug", 1_000),
        ("2026-W41", "task", 1_000),
        ("2026-W42", "task", 1_000),
    ]


def test_the_last_score_of_a_week_is_its_score() -> None:
    """Of several measurements of a project and metric in a week the last one holds; other projects have their own."""
    scores = [
        outcome("a", "quality", figure=3_000, metric="rating", hour=18),
        outcome("b", "quality", figure=1_000, metric="rating", hour=9),
        outcome("c", "quality", figure=87_500, metric="coverage"),
        outcome("d", "quality", figure=2_000, metric="rating", project="till"),
    ]
    week = Week.containing(DAY)
    assert weekly_scores(scores) == [
        ("shop", week, "coverage", 87_500),
        ("shop", week, "rating", 3_000),
        ("till", week, "rating", 2_000),
    ]


def test_a_fingerprint_is_of_the_content() -> None:
    """The same instant in another zone is the same content; every other field makes another one."""
    at = datetime(2026, 10, 7, 9, tzinfo=UTC)
    told = OutcomeReport("jira", "SHOP-1", "bug", at, "ada", "shop", as_of=at)
    berlin = at.astimezone(tz=None)
    assert told._replace(occurred_at=berlin, as_of=berlin).fingerprint == told.fingerprint
    changes: dict[str, Any] = {
        "source": "x",
        "outcome_id": "x",
        "kind": "task",
        "occurred_at": at + timedelta(seconds=1),
        "user": "x",
        "project": "x",
        "state": "reopened",
        "lines": 1,
        "figure": 1,
        "metric": "x",
        "reverts": ("x",),
        "as_of": None,
        "merge": Merge(target_branch="x"),
        "is_nobodys": True,
    }
    assert set(changes) == set(OutcomeReport._fields)
    others = {told._replace(**{name: value}).fingerprint for name, value in changes.items()}
    assert len(others | {told.fingerprint}) == len(changes) + 1


def test_mistakes_in_the_table_are_named() -> None:
    """Each wrong key of [outcomes] is told with its value, and so is a cap below the unit."""
    text = handbook.packaged()
    wrong = (
        ('unit = "team"', 'unit = "division"', "outcomes.unit = 'division': expected one of team, person"),
        ("revert_days = 30", "revert_days = -1", "outcomes.revert_days = -1: expected a number from 0 to 9223372036"),
        ('bug_labels = ["bug"]', "bug_labels = []", "outcomes.bug_labels = []: expected a list of texts, not empty"),
        ("bug_weight = 1", "bug_weight = 0.0005", "outcomes.bug_weight = 0.0005: expected a number with at most three"),
        ("small_lines = 50", "small_lines = 0", "outcomes.pull_request.small_lines = 0: expected a whole number"),
        ("most_lines = 5000", "most_lines = 49", "outcomes.pull_request.most_lines = 49: below"),
    )
    for old, new, said in wrong:
        assert text.count(old) == 1
        with pytest.raises(HandbookError) as refused:
            handbook.parse(text.replace(old, new))
        assert refused.value.problems[0].startswith(said)
