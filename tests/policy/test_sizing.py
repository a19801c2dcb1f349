"""Monthly grants to the token: the programme's own example, and what holds for every company."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.parameters.grants import COMPLEXITIES, LEVELS
from policy.period import Quarter
from policy.reasons import Refusal
from policy.sizing import Claim, bought, entitlement, size
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD
from policy.value.valuation import TokenValue
from policy.weights import Assignment
from tests.support import depth

RULES = handbook.parse(handbook.packaged()).sizing
VALUE = TokenValue(Quarter(2027, 1), "2027-Q1.1", 10_200_000, buffer_permille=150)
STEP = RULES.round_to_tokens * MICRO_PER_TOKEN


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


def on(complexity: str) -> tuple[Assignment, ...]:
    return (Assignment("Atlas", complexity, 1_000),)


STAFF = Claim("per_1", "staff", usd("220000"), 1_000, 30, 30, on("novel"))
SENIOR = Claim("per_2", "senior", usd("180000"), 600, 30, 30, on("routine"))
JOINER = Claim("per_3", "junior", usd("100000"), 1_000, 12, 30)

claims = st.builds(
    Claim,
    person_id=st.uuids().map(str),
    level=st.sampled_from(LEVELS),
    midpoint=st.integers(30_000, 500_000).map(lambda n: usd(str(n))),
    fte_permille=st.integers(1, 1_000) | st.decimals("0.001", "1000", places=15),
    days_active=st.integers(1, 30),
    days_in_month=st.just(30),
    projects=st.sampled_from([(), *[on(complexity) for complexity in COMPLEXITIES]]),
    utilisation=st.none() | st.decimals(0, 3, places=4),
    peers=st.decimals(0, 2, places=4),
)
companies = st.lists(claims, min_size=1, max_size=25, unique_by=lambda claim: claim.person_id)


def test_the_programmes_example() -> None:
    """Staff 440,800 tokens, senior at .6 of a post 154,900, a joiner of 12 days 57,700, at k = .8547.

    A fiftieth of the budget of USD 7,821.33 is kept for those who come later.
    """
    sized = size([JOINER, STAFF, SENIOR], RULES, VALUE, budget=usd("7821.33"))
    assert [str(f.amount.decimal) for f in sized.grants.values()] == ["440800", "154900", "57700"]
    assert round(sized.budget_share, 4) == Decimal("0.8547")
    assert [round(f.usd.decimal) for f in sized.grants.values()] == [5171, 1817, 677]
    assert sized.grants["per_1"].weight == Decimal("1.32")


def test_a_quarter_of_a_salary_less_the_buffer() -> None:
    """USD 50,000 a year are 355,214 tokens a month at V .0102 and a buffer of 15 %; paid on top, they are more."""
    month = NanoUSD(int(usd("50000")) // 12)
    assert bought(month, VALUE) // MICRO_PER_TOKEN == 355_214
    beside = dataclasses.replace(VALUE, on_top=True)
    assert bought(month, beside) // MICRO_PER_TOKEN == 408_496


def test_the_pilot_weighs_nobody() -> None:
    """In phase 1 the grant is the entitlement itself: w = 1, whatever the level and the projects."""
    factors = size([STAFF], RULES, VALUE, budget=None, weighted=False).grants["per_1"]
    assert factors.weight == factors.seniority == factors.complexity == 1
    assert factors.amount == MicroTokens(390_700 * MICRO_PER_TOKEN)
    assert factors.entitlement == usd("4583.333333333")


@pytest.mark.parametrize(
    ("own", "peers", "history"),
    [("0.9", "0.5", "1.12"), ("1.2", "0.5", "1.15"), ("0.1", "0.5", "0.90"), ("0.5", "0.5", "1")],
)
def test_history_moves_a_grant_a_little(own: str, peers: str, history: str) -> None:
    """H = 1 + .3 × (own − peers), between .90 and 1.15."""
    claim = dataclasses.replace(STAFF, utilisation=Decimal(own), peers=Decimal(peers))
    assert size([claim], RULES, VALUE, budget=None).grants["per_1"].history == Decimal(history)


def test_projects_weigh_by_their_share() -> None:
    """Three quarters on a routine project and one on a novel one: (.75 × .90 + .25 × 1.20) = .975."""
    projects = (Assignment("A", "routine", 750), Assignment("B", "novel", 250))
    factors = size([dataclasses.replace(STAFF, projects=projects)], RULES, VALUE, budget=None).grants["per_1"]
    assert factors.complexity == Decimal("0.975")


def test_a_part_of_a_month_is_a_smaller_grant_and_not_a_smaller_limit() -> None:
    """A joiner of 12 days is granted 57,700 tokens of 144,250 for the whole month; a whole month's grant is its own."""
    sized = size([JOINER, STAFF], RULES, VALUE, budget=None)
    joiner = dataclasses.replace(sized.grants["per_3"], amount=MicroTokens(57_700 * MICRO_PER_TOKEN))
    assert joiner.whole_grant == MicroTokens(144_250 * MICRO_PER_TOKEN)
    assert sized.grants["per_1"].whole_grant == sized.grants["per_1"].amount


