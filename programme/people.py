"""Who takes part: importing people, linking Slack users, mapping gateway names."""

from __future__ import annotations

import csv
import dataclasses
import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TextIO
from zoneinfo import available_timezones

from policy.reasons import Refusal
from store import audit
from store import people as people_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from policy.metering import IdentityKind
    from store.engine import Session
    from store.people import Person

COLUMNS = (
    "email", "name", "slack_user_id", "manager_email", "level", "role_family", "pay_band", "fte", "time_zone",
    "hired_on", "left_on", "wave", "roles",
)  # fmt: skip
REQUIRED = ("name", "level", "role_family", "time_zone", "hired_on")
CLEARABLE = ("slack_user_id", "manager_email", "pay_band", "left_on", "wave", "roles")
LEVELS = ("junior", "mid", "senior", "staff", "principal")
ROLES = ("board", "chair", "finance", "recruiter", "admin", "auditor")
CLEAR = "-"
"""A cell that empties what was there; an empty cell leaves it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    email: str
    fields: Mapping[str, Any]


class _Problems(list[str]):
    def add(self, line: int, column: str, value: str, expected: str) -> None:
        self.append(f"line {line}: {column} = {value!r}: expected {expected}")


def import_csv(session: Session, file: TextIO, *, actor: str, now: datetime) -> Imported:
    """Add or change people by e-mail; what a line leaves out stays.

    One bad line, and nothing is imported: the Refusal lists every bad line with its number, its column and its value.
    """
    problems = _Problems()
    lines = list(_read(file, problems))
    known = people_store.all_by_email(session)
    _check_together(lines, known, problems)
    if problems:
        raise Refusal("people_file_invalid", "Nothing was imported:\n" + "\n".join(problems))
    return _store(session, lines, known, actor=actor, now=now)


def _read(file: TextIO, problems: _Problems) -> Iterator[_Line]:
    reader = csv.DictReader(file, strict=True)
    header = reader.fieldnames or []
    if "email" not in header:
        problems.append(f"line 1: the header has no column `email`; it has {', '.join(header) or 'nothing'}")
        return
    problems.extend(
        f"line 1: unknown column {name!r}; expected some of {', '.join(COLUMNS)}"
        for name in header
        if name not in COLUMNS
    )
    try:
        for row in reader:
            extra, short = row.pop(None, None), None in row.values()
            if extra or short:
                problems.append(f"line {reader.line_num}: {len(header)} cells expected")
                continue
            yield _line(reader.line_num, row, problems)
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")


def _line(number: int, row: Mapping[str, str], problems: _Problems) -> _Line:
    email = row["email"].strip().lower()
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or " " in email:
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
        try:
            fields[column] = read(text)
        except (ValueError, InvalidOperation):
            problems.add(number, column, text, expected)
    return _Line(number, email, fields)


def _fte(text: str) -> int:
    permille = Decimal(text) * 1000
    if permille != int(permille) or not 0 < permille <= 1000:  # noqa: PLR2004 - a whole post
        raise ValueError(text)
    return int(permille)


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return read


def _zone(text: str) -> str:
    if text not in available_timezones():
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
    "fte": (_fte, "a share of a full post, above 0 and at most 1, with at most three decimals"),
    "time_zone": (_zone, "a time zone such as Europe/Berlin"),
    "hired_on": _DAY,
    "left_on": _DAY,
    "wave": (_wave, "a number from 1 to 100"),
    "roles": (_roles, f"roles separated by `;` out of {', '.join(ROLES)}"),
}


def _check_together(lines: list[_Line], known: Mapping[str, Mapping[str, Any]], problems: _Problems) -> None:
    """What can only be judged with the other lines and the people we know."""
    emails = {line.email for line in lines} | set(known)
    first_seen: dict[str, int] = {}
    slack_ids = {row["slack_user_id"]: email for email, row in known.items() if row["slack_user_id"]}
    manager_of = _managers(known)
    for line in lines:
        if line.email in first_seen:
            problems.add(line.number, "email", line.email, f"each once; line {first_seen[line.email]} has it too")
        first_seen.setdefault(line.email, line.number)
        for column in REQUIRED:
            if line.email not in known and column not in line.fields:
                problems.append(f"line {line.number}: {column} is empty; a new person needs it")
        _check_dates(line, known.get(line.email, {}), problems)
        if slack_id := line.fields.get("slack_user_id"):
            if (owner := slack_ids.setdefault(slack_id, line.email)) != line.email:
                problems.add(line.number, "slack_user_id", slack_id, f"one that does not belong to {owner}")
        if "manager_email" in line.fields:
            manager = line.fields["manager_email"]
            manager_of[line.email] = manager
            if manager is not None and manager not in emails:
                problems.add(line.number, "manager_email", manager, "somebody in this file or imported before")
    for line in lines:
        if _leads_back(line.email, manager_of):
            problems.add(line.number, "manager_email", str(manager_of[line.email]), "no circle of managers")


def _check_dates(line: _Line, before: Mapping[str, Any], problems: _Problems) -> None:
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


def _store(
    session: Session, lines: list[_Line], known: Mapping[str, Mapping[str, Any]], *, actor: str, now: datetime
) -> Imported:
    id_of = {email: row["id"] for email, row in known.items()}
    id_of |= {line.email: f"per_{secrets.token_hex(8)}" for line in lines if line.email not in known}
    added = [_new_row(line, id_of) for line in lines if line.email not in known]
    # Managers may come later in the file than their people.
    people_store.insert(session, [row | {"manager_id": None} for row in added])
    roles = people_store.roles_by_person(session)
    records: list[audit.Record] = []
    changed = 0
    for line in lines:
        person_id = id_of[line.email]
        before = dict(known.get(line.email, {"manager_id": None}))
        after = _columns(line, id_of) if line.email in known else {"manager_id": id_of.get(_manager(line))}
        difference = {column: value for column, value in after.items() if before.get(column) != value}
        if difference:
            people_store.update(session, person_id, difference)
        new_roles = line.fields.get("roles")
        if new_roles is not None and set(new_roles) != roles.get(person_id, set()):
            people_store.set_roles(session, person_id, new_roles)
            difference["roles"] = list(new_roles)
        if line.email not in known:
            records.append(_record("people.add", person_id, None, {"level": line.fields["level"]}, actor, now))
        elif difference:
            changed += 1
            old = {c: sorted(roles.get(person_id, ())) if c == "roles" else before.get(c) for c in difference}
            records.append(_record("people.change", person_id, old, difference, actor, now))
    audit.append(session, *records)
    return Imported(len(added), changed, len(lines) - len(added) - changed)


def _manager(line: _Line) -> str:
    return line.fields.get("manager_email") or ""


def _new_row(line: _Line, id_of: Mapping[str, str]) -> dict[str, Any]:
    empty = {"slack_user_id": None, "pay_band": None, "left_on": None, "wave": None, "fte_permille": 1000}
    return empty | {"manager_id": None} | _columns(line, id_of) | {"id": id_of[line.email], "email": line.email}


def _columns(line: _Line, id_of: Mapping[str, str]) -> dict[str, Any]:
    columns = {k: v for k, v in line.fields.items() if k not in {"manager_email", "fte", "roles"}}
    if "fte" in line.fields:
        columns["fte_permille"] = line.fields["fte"]
    if "manager_email" in line.fields:
        columns["manager_id"] = id_of.get(_manager(line))
    return columns


def _record(  # noqa: PLR0917 - private, called twice
    action: str, person_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any], actor: str, now: datetime
) -> audit.Record:
    return audit.Record(
        at=now, actor=actor, action=action, subject=person_id, before=_plain(before), after=_plain(after)
    )  # fmt: skip


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}


def link(session: Session, *, slack_user_id: str, email: str | None, now: datetime) -> Person | None:
    """The person of a Slack user, linked by e-mail at first contact; None when nobody has that e-mail.

    Somebody whose record already names another Slack user is not taken over: that is for an administrator to settle.
    """
    if known := people_store.by_slack_id(session, slack_user_id):
        return known
    person = people_store.by_email(session, email) if email else None
    if person is None or not people_store.link_slack_user(session, person_id=person.id, slack_user_id=slack_user_id):
        return None
    audit.append(
        session,
        audit.Record(
            at=now, actor=f"slack:{slack_user_id}", action="people.link", subject=person.id,
            after={"slack_user_id": slack_user_id},
        ),
    )  # fmt: skip
    return dataclasses.replace(person, slack_user_id=slack_user_id)


def require(session: Session, email: str) -> Person:
    """The person with an e-mail, or a Refusal."""
    person = people_store.by_email(session, email)
    if person is None:
        raise Refusal(
            "unknown_person", f"Nobody has the e-mail {email!r}.", next_step="See `tokens-bot people import`."
        )
    return person


def map_identity(
    session: Session, *, source: str, kind: IdentityKind, value: str, email: str, actor: str, now: datetime
) -> Person:
    """Say that a gateway's user, e-mail or key alias is a certain person's."""
    person = require(session, email)
    before = people_store.add_identity(session, source=source, kind=kind, value=value, person_id=person.id)
    if before != person.id:
        subject = f"{source}/{kind}/{value}"
        record = audit.Record(
            at=now, actor=actor, action="identity.map", subject=subject,
            before={"person_id": before} if before else None, after={"person_id": person.id},
        )  # fmt: skip
        audit.append(session, record)
    return person
