"""Taking in usage: each event once, at its own price and value, debited to the person who used it.

A usage event is the source document; the ledger holds one entry for all the events of one wallet, one service and one
day that a batch brings (docs/decisions/0004). What cannot be attributed or priced is kept in quarantine, whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from sqlalchemy.exc import IntegrityError

from programme import clocks
from programme.usage import posting, rating, refusals, repeats, replacing, second_opinion
from programme.usage.settling import Locked, Settling
from store import locks
from store.usage import events as usage_store
from store.usage import months
from store.usage import versions as versions_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from policy.metering import UsageEvent
    from programme.moment import Moment
    from programme.usage.rating import RatedEvent, UnratedEvent
    from programme.usage.repeats import Repeat
    from programme.usage.replacing import Mark

Status = Literal["accepted", "duplicate", "conflict", "quarantined", "rejected"]
STATUSES: tuple[Status, ...] = ("accepted", "duplicate", "conflict", "quarantined", "rejected")
Fate = tuple[Status, str]
"""A status, and what is said about it."""
ACCEPTED: Fate = ("accepted", "")

SUPERSEDED = "a later version holds; this one is kept and changes nothing"

FEW = 8
"""Events whose ids are asked for faster than a savepoint is set and let go."""


class Outcome(NamedTuple):
    """What became of one event; `detail` says why it was not accepted, or what is odd about it although it was."""

    source: str
    event_id: str
    status: Status
    detail: str = ""


def take_in(moment: Moment, events: Sequence[UsageEvent], *, time_field: str = "time") -> list[Outcome]:
    """Post a batch; the outcomes are in the order of the events.

    The same event again is a duplicate; the same key with other content is a conflict, which is recorded. What is
    ahead of the clock is rejected; `time_field` is what the sender calls the time of an event.
    """
    latest = moment.now + clocks.FARTHEST_AHEAD
    timely = [event for event in events if event.occurred_at <= latest]
    if len(timely) == len(events):
        return _take_in_timely(moment, timely)
    refused = [ahead(event, moment.now, time_field) for event in events]
    _note_ahead(moment, events, refused)
    taken = iter(_take_in_timely(moment, timely))
    return [
        Outcome(event.source, event.event_id, "rejected", why) if why else next(taken)
        for event, why in zip(events, refused, strict=True)
    ]


def _note_ahead(moment: Moment, events: Sequence[UsageEvent], refused: Sequence[str]) -> None:
    locks.hold_sources(moment.session, "usage", {event.source for event in events})
    by_source: dict[str, list[tuple[str, str]]] = {}
    for event, why in zip(events, refused, strict=True):
        if why:
            by_source.setdefault(event.source, []).append((event.event_id, why))
    for source, rejected in sorted(by_source.items()):
        refusals.note_rejected(moment, source, rejected)


def ahead(event: UsageEvent, now: datetime, time_field: str) -> str:
    """Why an event is too far ahead of the clock to be true; empty if it is not."""
    return clocks.ahead(event.occurred_at, now, time_field)


def _take_in_timely(moment: Moment, events: Sequence[UsageEvent]) -> list[Outcome]:
    ids: dict[str, list[str]] = {}
    for event in events:
        ids.setdefault(event.source, []).append(event.event_id)
    locks.hold_sources(moment.session, "usage", ids)
    months.open_for(moment.session, (event.occurred_at for event in events))
    holds = Locked(moment, events)
    if len(events) > FEW:
        try:
            # Nearly every batch is new: to ask first for each of its ids takes longer than to be told by the key.
            with moment.session.begin_nested():
                return _take_in(moment, events, {source: {} for source in ids}, Settling(holds))
        except IntegrityError:
            pass
    # We hold the sources, so what is not known now is not known before we commit.
    seen = {source: usage_store.known(moment.session, source, some) for source, some in ids.items()}
    return _take_in(moment, events, seen, Settling(holds))


def _take_in(
    moment: Moment, events: Sequence[UsageEvent], seen: dict[str, dict[str, bytes]], settling: Settling
) -> list[Outcome]:
    outcomes, fresh, refused, late = _sort_out_repeats(events, seen)
    if late:
        versions_store.keep_late(moment.session, late, now=moment.now)
    fresh, repeated, works = repeats.told_apart(moment.session, fresh)
    if repeated:
        outcomes = _with_repeats(events, outcomes, repeated)
        refusals.note_conflicts(moment, [again.conflict for again in repeated if again.status == "conflict"])
    repeats.note(moment.session, works)
    if refused:
        return _take_in_offers(moment, events, outcomes, fresh=fresh, refused=refused, settling=settling)
    rated, unrated = rating.Rating(moment).rate(fresh)
    settling.settle(moment, rated, [one.event for one in unrated], _known(outcomes))
    posted = posting.post(moment, rated, settling)
    settling.keep(moment)
    usage_store.insert_events(moment.session, [*posted, *((u.event, None) for u in unrated)])
    usage_store.hold(moment.session, unrated, now=moment.now)
    fates = _fates(moment, rated, unrated)
    return [
        outcome or Outcome(event.source, event.event_id, *fates.get((event.source, event.event_id), ACCEPTED))
        for event, outcome in zip(events, outcomes, strict=True)
    ]


def _known(outcomes: Iterable[Outcome | None]) -> set[tuple[str, str]]:
    """The events that came before."""
    return {
        (outcome.source, outcome.event_id)
        for outcome in outcomes
        if outcome is not None and outcome.status == "duplicate"
    }


def _fates(moment: Moment, rated: Sequence[RatedEvent], unrated: Sequence[UnratedEvent]) -> dict[tuple[str, str], Fate]:
    """What is said of events that wait, and of those that their gateway reckons at another price."""
    differing = second_opinion.note(moment, _costs(rated), (one.event for one in unrated))
    fates: dict[tuple[str, str], Fate] = {
        (one.event.source, one.event.event_id): ("quarantined", one.detail) for one in unrated
    }
    fates |= {(event.source, event.event_id): ("accepted", detail) for event, detail in differing}
    return fates


def _costs(rated: Iterable[RatedEvent]) -> Iterator[tuple[UsageEvent, int]]:
    return ((one.event, one.cost) for one in rated)


def _with_repeats(
    events: Sequence[UsageEvent], outcomes: Sequence[Outcome | None], repeated: Sequence[Repeat]
) -> list[Outcome | None]:
    """The outcomes with those of events that report again what was taken in as another."""
    again = {(one.event.source, one.event.event_id): (one.status, one.detail) for one in repeated}
    return [
        Outcome(*event[:2], *again[event[:2]]) if outcome is None and event[:2] in again else outcome
        for event, outcome in zip(events, outcomes, strict=True)
    ]


def _take_in_offers(
    moment: Moment,
    events: Sequence[UsageEvent],
    outcomes: list[Outcome | None],
    *,
    fresh: Sequence[UsageEvent],
    refused: Sequence[UsageEvent],
    settling: Settling,
) -> list[Outcome]:
    """The same for a batch with other contents under known ids: they take the place of what waits, or are conflicts."""
    offers = replacing.offered(moment, refused, fresh)
    rated, unrated = rating.Rating(moment).rate([*fresh, *offers.candidates.values()])
    placed = replacing.place(offers, refused, {replacing.mark_of(one.event) for one in rated})
    kept = [one for one in rated if placed.keeps(one.event)]
    waiting = [one for one in unrated if placed.keeps(one.event)]
    settling.settle(moment, kept, [one.event for one in waiting], _known(outcomes))
    posted = posting.post(moment, kept, settling)
    settling.keep(moment)
    replacing.keep(moment, offers, placed, posted, waiting)
    refusals.note_conflicts(moment, placed.conflicts)
    second_opinion.note(moment, _costs(kept), (one.event for one in waiting))
    fates: dict[Mark, Fate] = {replacing.mark_of(one.event): ("quarantined", one.detail) for one in unrated}
    return list(_answers(events, outcomes, fates, news=placed.taken, known=offers.known))


def _answers(
    events: Sequence[UsageEvent],
    outcomes: Sequence[Outcome | None],
    fates: dict[Mark, Fate],
    *,
    news: set[Mark],
    known: set[Mark],
) -> Iterator[Outcome]:
    """The outcome of each event, where `news` took a place and `known` is no news; `fates` are those that wait."""
    told: set[Mark] = set()
    for event, outcome in zip(events, outcomes, strict=True):
        mark = replacing.mark_of(event)
        if outcome is None or (outcome.status == "conflict" and mark in news and mark not in told):
            yield Outcome(event.source, event.event_id, *fates.get(mark, ACCEPTED))
        elif outcome.status == "conflict" and (mark in news or mark in known):
            yield Outcome(event.source, event.event_id, "duplicate")
        else:
            yield outcome
        told.add(mark)


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry did; `last` is where the next one goes on, None when there was nothing left to try."""

    released: int
    held: int
    last: tuple[datetime, str, str] | None


