"""What holds of the quarterly adjustment for every company."""

from __future__ import annotations

import dataclasses
import random
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.period import Quarter
from policy.reasons import Refusal
from policy.reviews import robust
from policy.reviews.adjustment import THOUSANDTH, adjust, bounds, carried, change, in_thousandths
from policy.reviews.persons import HIGH, LOW, USUAL, Person
from policy.reviews.reasons import because, would_change
from policy.sizing import Claim, bought, size
from policy.units import MICRO_PER_TOKEN, NanoUSD
from policy.value.valuation import TokenValue
from tests.support import depth

if TYPE_CHECKING:
    from policy.parameters.reviews import AdjustmentRules
    from policy.reviews.adjusted import Adjustment

BOOK = handbook.parse(handbook.packaged())
BY_TEAM = dataclasses.replace(BOOK.adjustment, least_team=3)
BY_PERSON = dataclasses.replace(BOOK.adjustment, unit="person")
AT_FIRST = BY_TEAM.first_edition
CHANGE = BOOK.adjustment.change
WEEKS = 13

used = st.none() | st.decimals(0, "1.3", places=2)
deltas = st.lists(st.decimals("-0.1", "0.1", places=3), max_size=3).map(tuple)
states = st.sampled_from([LOW, USUAL, HIGH])


@st.composite
def persons(draw: st.DrawFn, number: int) -> Person:
    """Someone whose weeks follow from a seed: what matters of thousands of figures is how they fall."""
    chance = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - weeks, not secrets
    ability, spend = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    absent = draw(st.sampled_from([0, 0, 0, 3, 7]))
    output = [float(chance.randint(0, ability)) for _ in range(WEEKS)]
    debits = [chance.randint(0, spend) * 100 * MICRO_PER_TOKEN for _ in range(WEEKS)]
    nothing = (None,) * absent
    return Person(
        f"per_{number:02}",
        draw(st.sampled_from(["engineering", "research"])),
        draw(st.sampled_from(["mid", "senior"])),
        draw(st.sampled_from(["a", "b", "c", "d", "e", "f"])),
        (*nothing, *output[absent:]),
        (*nothing, *debits[absent:]),
        tuple(draw(st.lists(used, max_size=3))),
        draw(states),
        draw(deltas),
        draw(st.sampled_from([500, 1_000])),
    )


@st.composite
def companies(draw: st.DrawFn, least: int = 0) -> list[Person]:
    return [draw(persons(number)) for number in range(draw(st.integers(least, 18)))]


units = st.sampled_from([BY_TEAM, BY_PERSON, AT_FIRST])
often = settings(max_examples=depth.examples(60), deadline=None)


@given(companies(), units, st.randoms(use_true_random=False))
@often
def test_the_order_of_people_changes_nothing(
    company: list[Person], rules: AdjustmentRules, chance: random.Random
) -> None:
    """To the last digit, and again when it is computed twice."""
    mixed = list(company)
    chance.shuffle(mixed)
    first = adjust(company, rules)
    assert list(first.items()) == list(adjust(mixed, rules).items()) == list(adjust(company, rules).items())


@given(companies(), units)
@often
def test_a_cut_needs_low_and_bounds_hold(company: list[Person], rules: AdjustmentRules) -> None:
    """A cut needs LOW, whose last use is known; a raise needs evidence or HIGH; ±10 % a quarter, ±25 % in four."""
    for adjusted in adjust(company, rules).values():
        check(adjusted)


def check(a: Adjustment) -> None:
    assert abs(a.delta) <= CHANGE.most_quarter
    assert a.delta == sum(a.change) == in_thousandths(a.delta)
    if a.delta < 0:
        assert a.state == LOW
        assert a.utilisation[-1] is not None
        assert a.utilisation[-1] <= BOOK.adjustment.use.low_leave
        assert not a.spared
    if a.delta > 0:
        assert a.score is not None or a.rules.change.high_without_score == "yes"
        assert (a.score is not None and a.score.lcb > 0) or a.state == HIGH
    year = Decimal(1)
    for delta in (*a.deltas, a.delta):
        year *= 1 + delta
    before = year / (1 + a.delta)
    assert min(before, 1 - CHANGE.most_year) <= year <= max(before, 1 + CHANGE.most_year)
    assert because(a)[-1].code == "delta"
    assert would_change(a)
    assert ("not_enough_data" in {reason.code for reason in because(a)}) == (a.score is None)


