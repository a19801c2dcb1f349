"""The score of a team of few is that of the wider team, which moves nobody else's."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from policy import handbook
from policy.reviews import wider
from policy.reviews.adjusted import WIDER
from policy.reviews.adjustment import FEW_IN_TEAM, adjust
from policy.reviews.persons import Person
from policy.reviews.reasons import because
from policy.units import MICRO_PER_TOKEN

RULES = handbook.parse(handbook.packaged()).adjustment
WEEKS = RULES.weeks
ABOVE = {"few": "head", "pair": "head", "head": "top", "lone": "side", "side": "top"}


def team(name: str, output: float, people: int) -> list[Person]:
    weeks = tuple((output, output + 1)[i % 2] for i in range(WEEKS))
    debits = tuple((900, 1_100)[i % 2] * MICRO_PER_TOKEN for i in range(WEEKS))
    used = (Decimal("0.6"), Decimal("0.6"))
    return [Person(f"{name}_{i}", "engineering", "mid", name, weeks, debits, used) for i in range(people)]


def company() -> list[Person]:
    return [one for i in range(6) for one in team(f"team_{i}", 2 + 0.1 * i, 6)]


def test_a_team_of_few_has_the_score_of_the_wider_team() -> None:
    """Three and two people below one head are five: both have their score; a person alone goes up to the top."""
    people = [*company(), *team("few", 9, 3), *team("pair", 9, 2), *team("lone", 9, 1)]
    found = adjust(people, RULES, above=ABOVE)
    few, pair, lone = found["few_0"], found["pair_0"], found["lone_0"]
    assert few.score == pair.score is not None
    assert (few.unit, few.team_size, few.unit_size) == (WIDER, 3, 5)
    assert (lone.unit, lone.team_size, lone.unit_size) == (WIDER, 1, 6)
    assert few.delta > 0
    told = {one.code: one for one in because(few)}
    assert told["wider_team"].text == (
        "your team has 3 people, and a score needs 5, so that of your wider team counts: 5 people under a manager above"
        " yours"
    )
    assert set(told["inputs"].figures) == {"weeks"}


def test_wider_teams_move_nobody_elses_score() -> None:
    """The teams that are large enough are scored as if the others were not there."""
    others = adjust(company(), RULES)
    found = adjust([*company(), *team("few", 9, 3), *team("pair", 9, 2)], RULES, above=ABOVE)
    assert {name: found[name].score for name in others} == {name: one.score for name, one in others.items()}


def test_without_a_wider_team_there_is_no_score() -> None:
    """Nobody above, too few up to the top, or a handbook of before: θ is unknown."""
    few = team("few", 9, 4)
    for above, rules in [({}, RULES), ({"few": "head"}, RULES), (ABOVE, RULES.first_edition)]:
        one = adjust([*company(), *few], rules, above=above)["few_0"]
        assert (one.score, one.missing, one.unit) == (None, FEW_IN_TEAM, "team")


def test_a_wider_team_is_measured_where_its_output_is_known() -> None:
    """People of teams whose output nobody tells are not in it, nor are weeks before the first that was told."""
    everybody = [*company(), *team("few", 9, 3), *team("pair", 9, 3), *team("dark", 9, 4)]
    people = [dataclasses.replace(one, output=()) for one in everybody]
    output = {f"team_{i}": tuple(6 * (2 + 0.1 * i + week % 2) for week in range(WEEKS)) for i in range(6)}
    output |= {name: tuple(3.0 * (9 + week % 2) for week in range(WEEKS)) for name in ("few", "pair")}
    above = ABOVE | {"dark": "head"}
    whole = adjust(people, RULES, team_output=output, above=above)["few_0"]
    assert whole.unit_size == 6
    late = output | {"pair": (None,) * 4 + output["pair"][4:]}
    partly = adjust(people, RULES, team_output=late, above=above)["few_0"]
    assert whole.score is not None
    assert partly.score is not None
    assert (whole.score.weeks, partly.score.weeks) == (13, 13)
    # Per post, so that four weeks of half of the people are as good as those of all.
    assert abs(whole.score.output - partly.score.output) < 0.01
    assert abs(whole.score.tokens - partly.score.tokens) < 0.01


def test_managers_in_a_circle_end() -> None:
    """A line of managers that comes back to where it began is followed once."""
    circle = {"a": "b", "b": "c", "c": "a"}
    assert list(wider.managers_above("a", circle)) == ["b", "c"]
    assert wider.wider_teams(["a"], {"a": 2, "b": 1, "c": 1}, circle, 5) == {}
    assert wider.wider_teams(["a"], {"a": 2, "b": 3}, circle, 5) == {"a": "b"}
