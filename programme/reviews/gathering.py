"""What a review follows from, read from the records set by set: who was there, spent, delivered and used what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy import rollout
from policy.period import DAYS_PER_WEEK, Month
from policy.reviews.adjustment import QUARTERS_BEFORE
from policy.reviews.persons import USUAL
from policy.reviews.proposal import Basis, Inputs, weeks_of
from policy.sizing import NEUTRAL
from programme.grants import used
from programme.outcomes import intake
from programme.people import teams
from programme.people.participation import participant
from store.grants import monthly
from store.outcomes import records as outcomes_store
from store.people import terms
from store.reviews import drafts, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from policy.handbook import Handbook
    from policy.period import Quarter
    from policy.reviews.proposal import Figures
    from policy.rollout import Participant
    from programme.grants.sizing import Plan
    from programme.moment import Moment
    from store.people.teams import Lines
    from store.people.terms import Participant as Person

NO_TEAM = ""


class Gathered(NamedTuple):
    """What is the same for everyone, and what is each person's."""

    basis: Basis
    inputs: list[Inputs]


@dataclass(frozen=True, slots=True)
class _Member:
    """A person who took part in the quarter: their last terms that counted in it, and the weeks that they were there.

    `team` is theirs at the end; `teams` are those of the weeks.
    """

    person: Person
    is_case: bool
    there: tuple[bool, ...]
    team: str
    teams: tuple[str, ...]


def gather(moment: Moment, quarter: Quarter, planned: Plan, book: Handbook) -> Gathered:
    """Everything that the review follows from, as it is known now; `planned` are the grants that it would change."""
    weeks = weeks_of(quarter)
    members = _members(moment, quarter, weeks, book)
    output = _output(moment, weeks, book.adjustment.unit)
    of_teams = book.adjustment.unit == "team"
    above = _above(moment, {team for member in members for team in (member.team, *member.teams)}, quarter)
    basis = _basis(moment, quarter, weeks, planned, book, output if of_teams else None, above)
    rest = _Rest(moment, quarter, planned, book)
    spent = [sources.debits(moment.session, monday, monday + timedelta(days=DAYS_PER_WEEK)) for monday in weeks]
    inputs: list[Inputs] = []
    for member in members:
        person_id = member.person.id
        debits = tuple(
            week.get(person_id, 0) if there else None for week, there in zip(spent, member.there, strict=True)
        )
        made = () if of_teams else _where(member.there, output.get(person_id))
        inputs += _parts(member, debits, made, rest, of_teams=of_teams)
    known = {member.person.id for member in members}
    inputs += [rest.of(planned.people[c.person_id]) for c in planned.claims if c.person_id not in known]
    return Gathered(basis, sorted(inputs, key=lambda one: (one.person_id, one.part)))


def _basis(  # noqa: PLR0917 - private, called once
    moment: Moment,
    quarter: Quarter,
    weeks: tuple[date, ...],
    planned: Plan,
    book: Handbook,
    team_output: Mapping[str, Figures] | None,
    above: Mapping[str, str],
) -> Basis:
    value = planned.value
    return Basis(
        quarter=str(quarter),
        weeks=weeks,
        month=str(planned.month),
        handbook=book.version,
        sized_by=planned.book.version,
        value_version=value.version,
        nano_usd_per_token=value.nano_usd_per_token,
        buffer_permille=value.buffer_permille,
        on_top=value.on_top,
        budget=planned.budget,
        weighted=planned.phase > 1,
        team_output=team_output,
        read_up_to=sources.read_up_to(moment.session),
        above=above,
        share=moment.handbooks.on(quarter.first_day).sizing.share_of_compensation,
    )


# --- Who was there -------------------------------------------------------------------------------------------------


def _members(moment: Moment, quarter: Quarter, weeks: Sequence[date], book: Handbook) -> list[_Member]:
    """Everyone who took part in some month of the quarter; decided is about those who do in the last and stay."""
    months = [quarter.first_month.plus(i) for i in range(3)]
    with_grant: defaultdict[str, set[Month]] = defaultdict(set)
    at_the_end: set[str] = set()
    people: dict[str, tuple[Person, Participant]] = {}
    leaves = _leaves(moment, months)
    for month in months:
        granted = monthly.granted(moment.session, month)
        at_the_end.clear()
        for person in terms.participants(moment.session, month, book.rollout.role_families):
            who = participant(person, leaves.get(person.id, ()))
            if rollout.takes_part(who, month, book.rollout):
                people[person.id] = (person, who)
                at_the_end.add(person.id)
                # Without a grant they are a post that spends nothing: their team would look frugal.
                if person.id in granted:
                    with_grant[person.id].add(month)
    lines = outcomes_store.lines_of(moment.session, people)
    last_day = quarter.next().first_day - timedelta(days=1)
    members = []
    for person, who in people.values():
        stays = person.left_on is None or person.left_on > last_day
        ends = last_day if person.left_on is None else min(person.left_on, last_day)
        members.append(
            _Member(
                person,
                is_case=stays and person.id in at_the_end,
                there=tuple(_is_there(who, monday, with_grant[person.id], book) for monday in weeks),
                team=_team(lines, person.id, ends),
                teams=tuple(_team(lines, person.id, _sunday(monday)) for monday in weeks),
            )
        )
    return members


