"""Who takes part: importing people, linking Slack users, mapping gateway names."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TextIO

from policy import texts
from policy.reasons import Refusal
from programme.people import directory_file, teams
from store import audit
from store.people import directory as people_store
from store.people import terms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policy.metering import IdentityKind
    from programme.moment import Moment
    from programme.people.directory_file import Line
    from store.people.directory import Person


REPORTING = frozenset({"manager_id", "hired_on", "left_on"})
"""What says who belongs to whose team since when."""


@dataclass(frozen=True, slots=True)
class PeopleImport:
    """What an import did."""

    added: int
    changed: int
    unchanged: int


def import_csv(moment: Moment, file: TextIO, *, actor: str) -> PeopleImport:
    """Add or change people by e-mail; what a line leaves out stays.

    A change of level, role family, band or post holds from today on. One bad line, and nothing is imported: the Refusal
    lists every bad line with its number, its column and its value.
    """
    known = people_store.all_by_email(moment.session)
    return _store(moment, directory_file.checked_lines(file, known), known, actor=actor, today=moment.today)


def _store(
    moment: Moment, lines: list[Line], known: Mapping[str, Mapping[str, Any]], *, actor: str, today: date
) -> PeopleImport:
    id_of = {email: row["id"] for email, row in known.items()}
    id_of |= {line.email: f"per_{secrets.token_hex(8)}" for line in lines if line.email not in known}
    added = [_new_row(line, id_of) for line in lines if line.email not in known]
    # Managers may come later in the file than their people.
    people_store.insert(moment.session, [row | {"manager_id": None} for row in added])
    terms.record(moment.session, [(row["id"], row["hired_on"], row) for row in added])
    roles = people_store.roles_by_person(moment.session)
    records: list[audit.Record] = []
    changed = 0
    changed_terms: list[tuple[str, date, Mapping[str, Any]]] = []
    reporting: list[Mapping[str, Any]] = []
    for line in lines:
        person_id = id_of[line.email]
        before: dict[str, Any] = dict(known.get(line.email, _new_row(line, id_of) | {"manager_id": None}))
        after = _columns(line, id_of) if line.email in known else {"manager_id": id_of.get(_manager(line))}
        difference = {column: value for column, value in after.items() if before.get(column) != value}
        if difference:
            people_store.update(moment.session, person_id, difference)
            if difference.keys() & REPORTING:
                reporting.append(before | dict(after))
            if line.email in known and difference.keys() & set(terms.TERMS):
                terms_now: dict[str, Any] = before | dict(after)
                changed_terms.append((person_id, max(today, terms_now["hired_on"]), terms_now))
        new_roles = line.fields.get("roles")
        if new_roles is not None and set(new_roles) != roles.get(person_id, set()):
            people_store.set_roles(moment.session, person_id, new_roles)
            difference["roles"] = list(new_roles)
        if line.email not in known:
            records.append(_record("people.add", person_id, None, {"level": line.fields["level"]}, actor, moment.now))
        elif difference:
            changed += 1
            old = {c: sorted(roles.get(person_id, ())) if c == "roles" else before.get(c) for c in difference}
            records.append(_record("people.change", person_id, old, difference, actor, moment.now))
    terms.record(moment.session, changed_terms)
    teams.record(moment, reporting, today=today)
    audit.append(moment.session, *records)
    return PeopleImport(len(added), changed, len(lines) - len(added) - changed)


def _manager(line: Line) -> str:
    return line.fields.get("manager_email") or ""


def _new_row(line: Line, id_of: Mapping[str, str]) -> dict[str, Any]:
    empty = {"slack_user_id": None, "pay_band": None, "left_on": None, "wave": None, "fte_permille": 1000}
    return empty | {"manager_id": None} | _columns(line, id_of) | {"id": id_of[line.email], "email": line.email}


def _columns(line: Line, id_of: Mapping[str, str]) -> dict[str, Any]:
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
    )


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}


def link(moment: Moment, *, slack_user_id: str, email: str | None) -> Person | None:
    """The person of a Slack user, linked by e-mail at first contact; None when no one has that e-mail.

    Someone whose record already names another Slack user is not taken over: that is for an administrator to settle.
    """
    if known := people_store.by_slack_id(moment.session, slack_user_id):
        return known
    person = people_store.by_email(moment.session, email) if email else None
    if person is None or not people_store.link_slack_user(
        moment.session, person_id=person.id, slack_user_id=slack_user_id
    ):
        return None
    audit.note(
        moment.session,
        f"slack:{slack_user_id}",
        "people.link",
        person.id,
        at=moment.now,
        after={"slack_user_id": slack_user_id},
    )
    return dataclasses.replace(person, slack_user_id=slack_user_id)


def require(moment: Moment, email: str) -> Person:
    """The person with an e-mail, or a Refusal."""
    person = people_store.by_email(moment.session, email)
    if person is None:
        raise Refusal(
            "unknown_person", f"No one has the e-mail {email!r}.", next_step="See `tokens-bot people import`."
        )
    return person


def map_identity(moment: Moment, *, source: str, kind: IdentityKind, value: str, email: str, actor: str) -> Person:
    """Say that a gateway's user, e-mail or key alias is a certain person's."""
    for field, text in (("source", source), ("value", value)):
        texts.require_name(field, text)
    person = require(moment, email)
    before = people_store.add_identity(moment.session, source=source, kind=kind, value=value, person_id=person.id)
    if before != person.id:
        audit.note(
            moment.session,
            actor,
            "identity.map",
            f"{source}/{kind}/{value}",
            at=moment.now,
            before={"person_id": before} if before else None,
            after={"person_id": person.id},
        )
    return person
