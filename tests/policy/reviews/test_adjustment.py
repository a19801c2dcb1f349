"""The quarterly adjustment as it was at first: examples, states, bounds, peers, and what is said of each.

What holds now is in `test_beside_peers.py` and `test_wider_teams.py`; who was judged by this stays judged by it.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from policy import handbook
from policy.reviews import robust
from policy.reviews.adjustment import (
    FEW_IN_TEAM,
    FEW_PEERS,
    FEW_WEEKS,
    NO_OUTPUT,
    adjust,
    bounds,
    carried,
    change,
    next_state,
)
from policy.reviews.efficiency import merged_upward
from policy.reviews.persons import HIGH, LOW, USUAL, Person, Weekly
from policy.reviews.reasons import because, would_change
from policy.units import MICRO_PER_TOKEN

BOOK = handbook.parse(handbook.packaged())
BY_TEAM = BOOK.adjustment.first_edition
BY_PERSON = dataclasses.replace(BY_TEAM, unit="person")
CHANGE, USE = BY_TEAM.change, BY_TEAM.use
WEEKS = BY_TEAM.weeks
USED = (Decimal("0.6"), Decimal("0.6"))
NONE = Decimal(0)


def weekly(*tokens: int) -> Weekly:
    """Debits of the quarter's weeks: the tokens given, over and over."""
    return tuple(tokens[i % len(tokens)] * MICRO_PER_TOKEN for i in range(WEEKS))


def each(*output: float) -> Weekly:
    return tuple(output[i % len(output)] for i in range(WEEKS))


def person(name: str, output: Weekly, debits: Weekly | None = None, **more: Any) -> Person:  # noqa: ANN401 - fields
    made = Person(name, "engineering", "mid", "core", output, debits or weekly(900, 1_100), USED)
    return dataclasses.replace(made, **more)


def peers(count: int, *, level: str = "mid", family: str = "engineering", first: int = 0) -> list[Person]:
    """Ordinary people, each a little better than the one before, with somewhat uneven weeks."""
    return [
        person(f"peer_{family}_{level}_{i:02}", each(2 + 0.1 * i, 3 + 0.1 * i), level=level, role_family=family)
        for i in range(first, first + count)
    ]


@pytest.mark.parametrize(
    ("z", "noise", "state", "kept", "delta"),
    [
        (1.8, 0.9, USUAL, (0.25, 0.45, -0.16), "0"),
        (1.2, 0.1, USUAL, (0.75, 0.90, 0.55), "0.045"),
        (-0.6, 0.1, LOW, (0.75, -0.45, -0.80), "-0.100"),
        (0.1, 0.1, HIGH, (0.75, 0.075, -0.275), "0.050"),
    ],
)
def test_the_programmes_examples(z: float, noise: float, state: str, kept: tuple[float, ...], delta: str) -> None:
    """At τ² = .3: nothing for the lucky one, +4.5 % for the efficient, −10 % for LOW, +5 % for HIGH."""
    shrunk = robust.shrunk(np.array([z]), np.array([noise]), 0.3, float(BY_TEAM.efficiency.confidence))
    believed, theta, lcb = (float(one[0].round(6)) for one in shrunk)
    assert (believed, theta) == kept[:2]
    assert lcb == pytest.approx(kept[2], abs=0.006)
    assert change(theta, lcb, state, (), CHANGE).delta == Decimal(delta)


@pytest.mark.parametrize(
    ("used", "state"),
    [(["0.6"], USUAL), (["0.7"], USUAL), (["0.22", "0.22"], LOW), (["0.95"], HIGH), (["0.22"], USUAL)],
)
def test_the_examples_use_is_their_state(used: list[str], state: str) -> None:
    """What the examples used of their grants puts them into the states that the examples have."""
    assert next_state(USUAL, [Decimal(u) for u in used], USE) == state