def retry_quarantine(moment: Moment, *, limit: int, after: tuple[datetime, str, str] | None = None) -> Retried:
    """Post what can be priced and attributed by now, at the event's own time; renew the reason of the rest."""
    held = usage_store.held_events(moment.session, limit=limit, after=after, lock=True)
    if not held:
        return Retried(0, 0, None)
    released, unrated = post_waiting(moment, [h.event for h in held])
    last = held[-1]
    return Retried(released, len(unrated), (last.since, last.event.source, last.event.event_id))


def post_waiting(moment: Moment, held: Sequence[UsageEvent]) -> tuple[int, list[UnratedEvent]]:
    """Post those of some events in quarantine, held by us, that can be: how many, and the others with their reasons."""
    rated, unrated = rating.Rating(moment).rate(held)
    released = usage_store.release(moment.session, posting.post(moment, rated), now=moment.now)
    usage_store.explain_hold(moment.session, unrated)
    return released, unrated


def _sort_out_repeats(
    events: Sequence[UsageEvent], seen: dict[str, dict[str, bytes]]
) -> tuple[list[Outcome | None], list[UsageEvent], list[UsageEvent], list[UsageEvent]]:
    """The outcome of each event that came before (None for the others); the new ones, once each; conflicts; late ones.

    Of a late one a correction or withdrawal came first, and holds. `seen` holds the fingerprints of known events by
    source and id; the new ones are added.
    """
    outcomes: list[Outcome | None] = []
    fresh: list[UsageEvent] = []
    refused: list[UsageEvent] = []
    late: list[UsageEvent] = []
    for event in events:
        before = seen[event.source].get(event.event_id)
        if before is None:
            seen[event.source][event.event_id] = event.fingerprint
            fresh.append(event)
            outcomes.append(None)
        else:
            outcome = repeated(event, before)
            outcomes.append(outcome)
            if outcome.status == "conflict":
                refused.append(event)
            elif outcome.status == "accepted":
                seen[event.source][event.event_id] = event.fingerprint
                late.append(event)
    return outcomes, fresh, refused, late


def repeated(event: UsageEvent, before: bytes) -> Outcome:
    """What becomes of an event whose id came before, with the fingerprint `before`."""
    if before == event.fingerprint:
        return Outcome(event.source, event.event_id, "duplicate")
    if before == versions_store.UNREPORTED:
        return Outcome(event.source, event.event_id, "accepted", SUPERSEDED)
    detail = "another event was already taken in under this id; that one stays"
    return Outcome(event.source, event.event_id, "conflict", detail)
