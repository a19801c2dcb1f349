"""One bill for one piece of work: what a gateway reports again under another id is told from what is new.

Batches, stored responses and videos are reported each time that somebody looks at them. A call that the gateway
answers by way of another interface may be reported by both, with one call id and a moment between their starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from policy.metering import INPUT_METERS, OUTPUT_METERS
from programme.usage.replacing import FIELDS, Conflict
from store.usage import works
from store.usage.works import Range, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from policy.metering import Meters, UsageEvent, Work
    from store.engine import Session

BRIDGED_WITHIN = 250_000
"""Microseconds between the starts of a call and of the other one that answered it: some routing, no work."""


class Repeat(NamedTuple):
    """A report of something that was taken in as another event."""

    event: UsageEvent
    status: Literal["duplicate", "conflict"]
    taken_as: str

    @property
    def detail(self) -> str:
        if self.status == "duplicate":
            return f"taken in already, as {self.taken_as}"
        return f"taken in already, with other counts, as {self.taken_as}; that one stays"

    @property
    def conflict(self) -> Conflict:
        """What is on record as refused: under the id that stands."""
        return Conflict(self.event._replace(event_id=self.taken_as), FIELDS["meters"])


class Sorted(NamedTuple):
    """A batch: what is new, what is not, and which work is now taken in as which event: (source, work, event id)."""

    new: list[UsageEvent]
    repeats: Sequence[Repeat]
    works: Sequence[tuple[str, str, str]]


def told_apart(session: Session, events: list[UsageEvent]) -> Sorted:
    """What is new in a batch, in its order. Most batches hold nothing that could be anything else."""
    marked = [event for event in events if (said := event.remarks) is not None and (said.work or said.bridges)]
    if not marked:
        return Sorted(events, (), ())
    of_work = [(event, event.remarks.work) for event in marked if event.remarks and event.remarks.work]
    bridges = [event for event in marked if event.remarks and event.remarks.bridges]
    repeats, begun = _of_known_work(session, of_work)
    repeats |= _bridged(session, events, [event for event in bridges if _key(event) not in repeats])
    new = [event for event in events if _key(event) not in repeats]
    # The answer to a bridged call may be looked at as well.
    taken_as = {key: repeat.taken_as for key, repeat in repeats.items()}
    rows = [(source, work, taken_as.get((source, own), own)) for (source, work), own in begun.items()]
    return Sorted(new, list(repeats.values()), rows)


def note(session: Session, works_begun: Sequence[tuple[str, str, str]]) -> None:
    """Remember the work of a batch; IntegrityError if it was taken in elsewhere meanwhile."""
    works.note(session, works_begun)


def _key(event: UsageEvent) -> tuple[str, str]:
    return event.source, event.event_id


def _of_known_work(
    session: Session, events: Sequence[tuple[UsageEvent, Work]]
) -> tuple[dict[tuple[str, str], Repeat], dict[tuple[str, str], str]]:
    """The repeats by source and id, and for each piece of work that begins here the id of its event."""
    known = _known(session, events)
    repeats: dict[tuple[str, str], Repeat] = {}
    begun: dict[tuple[str, str], str] = {}
    for event, work in events:
        key = (event.source, work.name)
        taken = known.get(key)
        if taken is None:
            known[key] = Taken(event.event_id, event.provider, event.meters)
            begun[key] = event.event_id
        elif taken.event_id != event.event_id and (taken.meters == event.meters or work.looked_at):
            # Other counts of a call of its own: an answer whose id is not unique, and that is paid.
            same = taken.meters == event.meters
            repeats[_key(event)] = Repeat(event, "duplicate" if same else "conflict", taken.event_id)
    return repeats, begun


def _known(session: Session, events: Sequence[tuple[UsageEvent, Work]]) -> dict[tuple[str, str], Taken]:
    names: dict[str, list[str]] = {}
    for event, work in events:
        names.setdefault(event.source, []).append(work.name)
    return {
        (source, work): taken
        for source, some in names.items()
        for work, taken in works.known(session, source, some).items()
    }


def _bridged(
    session: Session, events: Sequence[UsageEvent], bridges: Sequence[UsageEvent]
) -> dict[tuple[str, str], Repeat]:
    """Those of `bridges` whose other half is among the events or was taken in before."""
    wanted: dict[str, list[Range]] = {}
    for event in bridges:
        call, began = _begun(event.event_id)
        bounds = (f"{call}@{began - BRIDGED_WITHIN}", f"{call}@{began + BRIDGED_WITHIN}")
        wanted.setdefault(event.source, []).append(Range(event.event_id, *bounds))
    halves: dict[tuple[str, str], list[Taken]] = {}
    for source, ranges in wanted.items():
        for event_id, taken in works.within(session, source, ranges):
            halves.setdefault((source, event_id), []).append(taken)
    for event, half in _in_the_batch(events, bridges):
        halves.setdefault(_key(event), []).append(half)
    return {
        _key(event): Repeat(event, "duplicate", half.event_id)
        for event in bridges
        for half in halves.get(_key(event), ())
        if _same_call(event, half)
    }


def _in_the_batch(events: Sequence[UsageEvent], bridges: Sequence[UsageEvent]) -> Iterator[tuple[UsageEvent, Taken]]:
    """Each bridge with every other call of its batch that has its call id."""
    calls: dict[tuple[str, str], list[UsageEvent]] = {}
    for event in bridges:
        calls.setdefault((event.source, _begun(event.event_id)[0]), []).append(event)
    for event in events if calls else ():
        if not (event.remarks and event.remarks.bridges):
            half = Taken(event.event_id, event.provider, event.meters)
            for bridge in calls.get((event.source, _begun(event.event_id)[0]), ()):
                yield bridge, half


def _same_call(event: UsageEvent, half: Taken) -> bool:
    call, began = _begun(event.event_id)
    other, other_began = _begun(half.event_id)
    return (
        half.event_id != event.event_id
        and call == other
        and abs(began - other_began) < BRIDGED_WITHIN
        and half.provider == event.provider
        and _sizes(half.meters) == _sizes(event.meters)
    )


def _begun(event_id: str) -> tuple[str, int]:
    """A call's id and the microsecond at which it began; 0 where an event is known by something else."""
    call, _, began = event_id.rpartition("@")
    return call, int(began) if began.isascii() and began.isdigit() else 0


def _sizes(meters: Meters) -> tuple[int, int]:
    """Tokens in and out: the halves of a call may tell them apart differently."""
    return (
        sum(count for meter, count in meters.items() if meter in INPUT_METERS),
        sum(count for meter, count in meters.items() if meter in OUTPUT_METERS),
    )
