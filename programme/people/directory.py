"""Who takes part: importing people, linking Slack users, mapping gateway names."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from policy import texts
from policy.period import Quarter
from policy.reasons import Refusal
from programme.files import cells
from programme.people import accepted, directory_file, records
from programme.people.directory_file import Line, Words
from programme.value import rates
from store import audit, locks
from store.locks import Lock
from store.offers import joiners
from store.people import directory as people_store
from store.people import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from policy.metering import IdentityKind
    from programme.moment import Moment
    from programme.people.records import Change
    from store.people.directory import Person


@dataclass(frozen=True, slots=True)
class PeopleImport:
    """What an import did.

    `outside` are role families in the file that the handbook leaves outside the programme, `without_midpoint` pay bands
    that no grant can follow from yet, and `without_rate` those in a currency without a rate for the quarter.
    `without_offer` are offers that are not on record, of people who have had no grant.
    """

    changes: tuple[Change, ...]
    unchanged: int
    outside: tuple[str, ...] = ()
    without_midpoint: tuple[str, ...] = ()
    without_rate: tuple[str, ...] = ()
    without_offer: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        return sum(change.is_new for change in self.changes)

    @property
    def changed(self) -> int:
        return len(self.changes) - self.added


def import_csv(moment: Moment, file: TextIO, *, actor: str) -> PeopleImport:
    """Add or change people by e-mail; what a line leaves out stays.

    Someone whose external id or Slack user a line names beside a new e-mail has that e-mail from now on. A change of
    level, role family, band or post holds from today on. One bad line, and nothing is imported: the Refusal lists the
    bad lines with their number, column and value.
    """
    locks.hold(moment.session, Lock.PEOPLE)
    known = people_store.all_by_email(moment.session)
    families = moment.handbook.rollout.role_families
    bands = terms.bands(moment.session)
    words = Words(families, tuple(bands))
    lines = directory_file.checked_lines(file, known, words)
    changes = records.store(moment, lines, known, actor=actor)
    outside = _named(lines, "role_family") - set(families)
    named = _named(lines, "pay_band")
    return PeopleImport(
        changes,
        len(lines) - len(changes),
        tuple(sorted(outside)),
        tuple(sorted(named - set(bands))),
        tuple(f"{band} ({currency})" for band, currency in sorted(_without_rate(moment)) if band in named),
        tuple(_without_offer(moment, lines)),
    )


def _without_offer(moment: Moment, lines: list[Line]) -> Iterator[str]:
    """Offers that lines name in vain; the others are kept."""
    named = [(line, offer) for line in lines if (offer := line.fields.get("offer_id"))]
    for line, offer in named:
        person = require(moment, line.email)
        if not accepted.note(moment, person.id, offer) and not joiners.has_grants(moment.session, person.id):
            yield f"{offer} ({line.email})"


def _without_rate(moment: Moment) -> Iterable[tuple[str, str]]:
    today = moment.today
    found = rates.in_usd(moment, terms.midpoints(moment.session, today), Quarter.containing(today))
    return found.without_rate.items()


def _named(lines: list[Line], column: str) -> set[str]:
    """Every word that stands in a column."""
    return {word for line in lines if (word := line.fields.get(column)) is not None}


def rename(moment: Moment, before: str, after: str, *, actor: str) -> Person:
    """Give someone another e-mail; the old one stays a name by which gateways may know them."""
    person = require(moment, before)
    try:
        email = cells.email(after)
    except ValueError as error:
        raise Refusal("email_invalid", f"{after!r} is not an e-mail address. {error}") from error
    if (other := people_store.by_email(moment.session, email)) is not None:
        raise Refusal("email_taken", f"{email} is the e-mail of {other.name} ({other.id}) already.")
    known = people_store.all_by_email(moment.session)
    records.store(moment, [Line(0, email, {}, was=person.email)], known, actor=actor)
    return dataclasses.replace(person, email=email)


def require(moment: Moment, email: str) -> Person:
    """The person with an e-mail or an id, or a Refusal."""
    of_id = people_store.by_id(moment.session, email) if "@" not in email else None
    person = of_id or people_store.by_email(moment.session, email)
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
    records.map_name(moment, (source, kind, value), person.id, actor)
    return person


def forget_identity(moment: Moment, *, source: str, kind: IdentityKind, value: str, actor: str) -> Person:
    """Say that a gateway's name is nobody's any more; whose it was. A name that is nobody's is refused."""
    # Earlier releases kept e-mails as they were typed.
    spellings = dict.fromkeys((value, people_store.spelled(kind, value)))
    owners = (
        (one, people_store.drop_identity(moment.session, source=source, kind=kind, value=one)) for one in spellings
    )
    value, before = next((found for found in owners if found[1] is not None), (value, None))
    if before is None:
        text = f"{kind} {value!r} of {source} is nobody's."
        known = people_store.kept_as(moment.session, value)
        others = [f"`--source {shlex.quote(of)} --kind {one}`" for of, one in known]
        elsewhere = f"There is one with {' and one with '.join(others[:3])}." if others else ""
        raise Refusal("unknown_identity", text, next_step=elsewhere or "`tokens-bot identities list` has every name.")
    subject = f"{source}/{kind}/{value}"
    audit.note(moment.session, actor, "identity.forget", subject, at=moment.now, before={"person_id": before}, after={})
    person = people_store.by_id(moment.session, before)
    assert person is not None  # noqa: S101 - people are never removed
    return person
