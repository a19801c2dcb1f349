"""Reading a file of people: every line checked, alone and together with the others, before anything is stored."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from msgspec import Meta

from policy import texts
from policy.parameters.grants import LEVELS
from programme import table_file
from programme.files import cells as cell_readers
from programme.files.cells import WrongCellError
from programme.table_file import Cell, Problems
from store import time_zones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

REQUIRED = ("name", "level", "role_family", "time_zone", "hired_on")
ROLES = ("board", "alternate", "chair", "finance", "recruiter", "admin", "auditor")
CLEAR = "-"
"""A cell that empties what was there; an empty cell leaves it."""


@cache
def _zones() -> Callable[[str], str]:
    return cell_readers.one_of(time_zones.names())


def _zone(text: str) -> str:
    """A zone by its name, in whatever case."""
    try:
        return _zones()(text)
    except ValueError as error:
        raise WrongCellError(str(error) if isinstance(error, WrongCellError) else _meant_zone(text)) from None


def _meant_zone(text: str) -> str:
    if text.endswith(" Time"):
        return "this is a name of Windows"
    if text.upper().startswith(("GMT", "UTC", "+", "-")):
        return "an offset knows no summer time"
    city = f"/{cell_readers.fold(text)}"
    return "".join(f"perhaps {name}" for name in time_zones.names() if name.casefold().endswith(city))


def _roles(text: str) -> tuple[str, ...]:
    read = cell_readers.one_of(ROLES)
    return tuple(sorted({read(role.strip()) for role in text.split(";") if role.strip()}))


def _text(text: str) -> str:
    if text == CLEAR:
        raise ValueError(text)
    if before := cell_readers.read_twice(text):
        raise WrongCellError(f"this was {before!r}, which a program read in another encoding: export it again")
    return unicodedata.normalize("NFC", text)


def _id(text: str) -> str:
    if found := cell_readers.unseen_character(word := _text(text)):
        raise WrongCellError(f"{found} is in it: type it again")
    return word


def _spelled(words: Iterable[str]) -> Callable[[str], str]:
    """A reader of words that anyone may add to: the spelling that was there first holds."""
    known: dict[str, str] = {}
    for word in words:
        known.setdefault(cell_readers.fold(word), word)

    def read(text: str) -> str:
        word = _text(text)
        if found := cell_readers.strange_character(word):
            raise WrongCellError(f"{found} is in it: type it again")
        return known.setdefault(cell_readers.fold(word), word)

    return read


_SLACK_USER = Annotated[str, Meta(pattern=r"^[UW][A-Z0-9]{1,30}$")]
"""It is written into mentions as it is, so it must be no more than an id."""
_DAY = "a date such as 2026-11-01"
_POST = "a share of a full-time post above 0 and at most 1, such as 0.9625"
COLUMNS = {
    "email": Cell("an e-mail address", read=cell_readers.email, longest=texts.LONGEST_EMAIL),
    "name": Cell("a name", read=_text),
    "slack_user_id": Cell("a Slack user id such as U012AB3CD", _SLACK_USER),
    "manager_email": Cell("an e-mail address", read=cell_readers.email, longest=texts.LONGEST_EMAIL),
    "level": Cell(f"one of {', '.join(LEVELS)}", read=cell_readers.one_of(LEVELS)),
    "role_family": Cell("a role family", read=_text),
    "pay_band": Cell("a pay band"),
    "fte": Cell(_POST, read=cell_readers.exact_permille),
    "time_zone": Cell("a time zone such as Europe/Berlin", read=_zone),
    "hired_on": Cell(_DAY, read=cell_readers.day),
    "left_on": Cell(_DAY, read=cell_readers.day),
    "wave": Cell("a number from 1 to 100", Annotated[int, Meta(ge=1, le=100)]),
    "roles": Cell(f"roles separated by `;` out of {', '.join(ROLES)}", read=_roles),
    "external_id": Cell("the id by which the HR system knows them", read=_id),
    "department": Cell("a department", read=_text),
    "cost_centre": Cell("a cost centre", read=_text),
}
CLEARED = {
    **dict.fromkeys(("slack_user_id", "manager_email", "pay_band", "left_on", "wave")),
    **dict.fromkeys(("external_id", "department", "cost_centre")),
    "roles": (),
}
"""What may be cleared, and what it is then."""


@dataclass(frozen=True, slots=True)
class Line:
    """One person's line; `fields` holds what it says, None for what it clears.

    `was` is the e-mail under which we know them, if it is another one: their external id or Slack user says who they
    are.
    """

    number: int
    email: str
    fields: Mapping[str, Any]
    was: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """How words are spelled that are known, but to which a file may add."""

    role_families: tuple[str, ...] = ()
    pay_bands: tuple[str, ...] = ()


def checked_lines(file: TextIO, known: Mapping[str, Mapping[str, Any]], words: Words) -> list[Line]:
    """The lines of a CSV file; `known` are the people we have, by e-mail.

    The Refusal lists the bad lines with their number, column and value.
    """
    problems = Problems()
    columns = readers(known, words)
    read = (line(number, cells, columns, problems) for number, cells in _rows(file, columns, problems))
    lines = _recognised(list(read), known)
    check_together(lines, under_new_emails(lines, known), problems)
    _check_twins(lines, known, problems)
    problems.refuse("people_file_invalid")
    return lines


def under_new_emails(lines: Iterable[Line], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The people we have, by the e-mail that they will have."""
    emails = {line.was: line.email for line in lines if line.was}
    return {emails.get(email, email): row for email, row in known.items()}


