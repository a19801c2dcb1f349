"""A person's year for the compensation review: one line each, of bands and flags."""

from __future__ import annotations

import dataclasses

from programme.reviews import year_summary
from programme.reviews.annual_export import NOT_ENOUGH_DATA, NOT_KNOWN, Line
from programme.reviews.year_summary import YearLine

QUIET = Line(
    person_id="per_1",
    quarter="2026-Q1",
    state="usual",
    utilisation_band="usual",
    efficiency_band="typical",
    breaches=0,
    exceptions_delivered=0,
    exceptions_partly=0,
    exceptions_nothing=0,
    exceptions_untold=0,
    appeal="",
    model_version="2026.1",
    stewardship_met=True,
)


def line(**changes: object) -> Line:
    return dataclasses.replace(QUIET, **changes)  # type: ignore[arg-type]  # any field


def test_a_quiet_year_has_its_bands_and_no_flags() -> None:
    """The same band in all quarters is the year's; what is not known in some does not count."""
    lines = [QUIET, line(quarter="2026-Q2", utilisation_band=NOT_KNOWN, efficiency_band=NOT_ENOUGH_DATA)]
    assert year_summary.of(lines, 2026) == [
        YearLine("per_1", 2026, 2, "usual", "typical", False, False, False, False, True)  # noqa: FBT003 - in their order
    ]


def test_quarters_that_differ_are_mixed_and_not_averaged() -> None:
    """No mean of bands is made up; which of them weighs more is for people to say."""
    lines = [QUIET, line(utilisation_band="low", efficiency_band="above")]
    [year] = year_summary.of(lines, 2026)
    assert (year.utilisation_band, year.efficiency_band) == ("mixed", "mixed")


def test_what_is_known_of_no_quarter_is_not_known_of_the_year() -> None:
    """Nothing is guessed."""
    [year] = year_summary.of([line(utilisation_band=NOT_KNOWN, efficiency_band=NOT_ENOUGH_DATA)], 2026)
    assert (year.utilisation_band, year.efficiency_band) == (NOT_KNOWN, NOT_ENOUGH_DATA)


def test_a_flag_of_one_quarter_is_one_of_the_year() -> None:
    """LOW, a breach, an exception, an appeal; stewardship has to be met in all of them."""
    changes: dict[str, object] = {
        "state": "low",
        "breaches": 1,
        "exceptions_nothing": 1,
        "appeal": "upheld",
        "stewardship_met": False,
    }
    flags = ("was_low", "had_breach", "had_exception", "appealed", "stewardship_met")
    for name, (field, value) in zip(flags, changes.items(), strict=True):
        [year] = year_summary.of([QUIET, line(**{field: value})], 2026)
        expected = {one: one == name for one in flags[:-1]} | {"stewardship_met": name != "stewardship_met"}
        assert {one: getattr(year, one) for one in flags} == expected, name


def test_there_is_a_line_for_each_person() -> None:
    """In the order of the ids, as the quarters are."""
    lines = [QUIET, line(quarter="2026-Q2"), line(person_id="per_2")]
    assert [(one.person_id, one.quarters) for one in year_summary.of(lines, 2026)] == [("per_1", 2), ("per_2", 1)]
