"""People come, change and leave as an identity provider tells: the same records as a file's, by the same functions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from policy.reasons import Refusal
from programme.people import accepted, directory_file, records
from programme.people import told as telling
from programme.people.directory_file import CLEAR, Words
from programme.table_file import Problems
from store import audit, locks
from store.locks import Lock
from store.people import provisioned, terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from programme.moment import Moment
    from programme.people.directory_file import Line
    from programme.people.told import Said, Turned
    from store.people.provisioned import Record

TAKEN = "taken"
"""The code of a Refusal: a user name, an e-mail or an external id is somebody else's."""
INVALID = "person_invalid"
GONE = "no_such_person"


def create(moment: Moment, said: Said, *, actor: str) -> Record:
    """Add a person, or take on the one whom we know already by the external id, or by the address alone.

    The external id is who somebody is: under another user name or e-mail it is a change, never a second person. Refused
    (`taken`) where the provider has that very user already, or the address is still somebody else's.
    """
    locks.hold(moment.session, Lock.PEOPLE)
    known = _known(moment, said)
    if known is None:
        return _store(moment, said, None, actor=actor)
    if known.scim is None or known.scim["deleted_at"] is not None:
        return _store(moment, said, known, actor=actor)
    if said.external_id is None or known.user_name.casefold() == said.user_name.casefold():
        raise _taken("userName", said.user_name, known)
    return _store(moment, said, known, actor=actor)


def _known(moment: Moment, said: Said) -> Record | None:
    """The person that a provider speaks of, as one whom it creates."""
    email = telling.email_of(said)
    known = provisioned.known(moment.session, said.external_id, said.user_name.casefold(), email)
    if known.by_external_id is not None:
        return known.by_external_id
    for column, found in (("userName", known.by_user_name), ("emails", known.by_email)):
        if found is None:
            continue
        other = found.person["external_id"]
        if said.external_id and other and other != said.external_id:
            raise _taken(column, said.user_name if column == "userName" else found.person["email"], found)
        return found
    return None


def _taken(attribute: str, value: str, owner: Record) -> Refusal:
    return Refusal(
        TAKEN,
        f"{attribute} = {value!r} is that of {owner.person['name']} ({owner.person['id']}) already.",
        next_step="Change that user, or run `tokens-bot people rename` where the address has been given to another.",
    )


def change(moment: Moment, person_id: str, said: Said, *, actor: str) -> Record:
    """Make a person what a provider says of them now."""
    locks.hold(moment.session, Lock.PEOPLE)
    return _store(moment, said, require(moment, person_id), actor=actor)


def require(moment: Moment, person_id: str) -> Record:
    """The record that a provider sees under an id, or a Refusal."""
    record = provisioned.by_id(moment.session, person_id)
    if record is None:
        raise Refusal(GONE, f"No user has the id {person_id!r}.")
    return record


def remove(moment: Moment, person_id: str, *, actor: str) -> None:
    """A provider has a user no longer: they leave today, unless they have left; their record and their books stay."""
    locks.hold(moment.session, Lock.PEOPLE)
    record = require(moment, person_id)
    said = telling.said_of(record, moment.today)
    _store(moment, dataclasses.replace(said, active=False), record, actor=actor)
    provisioned.keep(moment.session, person_id, {"deleted_at": moment.now}, is_new=False, now=moment.now)
    audit.note(moment.session, actor, "people.unprovision", person_id, at=moment.now)


def _store(moment: Moment, said: Said, record: Record | None, *, actor: str) -> Record:
    """Everything that a change comes to; it is done in the order in which it can be refused."""
    turned = telling.turned(said, record, today=moment.today, zone=moment.zone)
    if record is not None:
        _require_free(moment, said, record)
    manager, awaits, above = _manager(moment, turned, record)
    cells = {"email": telling.email_of(said), **turned.cells, **manager}
    line = _line(moment, cells, record)
    records.store(moment, [line], _around(moment, line, record, above), actor=actor)
    own = record.person["id"] if record else provisioned.id_of(moment.session, line.email)
    kept: dict[str, Any] = {"user_name": said.user_name, "user_key": said.user_name.casefold(), "told": turned.kept}
    kept |= {"awaits": awaits, "deleted_at": None}
    is_new = record is None or record.scim is None
    provisioned.keep(moment.session, own, kept, is_new=is_new, now=moment.now)
    if said.offer_id:
        accepted.note(moment, own, said.offer_id)
    after = require(moment, own)
    return require(moment, own) if _settle_waiting(moment, after, said, actor=actor) else after


