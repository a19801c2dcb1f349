"""How many people would be eligible for a bonus by a year's reviews, by level and by team: never who, and no rank."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy import disclosure
from policy.counting import many
from policy.parameters.grants import LEVELS
from policy.reasons import Refusal
from programme.reviews import annual_export, year_summary
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from programme.moment import Moment


@dataclass(frozen=True, slots=True)
class Group:
    """So many of a group's people would be eligible."""

    name: str
    people: int
    eligible: int


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What an export would say, in numbers; `not_told` counts the people of groups that are too small."""

    year: int
    everyone: Group
    levels: tuple[Group, ...]
    teams: tuple[Group, ...]
    not_told_by_level: int
    not_told_by_team: int
    left_out: int


def dry_run(moment: Moment, year: int, *, by: str) -> Eligibility:
    """What `export review` would make of a year, for someone of finance; a Refusal where all are too few to tell.

    Eligible is who met stewardship in each quarter. Groups are those of today: smaller ones than the handbook's least
    are left out, and so is one that could be worked out from the rest.
    """
    annual_export.require_finance(moment, by)
    exported = annual_export.of_year(moment, year)
    met = {one.person_id: one.stewardship_met for one in year_summary.of(exported.lines, year)}
    least = moment.handbook.disclosure.least_people
    if len(met) < least:
        text = (
            f"{many(len(met), 'person has', 'people have')} adopted reviews in {year};"
            f" from {least} on it is told how many would be eligible."
        )
        raise Refusal("too_few_people", text)
    people = people_store.all_by_email(moment.session)
    level_of = {row["id"]: str(row["level"]) for row in people.values()}
    email_of = {row["id"]: email for email, row in people.items()}
    managers = people_store.managers_of(moment.session, met)
    levels = _groups({id_: level_of[id_] for id_ in met}, met, least)
    teams = _groups({id_: email_of.get(managers[id_] or "", "no manager") for id_ in met}, met, least)
    return Eligibility(
        year,
        Group("everyone", len(met), sum(met.values())),
        tuple(sorted(levels, key=lambda one: LEVELS.index(one.name))),
        tuple(sorted(teams, key=lambda one: one.name)),
        len(met) - sum(one.people for one in levels),
        len(met) - sum(one.people for one in teams),
        exported.left_out,
    )


def _groups(name_of: Mapping[str, str], met: Mapping[str, bool], least: int) -> list[Group]:
    members: defaultdict[str, set[object]] = defaultdict(set)
    for person_id, name in name_of.items():
        members[name].add(person_id)
    told = disclosure.disclosed({name: frozenset(ids) for name, ids in members.items()}, least)
    return [Group(name, len(members[name]), _count(members[name], met)) for name in told]


def _count(ids: Iterable[object], met: Mapping[str, bool]) -> int:
    return sum(met[str(one)] for one in ids)
