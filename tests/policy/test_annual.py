"""The annual review's factor: part of the weight, within its clip, and told with its group."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import handbook
from policy.changes import differences
from policy.period import Quarter
from policy.sizing import Claim, Factors, size
from policy.units import NanoUSD
from policy.value.valuation import TokenValue
from policy.weights import Annual
from templates import workings

GROUPS = """
[[sizing.annual]]
name = "above"
factor = 1.05

[[sizing.annual]]
name = "below"
factor = 0.9
"""
TEXT = handbook.packaged().replace("[lots]\n", f"{GROUPS}\n[lots]\n", 1)
RULES = handbook.parse(TEXT).sizing
VALUE = TokenValue(Quarter(2027, 1), "2027-Q1.1", 10_200_000, buffer_permille=150)
CLAIM = Claim("per_1", "senior", NanoUSD.parse("160000"), 1_000, 31, 31)


def grant(claim: Claim, *, weighted: bool = True) -> Factors:
    return size([claim], RULES, VALUE, budget=None, weighted=weighted).grants["per_1"]


def reviewed(factor: str, claim: Claim = CLAIM) -> Claim:
    return dataclasses.replace(claim, annual=Annual(2026, "above", Decimal(factor)))


def test_it_multiplies_the_weight() -> None:
    """A senior's 1.05 × 1.05 makes 1.1025, and the grant follows."""
    found = grant(reviewed("1.05"))
    assert (grant(CLAIM).weight, found.weight) == (Decimal("1.0500"), Decimal("1.1025"))
    assert found.steps.product == Decimal("1.1025")
    assert found.amount > grant(CLAIM).amount


@given(st.decimals("0.90", "1.10", places=2), st.sampled_from(["junior", "mid", "senior", "staff", "principal"]))
def test_it_stays_within_the_clip(factor: Decimal, level: str) -> None:
    """Whatever the group, the weight stays within the handbook's limits, and a better group is never worse."""
    claim = dataclasses.replace(CLAIM, level=level, annual=Annual(2026, "above", factor))
    found = grant(claim)
    assert RULES.least_weight <= found.weight <= RULES.most_weight
    better = grant(dataclasses.replace(claim, annual=Annual(2026, "above", factor + Decimal("0.01"))))
    assert better.amount >= found.amount


def test_a_clipped_weight_says_so() -> None:
    """What the limits take off is told as with the other factors."""
    rules = dataclasses.replace(RULES, most_weight=Decimal("1.10"))
    found = size([reviewed("1.10")], rules, VALUE, budget=None).grants["per_1"]
    assert found.weight == Decimal("1.1000")
    assert workings.of(found).kept


def test_its_reason_names_the_group_and_the_year() -> None:
    """The same in a statement, an audit row and `why`; without a review there is none."""
    [reason] = [one for one in grant(reviewed("0.95")).because if one.code == "annual"]
    assert reason.text == "your group in the annual review of 2026"
    assert dict(reason.figures) == {"factor": "0.95", "group": "above", "year": "2026"}
    assert not [one for one in grant(CLAIM).because if one.code == "annual"]


def test_the_pilot_knows_no_factors() -> None:
    """Where w is 1 the annual review counts as little as the others, and is not told."""
    assert grant(reviewed("1.05"), weighted=False).annual is None
    assert grant(reviewed("1.05"), weighted=False).amount == grant(CLAIM, weighted=False).amount


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"above"\nfactor = 1.05',
            '"above"\nfactor = 1.11',
            "sizing.annual.above.factor = 1.11: not from 0.90 to 1.10",
        ),
        ("factor = 0.9", "factor = 0.89", "sizing.annual.below.factor = 0.89: not from 0.90 to 1.10"),
        ('name = "below"', 'name = "above"', "sizing.annual.above: listed twice"),
    ],
)
def test_groups_that_cannot_be_are_refused(old: str, new: str, says: str) -> None:
    """No group moves a grant by more than a tenth, and none is there twice."""
    with pytest.raises(handbook.HandbookError, match=says.replace(".", r"\.")):
        handbook.parse(TEXT.replace(old, new, 1))


def test_a_change_of_a_group_is_told_by_its_name() -> None:
    """Who confirms a handbook reads which group's factor changes."""
    changed = differences(TEXT, TEXT.replace("factor = 1.05", "factor = 1.02"))
    assert [(one.key, one.old, one.new) for one in changed] == [("sizing.annual.above.factor", "1.05", "1.02")]


def test_the_packaged_handbook_has_no_groups() -> None:
    """Until a permanent policy is adopted, no annual review counts."""
    assert handbook.parse(handbook.packaged()).sizing.annual == ()
