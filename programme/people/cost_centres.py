"""Which cost centre bears a charge: the project's own, else the one of the person on the day of the charge."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from policy import texts
from policy.period import Month
from programme import table_file
from programme.table_file import Cell, Problems
from store import audit
from store.people import cost_centres as store
from store.people.cost_centres import Belonging, CostCentre

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from programme.moment import Moment
    from store.engine import Session

NONE = ""
"""The key of what has no cost centre: people outside of all of them, and what the programme itself bears."""
COLUMNS = {"cost_centre": Cell("a key", longest=texts.LONGEST_KEY), "name": Cell("a name")}
REQUIRED = ("cost_centre", "name")


def note_people(moment: Moment, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep the cost centres of people whose records changed: from today on.

    The first that somebody has holds from the first of this month. `rows` are their whole records.
    """
    changed = {row["id"]: row for row in rows}
    known = store.known_persons(moment.session, sorted(changed))
    first = Month.containing(moment.today).first_day
    since = {
        person_id: Belonging(moment.today if person_id in known else first, row["cost_centre"])
        for person_id, row in changed.items()
        if person_id in known or row["cost_centre"]
    }
    store.record(moment.session, since)


def import_csv(moment: Moment, file: TextIO, *, actor: str) -> int:
    """Name cost centres: columns `cost_centre`, `name`; how many.

    One bad line, and nothing is imported: the Refusal lists every one.
    """
    problems = Problems()
    found: dict[str, CostCentre] = {}
    for number, written in table_file.rows(file, COLUMNS, REQUIRED, problems):
        problems.extend((number, f"{name} is empty") for name in REQUIRED if not written[name])
        said = table_file.values(number, written, COLUMNS, problems)
        if (key := said.get("cost_centre")) in found:
            problems.append((number, f"cost centre {key!r} is there twice"))
        elif key:
            found[key] = CostCentre(key, said.get("name") or key)
    problems.refuse("cost_centres_file_invalid")
    store.keep(moment.session, found.values())
    after = {"keys": sorted(found)}
    audit.note(moment.session, actor, "cost_centres.import", "cost centres", at=moment.now, after=after)
    return len(found)


@dataclass(frozen=True, slots=True)
class Bearers:
    """Who bears a charge, from what people and projects belonged to on each day."""

    names: Mapping[str, str]
    _days: Mapping[str, Sequence[date]]
    """The days on which each person's cost centre changed, oldest first."""
    _centres: Mapping[str, Sequence[str]]
    _projects: Mapping[str, str]

    def of(self, person_id: str | None, project: str, day: date) -> str:
        """The key of the cost centre; NONE where neither the project nor the person has one."""
        if (own := self._projects.get(project)) is not None:
            return own
        if person_id is None or (days := self._days.get(person_id)) is None:
            return NONE
        place = bisect_right(days, day)
        return self._centres[person_id][place - 1] if place else NONE

    def name(self, key: str) -> str:
        """What a cost centre is called; its key where nobody has named it."""
        return self.names.get(key, key)


def bearers(session: Session) -> Bearers:
    """Who bears what, as it is known now."""
    had = {person: list(reversed(some)) for person, some in store.belongings(session).items()}
    return Bearers(
        {one.key: one.name for one in store.all_of(session).values()},
        {person: [one.holds_from for one in some] for person, some in had.items()},
        {person: [one.cost_centre or NONE for one in some] for person, some in had.items()},
        store.of_projects(session),
    )
