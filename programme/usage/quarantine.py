"""The way out of quarantine for what no price list and no import of people will ever settle: by name, on record.

An administrator corrects the provider, the model or the person, of one event or of all that wait under a name, or
discards them. What a correction makes postable is posted in the same transaction, at the event's own time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from policy.reasons import Refusal
from policy.versions import Version
from programme.files import cells
from programme.people import directory
from programme.usage import corrections, intake, replacing
from programme.usage.fingerprints import fingerprint
from store import audit
from store.usage import quarantine as store
from store.usage.events import content
from store.usage.quarantine import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.metering import Identity, IdentityKind, UsageEvent
    from programme.moment import Moment
    from store.usage.events import QuarantinedEvent
    from store.usage.quarantine import Case, Key, Place

BATCH = 5_000
"""Events that one transaction looks at."""
NOBODY = "nobody"
"""What events are called that name no one."""
LONGEST = 200
"""Characters of a provider or a model, as in what gateways report."""
OF_PEOPLE = frozenset({"unknown_person", "not_employed"})
"""Reasons for which events wait under the name of a person, and not under that of what was used."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: one by its key, or all that wait under a name, of one source or of every one."""

    key: Key | None = None
    name: str = ""
    source: str | None = None

    @property
    def subject(self) -> str:
        return "/".join(self.key) if self.key else f"{self.source or '*'}: {self.name}"

    def includes(self, event: UsageEvent, *, by_person: bool | None = None) -> bool:
        """Whether an event is meant; `by_person` says whether its name is that of a person, None if it may be any."""
        if self.key is not None:
            return self.key == (event.source, event.event_id)
        return (by_person is not False and self.name in names_of(event)) or (
            by_person is not True and self.name in {event.provider, f"{event.provider}/{event.model}"}
        )


@dataclass(frozen=True, slots=True)
class Correction:
    """What is right: whatever is not None. The person is told by e-mail."""

    provider: str | None = None
    model: str | None = None
    person: str | None = None


@dataclass(slots=True)
class Settled:
    """What was done to so many events; `still` are those that wait on, by reason.

    The next batch begins after `last`; None when there was nothing left to look at.
    """

    events: int = 0
    posted: int = 0
    still: Counter[str] | None = None
    mapped: frozenset[str] = frozenset()
    last: Place | None = None


def names_of(event: UsageEvent) -> tuple[str, ...]:
    """What the person of an event is called, the most reliable name first: "user:ci-runner"."""
    return tuple(f"{kind}:{value}" for kind, value in event.identities) or (NOBODY,)


def name_of(reason: str, event: UsageEvent) -> str:
    """What an event is called that waits for a reason: by its person, its provider or its model."""
    if reason in OF_PEOPLE:
        return names_of(event)[0]
    return event.provider if reason == "unapproved_service" else f"{event.provider}/{event.model}"


def find(moment: Moment, name: str) -> Case:
    """The event that waits or once did with an id, or with SOURCE/ID; a Refusal where there is none, or several."""
    keys = store.locate(moment.session, name)
    if not keys:
        raise Refusal(
            "not_in_quarantine",
            f"No event {name!r} is or was in quarantine.",
            next_step="See `tokens-bot quarantine list --events`.",
        )
    if len(keys) > 1:
        found = ", ".join("/".join(key) for key in keys[:3])
        raise Refusal("ambiguous_event", f"{name!r} is several events.", next_step=f"Name one of them: {found}.")
    return store.case_of(moment.session, keys[0])


def waiting(moment: Moment, name: str) -> Wanted:
    """The event with a name, if it waits; otherwise a Refusal that says what became of it."""
    case = find(moment, name)
    if case.state == "waiting":
        return Wanted(key=(case.event.source, case.event.event_id))
    left = f" on {case.left_at:%Y-%m-%d}" if case.left_at else ""
    raise Refusal(
        "not_waiting",
        f"Event {name!r} does not wait: it was {case.state}{left}.",
        next_step="Correct it with `tokens-bot usage correct`.",
    )