def test_the_lucky_newcomer_gets_nothing() -> None:
    """The top raw score of all, from two lucky weeks of eight: not to be told from chance, so Δ is 0."""
    absent = (None,) * 5
    lucky = person("new", (*absent, 1, 0, 2, 30, 1, 1, 28, 0), absent + weekly(1_000)[5:], utilisation=(USED[0],))
    adjusted = adjust([*peers(12), lucky], BY_PERSON)
    scores = {name: one.score for name, one in adjusted.items() if one.score}
    assert max(scores, key=lambda name: scores[name].residual) == "new"
    assert scores["new"].z > 1.5
    assert scores["new"].lcb < 0
    assert adjusted["new"].delta == 0
    steady = person("new", each(9, 10), utilisation=(USED[0],))
    assert adjust([*peers(12), steady], BY_PERSON)["new"].delta > 0


STATES = [
    # before, quarters, after
    (USUAL, ["0.39", "0.39"], LOW),
    (USUAL, ["0.40", "0.39"], USUAL),
    (USUAL, ["0.39", "0.40"], USUAL),
    (USUAL, ["0.39", None, "0.39"], USUAL),
    (USUAL, ["0.10", "0.39", "0.39"], LOW),
    (USUAL, ["0.90"], USUAL),
    (USUAL, ["0.91"], HIGH),
    (USUAL, [], USUAL),
    (LOW, ["0.39", "0.41"], LOW),
    (LOW, ["0.39", "0.50"], LOW),
    (LOW, ["0.39", "0.51"], USUAL),
    (LOW, ["0.39", "0.95"], HIGH),
    (LOW, ["0.39", None], LOW),
    (HIGH, ["0.95", "0.85"], HIGH),
    (HIGH, ["0.95", "0.80"], HIGH),
    (HIGH, ["0.95", "0.79"], USUAL),
    (HIGH, ["0.95", "0.30"], USUAL),
    (HIGH, ["0.30", "0.30"], LOW),
    (HIGH, ["0.95", None], HIGH),
    (HIGH, [], HIGH),
]


@pytest.mark.parametrize(("before", "quarters", "after"), STATES)
def test_states_are_entered_late_and_left_late(before: str, quarters: list[str | None], after: str) -> None:
    """Every step of the table: between the thresholds a state stays as it is, unknown quarters change nothing."""
    assert next_state(before, [None if q is None else Decimal(q) for q in quarters], USE) == after


def test_a_state_of_unknown_use_moves_nothing() -> None:
    """Someone LOW who was away for a quarter stays LOW, and is not cut for it."""
    away = person("away", each(3), state=LOW, utilisation=(Decimal("0.2"), Decimal("0.2"), None))
    adjusted = adjust([*peers(6), away], BY_PERSON)["away"]
    assert (adjusted.state, adjusted.change.low) == (LOW, NONE)
    assert "is not known, so it changes nothing" in " ".join(reason.text for reason in because(adjusted))


@pytest.mark.parametrize(
    ("theta", "state", "delta"),
    [(-0.5, HIGH, "0"), (-0.49, HIGH, "0.050"), (-2.5, USUAL, "0"), (-2.5, LOW, "-0.100"), (2.5, HIGH, "0.100")],
)
def test_low_efficiency_never_cuts_and_keeps_use_from_raising(theta: float, state: str, delta: str) -> None:
    """However low the score: no cut without LOW; and HIGH raises only above −.5, within 10 %."""
    assert change(theta, theta - 0.1, state, (), CHANGE).delta == Decimal(delta)


@pytest.mark.parametrize("state", [USUAL, HIGH])
def test_without_a_score_nothing_raises(state: str) -> None:
    """A raise needs evidence: burnt tokens alone are none."""
    assert change(None, None, state, (), CHANGE).delta == 0
    assert change(None, None, LOW, (), CHANGE).delta == Decimal("-0.1")


@pytest.mark.parametrize(
    ("deltas", "least", "most"),
    [
        ([], "-0.100", "0.100"),
        (["0.1", "0.1"], "-0.100", "0.033"),
        (["0.1", "0.1", "0.033"], "-0.100", "0.000"),
        (["-0.1", "-0.1"], "-0.074", "0.100"),
        (["-0.1", "-0.1", "-0.074"], "0.000", "0.100"),
        (["0.3"], "-0.100", "0.000"),
        (["-0.3"], "0.000", "0.100"),
    ],
)
def test_a_year_stays_within_a_quarter(deltas: list[str], least: str, most: str) -> None:
    """Changes of four quarters multiply to ±25 % at most; earlier ones beyond that are no reason for a change."""
    assert bounds([Decimal(delta) for delta in deltas], CHANGE) == (Decimal(least), Decimal(most))


