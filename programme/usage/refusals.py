"""What is kept of answers that a gateway may not read: conflicts and rejected events, counted and listed."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from store import locks
from store.usage import quarantine as quarantine_store
from store.usage import refusals as store
from store.usage.events import content

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from policy.metering import UsageEvent
    from programme.moment import Moment
    from programme.usage.replacing import Conflict
    from store.usage.quarantine import State
    from store.usage.refusals import Counted

REVISION = "revision"
"""The reason of another content under a revision that is known."""
BODY = "body"
"""The reason of a request that no event could be read from."""
_FIELD = re.compile(r"""([\w."\-]{1,100}): (.*)""", re.DOTALL)
MOST_SAID = 200
"""Characters of what was expected."""


def note_conflicts(moment: Moment, conflicts: Sequence[Conflict]) -> None:
    """Keep what was offered under ids that stand for something else."""
    store.count(moment.session, moment.today, Counter((one.event.source, "conflict", one.reason) for one in conflicts))
    times = Counter((one.event.source, one.event.event_id, one.event.fingerprint) for one in conflicts)
    events = {(one.event.source, one.event.event_id, one.event.fingerprint): one.event for one in conflicts}
    store.keep_conflicts(moment.session, {key: (events[key], times[key]) for key in events}, moment.now)


def count_conflicts_of_versions(moment: Moment, sources: Sequence[str]) -> None:
    """Count other contents under revisions that are known, one for each time that a source offered one."""
    told: dict[Counted, int] = {(source, "conflict", REVISION): times for source, times in Counter(sources).items()}
    store.count(moment.session, moment.today, told)


def note_rejected(moment: Moment, source: str, rejected: Sequence[tuple[str, str]]) -> None:
    """Keep (event id, what is wrong) of events that a source sent in vain.

    Goes before the rest of their batch is taken in: locks of sources come before those of accounts.
    """
    if not rejected:
        return
    locks.hold_sources(moment.session, "usage", [source])
    by_reason: dict[str, dict[str, tuple[str, int]]] = {}
    for event_id, detail in rejected:
        reason, expected = complaint(detail)
        events = by_reason.setdefault(reason, {})
        events[event_id] = (expected, events.get(event_id, ("", 0))[1] + 1)
    counts: dict[Counted, int] = {
        (source, "rejected", reason): sum(n for _, n in some.values()) for reason, some in by_reason.items()
    }
    store.count(moment.session, moment.today, counts)
    store.keep_rejections(moment.session, source, by_reason, moment.now)


def complaint(detail: str) -> tuple[str, str]:
    """(field, what was expected of it) of a rejection's detail, without the value: that may be private."""
    found = _FIELD.match(detail)
    reason, said = (found[1], found[2]) if found else (BODY, detail)
    said = said.partition(", got ")[0]
    return reason, "" if "@" in said else said[:MOST_SAID]


class StandingConflict(NamedTuple):
    """A content that was refused: what stands under its id, in which state, what was offered, since when, how often."""

    source: str
    event_id: str
    state: State
    stands: dict[str, object]
    offered: dict[str, object]
    first_seen_at: datetime
    last_seen_at: datetime
    times: int

    @property
    def fields(self) -> tuple[str, ...]:
        """Those in which they differ."""
        return tuple(field for field, stands in self.stands.items() if stands != self.offered.get(field))


def conflicts(moment: Moment, *, limit: int, source: str | None = None) -> list[StandingConflict]:
    """The latest conflicts, with what stands."""
    found = store.conflicts(moment.session, limit=limit, source=source)
    stands = quarantine_store.standing(moment.session, {(one.source, one.event_id) for one in found})
    return [
        StandingConflict(
            one.source,
            one.event_id,
            stands[one.source, one.event_id].state,
            _plain(stands[one.source, one.event_id].event),
            dict(one.offered),
            one.first_seen_at,
            one.last_seen_at,
            one.times,
        )
        for one in found
    ]


def _plain(event: UsageEvent) -> dict[str, object]:
    """In the form in which offers are kept."""
    return content(event) | {"identities": [list(name) for name in event.identities]}