def fix(
    moment: Moment, wanted: Wanted, correction: Correction, *, actor: str, why: str, after: Place | None = None
) -> Settled:
    """Correct one batch of events and post what can be posted then.

    The person of one event is corrected for that event alone; that of all with a name, by mapping the name at each of
    their gateways, so later usage under it is theirs as well. What has versions is left to `fix_versions`.
    """
    correction = _sensible(wanted, correction, why)
    person = directory.require(moment, correction.person) if correction.person else None
    held = _held(moment, wanted, after)
    meant = [one.event for one in held if wanted.includes(one.event, by_person=person is not None)]
    mapped: frozenset[str] = frozenset()
    if person is not None and wanted.key is None and wanted.name != NOBODY:
        mapped = _map_name(moment, wanted.name, {event.source for event in meant}, email=person.email, actor=actor)
        changed = meant
        store.note(moment.session, [_fixed(moment, event, actor, why, before=None) for event in meant])
    else:
        changed = _rewrite(moment, meant, correction, email=person.email if person else None, actor=actor, why=why)
    posted, still = intake.post_waiting(moment, changed)
    said = {"provider": correction.provider, "model": correction.model, "person_id": person.id if person else None}
    _record(moment, "quarantine.fix", wanted, len(changed), actor=actor, why=why, **said)
    return Settled(len(changed), posted, Counter(one.reason for one in still), mapped, _end(held))


def fix_versions(
    moment: Moment, wanted: Wanted, correction: Correction, *, actor: str, why: str, after: Place | None = None
) -> Settled:
    """The same for events of which a later version waits: what is right of them is another version.

    In transactions of its own: in one with what was never corrected it would lock accounts out of order.
    """
    correction = _sensible(wanted, correction, why)
    person = directory.require(moment, correction.person) if correction.person else None
    if person is not None and wanted.key is None and wanted.name != NOBODY:
        return Settled()
    held = store.versions_waiting(moment.session, limit=BATCH, after=after, source=wanted.source, key=wanted.key)
    right = [
        (one.event, revision, _corrected(one.event, correction, email=person.email if person else None))
        for one, revision in held
        if wanted.includes(one.event, by_person=person is not None)
    ]
    changed = [(old, revision, new) for old, revision, new in right if replacing.differences(old, new)]
    versions = [Version(*replacing.key_of(new), revision + 1, _known_anew(new), why) for _, revision, new in changed]
    outcomes = corrections.take_in(moment, versions, actor=actor)
    refused = {(one.source, one.event_id) for one in outcomes if one.status == "conflict"}
    taken = [old for old, _, _ in changed if replacing.key_of(old) not in refused]
    store.note(moment.session, [_fixed(moment, old, actor, why, before=content(old)) for old in taken])
    said = {"provider": correction.provider, "model": correction.model, "person_id": person.id if person else None}
    _record(moment, "quarantine.fix", wanted, len(taken), actor=actor, why=why, **said)
    still = Counter(store.reasons(moment.session, map(replacing.key_of, taken)).values())
    return Settled(len(taken), len(taken) - still.total(), still, last=_end([one for one, _ in held]))


def _known_anew(event: UsageEvent) -> UsageEvent:
    what = (event.provider, event.model, event.tier, event.meters, event.project)
    return event._replace(fingerprint=fingerprint(event.occurred_at, event.identities, *what))


def _map_name(moment: Moment, name: str, sources: set[str], *, email: str, actor: str) -> frozenset[str]:
    kind, _, value = name.partition(":")
    for source in sorted(sources):
        directory.map_identity(
            moment, source=source, kind=cast("IdentityKind", kind), value=value, email=email, actor=actor
        )
    return frozenset(sources)


