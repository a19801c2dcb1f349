"""A company of 200 people over two years with planted ways: who gets what, and what gaming gains."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from benchmarks import simulated
from benchmarks.simulated import BOOK, HONEST, PEOPLE, QUARTERS
from policy.reviews.adjustment import adjust
from policy.reviews.persons import LOW, USUAL, Person

UNITS = ("team", "person")


def line(unit: str, kind: str, *, by_size: bool = False) -> simulated.Line:
    [found] = [one for one in lines(unit, by_size=by_size) if one.kind == kind]
    return found


def lines(unit: str, *, by_size: bool = False) -> list[simulated.Line]:
    return simulated.lines(simulated.run(unit, by_size=by_size))


@pytest.mark.parametrize("unit", UNITS)
def test_cuts_are_for_the_idle(unit: str) -> None:
    """Nearly all quarters from the second on cut the idle, and fewer than one in a hundred cuts anybody else.

    Those others had been raised before, and did not use what they got.
    """
    idle = line(unit, "idle")
    assert idle.cuts >= 0.7 * idle.quarters
    others = [one for one in lines(unit) if one.kind != "idle"]
    assert sum(one.cuts for one in others) < 0.01 * sum(one.quarters for one in others)
    result = simulated.run(unit)
    for who in result.company:
        for quarter, adjusted in enumerate(result.adjustments[who.id]):
            if adjusted.delta < 0:
                assert adjusted.state == LOW
                assert quarter > 0
                assert who.kind == "idle" or max(result.factors[who.id][:quarter]) > 1


@pytest.mark.parametrize("unit", UNITS)
def test_the_inefficient_and_the_unlucky_are_not_cut(unit: str) -> None:
    """Low efficiency alone never cuts, nor does one quarter with little to do and nothing to show."""
    assert line(unit, "unlucky").cuts == 0
    assert line(unit, "unlucky").factor >= 1
    assert line(unit, "inefficient").factor >= 1


def test_the_efficient_are_raised_where_people_are_measured() -> None:
    """Two of three quarters raise them, wrongly none; of the inefficient hardly any is raised."""
    efficient, inefficient = line("person", "efficient"), line("person", "inefficient")
    assert efficient.raised_by_efficiency > 0.65 * efficient.quarters
    assert efficient.wrongly == 0
    assert inefficient.raised_by_efficiency < 0.03 * inefficient.quarters
    assert efficient.factor > 1.25
    assert line("person", "usual").factor < 1.1


@pytest.mark.parametrize("unit", UNITS)
def test_few_raises_are_wrong_where_splitting_does_not_count(unit: str) -> None:
    """Fewer than 15 % of all raises by efficiency go to people or teams not above the middle of their peers."""
    told = lines(unit, by_size=True)
    raised = sum(one.raised_by_efficiency for one in told)
    assert raised > 200
    assert sum(one.wrongly for one in told) < 0.15 * raised


def test_the_lucky_newcomers_first_quarter_raises_nobody() -> None:
    """Two weeks of work by others in their name give high scores, which are not believed."""
    result = simulated.run("person")
    first = [result.adjustments[who.id][0] for who in result.company if who.kind == "newcomer"]
    assert len(first) == 10
    assert all(adjusted.score is not None and adjusted.score.lcb <= 0 for adjusted in first)
    assert sum(adjusted.score is not None and adjusted.score.z > 0.5 for adjusted in first) >= 3
    assert all(adjusted.change.efficiency == 0 for adjusted in first)


def test_splitting_work_gains_nothing_where_it_is_counted_by_size() -> None:
    """Counted by piece it gains much, less so where teams are measured, and never more than the cap."""
    by_size = simulated.gains("person", "splitter", most=3, by_size=True)
    assert abs(by_size.gaming - by_size.honest) < 0.02
    person, team = (simulated.gains(unit, "splitter", most=3) for unit in ("person", "team"))
    assert person.tokens > team.tokens > 0
    assert person.gaming <= float(BOOK.sizing.cap_share)


@pytest.mark.parametrize("unit", UNITS)
def test_burning_tokens_gains_less_than_a_fifth(unit: str) -> None:
    """HIGH raises by 5 %, bounded in a year and by the cap: those who burn get more, though not without end."""
    burner = simulated.gains(unit, "burner", most=3)
    assert burner.gaming > burner.honest
    assert burner.tokens < 0.2
    assert burner.gaming <= float(BOOK.sizing.cap_share)
    # What burning on top of idleness gains is that nothing is cut: no more than the grant of one who uses it.
    pretender = simulated.gains(unit, "pretender", most=3)
    assert pretender.tokens < 0.3
    assert pretender.gaming < burner.gaming


@pytest.mark.parametrize("unit", UNITS)
def test_grants_stay_within_the_budget_and_the_bounds(unit: str) -> None:
    """In every quarter of every company; nor is anybody raised beyond what four quarters may change."""
    result = simulated.run(unit)
    assert len(result.issued) == QUARTERS
    assert all(issued <= budget for issued, budget in zip(result.issued, result.budgets, strict=True))
    assert len(result.factors) == PEOPLE
    for made in result.adjustments.values():
        for begin in range(len(made)):
            year = Decimal(1)
            for adjusted in made[begin : begin + 4]:
                year *= 1 + adjusted.delta
            assert Decimal("0.75") <= year <= Decimal("1.25")


def test_the_same_seed_gives_the_same_company_and_those_who_game_are_known() -> None:
    """Counterfactuals differ in one person alone, so that what is compared is gaming."""
    first, second = simulated.run("person", seed=5, honest=()), simulated.run.__wrapped__("person", seed=5)
    assert first == second
    burner = next(who for who in first.company if who.kind == "burner")
    honest = simulated.run("person", seed=5, honest=(burner.id,))
    assert honest.adjustments[burner.id][0].score != first.adjustments[burner.id][0].score
    assert set(HONEST) < {who.kind for who in first.company}


def quarter() -> list[Person]:
    """The company's first quarter."""
    people = []
    for who in simulated.company(1):
        output, demand = simulated.work(who, 0, 1, by_size=False)
        debits = tuple(round(week * 10**12) for week in demand)
        people.append(Person(who.id, who.family, who.level, who.team, output, debits, (Decimal("0.6"),), USUAL))
    return people


def test_more_work_every_week_lowers_nobodys_change() -> None:
    """By more than the rounding: half as much again in every week of one person, or one more piece a week.

    One great week more is another matter: it makes a person's weeks uneven, and a score is believed less.
    """
    rules = dataclasses.replace(BOOK.adjustment, unit="person")
    people = quarter()
    before = adjust(people, rules)
    for number in range(0, PEOPLE, 5):
        for more in (1.5, 1):
            output = tuple((week or 0) * more if more > 1 else (week or 0) + 1 for week in people[number].output)
            changed = [*people]
            changed[number] = dataclasses.replace(people[number], output=output)
            after = adjust(changed, rules)[people[number].person_id]
            assert after.delta >= before[after.person_id].delta - Decimal("0.001")
