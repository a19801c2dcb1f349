"""Reading a file of people: every line checked, alone and together with the others, before anything is stored."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import available_timezones

from policy.parameters.grants import LEVELS
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COLUMNS = (
    "email",
    "name",
    "slack_user_id",
    "manager_email",
    "level",
    "role_family",
    "pay_band",
    "fte",
    "time_zone",
    "hired_on",
    "left_on",
    "wave",
    "roles",
)
REQUIRED = ("name", "level", "role_family", "time_zone", "hired_on")
CLEARABLE = ("slack_user_id", "manager_email", "pay_band", "left_on", "wave", "roles")
ROLES = ("board", "alternate", "chair", "finance", "recruiter", "admin", "auditor")
CLEAR = "-"
"""A cell that empties what was there; an empty cell leaves it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One person's line; `fields` holds what it says, None for what it clears."""

    number: int
    email: str
    fields: Mapping[str, Any]


class _Problems(list[tuple[int, str]]):
    """What is wrong with a file: (line number, sentence)."""

    def add(self, line: int, column: str, value: str, expected: str) -> None:
        self.append((line, f"{column} = {value!r}: expected {expected}"))

    def report(self) -> str:
        return "\n".join(f"line {line}: {text}" for line, text in sorted(self))


def checked_lines(file: TextIO, known: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """The lines of a CSV file; `known` are the people we have, by e-mail.

    The Refusal lists every bad line with its number, its column and its value.
    """
    problems = _Problems()
    lines = list(_read(file, problems))
    _check_together(lines, known, problems)
    if problems:
        raise Refusal("people_file_invalid", f"Nothing was imported:\n{problems.report()}")
    return lines


def _read(file: TextIO, problems: _Problems) -> Iterator[Line]:
    reader = csv.DictReader(file, strict=True)
    header = reader.fieldnames or []
    if "email" not in header:
        problems.append((1, f"the header has no column `email`; it has {', '.join(header) or 'nothing'}"))
        return
    problems.extend(
        (1, f"unknown column {name!r}; expected some of {', '.join(COLUMNS)}") for name in header if name not in COLUMNS
    )
    problems.extend((1, f"the header has the column {name!r} twice") for name in COLUMNS if header.count(name) > 1)
    try:
        for row in reader:
            extra, short = row.pop(None, None), None in row.values()
            if extra or short:
                problems.append((reader.line_num, f"{len(header)} cells expected"))
                continue
            yield _line(reader.line_num, row, problems)
    except csv.Error as error:
        # The dict reader's own number is that of the last good line.
        problems.append((reader.reader.line_num, str(error)))


def _line(number: int, row: Mapping[str, str], problems: _Problems) -> Line:
    email = row["email"].strip().lower()
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or " " in email or "\0" in email:
        problems.add(number, "email", row["email"], "an e-mail address")
    fields: dict[str, Any] = {}
    for column, cell in row.items():
        text = cell.strip()
        if column == "email" or column not in COLUMNS or not text:
            continue
        if text == CLEAR and column in CLEARABLE:
            fields[column] = () if column == "roles" else None
            continue
        read, expected = _CELLS[column]
        if "\0" in text:
            read, expected = _nothing, "text without NUL"
        elif text == CLEAR:
            read, expected = _nothing, f"{expected}; it cannot be cleared"
        try:
            fields[column] = read(text)
        except (ValueError, InvalidOperation):
            problems.add(number, column, text, expected)
            # Wrong is not the same as left out.
            fields[column] = None
    return Line(number, email, fields)


def _nothing(text: str) -> None:
    raise ValueError(text)


def _fte(text: str) -> int:
    share = Decimal(text)
    # The range first: there are numbers beyond it that cannot be multiplied.
    if not 0 < share <= 1 or share * 1000 != int(share * 1000):
        raise ValueError(text)
    return int(share * 1000)


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return read


@cache
def _zones() -> frozenset[str]:
    """Every zone there is: looking at the machine's folder of them takes milliseconds, too long for each line."""
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text not in _zones():
        raise ValueError(text)
    return text


def _roles(text: str) -> tuple[str, ...]:
    return tuple(sorted({_one_of(ROLES)(role.strip()) for role in text.split(";") if role.strip()}))


def _wave(text: str) -> int:
    wave = int(text)
    if not 1 <= wave <= 100:  # noqa: PLR2004 - a typing error rather than a wave
        raise ValueError(text)
    return wave


_DAY = (date.fromisoformat, "a date such as 2026-11-01")
_CELLS: dict[str, tuple[Callable[[str], Any], str]] = {
    "name": (str, "a name"),
    "slack_user_id": (str, "a Slack user id such as U012AB3CD"),
    "manager_email": (str.lower, "an e-mail address"),
    "level": (_one_of(LEVELS), f"one of {', '.join(LEVELS)}"),
    "role_family": (str, "a role family"),
    "pay_band": (str, "a pay band"),
    "fte": (_fte, "a share of a full-time post, above 0 and at most 1, with at most three decimals"),
    "time_zone": (_zone, "a time zone such as Europe/Berlin"),
    "hired_on": _DAY,
    "left_on": _DAY,
    "wave": (_wave, "a number from 1 to 100"),
    "roles": (_roles, f"roles separated by `;` out of {', '.join(ROLES)}"),
}


def _check_together(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: _Problems) -> None:
    """What can only be judged with the other lines and the people we know."""
    _check_emails(lines, known, problems)
    _check_slack_ids(lines, known, problems)
    _check_managers(lines, known, problems)
    for line in lines:
        _check_dates(line, known.get(line.email, {}), problems)


def _check_emails(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: _Problems) -> None:
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


def _check_slack_ids(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: _Problems) -> None:
    owners = {row["slack_user_id"]: email for email, row in known.items() if row["slack_user_id"]}
    for line in lines:
        slack_id = line.fields.get("slack_user_id")
        if slack_id and (owner := owners.setdefault(slack_id, line.email)) != line.email:
            problems.add(line.number, "slack_user_id", slack_id, f"one that does not belong to {owner}")


def _check_managers(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: _Problems) -> None:
    emails = {line.email for line in lines} | set(known)
    manager_of = _managers(known)
    for line in lines:
        if "manager_email" in line.fields:
            manager = manager_of[line.email] = line.fields["manager_email"]
            if manager is not None and manager not in emails:
                problems.add(line.number, "manager_email", manager, "someone in this file or imported before")
    for line in lines:
        if _leads_back(line.email, manager_of):
            problems.add(line.number, "manager_email", str(manager_of[line.email]), "no circle of managers")


def _check_dates(line: Line, before: Mapping[str, Any], problems: _Problems) -> None:
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
