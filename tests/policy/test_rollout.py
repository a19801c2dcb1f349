"""Phases, waves and days: who takes part when."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook, rollout
from policy.parameters.grants import LEVELS, PILOTS
from policy.period import Month
from policy.rollout import Participant

RULES = dataclasses.replace(handbook.parse(handbook.packaged()).rollout, launched_on=date(2027, 1, 1))
ADA = Participant("staff", "engineering", 1, date(2020, 1, 1), None)
BEN = dataclasses.replace(ADA, level="junior", wave=3)
DECEMBER = Month(2027, 12)


@pytest.mark.parametrize(
    ("month", "phase"),
    [
        ("2026-09", None),
        ("2026-10", 0),
        ("2026-12", 0),
        ("2027-01", 1),
        ("2027-04", 1),
        ("2027-05", 2),
        ("2027-10", 2),
        ("2027-11", 3),
        ("2030-01", 3),
    ],
)
def test_phases_follow_the_launch(month: str, phase: int | None) -> None:
    """Three months of baseline, the pilot in months 0 to 3, everyone in 4 to 9, then refinement."""
    assert rollout.phase(Month.parse(month), RULES) == phase


def test_without_a_launch_nobody_takes_part() -> None:
    """Until the handbook has a date, there is no phase and no grant."""
    rules = dataclasses.replace(RULES, launched_on=None)
    assert rollout.phase(DECEMBER, rules) is None
    assert not rollout.takes_part(ADA, DECEMBER, rules)


@pytest.mark.parametrize(
    ("person", "first"),
    [
        (ADA, "2027-01"),
        (dataclasses.replace(ADA, level="junior"), "2027-05"),
        (dataclasses.replace(ADA, wave=2), "2027-05"),
        (BEN, "2027-07"),
        (dataclasses.replace(ADA, wave=4), "2027-09"),
        (dataclasses.replace(ADA, wave=9), "2027-09"),
        (dataclasses.replace(ADA, wave=None), "2027-09"),
    ],
)
def test_each_wave_has_its_month(person: Participant, first: str) -> None:
    """Seniors of the first wave begin; the others follow in months 4, 6 and 8; once in, people stay in."""
    months = [Month(2026, 10).plus(i) for i in range(20)]
    taking_part = [str(month) for month in months if rollout.takes_part(person, month, RULES)]
    assert taking_part == [str(month) for month in months if str(month) >= first]


def test_the_pilot_may_be_all_seniors() -> None:
    """With `pilot = "all_seniors"` the wave does not matter in the pilot, the level does."""
    rules = dataclasses.replace(RULES, pilot="all_seniors")
    assert rollout.takes_part(dataclasses.replace(ADA, wave=4), Month(2027, 1), rules)
    assert not rollout.takes_part(BEN, Month(2027, 1), rules)


@pytest.mark.parametrize(
    ("after_pilot", "first_again"),
    [("stay", "2027-05"), ("wait", "2027-09")],
)
def test_a_pilot_of_all_seniors_stays(after_pilot: str, first_again: str) -> None:
    """A staff engineer of the fourth wave is in from January on; by a handbook of before not from May to August."""
    rules = dataclasses.replace(RULES, pilot="all_seniors", after_pilot=after_pilot)
    late = dataclasses.replace(ADA, wave=4)
    months = [Month(2027, 1).plus(i) for i in range(12)]
    taking_part = [str(month) for month in months if rollout.takes_part(late, month, rules)]
    in_the_pilot = ["2027-01", "2027-02", "2027-03", "2027-04"]
    assert taking_part == in_the_pilot + [str(m) for m in months[4:] if str(m) >= first_again]


@given(
    st.sampled_from(LEVELS),
    st.one_of(st.none(), st.integers(1, 9)),
    st.sampled_from(PILOTS),
)
def test_who_is_in_stays_in(level: str, wave: int | None, pilot: str) -> None:
    """Whatever the pilot, the level and the wave, no one who took part in a month is out in the next."""
    rules = dataclasses.replace(RULES, pilot=pilot)
    person = dataclasses.replace(ADA, level=level, wave=wave)
    taking_part = [rollout.takes_part(person, Month(2026, 10).plus(i), rules) for i in range(24)]
    assert taking_part == sorted(taking_part)
    assert taking_part[-1]


def test_a_handbook_of_before_lets_seniors_wait() -> None:
    """A handbook that does not say what follows the pilot keeps the rule that it was written under."""
    before = handbook.packaged().replace('after_pilot = "stay"\n', "")
    assert handbook.parse(before).rollout.after_pilot == "wait"


def test_only_engineers_take_part() -> None:
    """A role family that the handbook does not name gets nothing."""
    assert not rollout.takes_part(dataclasses.replace(ADA, role_family="finance"), DECEMBER, RULES)


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({}, 31),
        ({"hired_on": date(2027, 12, 20)}, 12),
        ({"left_on": date(2027, 12, 10)}, 10),
        ({"absences": ((date(2027, 12, 1), date(2027, 12, 30)),)}, 31),
        ({"absences": ((date(2027, 12, 1), date(2027, 12, 31)),)}, 0),
        ({"absences": ((date(2027, 11, 1), date(2027, 12, 10)),)}, 21),
        ({"absences": ((date(2027, 12, 22), None),)}, 21),
        ({"hired_on": date(2028, 1, 1)}, 0),
    ],
)
def test_days_that_count(changes: dict[str, object], days: int) -> None:
    """Days of employment count, but for those of a leave longer than thirty days."""
    person = dataclasses.replace(ADA, **changes)  # type: ignore[arg-type]
    assert rollout.active_days(person, DECEMBER, 30) == days


@given(st.dictionaries(st.text(max_size=5), st.integers(1, 50), max_size=30), st.integers(1, 6), st.text())
def test_a_draw_can_be_drawn_again(teams: dict[str, int], waves: int, seed: str) -> None:
    """The same seed draws the same waves, every team is in one, and no wave is larger by more than the largest team."""
    drawn = rollout.draw(teams, waves, seed)
    assert drawn == rollout.draw(dict(reversed(teams.items())), waves, seed)
    assert drawn.keys() == teams.keys()
    sizes = [sum(size for team, size in teams.items() if drawn[team] == wave) for wave in range(1, waves + 1)]
    assert max(sizes) - min(sizes) <= max(teams.values(), default=0)


def test_history_counts_after_two_quarters_and_the_pilot() -> None:
    """With a launch in January, the second half of the year is the first whose grants may follow earlier use."""
    counting = [m for m in range(1, 13) if rollout.adjustment_counts(Month(2027, m), RULES, 2)]
    assert counting == [7, 8, 9, 10, 11, 12]


@pytest.mark.parametrize("launched", ["1999-12-01", "2101-01-01", "9999-12-01"])
def test_a_launch_is_in_years_that_a_programme_can_have(launched: str) -> None:
    """A slip of the pen is told when the handbook is read, and not by runs that end for want of a month after 9999."""
    text = handbook.packaged().replace("# launched_on = 2027-01-01", f"launched_on = {launched}")
    with pytest.raises(ValueError, match=f"rollout.launched_on = {launched}: not in the years 2000 to 2100"):
        handbook.parse(text)
