"""What is held about people for a time only, taken away when that is over: by kind, as the handbook says.

It goes in batches, each a transaction of its own that notes how far it came: whoever comes next goes on there. What
somebody still has to decide, or is to be told, is not over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.parameters.retention import KINDS
from policy.period import Month, day_of, first_instant
from programme.privacy import erasing
from store import audit, locks
from store.audit import POLICY
from store.locks import Lock
from store.people import directory as people_store
from store.privacy import bills, calls, leavers, letters, progress, texts, usage, work
from store.privacy.parts import AT_A_TIME, Scope, Taken
from store.privacy.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from policy.parameters.retention import RetentionRules
    from programme.moment import Moment
    from store.privacy.parts import Part

RUN = "retention.run"
"""What the audit log calls it: how many rows of which part were concerned."""
PEOPLE = "people"
PEOPLE_AT_A_TIME = 5
PARTS: Mapping[str, Sequence[Part]] = {
    "drafts": (texts.DRAFTS,),
    "messages": (letters.PART,),
    "calls": calls.PARTS,
    "names": (*usage.PARTS, *bills.PARTS),
    "outcomes": work.PARTS,
    "texts": texts.PARTS,
}
"""Of each kind but the people themselves."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of a part is over: what is from before an instant, and how many rows that is now."""

    kind: str
    part: str
    days: int
    before: datetime
    rows: int
    people: tuple[str, ...] = ()
    """Who would be erased, by e-mail."""


def is_owed(moment: Moment, month: Month) -> bool:
    """Whether the handbook lets anything go, and there are records that are old enough."""
    shortest = moment.handbook.retention.shortest
    begun = audit.begun_at(moment.session) if shortest else None
    return begun is not None and begun < first_instant(month.first_day, moment.zone) - timedelta(days=shortest)


def due(moment: Moment, at: datetime) -> list[Due]:
    """What is over at an instant and would go, part by part."""
    known = progress.read(moment.session)
    return [_counted(moment, one, known.get(one.part)) for one in _in_force(moment.handbook.retention, at)]


def _counted(moment: Moment, one: Due, known: Progress | None) -> Due:
    if one.part == PEOPLE:
        gone = leavers.left_before(moment.session, day_of(one.before, moment.zone))
        some = [people_store.by_id(moment.session, person_id) for person_id in gone]
        return replace(one, rows=len(gone), people=tuple(person.email for person in some if person))
    return replace(one, rows=_part(one).count(moment.session, _scope(one, known)))


def advance(moment: Moment, at: datetime, *, actor: str = POLICY, limit: int = AT_A_TIME) -> bool:
    """Take away a batch of what is over at an instant; whether nothing was left to be taken."""
    locks.hold(moment.session, Lock.RETENTION)
    known = progress.read(moment.session)
    for one in _in_force(moment.handbook.retention, at):
        before = known.get(one.part, Progress(one.part))
        if before.through is not None and before.through >= one.before:
            continue
        if before.before != one.before:
            # What was gone through as of another instant is gone through again: more may be over by now.
            before = before._replace(place=0)
        taken = _take(moment, one, before, actor, limit)
        progress.note(moment.session, _after(before, one, taken))
        if taken.rows or taken.place is not None:
            return False
    return True


def _take(moment: Moment, one: Due, known: Progress, actor: str, limit: int) -> Taken:
    if one.part == PEOPLE:
        return _erase(moment, one, actor, min(limit, PEOPLE_AT_A_TIME))
    return _part(one).take(moment.session, _scope(one, known), place=known.place, limit=limit)


def _erase(moment: Moment, one: Due, actor: str, limit: int) -> Taken:
    """Erase some of those who left, each on record, as `people erase` does."""
    locks.hold(moment.session, Lock.PEOPLE)
    gone = leavers.left_before(moment.session, day_of(one.before, moment.zone), limit=limit)
    for person_id in gone:
        person = people_store.by_id(moment.session, person_id)
        assert person is not None  # noqa: S101 - it was just found, under lock
        erasing.forget(moment, person, actor=actor)
    return Taken(len(gone), 0 if len(gone) == limit else None)


def _after(before: Progress, one: Due, taken: Taken) -> Progress:
    so_far = before._replace(taken=before.taken + taken.rows)
    if taken.place is None:
        return so_far._replace(through=one.before, before=None, place=0)
    return so_far._replace(before=one.before, place=taken.place)


def record(moment: Moment, subject: str, *, actor: str = POLICY) -> Mapping[str, int]:
    """Say in the audit log how many rows were concerned, of what no record tells yet; of none it says nothing."""
    counts = progress.told(moment.session)
    if counts:
        version = moment.handbook.version
        audit.note(moment.session, actor, RUN, subject, at=moment.now, after=dict(counts), handbook_version=version)
    return counts


def _in_force(rules: RetentionRules, at: datetime) -> Iterator[Due]:
    """The parts of kinds that the handbook lets go, with what is over at an instant; nothing is counted."""
    for kind in KINDS:
        if days := rules.days(kind):
            names = [part.name for part in PARTS[kind]] if kind in PARTS else [PEOPLE]
            yield from (Due(kind, name, days, at - timedelta(days=days), 0) for name in names)


def _part(one: Due) -> Part:
    return next(part for part in PARTS[one.kind] if part.name == one.part)


def _scope(one: Due, known: Progress | None) -> Scope:
    return Scope(before=one.before, since=known.through if known else None)