def test_a_small_entitlement_has_the_floor_in_usd() -> None:
    """No one in full post gets less than USD 150 a month, even where the entitlement is smaller."""
    claim = dataclasses.replace(STAFF, midpoint=usd("2000"))
    factors = size([claim], RULES, VALUE, budget=None).grants["per_1"]
    assert factors.bound == "floor"
    assert usd("150") <= factors.usd < usd("151.20")


def test_floors_beyond_the_budget_are_refused_with_the_shortfall() -> None:
    """The refusal names the floors, the budget and the difference; 60 % of USD 4,583.33 is 2,750."""
    with pytest.raises(Refusal) as refused:
        size([STAFF], RULES, VALUE, budget=usd("2000"))
    assert refused.value.code == "budget_below_floors"
    assert "floors of 1 person need USD 2,750.68" in refused.value.text
    assert "has USD 1,960.00 for them, USD 790.68 short" in refused.value.text


def test_time_without_a_project_is_usual() -> None:
    """A tenth of someone's work on a novel project makes 1.02 of it, not 1.20; a whole post on it makes 1.20."""
    parts = {100: "1.0200", 500: "1.1000", 1000: "1.2000"}
    for share, complexity in parts.items():
        claim = dataclasses.replace(STAFF, projects=(Assignment("Atlas", "novel", share),))
        assert str(size([claim], RULES, VALUE, budget=None).grants["per_1"].complexity) == complexity
    before = dataclasses.replace(RULES, unassigned=None)
    claim = dataclasses.replace(STAFF, projects=(Assignment("Atlas", "novel", 100),))
    assert str(size([claim], before, VALUE, budget=None).grants["per_1"].complexity) == "1.2000"


def test_every_factor_is_told() -> None:
    """The reasons name what the grant follows from, in order, with figures."""
    factors = size([SENIOR, JOINER], RULES, VALUE, budget=usd("2400")).grants["per_2"]
    assert [reason.code for reason in factors.because] == [
        "entitlement",
        "part_time",
        "seniority",
        "complexity",
        "history",
        "budget",
        "conversion",
    ]


@given(companies, st.floats(0.0, 1.2))
@settings(max_examples=depth.examples(200))
def test_every_company_gets_what_the_rules_allow(company: list[Claim], generosity: float) -> None:
    """Within floor, cap and budget; whole steps; the sum is exact; whoever asks first changes nothing."""
    entitled = sum(int(entitlement(claim, RULES)) for claim in company)
    budget = NanoUSD(max(round(entitled * generosity), 1))
    try:
        sized = size(company, RULES, VALUE, budget=budget)
    except Refusal:
        floors = [size([claim], RULES, VALUE, budget=None).grants[claim.person_id] for claim in company]
        assert bought(budget, VALUE) < sum(int(f.amount) for f in floors) + STEP * len(company)
        return
    assert sized.total == sum((f.amount for f in sized.grants.values()), MicroTokens(0))
    assert int(sized.total) <= bought(budget, VALUE)
    for f in sized.grants.values():
        assert int(f.amount) % STEP == 0
        floor = max(f.entitlement * 3 // 5, int(int(RULES.floor_usd) * f.fte_permille * f.days_active // 30_000))
        assert int(f.amount) >= bought(NanoUSD(floor - 1), VALUE)
        assert int(f.amount) <= max(bought(NanoUSD(f.entitlement * 3 // 2 + 1), VALUE), floor_steps(floor))
    assert size(reversed(company), RULES, VALUE, budget=budget) == sized


def floor_steps(floor: int) -> int:
    return -(-(bought(NanoUSD(floor + 1), VALUE) + 1) // STEP) * STEP


@given(claims, st.sampled_from(range(len(LEVELS) - 1)), st.sampled_from(range(len(COMPLEXITIES) - 1)))
def test_more_senior_and_more_complex_is_never_less(claim: Claim, level: int, complexity: int) -> None:
    """One level up, or one step of complexity up, and the grant does not shrink."""

    def amount(level: int, complexity: int) -> int:
        changed = dataclasses.replace(claim, level=LEVELS[level], projects=on(COMPLEXITIES[complexity]))
        [factors] = size([changed], RULES, VALUE, budget=None).grants.values()
        return int(factors.amount)

    assert amount(level + 1, complexity) >= amount(level, complexity)
    assert amount(level, complexity + 1) >= amount(level, complexity)