def _rewrite(
    moment: Moment, meant: Sequence[UsageEvent], correction: Correction, *, email: str | None, actor: str, why: str
) -> list[UsageEvent]:
    """Give events their right content; those that had another one, as they are now."""
    right = [(event, _corrected(event, correction, email=email)) for event in meant]
    # What has versions is put right by another one, in `fix_versions`.
    versioned = store.corrected(moment.session, {replacing.key_of(event) for event in meant}) if meant else set()
    changed = [
        (old, new) for old, new in right if replacing.differences(old, new) and replacing.key_of(old) not in versioned
    ]
    store.rewrite(moment.session, [new for _, new in changed])
    store.note(moment.session, [_fixed(moment, old, actor, why, before=content(old)) for old, _ in changed])
    return [new for _, new in changed]


def discard(moment: Moment, wanted: Wanted, *, actor: str, why: str, after: Place | None = None) -> Settled:
    """Let one batch of events leave for good: on record as discarded, never debited.

    Of those with a name only what waits because of that name: with a model that has no price goes none of its calls
    that only lack a person.
    """
    _require_reason(why)
    held = _held(moment, wanted, after)
    meant = [one.event for one in held if wanted.includes(one.event, by_person=one.reason in OF_PEOPLE)]
    keys = [replacing.key_of(event) for event in meant]
    left = store.discard(moment.session, keys, now=moment.now)
    store.note(moment.session, [Step(*key, "discarded", moment.now, actor, why) for key in keys])
    _record(moment, "quarantine.discard", wanted, left, actor=actor, why=why)
    return Settled(left, last=_end(held))


def _held(moment: Moment, wanted: Wanted, after: Place | None) -> list[QuarantinedEvent]:
    return store.locked(moment.session, limit=BATCH, after=after, source=wanted.source, key=wanted.key)


def _end(held: Sequence[QuarantinedEvent]) -> Place | None:
    return (held[-1].since, held[-1].event.source, held[-1].event.event_id) if held else None


def _sensible(wanted: Wanted, correction: Correction, why: str) -> Correction:
    """The correction as events are written, or a Refusal."""
    _require_reason(why)
    if correction == Correction():
        raise Refusal("nothing_to_fix", "Nothing is corrected.", next_step="Give --provider, --model or --person.")
    if correction.person and (correction.provider or correction.model) and wanted.key is None:
        raise Refusal(
            "two_names",
            "A name of a person and a name of a model are corrected one after the other.",
            next_step="Run `quarantine fix` twice.",
        )
    provider, model = _name("provider", correction.provider), _name("model", correction.model)
    return Correction(provider and provider.lower(), model, correction.person)


def _name(field: str, value: str | None) -> str | None:
    name = None if value is None else value.strip()
    if name is not None and not 0 < len(name) <= LONGEST:
        raise Refusal("bad_name", f"{field} = {value!r}: expected a name of 1 to {LONGEST} characters.")
    if name and (found := cells.unseen_character(name)):
        raise Refusal("bad_name", f"{field} = {name!r}: expected a name without {found}.")
    return name


def _require_reason(why: str) -> None:
    if not why.strip():
        raise Refusal("no_reason", "The reason is empty.", next_step="Say why with --why; it goes on record.")


def _corrected(event: UsageEvent, correction: Correction, *, email: str | None) -> UsageEvent:
    """The event as it should have been. Its fingerprint stays: what arrived is known by that when it comes again."""
    first: tuple[Identity, ...] = (("email", email),) if email else ()
    return event._replace(
        provider=correction.provider or event.provider,
        model=correction.model or event.model,
        identities=(*first, *(name for name in event.identities if name not in first)),
    )


def _fixed(moment: Moment, event: UsageEvent, actor: str, why: str, *, before: dict[str, object] | None) -> Step:
    return Step(event.source, event.event_id, "fixed", moment.now, actor, why, before)


def _record(
    moment: Moment, action: str, wanted: Wanted, events: int, *, actor: str, why: str, **said: str | None
) -> None:
    """One row of the audit log for each batch in which something was done."""
    if events:
        after = {"events": events, "why": why, **{field: value for field, value in said.items() if value}}
        audit.note(moment.session, actor, action, wanted.subject, at=moment.now, after=after)
