"""Which cost centre bears a charge: the project's own, else the one of the person on the day of the charge."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from policy import texts
from policy.period import Month
from programme import table_file
from programme.files import cells
from programme.table_file import Cell, Problems
from store import audit
from store.people import cost_centres as store
from store.people import terms
from store.people.cost_centres import Belonging, CostCentre

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from programme.moment import Moment
    from store.engine import Session

NONE = ""
"""The key of what has no cost centre: people outside of all of them, and what the programme itself bears."""
REQUIRED = ("cost_centre", "name")
OWNER = "owner_email"


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
    """Name cost centres and their owners: columns `cost_centre`, `name`, `owner_email`; how many.

    Without the column of owners those stay as they are; an empty cell of it is for nobody. One bad line, and nothing
    is imported: the Refusal lists every one.
    """
    problems = Problems()
    columns, known = _columns(moment), store.all_of(moment.session)
    found: dict[str, CostCentre] = {}
    for number, written in table_file.rows(file, columns, REQUIRED, problems):
        problems.extend((number, f"{name} is empty") for name in REQUIRED if not written[name])
        said = table_file.values(number, written, columns, problems)
        if (key := said.get("cost_centre")) in found:
            problems.append((number, f"cost centre {key!r} is there twice"))
        elif key:
            before = known[key].owner_id if key in known and OWNER not in written else None
            found[key] = CostCentre(key, said.get("name") or key, said.get(OWNER) or before)
    problems.refuse("cost_centres_file_invalid")
    store.keep(moment.session, found.values())
    owners = {key: one.owner_id for key, one in sorted(found.items()) if one.owner_id}
    after = {"keys": sorted(found), "owners": owners}
    audit.note(moment.session, actor, "cost_centres.import", "cost centres", at=moment.now, after=after)
    return len(found)


def _columns(moment: Moment) -> dict[str, Cell]:
    id_of = terms.people_by_email(moment.session)

    def person(email: str) -> str:
        address = cells.email(email)
        if address not in id_of:
            raise ValueError(email)
        return id_of[address]

    known = "the e-mail of someone in the programme; see `tokens-bot people import`"
    return {
        "cost_centre": Cell("a key", longest=texts.LONGEST_KEY),
        "name": Cell("a name"),
        OWNER: Cell(known, read=person),
    }


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