@given(st.lists(st.tuples(st.floats(-2.5, 2.5), states), max_size=12))
def test_no_four_quarters_leave_their_bounds(quarters: list[tuple[float, str]]) -> None:
    """Whatever comes, quarter after quarter, any four of them multiply to ±25 % at most."""
    made: list[Decimal] = []
    for theta, state in quarters:
        made.append(change(theta, theta - 0.2, state, made[-3:], CHANGE).delta)
        year = Decimal(1)
        for delta in made[-4:]:
            year *= 1 + delta
        assert 1 - CHANGE.most_year <= year <= 1 + CHANGE.most_year


@given(deltas)
def test_doing_nothing_is_always_allowed(before: tuple[Decimal, ...]) -> None:
    """Bounds hold 0 between them."""
    least, most = bounds(before, CHANGE)
    assert least <= 0 <= most


@given(st.floats(-2.5, 2.5), st.floats(0, 2), st.floats(0, 3), states, deltas)
def test_a_better_score_never_lowers_a_change(
    theta: float, better: float, doubt: float, state: str, before: tuple[Decimal, ...]
) -> None:
    """At the same noise, use and history, Δ does not fall with θ."""
    theta, more = round(theta, 6), round(theta + better, 6)
    low = change(theta, theta - doubt, state, before, CHANGE).delta
    assert change(more, more - doubt, state, before, CHANGE).delta >= low


@given(st.floats(-2.5, 2.5), st.floats(0, 2), st.floats(0, 5), st.floats(0, 5))
def test_a_better_score_is_believed_no_less(z: float, better: float, noise: float, tau2: float) -> None:
    """At the same noise θ and its lower bound rise with z, and LCB never exceeds θ, nor |θ| |z|."""
    b, theta, lcb = robust.shrunk(np.array([z, z + better]), np.array([noise, noise]), tau2, 1.28)
    assert theta[0] <= theta[1]
    assert lcb[0] <= lcb[1]
    assert (lcb <= theta).all()
    assert (abs(theta) <= np.array([abs(z), abs(z + better)])).all()
    assert 0 <= b[0] <= 1


residuals = st.lists(st.integers(-20, 20).map(lambda n: n / 4), min_size=5, max_size=12)


@given(residuals, st.data(), st.integers(1, 40))
def test_one_who_does_more_is_never_scored_lower(values: list[float], data: st.DataObject, more: int) -> None:
    """A score does not fall when its own e rises, though median and MAD move with it, also where most are equal."""
    who = data.draw(st.integers(0, len(values) - 1))
    before = np.array(values)
    after = before.copy()
    after[who] += more / 4
    z, better = (robust.scores(one, *robust.centre_and_spread(one), 2.5) for one in (before, after))
    assert better[who] >= z[who] - 1e-9


@given(companies(least=6), st.sampled_from([1, 5, 30]))
@often
def test_more_output_at_equal_tokens_never_lowers_a_score(company: list[Person], more: int) -> None:
    """Someone who makes more in every week is not scored lower, with everything that follows for the peers."""
    first = adjust(company, BY_PERSON)
    changed = dataclasses.replace(
        company[0], output=tuple(None if week is None else week + more for week in company[0].output)
    )
    before, after = (made[company[0].person_id].score for made in (first, adjust([changed, *company[1:]], BY_PERSON)))
    assume(before is not None)
    assert before is not None
    assert after is not None
    assert after.z >= before.z - 2e-6
    assert after.output >= before.output