def readers(known: Mapping[str, Mapping[str, Any]], words: Words) -> dict[str, Cell]:
    """The columns, with the spelling of families and bands that was there first."""
    families = [*words.role_families, *(row["role_family"] for row in known.values())]
    bands = [*words.pay_bands, *(row["pay_band"] for row in known.values() if row["pay_band"])]
    return COLUMNS | {
        "role_family": Cell("a role family", read=_spelled(families)),
        "pay_band": Cell("a pay band", read=_spelled(bands)),
    }


def _recognised(lines: list[Line], known: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """Lines with a new e-mail that say whose they are, by an id of someone whose own e-mail is not in the file."""
    by_id = {row["external_id"]: email for email, row in known.items() if row["external_id"]}
    by_slack = {row["slack_user_id"]: email for email, row in known.items() if row["slack_user_id"]}
    absent = known.keys() - {line.email for line in lines}

    def was(line: Line) -> str:
        if line.email in known:
            return ""
        if (owner := by_id.get(line.fields.get("external_id"), "")) in absent:
            return owner
        owner = by_slack.get(line.fields.get("slack_user_id"), "")
        return owner if owner in absent and _may_be(line, known[owner]) else ""

    return [replace(line, was=was(line)) for line in lines]


def _may_be(line: Line, row: Mapping[str, Any]) -> bool:
    """Whether name or first day is the same: where both are others, the Slack user is the mistake."""
    if row["external_id"] and line.fields.get("external_id"):
        return False
    told = [name for name in ("name", "hired_on") if name in line.fields]
    return not told or any(line.fields[name] == row[name] for name in told)


def _check_twins(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """A new e-mail for the name and first day of someone whose own e-mail is not in the file."""
    there = {line.email for line in lines} | {line.was for line in lines}
    others = {_who(row): email for email, row in known.items() if email not in there}
    for line in lines:
        if line.email not in known and not line.was and (other := others.get(_who(line.fields))):
            problems.append((line.number, _TWIN.format(email=line.email, other=other)))


_TWIN = (
    "email = {email!r}: {other} has the same name and hired_on. If that is the same person, run `tokens-bot people "
    "rename {other} {email}`; if not, add the line of {other} to this file"
)


def _who(fields: Mapping[str, Any]) -> tuple[str, date] | None:
    name, hired_on = fields.get("name"), fields.get("hired_on")
    return (name.casefold(), hired_on) if name and hired_on else None


def _rows(file: TextIO, columns: Mapping[str, Cell], problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    return table_file.rows(file, columns, ("email",), problems)


def line(number: int, cells: Mapping[str, str], columns: Mapping[str, Cell], problems: Problems) -> Line:
    """What the cells of one person say; what is wrong with them is added to the problems."""
    cleared = {name: empty for name, empty in CLEARED.items() if cells.get(name) == CLEAR}
    said = table_file.values(number, {k: v for k, v in cells.items() if k not in cleared}, columns, problems)
    if not cells["email"]:
        problems.add(number, "email", "", COLUMNS["email"].expected)
    return Line(number, said.pop("email", None) or cells["email"].lower(), said | cleared)


def check_together(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """What can only be judged with the other lines and the people we know."""
    _check_emails(lines, known, problems)
    _check_owned(lines, "slack_user_id", known, problems)
    _check_owned(lines, "external_id", known, problems)
    _check_external_ids(lines, known, problems)
    _check_managers(lines, known, problems)
    for line in lines:
        _check_dates(line, known.get(line.email, {}), problems)


def _check_emails(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    first_seen: dict[str, int] = {}
    for line in lines:
        if line.email in first_seen:
            problems.add(line.number, "email", line.email, f"each once; line {first_seen[line.email]} has it too")
        first_seen.setdefault(line.email, line.number)
        if line.email not in known:
            problems.extend(
                (line.number, f"{column} is empty; a new person needs it")
                for column in REQUIRED
                if column not in line.fields
            )


def _check_owned(lines: list[Line], column: str, known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """Whether each id is one person's."""
    owners = {row[column]: email for email, row in known.items() if row[column]}
    for line in lines:
        told = line.fields.get(column)
        if told and (owner := owners.setdefault(told, line.email)) != line.email:
            problems.add(line.number, column, told, f"one that does not belong to {owner}")


def _check_external_ids(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """An e-mail under another external id is another person, who got the address of an earlier one."""
    for line in lines:
        told, has = line.fields.get("external_id"), known.get(line.email, {}).get("external_id")
        if told and has and told != has:
            problems.add(line.number, "external_id", told, _OTHER_ID.format(has=has, email=line.email))


_OTHER_ID = (
    "{has!r}, as on record. If {email} was given to another person, run `tokens-bot people rename {email} …` first; if "
    "the person has another id now, import `-` once"
)


def _check_managers(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    emails = {line.email for line in lines} | {line.was for line in lines} | set(known)
    now = {line.was: line.email for line in lines if line.was}
    manager_of = _managers(known)
    for line in lines:
        if "manager_email" in line.fields:
            told = line.fields["manager_email"]
            manager = manager_of[line.email] = now.get(told, told)
            if manager is not None and manager not in emails:
                problems.add(line.number, "manager_email", manager, "someone in this file or imported before")
    for line in lines:
        if _leads_back(line.email, manager_of):
            problems.add(line.number, "manager_email", str(manager_of[line.email]), "no circle of managers")


def _check_dates(line: Line, before: Mapping[str, Any], problems: Problems) -> None:
    hired = line.fields.get("hired_on", before.get("hired_on"))
    left = line.fields.get("left_on", before.get("left_on"))
    if hired and left and left < hired:
        problems.add(line.number, "left_on", str(left), f"a day not before hired_on = {hired}")


def _managers(known: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    email_of = {row["id"]: email for email, row in known.items()}
    return {email: email_of.get(row["manager_id"]) for email, row in known.items()}


def _leads_back(email: str, manager_of: Mapping[str, str | None]) -> bool:
    seen: set[str] = set()
    above = manager_of.get(email)
    while above and above not in seen:
        if above == email:
            return True
        seen.add(above)
        above = manager_of.get(above)
    return False
