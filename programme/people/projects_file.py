"""Reading a file of projects and who works on them: every line checked before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from policy import texts
from policy.parameters.grants import COMPLEXITIES
from programme import table_file
from programme.files import cells as cell_readers
from programme.files.cells import PERMILLE
from programme.table_file import Cell, Problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REQUIRED = ("project", "name", "complexity")
_SHARE = "a share of a person's work above 0 and at most 1, with at most three decimals"


@dataclass(frozen=True, slots=True)
class Line:
    """A project and one person's share of work on it; without a person the line is about the project alone."""

    number: int
    project: str
    name: str
    complexity: str
    director_id: str | None
    sponsor_id: str | None
    person_id: str | None
    share_permille: int
    cost_centre: str | None = None


def checked_lines(file: TextIO, id_of: Mapping[str, str]) -> list[Line]:
    """The lines of a CSV file; `id_of` are the people we have, by e-mail. The Refusal lists every bad line."""
    problems = Problems()
    lines = list(_read(file, _columns(id_of), problems))
    problems += _contradictions(lines)
    problems.refuse("projects_file_invalid")
    return lines


def _columns(id_of: Mapping[str, str]) -> dict[str, Cell]:
    def person(email: str) -> str:
        address = cell_readers.email(email)
        if address not in id_of:
            raise ValueError(email)
        return id_of[address]

    known = Cell("the e-mail of someone in the programme; see `tokens-bot people import`", read=person)
    return {
        "project": Cell("a key", longest=texts.LONGEST_KEY),
        "name": Cell("a name"),
        "complexity": Cell(f"one of {', '.join(COMPLEXITIES)}", read=cell_readers.one_of(COMPLEXITIES)),
        "director_email": known,
        "sponsor_email": known,
        "cost_centre": Cell("a cost centre", longest=texts.LONGEST_KEY),
        "email": known,
        "share": Cell(_SHARE, read=cell_readers.permille),
    }


def _read(file: TextIO, columns: Mapping[str, Cell], problems: Problems) -> Iterator[Line]:
    for number, cells in table_file.rows(file, columns, REQUIRED, problems):
        before = len(problems)
        said = table_file.values(number, cells, columns, problems)
        problems.extend((number, f"{name} is empty") for name in REQUIRED if not cells[name])
        if "email" in said and "share" not in said:
            problems.add(number, "share", "", _SHARE)
        if len(problems) == before:
            yield _line(number, said)


def _line(number: int, said: Mapping[str, Any]) -> Line:
    director, sponsor, person = (said.get(name) for name in ("director_email", "sponsor_email", "email"))
    share = said["share"] if person else 0
    about = (said["project"], said["name"], said["complexity"], director, sponsor)
    return Line(number, *about, person, share, said.get("cost_centre"))


def _contradictions(lines: list[Line]) -> Iterator[tuple[int, str]]:
    """What can only be judged with the other lines."""
    first: dict[str, Line] = {}
    seen: set[tuple[str, str | None]] = set()
    shares: dict[str, int] = {}
    for line in lines:
        told = first.setdefault(line.project, line)
        same = (told.name, told.complexity, told.director_id, told.sponsor_id, told.cost_centre)
        if same != (line.name, line.complexity, line.director_id, line.sponsor_id, line.cost_centre):
            yield line.number, f"project {line.project!r} is described differently in line {told.number}"
        if (line.project, line.person_id) in seen:
            yield line.number, f"project {line.project!r} has this person twice"
        seen.add((line.project, line.person_id))
        if line.person_id:
            shares[line.person_id] = shares.get(line.person_id, 0) + line.share_permille
            if shares[line.person_id] > PERMILLE:
                yield line.number, "this person's shares add up to more than 1"