def test_what_is_carried_stays_within_floor_and_cap() -> None:
    """Ten cuts in a row do not have to be undone before a raise is felt."""
    factor = Decimal(1)
    for _ in range(10):
        factor = carried(factor, Decimal("-0.1"), BOOK.sizing)
    assert factor == BOOK.sizing.floor_share
    assert carried(factor, Decimal("0.045"), BOOK.sizing) == Decimal("0.627")


@pytest.mark.parametrize(
    ("people", "groups"),
    [
        ({"junior": 5, "mid": 5}, [("junior",), ("mid",)]),
        ({"junior": 3, "mid": 5}, [("junior", "mid")]),
        (
            {"mid": 2, "junior": 3, "senior": 10, "staff": 2, "principal": 1},
            [("junior", "mid"), ("senior", "staff", "principal")],
        ),
        ({"junior": 4}, []),
        ({"junior": 2, "principal": 3}, [("junior", "principal")]),
        ({}, []),
    ],
)
def test_peers_are_merged_upward(people: dict[str, int], groups: list[tuple[str, ...]]) -> None:
    """A level of fewer than five joins the next one up; the highest have none above, and join those below."""
    assert merged_upward(people, 5) == groups


def test_a_small_family_is_compared_with_everybody() -> None:
    """Two researchers among twelve engineers are scored among all fourteen, and move no one else's score."""
    engineers = peers(12)
    two = peers(2, family="research", first=3)
    alone, together = adjust(engineers, BY_PERSON), adjust([*engineers, *two], BY_PERSON)
    scores = [one.score for one in together.values() if one.score]
    assert [score.peers.key for score in scores] == ["engineering/mid"] * 12 + ["everybody"] * 2
    assert scores[-1].peers.size == 14
    assert [alone[p.person_id].score for p in engineers] == [together[p.person_id].score for p in engineers]


def test_the_key_of_merged_peers_names_the_levels() -> None:
    """Three juniors and seven people of mid level are ten peers together."""
    adjusted = adjust([*peers(3, level="junior"), *peers(7)], BY_PERSON)
    assert {(a.score.peers.key, a.score.peers.size) for a in adjusted.values() if a.score} == {
        ("engineering/junior+mid", 10)
    }


def test_nobody_and_one_person() -> None:
    """Of no one nothing is told; one person has no peers, and is judged by use alone."""
    for rules in (BY_TEAM, BY_PERSON):
        assert adjust([], rules) == {}
    low = (Decimal("0.2"), Decimal("0.2"))
    [one] = adjust([person("one", each(3), utilisation=low)], BY_PERSON).values()
    assert (one.score, one.missing, one.delta) == (None, FEW_PEERS, Decimal("-0.1"))
    [one] = adjust([person("one", each(3), utilisation=low)], BY_TEAM).values()
    assert (one.score, one.missing, one.delta) == (None, FEW_IN_TEAM, Decimal("-0.1"))


def test_all_equal_are_all_usual() -> None:
    """Where no one differs, MAD is 0, every score is 0, and no one gets anything for it."""
    adjusted = adjust([person(f"per_{i}", each(2, 4)) for i in range(7)], BY_PERSON)
    for one in adjusted.values():
        assert one.score is not None
        assert (one.score.z, one.score.theta, one.lcb, one.delta) == (0.0, 0.0, 0.0, NONE)


def test_where_most_are_equal_the_others_still_differ() -> None:
    """MAD is 0 with more ties than half: the mean deviation is taken instead, and best and worst differ."""
    people = [person(f"per_{i}", each(2, 4)) for i in range(7)]
    adjusted = adjust([*people, person("worst", each(0, 1)), person("best", each(8, 9))], BY_PERSON)
    z = {name: one.score.z for name, one in adjusted.items() if one.score}
    assert z["worst"] < 0 == z["per_0"] < z["best"] <= 2.5


