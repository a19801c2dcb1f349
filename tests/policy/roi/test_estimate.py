"""What an estimate tells of its panel, whom it leaves out, and when it says nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.reasons import Refusal
from policy.roi import estimate as estimates
from policy.roi.estimate import Estimate, SmallNumbers, estimate
from policy.roi.panel import NEVER, LeftOut, Panel
from policy.roi.spread import Draws
from tests.policy.roi.panels import company
from tests.support import depth

FEW = Draws(most=200)


def of(panel: Panel, draws: Draws = FEW) -> Estimate:
    return estimate(panel, "not-yet", "permutation", draws)


@given(st.integers(0, 10**6), st.floats(-2, 2))
@settings(max_examples=depth.examples(25), deadline=None)
def test_without_noise_the_effect_is_found_exactly(seed: int, effect: float) -> None:
    """Levels of teams and months that all share are nobody's effect."""
    found = of(company([(4, 3), (7, 4), (0, 3)], effect=effect, seed=seed, noise=0))
    assert found.mean.estimate == pytest.approx(effect, abs=1e-9)
    assert all(
        figure.estimate == pytest.approx(effect if key >= 0 else 0, abs=1e-9) for key, figure in found.event_time
    )


def test_an_effect_that_grows_is_told_by_event_time() -> None:
    """Each month since the wave began has its own figure; the naive comparison of all months has none."""
    panel = company([(4, 4), (7, 4), (0, 4)], noise=0)
    since = np.array(panel.periods)[None, :] - panel.first[:, None]
    found = of(panel.with_outcome(panel.outcome + np.where(since >= 0, 0.1 * (since + 1), 0)))
    grown = {key: figure.estimate for key, figure in found.event_time if key >= 0}
    assert grown == pytest.approx({key: 0.1 * (key + 1) for key in range(9)})


def test_the_order_of_units_changes_nothing() -> None:
    """All that follows from draws included, to the last digit."""
    panel = company([(4, 4), (7, 4), (0, 4)], effect=0.2)
    order = np.random.default_rng(3).permutation(12)
    turned = Panel(tuple(panel.units[i] for i in order), panel.periods, panel.outcome[order], panel.first[order])
    assert of(panel) == of(turned)


def test_whoever_has_gaps_or_no_month_before_is_named_and_left_out() -> None:
    """Nothing is filled in: the estimate is that of the others."""
    panel = company([(1, 1), (4, 4), (0, 5)], effect=0.3)
    holes = panel.outcome.copy()
    holes[2, [3, 5]] = np.nan
    found = of(panel.with_outcome(holes))
    assert found.left_out == (LeftOut("team-000", "always_treated"), LeftOut("team-002", "gaps", 2))
    kept = np.array([i not in {0, 2} for i in range(10)])
    assert found.mean == of(panel.only(kept)).mean
    assert found.units == 8


@pytest.mark.parametrize(
    ("waves", "control", "code"),
    [
        ([(4, 5)], "not-yet", "nobody_to_compare"),
        ([(0, 5)], "not-yet", "nobody_treated"),
        ([(20, 5)], "not-yet", "nobody_treated"),
        ([(4, 3), (6, 3)], "never", "nobody_to_compare"),
        ([(1, 3)], "not-yet", "panel_too_small"),
    ],
)
def test_where_nothing_can_be_compared_nothing_is_said(waves: list[tuple[int, int]], control: str, code: str) -> None:
    """A refusal with its reason, not a figure of nothing."""
    with pytest.raises(Refusal) as refused:
        estimate(company(waves), control, "permutation", FEW)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_whoever_is_treated_after_the_last_month_is_compared_with() -> None:
    """As never treated, for both kinds of controls: within these months they are."""
    late = company([(4, 3), (40, 4)], effect=0.5, noise=0)
    never = dataclasses.replace(late, first=np.where(late.first == 40, NEVER, late.first))
    for control in ("never", "not-yet"):
        found = estimate(late, control, "bootstrap", FEW)
        assert found.mean == estimate(never, control, "bootstrap", FEW).mean
        assert found.treated == 3


@pytest.mark.parametrize(
    ("units", "trust"), [(7, "directional"), (8, "no_percentage"), (11, "no_percentage"), (12, "full")]
)
def test_few_units_are_trusted_less(units: int, trust: str) -> None:
    """Below 8 only a direction, below 12 no percentage in a headline."""
    assert SmallNumbers().trust(units) == trust
    assert of(company([(4, units - 3), (0, 3)])).trust == trust


def test_too_fine_a_panel_is_refused_before_it_fills_the_memory() -> None:
    """Each day a cohort of its own, for a year: weights would take gigabytes."""
    panel = company([(day, 1) for day in range(2, 202)] + [(0, 1)], periods=300)
    with pytest.raises(Refusal) as refused:
        of(panel)
    assert refused.value.code == "panel_too_fine"


# --- What could have been found, and how much rests on one unit -----------------------------------------------------


def test_more_teams_could_find_less() -> None:
    """The smallest effect that would have been found shrinks with the root of the teams."""
    few, many = (of(company([(5, n), (0, n)], seed=3), Draws(2_000)).detectable for n in (8, 128))
    assert few is not None
    assert many is not None
    assert 2.5 < few / many < 6


def test_a_detectable_effect_is_found_four_times_of_five() -> None:
    """The promise of `detectable`, kept over simulated companies."""
    first = of(company([(5, 10), (0, 10)], seed=0), Draws(2_000)).detectable
    assert first is not None
    found = [of(company([(5, 10), (0, 10)], effect=first, seed=seed)).mean for seed in range(1, 121)]
    assert 0.68 <= np.mean([one.low is not None and one.low > 0 for one in found]) <= 0.92


def test_without_one_is_the_headline_of_a_panel_without_it() -> None:
    """Worked out by cohort at once; the same as leaving each out by hand."""
    panel = company([(4, 3), (7, 1), (0, 4)], effect=0.2)
    by_hand = [of(panel.only(np.arange(8) != i)).mean.estimate for i in range(8)]
    without = estimates.without_one(panel, "not-yet")
    assert without is not None
    assert (without.low, without.high) == pytest.approx((min(by_hand), max(by_hand)))
    assert without.tried == 8


def test_a_unit_whose_loss_leaves_nothing_to_compare_is_not_left_out() -> None:
    """The only control stays."""
    without = estimates.without_one(company([(4, 3), (0, 1)]), "never")
    assert without is not None
    assert without.tried == 3


# --- Leads ----------------------------------------------------------------------------------------------------------


def test_leads_stand_out_where_the_teams_did_not_run_in_parallel() -> None:
    """Teams that grew before their wave are seen; those that ran in parallel mostly are not."""
    panel = company([(7, 10), (0, 10)], seed=5)
    assert (of(panel, Draws(1_000)).leads.p or 0) > 0.1
    growing = panel.outcome + np.where(panel.first[:, None] == 7, 0.1 * np.arange(12)[None, :], 0)
    assert of(panel.with_outcome(growing), Draws(1_000)).leads.p == pytest.approx(0.001, abs=0.004)


def test_without_two_months_before_there_is_no_lead() -> None:
    """A single month before is the base itself."""
    assert of(company([(2, 4), (0, 4)])).leads == estimates.Leads(0, None)
