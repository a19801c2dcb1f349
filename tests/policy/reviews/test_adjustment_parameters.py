"""The table [adjustment] of the handbook: what it may say, and that handbooks of before it go on."""

from __future__ import annotations

import pytest

from policy import handbook
from policy.handbook import HandbookError


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("least_weeks = 8", "least_weeks = 14", "adjustment.least_weeks = 14: above adjustment.weeks"),
        ("least_peers = 5", "least_peers = 2", "adjustment.least_peers = 2: expected a whole number from 3 to 1000"),
        (
            "output_low = 0.05",
            "output_low = 0.95",
            "adjustment.efficiency.output_low = 0.95: not below adjustment.efficiency.output_high",
        ),
        ("output_offset = 1", "output_offset = 0", "adjustment.efficiency.output_offset = 0: must be above zero"),
        ("tokens_offset = 0.25", "tokens_offset = 0", "adjustment.efficiency.tokens_offset = 0: must be above zero"),
        (
            "most_deviations = 2.5",
            "most_deviations = 0",
            "adjustment.efficiency.most_deviations = 0: must be above zero",
        ),
        (
            "\nelasticity = 0.30",
            "\nelasticity = 0.70",
            "adjustment.efficiency.elasticity = 0.70: not within its bounds",
        ),
        ("draws = 200", "draws = 5", "adjustment.efficiency.draws = 5: expected a whole number from 50 to 10000"),
        ("low_enter = 0.40", "low_enter = 0.60", "adjustment.use.low_enter = 0.60: above adjustment.use.low_leave"),
        ("high_leave = 0.80", "high_leave = 0.95", "adjustment.use.high_leave = 0.95: above adjustment.use.high_enter"),
        (
            "most_quarter = 0.10",
            "most_quarter = 0.30",
            "adjustment.change.most_quarter = 0.30: above adjustment.change.most_year",
        ),
        ("per_score = 0.05", "per_scores = 0.05", None),
    ],
)
def test_adjustments_that_cannot_be_are_refused(old: str, new: str, problem: str | None) -> None:
    """Thresholds stand in order, bounds hold each other, and every mistake is named with its key and value."""
    text = handbook.packaged()
    assert text.count(old) == 1
    with pytest.raises(HandbookError) as refused:
        handbook.parse(text.replace(old, new))
    if problem is not None:
        assert list(refused.value.problems) == [problem]
    else:
        assert "did you mean 'per_score'?" in refused.value.problems[-1]


def test_a_handbook_of_before_the_adjustment_goes_on() -> None:
    """What it leaves out holds as in the packaged one."""
    text = handbook.packaged()
    begin, end = text.index("[adjustment]"), text.index("[digest]")
    assert handbook.parse(text[:begin] + text[end:]).adjustment == handbook.parse(text).adjustment


def test_a_packaged_figure_does_not_change_by_accident() -> None:
    """To change a packaged figure of the adjustment is a decision of its own: it shows here."""
    rules = handbook.parse(handbook.packaged()).adjustment
    assert (rules.unit, rules.least_peers) == ("team", 5)
    score, use, change = rules.efficiency, rules.use, rules.change
    fitted = (score.output_offset, score.tokens_offset, score.elasticity, score.refit_from)
    assert [str(one) for one in (*fitted, score.most_deviations, score.confidence)] == [
        "1",
        "0.25",
        "0.30",
        "50",
        "2.5",
        "1.28",
    ]
    assert [str(one) for one in (use.low_enter, use.low_quarters, use.low_leave, use.high_enter, use.high_leave)] == [
        "0.40",
        "2",
        "0.50",
        "0.90",
        "0.80",
    ]
    bounds = (change.most_quarter, change.most_year)
    assert [str(one) for one in (change.per_score, change.low, change.high, change.least_score_high, *bounds)] == [
        "0.05",
        "0.10",
        "0.05",
        "0.5",
        "0.10",
        "0.25",
    ]
