"""What is held about somebody, handed out; and what names somebody who has left, taken away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from policy.reasons import Refusal
from programme.people import directory
from store import audit, locks
from store.invoices import bills
from store.locks import Lock
from store.people import board
from store.people import directory as people_store
from store.privacy import held as held_store
from store.privacy import letters, names, texts, usage
from store.privacy.parts import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from programme.moment import Moment
    from store.people.directory import Person

KEPT = {
    "audit_log": "who did what is evidence, and each row proves the ones before it (Art. 17(3)(e) GDPR)",
    "bill_shares": "the books have to stay complete",
    "entries": "the books have to stay complete (Art. 17(3)(b))",
    "grants": "what grants and budgets followed from has to be proved",
    "lots": "the books have to stay complete",
    "people": "an id, dates of work, level and band: what grants followed from",
    "person_terms": "what grants followed from",
    "postings": "the books have to stay complete",
    "quarantine": "that usage waited, and when it left, under an id",
    "request_questions": "that something was asked, without its texts",
    "request_votes": "decisions of the board stand with who decided, by id",
    "requests": "what the board decided, without its texts",
    "review_cases": "what the board decided, and what it followed from",
    "usage_days": "what was paid for, by day and service",
    "wallet_days": "what was paid for, by day and service",
    "usage_conflicts": "what was refused, under an id",
    "usage_events": "what was paid for, under an id",
    "usage_versions": "how usage was corrected, under an id",
}
"""Why rows of a table stay after somebody was erased; of those that are not here, by id alone, for the same reasons."""
OTHERWISE = "other rows refer to it, by id alone"


@dataclass(frozen=True, slots=True)
class Held:
    """Everything about somebody: rows by table. Integers of tokens are micro-tokens, of USD nano-USD."""

    person: Person
    tables: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken away, in counts, and how many rows of which tables stay, where that was asked for."""

    person_id: str
    names: int
    texts: int
    letters: int
    events: int
    kept: Mapping[str, int] = field(default_factory=dict)


def held(moment: Moment, who: str) -> Held:
    """Everything that is held about somebody."""
    person = directory.require(moment, who)
    return Held(person, held_store.held(moment.session, person.id))


def export(moment: Moment, who: str, *, actor: str) -> Held:
    """The same, to be handed to them; that it was is on record."""
    found = held(moment, who)
    audit.note(moment.session, actor, "people.export", found.person.id, at=moment.now)
    return found


def erase(moment: Moment, who: str, *, actor: str) -> Erased:
    """Take away what names somebody who has left: name, addresses, accounts, and what they wrote.

    The books stay as they are, under an id that says nothing. Refused for people who are here: they are sized, warned
    and written to by these data. A second time it finds nothing more to do.
    """
    locks.hold(moment.session, Lock.PEOPLE)
    person = directory.require(moment, who)
    if person.left_on is None or person.left_on >= moment.today:
        raise Refusal(
            "still_here",
            f"{person.email} is still here, and the programme cannot go on for them without these data.",
            next_step="Set `left_on` first; they can be erased from the day after.",
        )
    done = forget(moment, person, actor=actor)
    return replace(done, kept={name: len(rows) for name, rows in held_store.held(moment.session, person.id).items()})


def forget(moment: Moment, person: Person, *, actor: str) -> Erased:
    """The same of somebody who is known to be gone; people are locked."""
    session = moment.session
    if people_store.roles_of(session, person.id):
        board.end_delegation(session, person.id, now=moment.now)
    known_by = names.known_by(session, person.id)
    events = usage.forget(session, person.id, known_by)
    bills.forget_person(session, known_by, person.id)
    written = sum(part.take_all(session, Scope(person_id=person.id)) for part in texts.PARTS)
    sent = letters.forget(session, person.id, known_by, moment.now)
    names.forget(session, person.id, known_by, moment.now)
    after = {"texts": written, "events": events}
    audit.note(session, actor, "people.erase", person.id, at=moment.now, after=after)
    return Erased(person.id, len(known_by), written, sent, events)


def why_kept(table: str) -> str:
    return KEPT.get(table, OTHERWISE)
