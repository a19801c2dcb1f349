"""One usage event as it stands, with every version of it and what was undone: for those who put it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from store.handbook import reference
from store.people import directory
from store.usage import events as usage_store
from store.usage import quarantine
from store.usage import versions as store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from policy.metering import Meter
    from programme.moment import Moment
    from store.usage.versions import KeptVersion, Key, Posted, Reversal


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version that is kept: what it did, who brought it, and why."""

    revision: int
    action: str
    actor: str
    reason: str
    kept_at: datetime
    content: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class ReversalLine:
    """What a version had been debited, the entry that paid it, and the one that undid it."""

    revision: int
    cost: NanoUSD
    debit: MicroTokens
    entry_id: int
    reversal_entry_id: int


@dataclass(frozen=True, slots=True)
class EventCard:
    """An event: `state` is posted, waiting, discarded or withdrawn, `why` what it waits for, `balance` of who pays."""

    source: str
    event_id: str
    revision: int
    state: str
    why: str
    occurred_at: datetime
    identities: tuple[str, ...]
    provider: str
    model: str
    tier: str
    meters: Mapping[Meter, int]
    project: str
    person: str
    service: str
    price: str
    cost: NanoUSD
    debit: MicroTokens
    balance: MicroTokens
    entry_id: int | None
    versions: tuple[VersionLine, ...]
    reversals: tuple[ReversalLine, ...]


def find(moment: Moment, event: str, source: str | None) -> Posted:
    """The event that SOURCE/ID names, or a source's with that id; a Refusal where there is none, or several."""
    keys = [(source, event)] if source else [(event[:at], event[at + 1 :]) for at, c in enumerate(event) if c == "/"]
    found = store.standing(moment.session, keys)
    if not found:
        raise Refusal(
            "unknown_event",
            f"No event is known as {event!r}.",
            next_step="Name it as SOURCE/ID, or its id alone with --source.",
        )
    if len(found) > 1:
        raise Refusal(
            "ambiguous_event",
            f"{len(found)} events are known as {event!r}.",
            next_step="Name its source with --source, and its id alone.",
        )
    return next(iter(found.values()))


def card(moment: Moment, key: Key) -> EventCard:
    """How an event stands."""
    one = store.standing(moment.session, [key])[key]
    kept = store.kept(moment.session, [key]).get(key, {})
    why = usage_store.held_because(moment.session, *key)
    event, posting = one.event, one.posting
    prices = reference.load_prices(moment.session, [posting.price_id] if posting and posting.price_id else [])
    person = directory.by_id(moment.session, one.person_id) if one.person_id else None
    return EventCard(
        source=event.source,
        event_id=event.event_id,
        revision=one.revision,
        state=_state(moment, one, why),
        why=why or "",
        occurred_at=event.occurred_at,
        identities=tuple(f"{kind}:{name}" for kind, name in event.identities),
        provider=event.provider,
        model=event.model,
        tier=event.tier,
        meters=event.meters,
        project=event.project,
        person=person.email if person else "",
        service=one.service_key or "",
        price=", ".join(price.source for price in prices.values()),
        cost=NanoUSD(posting.cost_nano_usd if posting else 0),
        debit=MicroTokens(posting.debit_micro_tokens if posting else 0),
        balance=MicroTokens(store.balance_of(moment.session, posting.account_id) if posting else 0),
        entry_id=posting.entry_id if posting else None,
        versions=tuple(_version(version) for _, version in sorted(kept.items())),
        reversals=tuple(_reversal(reversal) for reversal in store.reversals(moment.session, key)),
    )


def _state(moment: Moment, one: Posted, why: str | None) -> str:
    if one.posting:
        return "posted"
    if why is not None:
        return "waiting"
    return "discarded" if quarantine.is_discarded(moment.session, one.key) else "withdrawn"


def _version(kept: KeptVersion) -> VersionLine:
    return VersionLine(kept.revision, kept.action, kept.actor, kept.reason, kept.kept_at, kept.content)


def _reversal(of: Reversal) -> ReversalLine:
    amounts = NanoUSD(of.cost_nano_usd), MicroTokens(of.debit_micro_tokens)
    return ReversalLine(of.revision, *amounts, of.entry_id, of.reversal_entry_id)