def _require_free(moment: Moment, said: Said, record: Record) -> None:
    """Refuse new names that are somebody else's; who has left and was deleted there keeps theirs until renamed."""
    session, email = moment.session, telling.email_of(said)
    owner: Record | None
    if said.user_name.casefold() != record.user_name.casefold():
        owner = provisioned.by_user_name(session, said.user_name.casefold())
        _require_own(owner, record, "userName", said.user_name)
    if email != record.person["email"]:
        _require_own(provisioned.by_email(session, email), record, "emails", email)
    if said.external_id and said.external_id != record.person["external_id"]:
        owner = provisioned.by_external_id(session, said.external_id)
        _require_own(owner, record, "externalId", said.external_id)


def _require_own(owner: Record | None, record: Record, attribute: str, value: str) -> None:
    if owner is not None and owner.person["id"] != record.person["id"]:
        raise _taken(attribute, value, owner)


def _manager(moment: Moment, turned: Turned, record: Record | None) -> tuple[dict[str, str], str | None, Sequence[str]]:
    """The cell of the manager, if it changes, by what name one is waited for, and who is above from then on."""
    if turned.manager is None:
        return {}, record.scim["awaits"] if record and record.scim else None, ()
    if not turned.manager:
        return {"manager_email": CLEAR}, None, ()
    found = _named(moment, turned.manager)
    if found is None:
        return ({"manager_email": CLEAR} if record else {}), turned.manager, ()
    own = record.person["id"] if record else ""
    above = provisioned.above(moment.session, found.person["id"])
    # Where two change places, the first message makes a circle that the second one opens.
    if own in above:
        return {}, turned.manager, ()
    return {"manager_email": found.person["email"]}, None, above


def _named(moment: Moment, name: str) -> Record | None:
    session, key = moment.session, name.casefold()
    return (
        provisioned.by_either_id(session, name)
        or provisioned.by_user_name(session, key)
        or provisioned.by_email(session, key)
    )


def _line(moment: Moment, cells: Mapping[str, str], record: Record | None) -> Line:
    """The line of a file of people that says the same, checked by itself."""
    problems = Problems()
    line = directory_file.line(0, cells, directory_file.readers({}, _words(moment, cells)), problems)
    _refuse(problems)
    if record is not None and record.person["email"] != line.email:
        return directory_file.Line(0, line.email, line.fields, was=record.person["email"])
    return line


def _words(moment: Moment, cells: Mapping[str, str]) -> Words:
    """How families and bands are spelled, where a line says one."""
    family, bands = cells.get("role_family", ""), terms.bands(moment.session) if "pay_band" in cells else ()
    known = moment.recent_handbooks.versions[-1].rollout.role_families
    if not family or family in known or terms.is_family(moment.session, family):
        return Words(known, tuple(bands))
    return Words((*known, *terms.families(moment.session)), tuple(bands))


def _around(moment: Moment, line: Line, record: Record | None, above: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The person and their managers as they are, by e-mail; a Refusal where the line does not fit them."""
    known = {record.person["email"]: dict(record.person)} if record else {}
    if above:
        known |= provisioned.rows(moment.session, above)
    problems = Problems()
    directory_file.check_together([line], directory_file.under_new_emails([line], known), problems)
    _refuse(problems)
    return known


def _refuse(problems: Problems) -> None:
    if problems:
        raise Refusal(INVALID, " ".join(f"{text}." for _, text in problems))


def _settle_waiting(moment: Moment, record: Record, said: Said, *, actor: str) -> bool:
    """Give a manager to those who waited for this person, or for their place above to change; whether any did."""
    names = {record.person["id"], record.person["email"], said.user_name, said.user_name.casefold(), said.external_id}
    waited = provisioned.awaiting(moment.session, sorted(filter(None, names)))
    for waiting in waited:
        own = waiting.person["id"]
        if own in provisioned.above(moment.session, record.person["id"]):
            continue
        line = directory_file.Line(0, waiting.person["email"], {"manager_email": record.person["email"]})
        known = {waiting.person["email"]: waiting.person, record.person["email"]: record.person}
        records.store(moment, [line], known, actor=actor)
        provisioned.keep(moment.session, own, {"awaits": None}, is_new=False, now=moment.now)
    return bool(waited)