def test_nobody_spent_anything() -> None:
    """Without tokens there is output alone to compare; nothing fails, and zero is a figure."""
    people = [dataclasses.replace(p, debits=weekly(0)) for p in peers(8)]
    adjusted = adjust(people, BY_PERSON)
    assert [one.score.tokens for one in adjusted.values() if one.score] == [0] * 8


@pytest.mark.parametrize(
    ("changed", "missing", "text"),
    [
        ({"debits": (None,) * 6 + weekly(1)[6:]}, FEW_WEEKS, "there are figures for 7 weeks, and a score needs 8"),
        ({"output": ()}, NO_OUTPUT, "nothing is known about your output"),
        ({"output": (None,) * 6 + each(1)[6:]}, FEW_WEEKS, "there are figures for 7 weeks, and a score needs 8"),
    ],
)
def test_too_little_is_said_outright(changed: dict[str, Any], missing: str, text: str) -> None:
    """Not enough weeks, or no output at all: no score, no raise, and the reason in words."""
    odd = person("odd", each(9), utilisation=(Decimal("0.95"),))
    adjusted = adjust([*peers(8), dataclasses.replace(odd, **changed)], BY_PERSON)["odd"]
    assert (adjusted.score, adjusted.missing, adjusted.delta, adjusted.state) == (None, missing, NONE, HIGH)
    assert because(adjusted)[0].code == "not_enough_data"
    assert because(adjusted)[0].text == f"not enough data for an efficiency score: {text}"
    assert text in would_change(adjusted)[0].text


def test_too_few_peers_is_said_outright() -> None:
    """Four people are no peers of one another."""
    for one in adjust(peers(4), BY_PERSON).values():
        assert one.missing == FEW_PEERS
        assert because(one)[0].text.endswith("fewer than the 5 peers with figures that a score needs")


def test_part_time_and_weeks_away_are_no_inefficiency() -> None:
    """Half a post with half the output and tokens, or nine weeks of the same, scores as a full post and quarter do."""
    full = person("a_full", each(4), weekly(1_000))
    half = person("b_half", each(2), weekly(500), fte_permille=500)
    away = person("c_away", (None,) * 4 + each(4)[4:], (None,) * 4 + weekly(1_000)[4:])
    adjusted = adjust([*peers(8), full, half, away], BY_PERSON)
    residuals = {adjusted[p.person_id].score.residual for p in (full, half, away)}  # type: ignore[union-attr]
    assert len(residuals) == 1


def team(name: str, output: float, people: int = 6) -> list[Person]:
    return [person(f"{name}_{i}", each(output, output + 1), team=name) for i in range(people)]


def test_a_teams_score_is_everybodys_in_it() -> None:
    """In a team all have θ of the team, whoever of them did it; what is used is each one's own."""
    teams = [p for i in range(8) for p in team(f"team_{i}", 2 + 0.1 * i)]
    best = [*team("best", 9, people=5), person("best_idle", each(0), team="best", utilisation=(Decimal("0.1"),) * 2)]
    adjusted = adjust([*teams, *best], BY_TEAM)
    assert len({one.score for name, one in adjusted.items() if name.startswith("best")}) == 1
    assert adjusted["best_0"].delta > 0
    assert adjusted["best_idle"].change.efficiency > 0 > adjusted["best_idle"].change.low
    assert adjusted["best_0"].score is not None
    assert (adjusted["best_0"].score.peers.key, adjusted["best_0"].score.peers.size) == ("engineering", 9)


def test_a_large_team_is_not_better_for_being_large() -> None:
    """Output and tokens are per post: twelve people who do as six others do have the same score."""
    teams = [p for i in range(6) for p in team(f"team_{i}", 2 + 0.1 * i)]
    adjusted = adjust([*teams, *team("small", 4, people=6), *team("large", 4, people=12)], BY_TEAM)
    assert adjusted["small_0"].score == adjusted["large_0"].score


def test_output_may_be_known_of_teams_alone() -> None:
    """The same totals by team give the same scores as those of its people added up."""
    people = [p for i in range(7) for p in team(f"team_{i}", 2 + 0.25 * i)]
    totals = {f"team_{i}": tuple(6 * week for week in each(2 + 0.25 * i, 3 + 0.25 * i) if week) for i in range(7)}
    unmeasured = [dataclasses.replace(p, output=()) for p in people]
    by_team = adjust(unmeasured, BY_TEAM, team_output=totals)
    assert {n: a.score for n, a in by_team.items()} == {n: a.score for n, a in adjust(people, BY_TEAM).items()}
    assert {a.missing for a in adjust(unmeasured, BY_TEAM).values()} == {NO_OUTPUT}


