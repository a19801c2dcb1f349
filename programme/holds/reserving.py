"""Reserving: whether a call may run, and what it may cost at most held until it is over, in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.caps import Reserved
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.holds import meeting, notices, pricing
from programme.usage import cap_sums as sums
from store.holds import records
from store.holds.records import HELD, Hold
from store.ledger import recalls
from views import codec
from views.holds import Answer, Denial

if TYPE_CHECKING:
    from policy.caps import Decision
    from programme.holds.meeting import Meeting
    from programme.holds.pricing import Ask, Buyer, Offer
    from programme.holds.usual import UsualCalls
    from programme.moment import Moment
    from views.holds import CapTold

CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, what its wallet had left when it was made (None where the company pays), and the caps that only warn.

    `room` is what calls to come may cost, if those that run cost what is usual.
    """

    hold: Hold
    available: MicroTokens | None
    warnings: tuple[CapTold, ...]
    room: NanoUSD | None = None


def reserve(moment: Moment, ask: Ask, usual: UsualCalls) -> Held | Denial:
    """Hold what a call may cost at most, or say which cap denies it.

    The same id with the same content gives the first answer again, with another content it is refused. A denial keeps
    nothing: the same call may be asked for again, and runs as soon as it fits.
    """
    if before := records.find(moment.session, (ask.source, ask.id)):
        return again(before, ask)
    buyer = pricing.buyer(moment, ask.source, ask.identities)
    what = pricing.offer(moment, ask, usual)
    counts = likely(moment, ask, what, buyer, usual)
    where = sums.scope_of(moment, buyer.person_id, what.service_key, ask.project)
    met = meeting.under_lock(moment, buyer, what.value, [where])
    decided = decide(met, what, counts)
    if not decided.is_admitted:
        return denied(decided, what, kind=ask.kind, waits=ask.waits)
    return _hold(decided, ask, what)


def again(before: Hold, ask: Ask) -> Held:
    """What was answered first."""
    if before.fingerprint != ask.fingerprint:
        raise Refusal(
            CONFLICT, f"id = {ask.id!r}: another hold was already made under it.", next_step="Choose another."
        )
    told = codec.read(Answer, before.answer)
    return Held(before, told.available, told.warnings, told.room)


@dataclass(frozen=True)
class Decided:
    """Whether a call may run; what is held for it; `met` counts what else is held as the decision did."""

    met: Meeting
    usd: Reserved
    decision: Decision
    only_held: bool = False
    """It would fit if nothing else ran: it may fit as soon as something ends."""

    @property
    def is_admitted(self) -> bool:
        return self.decision.is_admitted

    @property
    def warnings(self) -> tuple[CapTold, ...]:
        return tuple(self.met.told(one) for one in self.decision.warnings)


def likely(moment: Moment, ask: Ask, what: Offer, buyer: Buyer, usual: UsualCalls) -> NanoUSD:
    """What it counts as where worst cases do not fit; a job as what it holds."""
    return pricing.likely(moment, what, buyer.account_id, usual) if ask.kind == records.CALL else what.cost


def decide(met: Meeting, what: Offer, likely: NanoUSD) -> Decided:
    """By worst cases; where those do not fit, by what this call and all that run are likely to cost.

    docs/decisions/0053 says why, and what that can cost at most.
    """
    cheap = pricing.cheap_enough(met.moment, what)
    usd = Reserved(int(what.cost), int(likely))
    decision = met.decide(what.cost, cheap)
    if decision.is_admitted:
        return Decided(met, usd, decision)
    met = met.as_likely()
    decision = met.decide(likely, cheap)
    if decision.is_admitted:
        return Decided(met, Reserved(usd.likely, usd.likely), decision)
    return Decided(met, usd, decision, only_held=met.once_all_is_over().decide(likely, cheap).is_admitted)


def denied(decided: Decided, what: Offer, *, kind: str, waits: bool = False) -> Denial:
    """The denial; who is stopped is told of it, once for each cap and window.

    Where only running calls stand in the way, the wallet's leases are recalled, and who `waits` is not stopped yet.
    """
    said, met = denial(decided, what, kind=kind), decided.met
    if decided.only_held:
        recalls.of_tight(met.moment.session, met.buyer.account_id, now=met.moment.now)
    if not (waits and decided.only_held):
        by = decided.decision.stopped_by
        notices.stopped(met.moment, met.buyer, said, by.key if by else None)
    return said


def denial(decided: Decided, what: Offer, *, kind: str) -> Denial:
    by, met = decided.decision.stopped_by, decided.met
    assert by is not None  # noqa: S101 - asked before
    cheaper = pricing.cheaper_model(met.moment, by.slow_to, what) if by.slow_to else ""
    told, contact = met.told(by), met.moment.handbook.contact
    return Denial(decided.decision.code, told, what.cost, what.model, cheaper, kind, contact, decided.only_held)


def lasts(moment: Moment, kind: str, asked: timedelta | None) -> timedelta:
    """For how long a hold is kept that nobody settles, releases or extends."""
    rules = moment.handbook.holds
    return asked or timedelta(minutes=rules.job_minutes if kind == records.JOB else rules.call_minutes)


def _hold(decided: Decided, ask: Ask, what: Offer) -> Held:
    met, usd, warnings = decided.met, decided.usd, decided.warnings
    moment, tokens = met.moment, met.tokens(usd)
    met.take(usd, tokens)
    available = None if met.purse is None else met.purse.caps.available - MicroTokens(tokens.most)
    room = met.as_likely().least_left() - NanoUSD(usd.likely)
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
        micro_tokens=tokens.most,
        nano_usd=usd.most,
        likely_micro_tokens=tokens.likely,
        likely_nano_usd=usd.likely,
        first_micro_tokens=tokens.most,
        first_nano_usd=usd.most,
        used_micro_tokens=0,
        used_nano_usd=0,
        answer=codec.plain(Answer(available, warnings, room)),
        flags="",
        created_at=moment.now,
        expires_at=moment.now + lasts(moment, ask.kind, ask.lasts),
        closed_at=None,
    )
    records.insert(moment.session, hold, met.sums)
    return Held(hold, available, warnings, room)
