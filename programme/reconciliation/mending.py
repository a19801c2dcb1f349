"""Calls that were reported wrongly are corrected one by one, some thousand in a transaction, as a difference says how.

Each is corrected as a gateway would: by a version of the event (docs/decisions/0023), so everything that follows from
it follows. Where no single call can be told to be wrong, an adjustment is what is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from policy.reasons import Refusal
from policy.vendors import billed_tier, family
from policy.versions import Version
from programme.reconciliation import gathering
from programme.usage import corrections, fingerprints
from store.reconciliation import events as store
from store.reconciliation import findings
from store.reconciliation.events import Span
from views.reconciliation import CORRECTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policy.metering import Meters, UsageEvent
    from programme.moment import Moment
    from store.reconciliation.events import Twin
    from store.usage.versions import Posted
    from views.reconciliation import Found

AT_A_TIME, MOST_WITHDRAWN = 2_000, 5_000
SECONDS_APART = 120
"""Two reports of one call come so close together."""
DAY = timedelta(days=1)


class _Scope(NamedTuple):
    """Which events a difference is about: models, each with the days of UTC on which it differs."""

    on: Mapping[str, frozenset[date]]

    def has(self, event: UsageEvent) -> bool:
        return event.occurred_at.astimezone(UTC).date() in self.on.get(family(event.model), ())

    @property
    def span(self) -> Span:
        """With a day on each side: a call near midnight may stand on the day beside."""
        days = [day for some in self.on.values() for day in some]
        begin = datetime.combine(min(days) - DAY, time(), UTC)
        return Span(begin, datetime.combine(max(days) + 2 * DAY, time(), UTC))


def can_mend(found: Found) -> bool:
    """Whether single calls can be told to be wrong."""
    return found.cause == "double_reports" or _way(found) is not None


def require_mendable(found: Found) -> None:
    if not can_mend(found):
        raise Refusal(
            "not_mendable",
            "No single call can be told to be wrong here.",
            next_step="Post the difference as an adjustment, or accept it.",
        )


def step(moment: Moment, found: Found) -> int:
    """Correct some of the calls; how many were. The difference is corrected once there are no more."""
    scope = _Scope({one["model"]: frozenset(map(date.fromisoformat, one["on"])) for one in found.models})
    versions, progress, done = (_once if found.cause == "double_reports" else _next)(moment, found, scope)
    corrections.take_in(moment, versions, actor=str(found.chosen_by))
    decision = {**(found.decision or {}), **progress}
    decision["corrected"] = int(decision.get("corrected") or 0) + len(versions)
    now = replace(found, decision=decision)
    findings.put(moment.session, replace(now, state=CORRECTED, decided_at=moment.now) if done else now)
    return len(versions)


class _Done(NamedTuple):
    """Corrections to take in, how far they reach, and whether they are the last."""

    versions: list[Version]
    progress: dict[str, Any]
    is_last: bool


def _next(moment: Moment, found: Found, scope: _Scope) -> _Done:
    """What a rule makes of the next events of the gateway."""
    put = _way(found)
    assert put is not None  # noqa: S101 - asked when it was chosen
    reached = (found.decision or {}).get("reached") or 0
    some = store.after(moment.session, reached, found.source, scope.span, AT_A_TIME)
    theirs = gathering.providers_of(moment, found.vendor, scope.span.begin.date())
    versions = [
        _version(one, found, event)
        for one in some
        if theirs(one.event.provider) and (event := put(one.event, scope)) is not None
    ]
    progress = {"reached": store.place(moment.session, some[-1], reached) if some else None}
    return _Done(versions, progress, len(some) < AT_A_TIME)


Put = Callable[["UsageEvent", _Scope], "UsageEvent | None"]
"""An event as it is right; None where it is so already."""


def _way(found: Found) -> Put | None:
    codes = {one["code"] for one in found.content["evidence"]}
    notes = found.content["evidence"][0]["figures"]["notes"]
    if found.cause == "cache_as_input" and codes == {"cache_as_input", "cache_as_input.overlap"}:
        return _without_overlap
    if found.cause in {"wrong_tier", "batch"} and found.source and _TIERS.fullmatch(notes):
        was, right = ("" if name == "standard" else name for name in notes.split(" → "))
        return partial(_at_tier, was, right)
    if found.cause == "day_cut" and found.source and "," not in notes:
        return partial(_at_hour, timedelta(hours=int(notes)))
    return None


_TIERS = re.compile(r"[^ ,]+ → [^ ,]+")
"""One tier that all was at, instead of one other. Where it is part of a tier, nobody can tell which part."""


def _without_overlap(event: UsageEvent, scope: _Scope) -> UsageEvent | None:
    cached, plain = event.meters.get("cache_read", 0), event.meters.get("input_uncached", 0)
    if not scope.has(event) or not 0 < cached <= plain:
        return None
    meters: Meters = {**event.meters, "input_uncached": plain - cached}
    return event._replace(meters=meters)


def _at_tier(was: str, right: str, event: UsageEvent, scope: _Scope) -> UsageEvent | None:
    return event._replace(tier=right) if scope.has(event) and billed_tier(event.tier) == was else None


def _at_hour(shift: timedelta, event: UsageEvent, scope: _Scope) -> UsageEvent | None:
    """Calls that stand on another day than they were made on; of the others nothing depends on the hour."""
    put = event.occurred_at + shift
    moves = put.date() != event.occurred_at.date()
    return event._replace(occurred_at=put) if moves and family(event.model) in scope.on else None


def _version(one: Posted, found: Found, event: UsageEvent) -> Version:
    _, _, at, identities, provider, model, tier, meters, project, *_ = event
    digest = fingerprints.fingerprint(at, identities, provider, model, tier, meters, project)
    reason = f"As the vendor counted ({found.id})"
    return Version(*one.key, one.revision + 1, event._replace(fingerprint=digest), reason)


def _once(moment: Moment, found: Found, scope: _Scope) -> _Done:
    """Of calls that are alike and came together all but one are withdrawn, as far as the vendor counted less.

    Calls may be alike by chance: no more are withdrawn than were reported too often.
    """
    known = (found.decision or {}).get("left")
    left = known or {one["model"]: {meter: -n for meter, n in one["counts"].items()} for one in found.models}
    theirs = gathering.providers_of(moment, found.vendor, scope.span.begin.date())
    versions: list[Version] = []
    for cluster in store.clusters(moment.session, scope.span, seconds=SECONDS_APART):
        versions += [
            Version(*twin.key, twin.revision + 1, None, f"Reported twice ({found.id})")
            for twin in _spare(cluster, found.source)
            if theirs(twin.provider) and _day_is_in(twin, scope) and _takes(left, twin)
        ]
        if len(versions) >= MOST_WITHDRAWN:
            return _Done(versions, {"left": left}, is_last=False)
    return _Done(versions, {"left": left}, is_last=True)


def _spare(cluster: Sequence[Twin], source: str) -> Sequence[Twin]:
    """All of a cluster but one, and that one of another gateway than the one that doubles, where there is one."""
    ordered = sorted(cluster, key=lambda one: one.source == source) if source else list(cluster)
    return ordered[1:]


def _day_is_in(twin: Twin, scope: _Scope) -> bool:
    return twin.occurred_at.astimezone(UTC).date() in scope.on.get(family(twin.model), ())


def _takes(left: dict[str, dict[str, int]], twin: Twin) -> bool:
    """Whether the vendor counted less by this call as well, which is then taken off what is left."""
    counts = left[family(twin.model)]
    names = {meter: f"{meter}@{tier}" if tier else meter for meter in twin.meters for tier in [billed_tier(twin.tier)]}
    if any(counts.get(names[meter], 0) < count for meter, count in twin.meters.items()):
        return False
    for meter, count in twin.meters.items():
        counts[names[meter]] -= count
    return True
