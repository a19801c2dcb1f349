"""A report of the return: what it follows from, that it is frozen, and who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month, Quarter
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.roi import gathering, reports
from store.people import directory as people_store
from store.roi import reports as store
from store.tables.roi import roi_reports
from tests.support import books, returned
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment
    from views.roi import FrozenReport

OCTOBER = Month(2026, 10)


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company in November, whose teams do 30 % more once they take part."""
    assert isinstance(shared_app.clock, Clock)
    returned.settle(shared_app, shared_app.clock)
    return shared_app


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(company) as moment:
        yield moment


def made(moment: Moment) -> FrozenReport:
    return reports.make(moment, None, actor="cli:test")


def test_what_was_planted_is_found_with_its_interval(moment: Moment) -> None:
    """Thirteen teams, drawn by lot: 30 % more, within an interval that says so."""
    effect = made(moment).report.effect
    assert effect is not None
    assert effect.scale == "log"
    assert effect.found.inference.method == "permutation"
    assert (effect.found.units, effect.found.trust) == (13, "full")
    assert effect.uplift.low is not None
    assert effect.uplift.high is not None
    assert 0 < effect.uplift.low < 0.30 < effect.uplift.high
    assert 0.2 < effect.uplift.estimate < 0.4
    assert effect.other is not None
    assert 0.2 < effect.other.estimate < 0.4


def test_each_team_takes_part_from_its_wave_on(company: App, moment: Moment) -> None:
    """Rows tell how much of each team takes part in each month, by the waves that were drawn."""
    rows = gathering.gather(moment, OCTOBER).rows
    by_team = {people_store.by_email(moment.session, f"r{team}@example.com"): team for team in range(returned.TEAMS)}
    number = {person.id: team for person, team in by_team.items() if person}
    starts = returned.starts(company)
    for row in rows:
        if row.team in number:
            begun = Month.parse(row.month).first_day >= starts[number[row.team]].first_day
            assert (row.posts, row.taking_part) == (2_000, 2_000 if begun else 0)
            assert bool(row.cost) == bool(row.tokens) == begun
            assert row.payroll == (2 * 140_000 * 10**9 if begun else 0)


def test_months_before_anything_was_told_have_no_output(moment: Moment) -> None:
    """That is not the same as none: the panel begins with the first outcomes."""
    basis, rows, _ = gathering.gather(moment, OCTOBER)
    assert {row.month for row in rows if row.output is None} == set()
    assert min(row.month for row in rows) == "2025-08"
    assert dict(basis.missing).get("months_without_outcomes") is None


def test_the_money_is_the_ledgers_to_the_cent(moment: Moment) -> None:
    """What wallets paid for in each month since the launch, and nothing of months before."""
    found = made(moment).report
    real = found.months[: len(found.months) - found.ahead]
    assert [one.month for one in real] == [f"2026-{number:02}" for number in range(2, 11)]
    for one in real:
        spent = store.spent(moment.session, Month.parse(one.month))
        assert one.tokens_cost == NanoUSD(sum(of.cost for of in spent.values()))
        assert one.tokens == sum(of.tokens for of in spent.values())
    assert found.judged is not None
    assert found.judged.verdict == "pays"
    assert (len(found.months), found.ahead) == (24, 15)


def test_a_report_is_frozen_with_what_it_follows_from(moment: Moment) -> None:
    """Made again, and after more was told, it is the same; a look at another month keeps nothing."""
    first = made(moment)
    assert first.is_kept
    moment.session.execute(sa.text("DELETE FROM outcomes WHERE day < '2026-03-01'"))
    again = made(moment)
    assert (again.digest, again.report.effect) == (first.digest, first.report.effect)
    assert not reports.look(moment, Month(2026, 9), actor="cli:test").is_kept
    assert moment.session.execute(sa.select(sa.func.count()).select_from(roi_reports)).scalar_one() == 1


def test_a_quarter_has_the_report_through_its_last_month(moment: Moment) -> None:
    """Of two in a quarter the later one; none of another quarter."""
    september = reports.make(moment, Month(2026, 9), actor="cli:test")
    assert reports.of_quarter(moment, Quarter(2026, 3)) == september
    made(moment)
    found = reports.of_quarter(moment, Quarter(2026, 4))
    assert found is not None
    assert found.report.basis.through == str(OCTOBER)
    assert reports.of_quarter(moment, Quarter(2026, 2)) is None


def test_verify_finds_a_report_whose_inputs_were_changed(moment: Moment) -> None:
    """The digest stands in the audit log as well."""
    made(moment)
    assert list(store.differences(moment.session)) == []
    [inputs] = moment.session.execute(sa.select(roi_reports.c.inputs)).scalars()
    inputs["rows"][0][2] += 1
    moment.session.execute(sa.update(roi_reports).values(inputs=inputs))
    assert any("not those that it was made from" in text for text in store.differences(moment.session))
    assert any("reports_as_frozen" in check for check in books.findings_in(moment))


def test_a_month_that_is_not_over_has_no_report(moment: Moment) -> None:
    """Nor has one before the launch."""
    with pytest.raises(Refusal, match="2026-11 is not over"):
        reports.make(moment, Month(2026, 11), actor="cli:test")
    with pytest.raises(Refusal, match="had not begun in 2026-01"):
        reports.make(moment, Month(2026, 1), actor="cli:test")


def test_in_the_first_months_nothing_is_established(moment: Moment) -> None:
    """With three months before it the first wave can be compared; what it pays is told with its interval."""
    found = reports.look(moment, Month(2026, 2), actor="cli:test").report
    assert found.effect is not None
    assert found.verdict in {"pays", "not_established"}
    assert found.split is None


def test_only_board_and_finance_see_it(moment: Moment) -> None:
    """Managers and engineers are told where theirs is."""
    manager = people_store.by_email(moment.session, "r0@example.com")
    assert manager is not None
    with pytest.raises(Refusal) as refused:
        reports.latest_for(moment, manager)
    assert refused.value.code == "not_board"


def test_weeks_are_those_since_the_last_team_joined(moment: Moment) -> None:
    """Each team in each of them, with what it made and spent; too few yet for an association."""
    weeks = gathering.gather(moment, OCTOBER).weeks
    mondays = {week.monday for week in weeks}
    assert mondays == {"2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"}
    assert len(weeks) == 5 * 13
    assert all(week.output > 0 for week in weeks)
    spent = sum(week.tokens for week in weeks)
    of_october = store.spent(moment.session, OCTOBER).values()
    assert spent == sum(one.tokens for one in of_october)
    assert made(moment).report.association is None