def test_a_team_of_few_has_no_score() -> None:
    """The score of a team of four would tell each what the others did; nor does it count among the peers."""
    teams = [p for i in range(6) for p in team(f"team_{i}", 2 + 0.1 * i)]
    adjusted = adjust([*teams, *team("few", 9, people=4)], BY_TEAM)
    assert adjusted["few_0"].missing == FEW_IN_TEAM
    assert "your team has 4 people, and a score needs 5" in because(adjusted["few_0"])[0].text
    assert {one.score.peers.size for one in adjusted.values() if one.score} == {6}


def test_who_has_just_come_to_a_team_has_no_part_in_its_score() -> None:
    """Three weeks in the best of teams are no evidence."""
    teams = [p for i in range(8) for p in team(f"team_{i}", 2 + 0.1 * i)]
    joined = person("best_new", (None,) * 10 + each(9)[10:], (None,) * 10 + weekly(900)[10:], team="best")
    adjusted = adjust([*teams, *team("best", 9), joined], BY_TEAM)
    assert adjusted["best_0"].delta > 0
    assert (adjusted["best_new"].missing, adjusted["best_new"].delta) == (FEW_WEEKS, NONE)


def test_the_elasticity_is_fitted_where_there_are_enough() -> None:
    """With 49 people β is the handbook's; with 50 it is the slope of their own figures."""
    people = [person(f"per_{i:02}", each(3 * (1 + i % 7) ** 0.5), weekly(1_000 * (1 + i % 7))) for i in range(50)]
    few = adjust(people[:49], BY_PERSON)["per_00"].score
    many = adjust(people, BY_PERSON)["per_00"].score
    assert few is not None
    assert few.elasticity == 0.3
    assert many is not None
    assert many.elasticity == pytest.approx(0.5, abs=0.1)


def test_each_step_is_told_with_its_figures() -> None:
    """Inputs, peers, score, shrinkage, use, terms and outcome, in order; and what would have changed it."""
    people = [*peers(12), person("odd", each(2, 3), utilisation=(Decimal("0.7"), Decimal("0.22")))]
    adjusted = adjust(people, BY_PERSON)["odd"]
    assert [reason.code for reason in because(adjusted)] == [
        "inputs",
        "peers",
        "score",
        "shrinkage",
        "use",
        "efficiency",
        "low",
        "high",
        "delta",
    ]
    told = {reason.code: reason for reason in because(adjusted)}
    assert told["peers"].text == "compared with 13 people of engineering (mid)"
    assert told["peers"].figures == {"peers": "engineering/mid", "size": "13"}
    assert told["use"].text == "you used 22 % of your regular grants, neither LOW nor HIGH"
    assert adjusted.lcb is not None
    assert [reason.text for reason in would_change(adjusted)] == [
        f"for a raise for efficiency, the cautious lower bound would have to be above 0; it is −{-adjusted.lcb:.2f}",
        "use below 40 % in 2 quarters in a row leads to a cut; it was 22 %, and has been below in 1 so far",
        "use above 90 % counts as HIGH; it was 22 %",
    ]


def test_who_has_too_few_peers_reads_with_whom_they_are_compared() -> None:
    """A family of too few is compared with people of all kinds of work, and reads so; the figures do not change."""
    few = [person(f"few_{i}", each(i, i + 1), role_family="design") for i in range(2, 4)]
    told = {one.code: one for one in because(adjust([*peers(12), *few], BY_PERSON)["few_2"])}
    assert told["peers"].text == "compared with 14 people of all kinds of work, because there are too few of yours"
    assert told["peers"].figures == {"peers": "everybody", "size": "14"}


