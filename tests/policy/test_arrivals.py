"""What arrives is divided, and never grows: lines count at most once, whatever was merged into what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy.arrivals import counted
from policy.outcomes import Merge, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.outcomes import OutcomeRules

RULES = handbook.parse(handbook.packaged()).outcomes
MONDAY = datetime(2026, 10, 5, 9, tzinfo=UTC)
BRANCHES = st.sampled_from(["", "a", "b", "c"])


def rules_on(_day: date) -> OutcomeRules:
    return RULES


def pull(number: int, at: datetime, lines: int, merge: Merge) -> Outcome:
    return Outcome(
        source="github",
        outcome_id=f"shop#{number}",
        kind="pull_request",
        occurred_at=at,
        day=at.date(),
        state="done",
        project="shop",
        lines=lines,
        figure=None,
        metric="",
        reverts=(),
        unit="team",
        unit_id="per_m",
        batch="b",
        merge=merge,
    )


@st.composite
def pull_requests(draw: st.DrawFn) -> Outcome:
    number, at = draw(st.integers(1, 12)), MONDAY + timedelta(hours=draw(st.integers(0, 40 * 24)))
    names = st.lists(st.sampled_from([f"shop#{n}" for n in range(1, 13)]), max_size=1).map(tuple)
    reverts = draw(names) if draw(st.integers(0, 3)) == 0 else ()
    merge = Merge(
        source_branch=draw(BRANCHES),
        target_branch=draw(BRANCHES),
        head=draw(st.sampled_from(["", "h1", "h2"])),
        commit=draw(st.sampled_from(["", "c1", "h1"])),
        copies=draw(names),
    )
    count = draw(st.integers(0, 500))
    outcome_id = f"shop#{number}"
    return Outcome(
        "github",
        outcome_id,
        "pull_request",
        at,
        at.date(),
        "done",
        "shop",
        count,
        None,
        "",
        reverts,
        "team",
        "m",
        "b",
        merge,
    )


some = st.lists(pull_requests(), max_size=12, unique_by=lambda one: one.outcome_id)


def total(outcomes: Sequence[Outcome]) -> int:
    return sum(one.lines or 0 for one in outcomes)


@given(some)
def test_no_more_counts_than_arrives(told: list[Outcome]) -> None:
    """The lines of all pull requests that count are at most those of the ones merged into the default branch."""
    arrived = [one for one in told if one.merge and not one.merge.target_branch]
    assert total(counted(told, rules_on)) <= total(arrived)


@given(some, st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_known_changes_nothing(told: list[Outcome], rng: object) -> None:
    """Any order of the same pull requests gives each of them the same day and the same lines."""
    shuffled = list(told)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis' random
    assert sorted(counted(shuffled, rules_on)) == sorted(counted(told, rules_on))


@given(some)
def test_nothing_counts_before_it_was_merged(told: list[Outcome]) -> None:
    """What counts does so on the day of its own merge or later, at most `arrival_days` for each branch on its way."""
    days = {one.key: one.day for one in told}
    for one in counted(told, rules_on):
        assert days[one.key] <= one.day


def test_a_long_way_through_branches_is_followed_to_its_end() -> None:
    """Thousands of merges back and forth before the default branch is reached take no depth of the stack."""
    hop = {0: ("a", "b"), 1: ("b", "a")}
    ways = [Merge(*hop[n % 2]) for n in range(2_000)] + [Merge("a")]
    steps = [pull(n, MONDAY + timedelta(minutes=n), 10, way) for n, way in enumerate(ways)]
    assert total(counted(steps, rules_on)) == 10
