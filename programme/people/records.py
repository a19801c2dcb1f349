"""The one way in which people's records change, whether a file, a command or an identity provider says so."""

from __future__ import annotations

import secrets
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from policy.sizing import WHOLE
from programme.people import cost_centres, directory_file, teams
from store import audit
from store.people import directory as people_store
from store.people import terms
from store.people.directory import ANY_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from policy.metering import IdentityKind
    from programme.moment import Moment
    from programme.people.directory_file import Line


_EMPTY = (
    *("slack_user_id", "manager_id", "pay_band", "left_on", "wave"),
    *("external_id", "department", "cost_centre"),
)
"""What a new person may be without."""
REPORTING = frozenset({"manager_id", "hired_on", "left_on"})
"""What says who belongs to whose team since when."""

ANY_EMAIL: tuple[IdentityKind, ...] = ("email", "user")
"""As what gateways report an e-mail."""


class Change(NamedTuple):
    """What changes of one person, column by column: before and after; a new one had nothing before."""

    email: str
    is_new: bool
    columns: Mapping[str, tuple[Any, Any]]


class _Row(NamedTuple):
    """A person's whole record before and after a line; before a new person's line it is the same without a manager."""

    line: Line
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    is_new: bool = False

    @property
    def difference(self) -> dict[str, tuple[Any, Any]]:
        before = self.before
        return {name: (before[name], value) for name, value in self.after.items() if before[name] != value}


def store(
    moment: Moment, lines: list[Line], known: Mapping[str, Mapping[str, Any]], *, actor: str
) -> tuple[Change, ...]:
    """Make people what checked lines say, and say what that changed.

    `known` are people as they are, by e-mail: at least those of the lines, and the managers whom they name. A change of
    level, role family, band or post holds from today on; of a reporting line, of joining and of leaving, from tomorrow
    on for whatever was told of teams. What changed is in the audit log, person by person.
    """
    now = directory_file.under_new_emails(lines, known)
    id_of = {email: row["id"] for email, row in [*known.items(), *now.items()]}
    id_of |= {line.email: f"per_{secrets.token_hex(8)}" for line in lines if line.email not in now}
    rows = [_row(line, now.get(line.email), id_of) for line in lines]
    for row in rows:
        _settle_email(moment, row, actor)
    _store_added(moment, [row.before for row in rows if row.is_new])
    for row in rows:
        if difference := row.difference:
            people_store.update(
                moment.session, row.after["id"], {name: after for name, (_, after) in difference.items()}
            )
    changes = tuple(filter(None, [_change(moment, row, had) for row, had in _with_roles(moment, rows)]))
    _note_terms(moment, rows)
    audit.append(moment.session, *(_record(change, id_of[change.email], actor, moment.now) for change in changes))
    return changes


def _row(line: Line, known: Mapping[str, Any] | None, id_of: Mapping[str, str]) -> _Row:
    if known is not None:
        return _Row(line, known, {**known, "email": line.email, **_columns(line, id_of)})
    new = _new_row(line, id_of)
    return _Row(line, new | {"manager_id": None}, new, is_new=True)


def _store_added(moment: Moment, rows: list[Mapping[str, Any]]) -> None:
    # Managers may come later in the file than their people.
    people_store.insert(moment.session, rows)
    terms.record(moment.session, [(row["id"], row["hired_on"], row) for row in rows])


def _with_roles(moment: Moment, rows: list[_Row]) -> Iterator[tuple[_Row, set[str]]]:
    told = any("roles" in row.line.fields for row in rows)
    roles = people_store.roles_by_person(moment.session) if told else {}
    return ((row, roles.get(row.after["id"], set())) for row in rows)


def _change(moment: Moment, row: _Row, had: set[str]) -> Change | None:
    """What a line changes, with the roles stored that it says; None if that is nothing."""
    columns = row.difference
    if row.is_new:
        columns = {name: (None, value) for name, value in row.after.items()}
    roles = row.line.fields.get("roles")
    if roles is not None and set(roles) != had:
        people_store.set_roles(moment.session, row.after["id"], roles)
        columns["roles"] = (sorted(had), list(roles))
    return Change(row.line.email, row.is_new, columns) if row.is_new or columns else None


def _note_terms(moment: Moment, rows: list[_Row]) -> None:
    """Keep what is dated: terms from today on, reporting lines from tomorrow on."""
    changed = [(row, row.difference.keys()) for row in rows]
    noted = [row.after for row, names in changed if not row.is_new and names & set(terms.TERMS)]
    terms.record(moment.session, [(after["id"], max(moment.today, after["hired_on"]), after) for after in noted])
    teams.record(moment, [row.after for row, names in changed if names & REPORTING], today=moment.today)
    cost_centres.note_people(moment, [row.after for row, names in changed if row.is_new or "cost_centre" in names])


def _settle_email(moment: Moment, row: _Row, actor: str) -> None:
    """Keep an e-mail that changed as a name of the same person; one that is given to another person is theirs alone."""
    email, person_id = row.line.email, row.after["id"]
    if row.is_new or row.line.was:
        for kind in ANY_EMAIL:
            if before := people_store.drop_identity(moment.session, source=ANY_SOURCE, kind=kind, value=email):
                subject = f"{ANY_SOURCE}/{kind}/{email}"
                audit.note(moment.session, actor, "identity.drop", subject, at=moment.now, before={"person_id": before})
    if row.line.was:
        for kind in ANY_EMAIL:
            map_name(moment, (ANY_SOURCE, kind, row.line.was), person_id, actor)


def _manager(line: Line) -> str:
    return line.fields.get("manager_email") or ""


def _new_row(line: Line, id_of: Mapping[str, str]) -> dict[str, Any]:
    return (
        dict.fromkeys(_EMPTY)
        | {"fte_permille": WHOLE}
        | _columns(line, id_of)
        | {"id": id_of[line.email], "email": line.email}
    )


def _columns(line: Line, id_of: Mapping[str, str]) -> dict[str, Any]:
    columns = {k: v for k, v in line.fields.items() if k not in {"manager_email", "fte", "roles", "offer_id"}}
    if "fte" in line.fields:
        columns["fte_permille"] = line.fields["fte"]
    if "manager_email" in line.fields:
        columns["manager_id"] = id_of.get(_manager(line))
    return columns


def _record(change: Change, person_id: str, actor: str, now: datetime) -> audit.Record:
    if change.is_new:
        level = {"level": change.columns["level"][1]}
        return audit.Record(at=now, actor=actor, action="people.add", subject=person_id, before=None, after=level)
    before = {name: _plain(before) for name, (before, _) in change.columns.items()}
    after = {name: _plain(after) for name, (_, after) in change.columns.items()}
    return audit.Record(at=now, actor=actor, action="people.change", subject=person_id, before=before, after=after)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any column
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value


def map_name(moment: Moment, name: tuple[str, IdentityKind, str], person_id: str, actor: str) -> None:
    source, kind, value = name
    if (spelled := people_store.spelled(kind, value)) != value:
        people_store.drop_identity(moment.session, source=source, kind=kind, value=value)
        value = spelled
    before = people_store.add_identity(moment.session, source=source, kind=kind, value=value, person_id=person_id)
    if before != person_id:
        audit.note(
            moment.session,
            actor,
            "identity.map",
            f"{source}/{kind}/{value}",
            at=moment.now,
            before={"person_id": before} if before else None,
            after={"person_id": person_id},
        )
