"""LOW beside one's peers, HIGH without a score, and grants that are too large for many."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.reviews import use
from policy.reviews.adjustment import adjust, change, next_state
from policy.reviews.persons import HIGH, LOW, USUAL, Person
from policy.reviews.reasons import because, would_change
from policy.reviews.use import TooLarge, Using
from tests.support import depth

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = handbook.parse(handbook.packaged()).adjustment
CHANGE, USE = RULES.change, RULES.use
RESIZE = RULES.resize
ABSENT = (None,) * RULES.weeks
assert RESIZE is not None


def shares(*texts: str | None) -> tuple[Decimal | None, ...]:
    return tuple(None if text is None else Decimal(text) for text in texts)


def person(number: int, *used: str | None, state: str = USUAL, family: str = "engineering") -> Person:
    """Someone of whom nothing is known but their use."""
    return Person(f"per_{number:02}", family, "mid", "", (), ABSENT, shares(*used), state)


def usual(count: int, used: str = "0.6") -> list[Person]:
    return [person(number, used, used) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("theta", "lcb", "used", "peers", "delta"),
    [
        (-0.45, -0.80, ["0.22", "0.22"], ["0.60", "0.60"], "-0.100"),
        (-0.45, -0.80, ["0.22", "0.22"], ["0.30", "0.30"], "0"),
        (0.075, -0.275, ["0.95"], ["0.60"], "0.050"),
        (0.45, -0.16, ["0.60"], ["0.60"], "0"),
        (0.90, 0.55, ["0.70"], ["0.60"], "0.045"),
        (None, None, ["0.95"], ["0.60"], "0.050"),
        (-0.5, -0.9, ["0.95"], ["0.60"], "0"),
    ],
)
def test_the_programmes_examples(
    theta: float | None, lcb: float | None, used: list[str], peers: list[str], delta: str
) -> None:
    """22 % twice cuts beside a median of 60 %, not beside one of 30 %; 95 % raises unless the score is −.5 or less."""
    state = next_state(USUAL, shares(*used), USE, shares(*peers))
    assert change(theta, lcb, state, (), CHANGE).delta == Decimal(delta)


@pytest.mark.parametrize(
    ("before", "used", "peers", "after"),
    [
        (USUAL, ["0.29", "0.29"], ["0.60", "0.60"], LOW),
        (USUAL, ["0.30", "0.29"], ["0.60", "0.60"], USUAL),
        (USUAL, ["0.29", "0.30"], ["0.60", "0.60"], USUAL),
        (USUAL, ["0.39", "0.39"], ["0.90", "0.90"], LOW),
        (USUAL, ["0.40", "0.40"], ["0.90", "0.90"], USUAL),
        (USUAL, ["0.10", "0.10"], [None, "0.60"], USUAL),
        (USUAL, ["0.10", "0.10"], [None, None], USUAL),
        (USUAL, ["0", "0"], ["0", "0"], USUAL),
        (LOW, ["0.20", "0.36"], ["0.60", "0.60"], LOW),
        (LOW, ["0.20", "0.37"], ["0.60", "0.60"], USUAL),
        (LOW, ["0.20", "0.50"], ["0.90", "0.90"], LOW),
        (LOW, ["0.20", "0.51"], ["0.90", "0.90"], USUAL),
        (LOW, ["0.05", "0.05"], ["0.05", "0.05"], USUAL),
        (LOW, ["0.05", "0.05"], [None, None], USUAL),
        (LOW, ["0.05", None], ["0.60", "0.60"], LOW),
        (LOW, ["0.05", "0.95"], ["0.60", "0.60"], HIGH),
    ],
)
def test_states_beside_peers(before: str, used: list[str | None], peers: list[str | None], after: str) -> None:
    """LOW is entered below 40 % and half the median twice, left above 50 % or .6 of it; without peers no one is LOW."""
    assert next_state(before, shares(*used), USE, shares(*peers)) == after


def test_peers_in_use_are_those_of_the_scores() -> None:
    """Role family × level, merged upward; a small family is compared with everyone; too few people have no median."""
    engineers = [Using("engineering", "mid", shares(None, f"0.{n}")) for n in range(1, 8)]
    design = [Using("design", "mid", shares("0.9", "0.9"))] * 2
    found = use.of_peers([*engineers, *design], 2, 5)
    assert found[0] == (None, Decimal("0.4"))
    assert found[-1] == (None, Decimal("0.5"))
    assert use.of_peers(engineers[:4], 2, 5) == [(None, None)] * 4


def test_a_team_of_the_past_is_nobodys_peer() -> None:
    """Weeks that count for a team alone carry no use, and move no median."""
    weeks_alone = [dataclasses.replace(person(50 + n), utilisation=()) for n in range(9)]
    people = [person(0, "0.22", "0.22"), *usual(8)]
    found = adjust([*people, *weeks_alone], RULES)
    assert found["per_00"].peers == shares("0.6", "0.6")
    assert (found["per_00"].state, found["per_00"].delta) == (LOW, Decimal("-0.100"))


def test_the_reason_has_the_figures_of_both_quarters() -> None:
    """One's own use and the middle of the peers', in the quarter and in the one before; and what ends LOW."""
    low = adjust([person(0, "0.25", "0.22"), *usual(8)], RULES)["per_00"]
    told = {reason.code: reason for reason in because(low)}
    assert told["use"].text == (
        "what you used was 22 % of your regular grants (25 % in the quarter before);"
        " the middle of your peers was 60 % (60 % in the quarter before): which counts as LOW"
    )
    assert told["use"].figures["peers"] == "0.6"
    assert "use above 36 % of the regular grants ends LOW; it was 22 %" in [r.text for r in would_change(low)]
    near = adjust([person(0, "0.6", "0.22"), *usual(8)], RULES)["per_00"]
    assert would_change(near)[1].text == (
        "use below 40 % and below 50 % of the middle of your peers in 2 quarters in a row leads to a cut; it was 22 %,"
        " and has been below in 1 so far"
    )
    alone = adjust([person(0, "0.25", "0.22")], RULES)["per_00"]
    assert "you have too few peers to compare that with" in because(alone)[1].text


# --- Too large -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "found"),
    [
        (["0.05"] * 20, TooLarge(20, 20, Decimal("0.05"))),
        (["0.39"] * 4 + ["0.8"] * 6, TooLarge(10, 4, Decimal("0.8"))),
        (["0.39"] * 3 + ["0.8"] * 6, None),
        (["0.40"] * 9, None),
        ([], None),
    ],
)
def test_more_than_a_third_below_is_the_programmes_fault(used: list[str], found: TooLarge | None) -> None:
    """A third exactly is not more; the percentile is a use that someone had."""
    assert use.too_large([Decimal(one) for one in used], RULES) == found


@pytest.mark.parametrize(
    ("share", "percentile", "proposed"),
    [("0.25", "0.05", "0.100"), ("0.25", "0.333", "0.108"), ("0.25", "0.62", "0.180"), ("0.25", "0.95", "0.250")],
)
def test_the_share_of_compensation_that_use_calls_for(share: str, percentile: str, proposed: str) -> None:
    """P90 + 10 points of what it was, at least 40 % of it and never more than it was, to a tenth of a per cent."""
    assert RESIZE is not None
    found = use.proposed_share(Decimal(share), TooLarge(9, 9, Decimal(percentile)), RESIZE)
    assert found == Decimal(proposed)


def test_only_who_used_next_to_nothing_is_cut_where_the_grants_are_too_large() -> None:
    """Among people who use 10 to 15 %, 4 % is LOW and spared, 1 % twice is cut, and 1 % once is not."""
    normal = [person(n, f"0.1{n % 6}", f"0.1{n % 6}") for n in range(10, 20)]
    some, idle, once = person(1, "0.04", "0.04"), person(2, "0.01", "0.019"), person(3, "0.03", "0.01")
    found = adjust([*normal, some, idle, once], RULES)
    told = [(found[p.person_id].state, found[p.person_id].spared, found[p.person_id].delta) for p in (some, idle, once)]
    assert told == [(LOW, True, 0), (LOW, False, Decimal("-0.100")), (LOW, True, 0)]
    assert all(found[p.person_id].delta == 0 for p in normal)
    [spared] = [reason.text for reason in because(found["per_01"]) if reason.code == "spared"]
    assert spared == (
        "more than one person in 3 used less than 40 %, so the grants are too large rather than the use too small;"
        " this time LOW cuts only people who used less than 2 % in each of 2 quarters"
    )


# --- What holds of every company -----------------------------------------------------------------------------------

permille = st.integers(0, 1_000).map(lambda n: Decimal(n) / 1_000)
uses = st.lists(st.tuples(permille, permille), min_size=1, max_size=20)
often = settings(max_examples=depth.examples(100), deadline=None)


def company(used: Sequence[tuple[Decimal, Decimal]], *, factor: Decimal = Decimal(1)) -> list[Person]:
    return [
        dataclasses.replace(person(n), utilisation=tuple(one * factor for one in both)) for n, both in enumerate(used)
    ]


@given(permille, permille, st.integers(1, 20), st.sampled_from([LOW, USUAL, HIGH]))
@often
def test_nobody_is_cut_when_everyone_uses_the_same(before: Decimal, now: Decimal, people: int, state: str) -> None:
    """However little that is, and whatever they were: everyone is normal."""
    everybody = [dataclasses.replace(one, state=state) for one in company([(before, now)] * people)]
    # At nothing at all no share of the median is passed: who was LOW stays so, and idle.
    cut = any(one.delta < 0 for one in adjust(everybody, RULES).values())
    assert not cut or (state == LOW and now == 0)


@given(uses)
@often
def test_nobody_is_cut_at_half_the_median_of_their_peers(used: list[tuple[Decimal, Decimal]]) -> None:
    """In one quarter of the two is enough; and less than the absolute bound never suffices alone."""
    for one in adjust(company(used), RULES).values():
        if one.delta < 0:
            for own, middle in zip(one.utilisation, one.peers, strict=True):
                assert own is not None
                assert middle is not None
                assert own < middle / 2
                assert own < USE.low_enter


@given(uses, st.integers(1, 20))
@often
def test_a_ceiling_of_another_size_changes_low_only_by_the_absolute_bound(
    used: list[tuple[Decimal, Decimal]], times: int
) -> None:
    """When all grants are so many times as large, those who are LOW stay so, and only people below 40 % come to it."""
    first = adjust(company(used), RULES)
    larger = adjust(company(used, factor=Decimal(1) / times), RULES)
    for name, before in first.items():
        after = larger[name]
        if before.state == LOW:
            assert after.state == LOW
        elif after.state == LOW:
            assert any(one is not None and one >= USE.low_enter for one in before.utilisation)


@given(uses)
@often
def test_where_the_grants_are_too_large_only_the_idle_are_cut(used: list[tuple[Decimal, Decimal]]) -> None:
    """Whoever used 2 % in one of the quarters keeps their grant as long as more than a third use little."""
    assert RESIZE is not None
    below = sum(now < USE.low_enter for _, now in used)
    for one in adjust(company(used), RULES).values():
        if below * RESIZE.one_in > len(used) and one.delta < 0:
            assert all(share is not None and share < RESIZE.idle_below for share in one.utilisation)