@given(companies(), units, st.sampled_from([2, 7, 1_000]))
@often
def test_a_token_of_another_size_changes_no_score(company: list[Person], rules: AdjustmentRules, factor: int) -> None:
    """When everyone's tokens are multiplied, scores and states stay, changes to their rounding; T is multiplied."""
    dearer = [
        dataclasses.replace(p, debits=tuple(None if week is None else week * factor for week in p.debits))
        for p in company
    ]
    first, second = adjust(company, rules), adjust(dearer, rules)
    for name, before in first.items():
        after = second[name]
        assert (after.state, after.missing) == (before.state, before.missing)
        assert abs(after.delta - before.delta) <= THOUSANDTH
        if before.score and after.score:
            assert after.score.tokens == pytest.approx(before.score.tokens * factor, abs=1e-5 * factor)
            assert after.score.peers == before.score.peers
            for figure in ("z", "noise", "between", "theta", "lcb", "elasticity", "output"):
                assert getattr(after.score, figure) == pytest.approx(getattr(before.score, figure), abs=3e-6, rel=1e-5)


VALUE = TokenValue(Quarter(2027, 1), "2027-Q1.1", 10_200_000, buffer_permille=150)


@given(
    st.lists(
        st.tuples(st.lists(st.decimals("-0.1", "0.1", places=3), max_size=8), st.integers(50, 300)),
        min_size=1,
        max_size=12,
    ),
    st.floats(0.65, 1.2),
)
@settings(max_examples=depth.examples(80), deadline=None)
def test_adjusted_grants_hold_floors_caps_and_the_budget(
    company: list[tuple[list[Decimal], int]], generosity: float
) -> None:
    """Whatever was adjusted, quarter after quarter, grants stay within floor, cap and budget."""
    claims = []
    for number, (made, thousands) in enumerate(company):
        factor = Decimal(1)
        for delta in made:
            factor = carried(factor, delta, BOOK.sizing)
        assert BOOK.sizing.floor_share <= factor <= BOOK.sizing.cap_share
        midpoint = NanoUSD(thousands * 10**12)
        claims.append(Claim(f"per_{number:02}", "mid", midpoint, 1_000, 30, 30, adjustment=factor))
    budget = NanoUSD(round(sum(int(claim.midpoint) for claim in claims) / 48 * generosity))
    try:
        sized = size(claims, BOOK.sizing, VALUE, budget=budget)
    except Refusal:
        assert generosity < 0.75
        return
    assert int(sized.total) <= bought(budget, VALUE)
    for claim in claims:
        factors = sized.grants[claim.person_id]
        assert factors.adjustment == claim.adjustment
        assert factors.usd >= factors.entitlement * 6 // 10 - 10**6
        assert factors.usd <= factors.entitlement * 15 // 10 + 10**6
        told = [reason for reason in factors.because if reason.code == "adjustment"]
        assert len(told) == (claim.adjustment != 1)


def test_an_adjustment_multiplies_the_grant() -> None:
    """Without a budget, 4.5 % more is 4.5 % more, to the step of the grants; in the pilot it counts for nothing."""
    claim = Claim("per_1", "mid", NanoUSD(120_000 * 10**9), 1_000, 30, 30)
    more = dataclasses.replace(claim, adjustment=Decimal("1.045"))
    plain, raised = (int(size([c], BOOK.sizing, VALUE, budget=None).total) / MICRO_PER_TOKEN for c in (claim, more))
    assert raised == pytest.approx(plain * 1.045, abs=BOOK.sizing.round_to_tokens)
    assert (
        size([more], BOOK.sizing, VALUE, budget=None, weighted=False).total
        == size([claim], BOOK.sizing, VALUE, budget=None, weighted=False).total
    )


def test_a_raise_of_some_is_paid_by_all_within_the_budget() -> None:
    """Where the budget is used up, a raise makes everyone's share of it smaller: nothing is issued beside it."""
    claims = [Claim(f"per_{i}", "mid", NanoUSD(120_000 * 10**9), 1_000, 30, 30) for i in range(10)]
    budget = NanoUSD(25_000 * 10**9)
    before = size(claims, BOOK.sizing, VALUE, budget=budget)
    raised = [dataclasses.replace(claims[0], adjustment=Decimal("1.1")), *claims[1:]]
    after = size(raised, BOOK.sizing, VALUE, budget=budget)
    assert after.grants["per_0"].amount > before.grants["per_0"].amount
    assert after.grants["per_1"].amount < before.grants["per_1"].amount
    assert int(after.total) <= bought(budget, VALUE)
