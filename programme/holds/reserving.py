"""Reserving: whether a call may run, and what it may cost at most held until it is over, in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import estimates
from policy.reasons import Refusal
from programme.holds import meeting, notices, pricing
from programme.usage import cap_sums as sums
from store.holds import records
from store.holds.records import HELD, Hold
from views import codec
from views.holds import Answer, Denial

if TYPE_CHECKING:
    from policy.caps import Decision
    from policy.units import MicroTokens, NanoUSD
    from programme.holds.meeting import Meeting
    from programme.holds.pricing import Ask, Offer, RecentSizes
    from programme.moment import Moment
    from views.holds import CapTold

CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, what its wallet had left when it was made (None where the company pays), and the caps that only warn."""

    hold: Hold
    available: MicroTokens | None
    warnings: tuple[CapTold, ...]


def reserve(moment: Moment, ask: Ask, sizes: RecentSizes) -> Held | Denial:
    """Hold what a call may cost at most, or say which cap denies it.

    The same id with the same content gives the first answer again, with another content it is refused. A denial keeps
    nothing: the same call may be asked for again, and runs as soon as it fits.
    """
    if before := records.find(moment.session, (ask.source, ask.id)):
        return again(before, ask)
    buyer = pricing.buyer(moment, ask.source, ask.identities)
    what = pricing.offer(moment, ask, sizes)
    where = sums.scope_of(moment, buyer.person_id, what.service_key, ask.project)
    met = meeting.under_lock(moment, buyer, what.value, [where])
    cost, decision = decide(met, what, kind=ask.kind)
    if decision.stopped_by is not None:
        return denied(met, what, decision, kind=ask.kind)
    return _hold(met, ask, what, cost, tuple(met.told(one) for one in decision.warnings))


def again(before: Hold, ask: Ask) -> Held:
    """What was answered first."""
    if before.fingerprint != ask.fingerprint:
        raise Refusal(
            CONFLICT, f"id = {ask.id!r}: another hold was already made under it.", next_step="Choose another."
        )
    told = codec.read(Answer, before.answer)
    return Held(before, told.available, told.warnings)


def decide(met: Meeting, what: Offer, *, kind: str) -> tuple[NanoUSD, Decision]:
    """(how much is held, what the caps say): the usual, where the worst case does not fit and is far above it."""
    cheap = pricing.cheap_enough(met.moment, what)
    decision = met.decide(what.cost, cheap)
    if decision.is_admitted or kind != records.CALL:
        return what.cost, decision
    usual = pricing.usual_cost(met.moment, what.model, met.buyer.account_id)
    instead = estimates.try_usual(what.cost, usual, met.moment.handbook.holds)
    if instead is not None and (second := met.decide(instead, cheap)).is_admitted:
        return instead, second
    return what.cost, decision


def denied(met: Meeting, what: Offer, decision: Decision, *, kind: str) -> Denial:
    """The denial; who is stopped is told of it, once for each cap and window."""
    said = denial(met, what, decision, kind=kind)
    notices.stopped(met.moment, met.buyer, said, decision.stopped_by.key if decision.stopped_by else None)
    return said


def denial(met: Meeting, what: Offer, decision: Decision, *, kind: str) -> Denial:
    by = decision.stopped_by
    assert by is not None  # noqa: S101 - asked before
    cheaper = pricing.cheaper_model(met.moment, by.slow_to, what) if by.slow_to else ""
    return Denial(decision.code, met.told(by), what.cost, what.model, cheaper, kind, met.moment.handbook.contact)


def lasts(moment: Moment, kind: str, asked: timedelta | None) -> timedelta:
    """For how long a hold is kept that nobody settles, releases or extends."""
    rules = moment.handbook.holds
    return asked or timedelta(minutes=rules.job_minutes if kind == records.JOB else rules.call_minutes)


def _hold(met: Meeting, ask: Ask, what: Offer, cost: NanoUSD, warnings: tuple[CapTold, ...]) -> Held:
    moment, tokens = met.moment, what.value.debit(cost)
    met.take(cost, tokens)
    available = None if met.purse is None else met.purse.caps.available - tokens
    hold = Hold(
        source=ask.source,
        id=ask.id,
        kind=ask.kind,
        fingerprint=ask.fingerprint,
        account_id=met.buyer.account_id,
        person_id=met.buyer.person_id,
        service_key=what.service_key,
        provider=what.provider,
        model=what.model,
        project=ask.project,
        status=HELD,
        micro_tokens=int(tokens),
        nano_usd=int(cost),
        first_micro_tokens=int(tokens),
        first_nano_usd=int(cost),
        used_micro_tokens=0,
        used_nano_usd=0,
        output_tokens=0,
        answer=codec.plain(Answer(available, warnings)),
        flags="",
        created_at=moment.now,
        expires_at=moment.now + lasts(moment, ask.kind, ask.lasts),
        closed_at=None,
    )
    records.insert(moment.session, hold, met.sums)
    return Held(hold, available, warnings)
