"""The estimators beside two packages of others, csdid 0.4.3 and differences 0.3.0, on simulated panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from policy.roi.estimate import Estimate, estimate
from policy.roi.spread import Draws
from tests.policy.roi import panels

if TYPE_CHECKING:
    from policy.roi.effects import Control, Kind

CLOSE = 1e-6
OURS: dict[str, Kind] = {"dynamic": "event", "group": "group", "calendar": "calendar"}
THEIRS: dict[str, Kind] = {"event": "event", "cohort": "group", "time": "calendar"}


def found(case: str) -> Estimate:
    name, control = case.split()
    return estimate(panels.of_file(name), cast("Control", control), "permutation", Draws(most=20))


with_csdid = [case for case, expected in panels.EXPECTED.items() if "csdid" in expected]


@pytest.mark.parametrize("case", with_csdid)
def test_every_comparison_is_that_of_csdid(case: str) -> None:
    """ATT(g,t) before and after the treatment, with the last month before it as base."""
    ours = {(one.group, one.period): one.figure.estimate for one in found(case).att}
    theirs = {(group, period): value for group, period, value in panels.EXPECTED[case]["csdid"]["att"]}
    assert ours == pytest.approx(theirs, abs=CLOSE)


@pytest.mark.parametrize("case", with_csdid)
def test_every_average_is_that_of_csdid(case: str) -> None:
    """Simply, by event time, by group and by calendar month: each of them, and the mean over them."""
    ours, theirs = found(case), panels.EXPECTED[case]["csdid"]
    assert ours.mean.estimate == pytest.approx(theirs["simple"], abs=CLOSE)
    for name, kind in OURS.items():
        assert ours.averages[kind].estimate == pytest.approx(theirs[name], abs=CLOSE)
        each = {key: figure.estimate for key, figure in ours.of[kind]}
        assert each == pytest.approx(dict(theirs[f"{name}_each"]), abs=CLOSE)


@pytest.mark.parametrize("case", panels.EXPECTED)
def test_every_mean_is_that_of_differences(case: str) -> None:
    """A second package, so that no one's mistake is taken for the truth."""
    ours, theirs = found(case), panels.EXPECTED[case]["differences"]
    assert ours.mean.estimate == pytest.approx(theirs["simple"], abs=CLOSE)
    for name, kind in THEIRS.items():
        assert ours.averages[kind].estimate == pytest.approx(theirs[name], abs=CLOSE)
