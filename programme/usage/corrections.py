"""Putting usage right: later versions of events, and withdrawals, whatever the order in which they arrive.

The highest revision of an event holds. What a lower one had been debited is reversed, and what is right is debited, at
the event's own day, price and value (docs/decisions/0023).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from policy.period import Quarter, day_of
from policy.versions import Version, latest
from programme.usage import refusals, reposting
from programme.usage.intake import SUPERSEDED, Outcome, ahead
from programme.usage.reposting import Change, Kept
from store import audit, locks
from store.handbook import reference
from store.usage import events as usage_store
from store.usage import months
from store.usage import versions as store
from store.usage.versions import UNREPORTED, Posted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.metering import Price, UsageEvent
    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from store.usage.versions import KeptVersion, Key

CONFLICT = "another content was already taken in under this revision; that one stays"


class _Known(NamedTuple):
    """What is on record of the events of a batch."""

    standing: dict[Key, Posted]
    kept: Mapping[Key, Mapping[int, KeptVersion]]


def take_in(moment: Moment, versions: Sequence[Version], *, actor: str, time_field: str = "time") -> list[Outcome]:
    """Take in later versions of events; the outcomes are in their order.

    A version that is known is a duplicate, another content under a known revision a conflict. An older one than that
    which holds is kept and changes nothing. One that comes before its event waits for it, and holds then. What would
    be ahead of the clock is rejected, as it is of events.
    """
    refused = [ahead(one.event, moment.now, time_field) if one.event else "" for one in versions]
    taken = iter(_take_in(moment, [one for one, why in zip(versions, refused, strict=True) if not why], actor=actor))
    return [
        Outcome(*version.key, "rejected", why) if why else next(taken)
        for version, why in zip(versions, refused, strict=True)
    ]


def _take_in(moment: Moment, versions: Sequence[Version], *, actor: str) -> list[Outcome]:
    if not versions:
        return []
    session, keys = moment.session, {version.key for version in versions}
    locks.hold_sources(session, "usage", sorted({source for source, _ in keys}))
    months.open_for(session, (version.event.occurred_at if version.event else moment.now for version in versions))
    waiting = store.waiting(session, keys)
    known = _Known(store.standing(session, keys), store.kept(session, keys))
    fates, fresh, refused = _sort_out(versions, known)
    _keep(moment, fresh, known, actor=actor)
    store.refuse(session, refused, now=moment.now)
    refusals.count_conflicts_of_versions(moment, [version.source for version in refused])
    changes = _changes(fresh, known)
    held = reposting.repost(moment, changes, waiting, as_posted(moment, changes)).waiting
    audit.append(session, *(_told(moment, version, known, actor=actor) for version in fresh))
    return [fate or _fate(version, held) for version, fate in zip(versions, fates, strict=True)]


def _fate(version: Version, held: Mapping[Key, str]) -> Outcome:
    if version.key in held:
        return Outcome(*version.key, "quarantined", held[version.key])
    return Outcome(*version.key, "accepted")


def _sort_out(versions: Sequence[Version], known: _Known) -> tuple[list[Outcome | None], list[Version], list[Version]]:
    """The outcome of each version that changes nothing (None for the others); the new ones, once each; conflicts."""
    said = {(key, one.revision): one.fingerprint for key, some in known.kept.items() for one in some.values()}
    holds = {key: one.revision for key, one in known.standing.items()}
    for version in versions:
        holds[version.key] = max(holds.get(version.key, 0), version.revision)
    fates: list[Outcome | None] = []
    fresh: list[Version] = []
    refused: list[Version] = []
    for version in versions:
        before = said.get((version.key, version.revision))
        if before is None:
            said[version.key, version.revision] = version.fingerprint
            fresh.append(version)
            old = version.revision < holds[version.key]
            fates.append(Outcome(*version.key, "accepted", SUPERSEDED) if old else None)
        elif before == version.fingerprint:
            fates.append(Outcome(*version.key, "duplicate"))
        else:
            refused.append(version)
            fates.append(Outcome(*version.key, "conflict", CONFLICT))
    return fates, fresh, refused


def _keep(moment: Moment, fresh: Sequence[Version], known: _Known, *, actor: str) -> None:
    """Keep new versions, and the event as it was reported before its first correction."""
    by_event: defaultdict[Key, list[Version]] = defaultdict(list)
    for version in fresh:
        by_event[version.key].append(version)
    unseen = {key: some for key, some in by_event.items() if key not in known.standing}
    blank = {key: _blank(moment, key, some) for key, some in unseen.items()}
    usage_store.insert_events(moment.session, [(event, None) for event in blank.values()])
    known.standing.update({key: Posted(event, 0, None, None, None, None, None) for key, event in blank.items()})
    first = [known.standing[key] for key in by_event if key not in known.kept and key not in unseen]
    store.keep_reported(moment.session, first, now=moment.now)
    store.keep(moment.session, fresh, actor=actor, now=moment.now)


def _told(moment: Moment, version: Version, known: _Known, *, actor: str) -> audit.Record:
    return audit.Record(
        at=moment.now,
        actor=actor,
        action=f"usage.{version.action}",
        subject="/".join(version.key),
        before={"revision": known.standing[version.key].revision},
        after={"revision": version.revision, "reason": version.reason},
    )


def _blank(moment: Moment, key: Key, versions: Iterable[Version]) -> UsageEvent:
    """A place for an event that was not reported yet, with the content that is known of it."""
    told = latest(version for version in versions if version.event is not None)
    if told is not None and told.event is not None:
        return told.event._replace(fingerprint=UNREPORTED)
    return reposting.NOTHING._replace(source=key[0], event_id=key[1], occurred_at=moment.now)


def _changes(fresh: Iterable[Version], known: _Known) -> list[Change]:
    """What the new versions change, once for each event of which one of them holds."""
    by_event: defaultdict[Key, list[Version]] = defaultdict(list)
    for version in fresh:
        by_event[version.key].append(version)
    return [
        Change(before, last.revision, last.event, withdrawn=last.event is None)
        for key, some in sorted(by_event.items())
        for before, last in [(known.standing[key], max(some, key=lambda version: version.revision))]
        if last.revision > before.revision
    ]


def as_posted(moment: Moment, changes: Iterable[Change]) -> dict[Key, Kept]:
    """What a correction leaves alone: person, price and value, unless it names another identity, model or day."""
    done = [(change, change.before.posting) for change in changes if change.before.posting is not None]
    prices = reference.load_prices(moment.session, [posting.price_id for _, posting in done if posting.price_id])
    values = reference.values_by_version(moment.session) if done else {}
    return {
        change.key: _kept(
            moment, change, prices.get(posting.price_id or ""), values.get(change.before.value_version or "")
        )
        for change, posting in done
    }


def _kept(moment: Moment, change: Change, price: Price | None, value: TokenValue | None) -> Kept:
    before, after = change.before.event, change.content
    day, own = day_of(after.occurred_at, moment.zone), day_of(before.occurred_at, moment.zone)
    same_buy = (before.provider, before.model, before.tier, own) == (after.provider, after.model, after.tier, day)
    return Kept(
        person_id=change.before.person_id if before.identities == after.identities else None,
        price=price if same_buy else None,
        value=value if Quarter.containing(own) == Quarter.containing(day) else None,
    )