def _leaves(moment: Moment, months: Sequence[Month]) -> dict[str, set[tuple[date, date | None]]]:
    """Leaves that touch the quarter's weeks, the first of which may begin in the month before."""
    found: defaultdict[str, set[tuple[date, date | None]]] = defaultdict(set)
    for month in (months[0].previous(), *months):
        for person_id, of_person in terms.leaves(moment.session, month).items():
            found[person_id].update(of_person)
    return found


def _is_there(who: Participant, monday: date, months: set[Month], book: Handbook) -> bool:
    sunday = _sunday(monday)
    rules = book.sizing
    there = rollout.is_there(who, monday, sunday, rules.leave_days, join=rules.join_leaves)
    return there and Month.containing(sunday) in months


def _sunday(monday: date) -> date:
    return monday + timedelta(days=DAYS_PER_WEEK - 1)


def _team(lines: Lines, person_id: str, day: date) -> str:
    return (teams.manager_on(lines, person_id, day) if person_id in lines else None) or NO_TEAM


def _above(moment: Moment, teams: Iterable[str], quarter: Quarter) -> dict[str, str]:
    """Whom the managers of some teams reported to at the quarter's end, and so on up; a statement for each step up."""
    last_day = quarter.next().first_day - timedelta(days=1)
    found: dict[str, str] = {}
    managers = {team for team in teams if team}
    while managers:
        lines = outcomes_store.lines_of(moment.session, managers)
        steps = {one: manager for one in sorted(lines) if (manager := _team(lines, one, last_day))}
        found |= steps
        managers = set(steps.values()) - found.keys()
    return dict(sorted(found.items()))


# --- What they delivered -------------------------------------------------------------------------------------------


def _output(moment: Moment, weeks: Sequence[date], unit: str) -> dict[str, Figures]:
    """Thousandths by team or person and week; nothing is known of weeks before the first outcome that was told."""
    end = weeks[-1] + timedelta(days=DAYS_PER_WEEK)
    made: defaultdict[tuple[str, date], int] = defaultdict(int)
    # Week by week: what a company delivers in a quarter is far more than what is made of it.
    for monday in weeks:
        for row in intake.weekly(moment, monday, monday + timedelta(days=DAYS_PER_WEEK)):
            if row.unit == unit:
                made[row.unit_id, monday] += row.output
    return {
        unit_id: tuple(made.get((unit_id, monday), 0) if first <= _sunday(monday) else None for monday in weeks)
        for unit_id, first in sorted(sources.first_outcomes(moment.session, unit).items())
        if first < end
    }


def _where(there: Sequence[bool], weeks: Figures | None) -> Figures:
    """The weeks in which someone was there."""
    if weeks is None:
        return (None,) * len(there)
    return tuple(week if present else None for week, present in zip(weeks, there, strict=True))


# --- What their grants follow from ---------------------------------------------------------------------------------


class _Rest:
    """What was used of grants, what earlier reviews say, and the claims of the month whose grants would change."""

    def __init__(self, moment: Moment, quarter: Quarter, planned: Plan, book: Handbook) -> None:
        rules = book.adjustment.use
        self._used = [used.of_quarter(moment, one, rules) for one in _until(quarter, max(rules.low_quarters, 2))]
        self._earlier = _until(quarter.previous(), QUARTERS_BEFORE)
        self._history = drafts.history(moment.session, quarter, since=self._earlier[0])
        self._factors = planned.adjusted
        self._claims = {claim.person_id: claim for claim in planned.claims}

    def of(
        self,
        person: Person,
        *,
        part: int = 0,
        is_case: bool = False,
        team: str = NO_TEAM,
        output: Figures = (),
        debits: Figures = (),
    ) -> Inputs:
        changed = self._history.deltas.get(person.id, {})
        return Inputs(
            person_id=person.id,
            part=part,
            is_case=is_case,
            role_family=person.role_family,
            level=person.level,
            fte_permille=person.fte_permille,
            wave=person.wave,
            team=team,
            output=output,
            debits=debits,
            utilisation=tuple(of_quarter.get(person.id) for of_quarter in self._used),
            state=self._history.states.get(person.id, USUAL),
            deltas=tuple(changed.get(str(one), 0) for one in self._earlier),
            factor=self._factors.get(person.id, NEUTRAL),
            claim=None if part else self._claims.get(person.id),
        )


def _until(quarter: Quarter, count: int) -> list[Quarter]:
    """So many quarters, of which one is the last; the oldest first."""
    found = [quarter]
    while len(found) < count:
        found.insert(0, found[0].previous())
    return found


def _parts(member: _Member, debits: Figures, made: Figures, rest: _Rest, *, of_teams: bool) -> Iterable[Inputs]:
    """The team at the end, and a part for each team before it in which the person had weeks: their spend was its."""
    if not of_teams:
        yield rest.of(member.person, is_case=member.is_case, team=member.team, output=made, debits=debits)
        return
    earlier = sorted({t for t, week in zip(member.teams, debits, strict=True) if week is not None} - {member.team})
    for part, team in enumerate((member.team, *earlier)):
        own = tuple(week if of == team else None for week, of in zip(debits, member.teams, strict=True))
        yield rest.of(member.person, part=part, is_case=member.is_case and not part, team=team, debits=own)
