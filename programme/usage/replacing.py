"""Other content under the id of an event that waits takes its place: nobody was debited for that yet.

Of several contents under one id the first that can be posted stays, whatever else comes, and in whatever order; as long
as none can, the latest waits. A content that was replaced is no news when it comes again, nor is one that says what an
administrator has made of the event meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from store.usage import events as usage_store
from store.usage import quarantine as quarantine_store
from store.usage.events import content
from store.usage.quarantine import Step

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from policy.metering import UsageEvent
    from programme.moment import Moment
    from store.usage.events import EventPosting
    from store.usage.quarantine import Key, Standing

Mark = tuple[str, str, bytes]
"""(source, event id, fingerprint): one content under one id."""
INTAKE = "intake"
FIELDS = {
    "occurred_at": "time",
    "identities": "user",
    "provider": "provider",
    "model": "model",
    "tier": "tier",
    "meters": "meters",
    "project": "project",
}
"""What contents differ in, and how we call it."""


def key_of(event: UsageEvent) -> Key:
    return event.source, event.event_id


def mark_of(event: UsageEvent) -> Mark:
    return event.source, event.event_id, event.fingerprint


def differences(stands: UsageEvent, offered: UsageEvent) -> str:
    """Which fields of two contents differ; empty for the same content."""
    return ", ".join(name for one, name in FIELDS.items() if getattr(stands, one) != getattr(offered, one))


class Conflict(NamedTuple):
    """A content that was refused, and which of its fields differ from what stands."""

    event: UsageEvent
    reason: str


@dataclass(frozen=True, slots=True)
class Offered:
    """Contents that came under ids that stand for others: those that may take a place, and those that are no news.

    `stands` holds what is on record under those ids; what came first in the same batch is in `fresh`.
    """

    stands: dict[Key, Standing]
    fresh: dict[Key, UsageEvent]
    candidates: dict[Mark, UsageEvent]
    known: set[Mark]


def offered(moment: Moment, refused: Sequence[UsageEvent], fresh: Sequence[UsageEvent]) -> Offered:
    """Look up what stands under the ids of refused contents, and hold what of it waits."""
    new = {key_of(event): event for event in fresh}
    keys = {key_of(event) for event in refused} - new.keys()
    quarantine_store.lock(moment.session, keys)
    stands = quarantine_store.standing(moment.session, keys)
    known = quarantine_store.contents_replaced(moment.session, keys)
    candidates: dict[Mark, UsageEvent] = {}
    for event in refused:
        place = stands.get(key_of(event))
        if place is not None and not differences(place.event, event):
            known.add(mark_of(event))
        elif mark_of(event) not in known and (place is None or place.state == "waiting"):
            candidates.setdefault(mark_of(event), event)
    return Offered(stands, {key: new[key] for key in map(key_of, refused) if key in new}, candidates, known)


@dataclass(slots=True)
class Placed:
    """Which content stands under each id now, what it replaced, and what was refused for good."""

    stays: dict[Key, UsageEvent]
    taken: set[Mark] = field(default_factory=set)
    """Contents that took a place, if only until the next one came."""
    replaced: list[UsageEvent] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def keeps(self, event: UsageEvent) -> bool:
        """Whether an event of the batch is the one that stands under its id."""
        return self.stays.get(key_of(event), event) is event


def place(offers: Offered, refused: Sequence[UsageEvent], postable: Collection[Mark]) -> Placed:
    """Give each id the content that stays; `postable` are those of the batch that have a person and a price."""
    placed = Placed(offers.fresh | {key: standing.event for key, standing in offers.stands.items()})
    for event in refused:
        stands, mark = placed.stays[key_of(event)], mark_of(event)
        if mark in offers.known or mark in placed.taken:
            continue
        if mark in offers.candidates and mark_of(stands) not in postable:
            placed.replaced.append(stands)
            placed.taken.add(mark)
            placed.stays[key_of(event)] = event
        else:
            placed.conflicts.append(Conflict(event, differences(stands, event)))
    return placed


def keep(
    moment: Moment,
    offers: Offered,
    placed: Placed,
    posted: Sequence[tuple[UsageEvent, EventPosting]],
    waiting: Sequence[tuple[UsageEvent, str, str]],
) -> None:
    """Insert what is new, give what waited its new content, and note what was replaced.

    `waiting` are (event, reason, detail).
    """

    def is_new(event: UsageEvent) -> bool:
        return key_of(event) not in offers.stands

    entered: list[tuple[UsageEvent, EventPosting | None]] = [*posted, *((event, None) for event, _, _ in waiting)]
    usage_store.insert_events(moment.session, [one for one in entered if is_new(one[0])])
    usage_store.hold(moment.session, [one for one in waiting if is_new(one[0])], now=moment.now)
    quarantine_store.rewrite(moment.session, [event for event, _ in entered if not is_new(event)])
    usage_store.explain_hold(moment.session, [one for one in waiting if not is_new(one[0])])
    usage_store.release(moment.session, [one for one in posted if not is_new(one[0])], now=moment.now)
    quarantine_store.note(moment.session, [_replaced(moment, event) for event in placed.replaced])


def _replaced(moment: Moment, event: UsageEvent) -> Step:
    return Step(*key_of(event), "replaced", moment.now, INTAKE, "", content(event), event.fingerprint)
