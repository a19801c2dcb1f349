"""Reading a file of people: every line checked, alone and together with the others, before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO
from zoneinfo import available_timezones

from msgspec import Meta

from policy import texts
from policy.parameters.grants import LEVELS
from programme import table_file
from programme.table_file import Cell, Problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REQUIRED = ("name", "level", "role_family", "time_zone", "hired_on")
ROLES = ("board", "alternate", "chair", "finance", "recruiter", "admin", "auditor")
CLEAR = "-"
"""A cell that empties what was there; an empty cell leaves it."""


@cache
def _zones() -> frozenset[str]:
    """Every zone there is: looking at the machine's folder of them takes milliseconds, too long for each line."""
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text not in _zones():
        raise ValueError(text)
    return text


def _email(text: str) -> str:
    if text.count("@") != 1 or text.startswith("@") or text.endswith("@") or " " in text:
        raise ValueError(text)
    return text.lower()


def _roles(text: str) -> tuple[str, ...]:
    roles = {role.strip() for role in text.split(";")} - {""}
    if not roles <= set(ROLES):
        raise ValueError(text)
    return tuple(sorted(roles))


_TEXT = Annotated[str, Meta(pattern=f"^(?!{CLEAR}$)")]
_SLACK_USER = Annotated[str, Meta(pattern=r"^[UW][A-Z0-9]{1,30}$")]
"""It is written into mentions as it is, so it must be no more than an id."""
_DAY = "a date such as 2026-11-01"
_POST = "a share of a full-time post, above 0 and at most 1, with at most three decimals"
COLUMNS = {
    "email": Cell("an e-mail address", read=_email, longest=texts.LONGEST_EMAIL),
    "name": Cell("a name", _TEXT),
    "slack_user_id": Cell("a Slack user id such as U012AB3CD", _SLACK_USER),
    "manager_email": Cell("an e-mail address", read=str.lower, longest=texts.LONGEST_EMAIL),
    "level": Cell(f"one of {', '.join(LEVELS)}", Literal[LEVELS]),
    "role_family": Cell("a role family", _TEXT),
    "pay_band": Cell("a pay band"),
    "fte": Cell(_POST, read=table_file.permille),
    "time_zone": Cell("a time zone such as Europe/Berlin", read=_zone),
    "hired_on": Cell(_DAY, date),
    "left_on": Cell(_DAY, date),
    "wave": Cell("a number from 1 to 100", Annotated[int, Meta(ge=1, le=100)]),
    "roles": Cell(f"roles separated by `;` out of {', '.join(ROLES)}", read=_roles),
}
CLEARED = {"slack_user_id": None, "manager_email": None, "pay_band": None, "left_on": None, "wave": None, "roles": ()}
"""What may be cleared, and what it is then."""


@dataclass(frozen=True, slots=True)
class Line:
    """One person's line; `fields` holds what it says, None for what it clears."""

    number: int
    email: str
    fields: Mapping[str, Any]


def checked_lines(file: TextIO, known: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """The lines of a CSV file; `known` are the people we have, by e-mail.

    The Refusal lists every bad line with its number, its column and its value.
    """
    problems = Problems()
    lines = list(_read(file, problems))
    _check_together(lines, known, problems)
    problems.refuse("people_file_invalid")
    return lines


def _read(file: TextIO, problems: Problems) -> Iterator[Line]:
    for number, cells in table_file.rows(file, COLUMNS, ("email",), problems):
        cleared = {name: empty for name, empty in CLEARED.items() if cells.get(name) == CLEAR}
        said = table_file.values(number, {k: v for k, v in cells.items() if k not in cleared}, COLUMNS, problems)
        if not cells["email"]:
            problems.add(number, "email", "", COLUMNS["email"].expected)
        yield Line(number, said.pop("email", None) or cells["email"].lower(), said | cleared)


def _check_together(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    """What can only be judged with the other lines and the people we know."""
    _check_emails(lines, known, problems)
    _check_slack_ids(lines, known, problems)
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


def _check_slack_ids(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
    owners = {row["slack_user_id"]: email for email, row in known.items() if row["slack_user_id"]}
    for line in lines:
        slack_id = line.fields.get("slack_user_id")
        if slack_id and (owner := owners.setdefault(slack_id, line.email)) != line.email:
            problems.add(line.number, "slack_user_id", slack_id, f"one that does not belong to {owner}")


def _check_managers(lines: list[Line], known: Mapping[str, Mapping[str, Any]], problems: Problems) -> None:
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