@pytest.mark.parametrize(
    ("before", "used", "words"),
    [
        ("usual", ("0.3", "0.22"), "which counts as LOW"),
        ("low", ("0.3", "0.45"), "still LOW"),
        ("usual", ("0.7", "0.95"), "which counts as HIGH"),
        ("high", ("0.95", "0.85"), "still HIGH"),
    ],
)
def test_a_state_that_stays_is_told_as_one(before: str, used: tuple[str, str], words: str) -> None:
    """Anyone who used 45 % and was LOW before reads that it still is, as 45 % alone would not make it so."""
    one = person("one", each(2, 3), utilisation=tuple(map(Decimal, used)), state=before)
    told = {reason.code: reason.text for reason in because(adjust([*peers(12), one], BY_PERSON)["one"])}
    assert told["use"].endswith(f"of your regular grants, {words}")


def test_what_is_missing_is_said_once_and_in_the_singular() -> None:
    """A team of one person: the reason and what would change it name it in the same words."""
    alone = dataclasses.replace(person("alone", each(2, 3)), team="alone")
    adjusted = adjust([*peers(12), alone], BY_TEAM)["alone"]
    missing = "your team has 1 person, and a score needs 5"
    assert because(adjusted)[0].text == f"not enough data for an efficiency score: {missing}"
    assert would_change(adjusted)[0].text == f"a raise for efficiency needs a score, but {missing}"


def test_the_terms_add_up_and_bounds_are_told() -> None:
    """Δ is the sum of its terms; what the year's bound takes away is a term too."""
    best = person("best", each(9, 10), deltas=(Decimal("0.1"), Decimal("0.1"), Decimal("0.02")))
    adjusted = adjust([*peers(12), best], BY_PERSON)["best"]
    assert adjusted.delta == sum(adjusted.change) == Decimal("0.012")
    assert adjusted.change.bounded < 0
    [bounded] = [reason for reason in because(adjusted) if reason.code == "bounded"]
    assert bounded.text == "kept within ±10 % a quarter and ±25 % a year"
    assert "without the limits the change would be +" in would_change(adjusted)[-1].text


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"utilisation": (Decimal("0.2"), Decimal("0.2"))},
            "use above 50 % of the regular grants ends LOW; it was 20 %",
        ),
        ({"utilisation": (Decimal("0.95"),)}, "use below 80 % ends HIGH; it was 95 %"),
    ],
)
def test_the_way_out_of_a_state_is_told(changed: dict[str, Any], text: str) -> None:
    """Anyone who is LOW or HIGH reads which use ends it."""
    adjusted = adjust([*peers(12), person("odd", each(3), **changed)], BY_PERSON)["odd"]
    assert text in [reason.text for reason in would_change(adjusted)]


def test_a_raise_by_use_that_efficiency_holds_back_is_told() -> None:
    """Anyone who burns everything and delivers little reads that the score is too low, and what it is."""
    adjusted = adjust([*peers(12), person("odd", each(0.5), utilisation=(Decimal("0.99"),))], BY_PERSON)["odd"]
    assert adjusted.theta is not None
    assert (adjusted.state, adjusted.delta) == (HIGH, NONE)
    assert any("would have to be above −0.5" in reason.text for reason in would_change(adjusted))


def test_figures_that_do_not_fit_together_are_refused() -> None:
    """A person given twice, or weeks that differ in number, would be credited to someone or some week wrongly."""
    with pytest.raises(ValueError, match="given twice"):
        adjust([person("one", each(3)), person("one", each(3))], BY_PERSON)
    with pytest.raises(ValueError, match="weeks differ in number: 12, 13"):
        adjust([person("one", each(3)), person("two", each(3)[1:])], BY_PERSON)
    for week in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="output of one is below zero or no number"):
            adjust([person("one", each(3, week))], BY_PERSON)


def test_corrections_of_earlier_usage_do_no_harm() -> None:
    """Debits below zero, in a week or in all, leave a score that is a number."""
    some, all_of_them = person("some", each(3), weekly(500, -2_000)), person("all", each(3), weekly(-100))
    adjusted = adjust([*peers(8), some, all_of_them], BY_PERSON)
    scores = [adjusted[name].score for name in ("some", "all")]
    assert [score.tokens for score in scores if score] == [0, 0]
    assert all(score is not None and -2.5 <= score.theta <= 2.5 and score.noise >= 0 for score in scores)
