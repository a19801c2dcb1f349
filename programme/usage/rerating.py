"""Many events put right at once: to the right person, or by a price list that was corrected later.

A batch at a time, each in a transaction of its own. What is right already is passed over, so that a change that was
interrupted is done again from its beginning, and each event is posted anew once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.period import first_instant
from programme.usage import corrections, reposting
from programme.usage.reposting import Amounts, Change
from store import audit, locks
from store.usage import versions as store
from store.usage.versions import Key, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import sqlalchemy as sa

    from policy.metering import Identity
    from programme.moment import Moment
    from programme.usage.reposting import Kept

BATCH = 2_000


class Days(NamedTuple):
    """Days of the programme's calendar, the last one included."""

    first: date
    last: date

    def scope(self, moment: Moment, matches: sa.ColumnElement[bool]) -> Scope:
        after = self.last + timedelta(days=1)
        return Scope(first_instant(self.first, moment.zone), first_instant(after, moment.zone), matches)


@dataclass(frozen=True, slots=True)
class Reassignment:
    """Use that is someone else's: all that names someone so, of one source or of any."""

    identity: Identity
    source: str | None
    days: Days
    person_id: str
    reason: str
    actor: str

    action = "usage.reassign"

    @property
    def subject(self) -> str:
        return self.person_id

    def scope(self, moment: Moment) -> Scope:
        return self.days.scope(moment, store.named(moment.session, *self.identity, self.source))

    def kept(self, as_posted: Kept) -> Kept:
        return as_posted._replace(person_id=self.person_id)

    def told(self) -> dict[str, object]:
        return {"identity": list(self.identity), "source": self.source}


@dataclass(frozen=True, slots=True)
class Repricing:
    """Use of a provider's model, or of all of them, whose price list was corrected since."""

    provider: str
    model: str | None
    days: Days
    reason: str
    actor: str

    action = "usage.reprice"

    @property
    def subject(self) -> str:
        return f"{self.provider}/{self.model or '*'}"

    def scope(self, moment: Moment) -> Scope:
        return self.days.scope(moment, store.bought(self.provider, self.model))

    def kept(self, as_posted: Kept) -> Kept:
        return as_posted._replace(price=None)

    def told(self) -> dict[str, object]:
        return {}


BulkChange = Reassignment | Repricing


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a batch; `last` is where the next one goes on, None when nothing was left."""

    seen: int
    changed: int
    was: Amounts
    became: Amounts
    last: Key | None


def count(moment: Moment, change: BulkChange) -> int:
    """How many events a change looks at."""
    return store.count(moment.session, change.scope(moment))


def next_batch(moment: Moment, change: BulkChange, *, after: Key | None, limit: int = BATCH) -> Done:
    """Put the next events right. What could not be priced or attributed any more stays as it is."""
    keys = store.page(moment.session, change.scope(moment), after=after, limit=limit)
    locks.hold_sources(moment.session, "usage", sorted({source for source, _ in keys}))
    waiting = store.waiting(moment.session, keys)
    changes = [
        Change(one, one.revision, None)
        for key, one in sorted(store.standing(moment.session, keys).items())
        if one.posting is not None or waiting.get(key)
    ]
    kept = {key: change.kept(one) for key, one in _as_posted(moment, changes).items()}
    done = reposting.repost(moment, changes, waiting, kept, leave=True)
    if done.changed:
        _note(moment, change, done.changed)
    return Done(len(keys), done.changed, done.was, done.became, keys[-1] if keys else None)


def _as_posted(moment: Moment, changes: Sequence[Change]) -> Mapping[Key, Kept]:
    return {change.key: reposting.Kept() for change in changes} | corrections.as_posted(moment, changes)


def _note(moment: Moment, change: BulkChange, events: int) -> None:
    days = {"from": str(change.days.first), "until": str(change.days.last)}
    after = {**change.told(), **days, "events": events, "reason": change.reason}
    audit.note(moment.session, change.actor, change.action, change.subject, at=moment.now, after=after)
