"""Reading a file of projects and who works on them: every line checked before anything is stored."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TextIO

from policy.parameters.grants import COMPLEXITIES
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS = ("project", "name", "complexity", "director_email", "sponsor_email", "email", "share")
REQUIRED = ("project", "name", "complexity")
WHOLE = 1_000


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


def checked_lines(file: TextIO, id_of: Mapping[str, str]) -> list[Line]:
    """The lines of a CSV file; `id_of` are the people we have, by e-mail. The Refusal lists every bad line."""
    problems: list[tuple[int, str]] = []
    lines = list(_read(file, id_of, problems))
    problems += _contradictions(lines)
    if problems:
        report = "\n".join(f"line {number}: {text}" for number, text in sorted(problems))
        raise Refusal("projects_file_invalid", f"Nothing was imported:\n{report}")
    return lines


def _read(file: TextIO, id_of: Mapping[str, str], problems: list[tuple[int, str]]) -> Iterator[Line]:
    reader = csv.DictReader(file, strict=True)
    header = reader.fieldnames or []
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown:
        what = [f"no column {name!r}" for name in missing] + [f"unknown column {name!r}" for name in unknown]
        problems.append((1, f"{', '.join(what)}; expected {', '.join(COLUMNS)}"))
        return
    try:
        for row in reader:
            if None in row or None in row.values():
                problems.append((reader.line_num, f"{len(header)} cells expected"))
                continue
            cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
            if (line := _line(reader.line_num, cells, id_of, problems)) is not None:
                yield line
    except csv.Error as error:
        problems.append((reader.reader.line_num, str(error)))


def _line(
    number: int, cells: Mapping[str, str], id_of: Mapping[str, str], problems: list[tuple[int, str]]
) -> Line | None:
    before = len(problems)
    problems.extend((number, f"{name} is empty") for name in REQUIRED if not cells[name])
    if cells["complexity"] and cells["complexity"] not in COMPLEXITIES:
        expected = ", ".join(COMPLEXITIES)
        problems.append((number, f"complexity = {cells['complexity']!r}: expected one of {expected}"))
    ids = {
        name: _person(number, name, cells[name], id_of, problems)
        for name in ("director_email", "sponsor_email", "email")
    }
    share = _share(number, cells["share"], problems) if cells["email"] else 0
    if len(problems) > before:
        return None
    return Line(
        number,
        cells["project"],
        cells["name"],
        cells["complexity"],
        ids["director_email"],
        ids["sponsor_email"],
        ids["email"],
        share,
    )


def _person(
    number: int, column: str, email: str, id_of: Mapping[str, str], problems: list[tuple[int, str]]
) -> str | None:
    if email and email.lower() not in id_of:
        problems.append((number, f"{column} = {email!r}: no one has that e-mail; see `tokens-bot people import`"))
    return id_of.get(email.lower()) if email else None


def _share(number: int, text: str, problems: list[tuple[int, str]]) -> int:
    try:
        share = Decimal(text)
        if 0 < share <= 1 and share * WHOLE == int(share * WHOLE):
            return int(share * WHOLE)
    except InvalidOperation:
        pass
    problems.append((number, f"share = {text!r}: expected a share of a person's work, above 0 and at most 1"))
    return 0


def _contradictions(lines: list[Line]) -> Iterator[tuple[int, str]]:
    """What can only be judged with the other lines."""
    first: dict[str, Line] = {}
    seen: set[tuple[str, str | None]] = set()
    shares: dict[str, int] = {}
    for line in lines:
        told = first.setdefault(line.project, line)
        same = (told.name, told.complexity, told.director_id, told.sponsor_id)
        if same != (line.name, line.complexity, line.director_id, line.sponsor_id):
            yield line.number, f"project {line.project!r} is described differently in line {told.number}"
        if (line.project, line.person_id) in seen:
            yield line.number, f"project {line.project!r} has this person twice"
        seen.add((line.project, line.person_id))
        if line.person_id:
            shares[line.person_id] = shares.get(line.person_id, 0) + line.share_permille
            if shares[line.person_id] > WHOLE:
                yield line.number, "this person's shares add up to more than 1"
