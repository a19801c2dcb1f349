"""What limits someone's calls now: their wallet and the caps of the handbook, for who only looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.parameters.holds import WARN
from policy.period import Quarter
from policy.units import MicroTokens, NanoUSD
from programme.holds import meeting, pricing, reserving
from programme.usage import cap_sums as sums
from programme.value import valuation
from store.ledger import wallets
from store.people import terms
from views.holds import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.caps import Scope, Standing, SumKey
    from programme.holds.pricing import Ask, Buyer, RecentSizes
    from programme.moment import Moment
    from views.holds import CapTold, Denial, Stopped


def of(moment: Moment, buyer: Buyer) -> Limits:
    """The caps that someone's calls may meet, the tightest first; nothing is locked or kept."""
    value = valuation.expected(moment, Quarter.containing(moment.today), moment.handbooks)
    met = meeting.seen(moment, buyer, value, _scopes(moment, buyer.person_id))
    standings = _each_once(sorted(met.standings(NanoUSD(0)), key=lambda one: one.tightness))
    purse = met.purse.caps if met.purse is not None else None
    return Limits(
        person_id=buyer.person_id,
        balance=purse.balance if purse else None,
        held=purse.held if purse else MicroTokens(0),
        overdraft=purse.overdraft if purse else MicroTokens(0),
        caps=tuple(met.told(one) for one in standings),
        stops=met.stops,
        near_share=moment.handbook.holds.near_share,
        contact=moment.handbook.contact,
    )


def _each_once(standings: Iterable[Standing]) -> list[Standing]:
    """A cap that stops some services and warns others as what it may stop: wherever calls go, it is one cap."""
    found: dict[tuple[str, SumKey | None], Standing] = {}
    for one in standings:
        known = found.get((one.name, one.key))
        if known is None or known.action == WARN:
            found[one.name, one.key] = one
    return list(found.values())


def near(moment: Moment, person_id: str) -> tuple[CapTold, ...]:
    """Caps of the handbook of which most is used or held; nothing is asked of the database where it has none."""
    if not moment.recent_handbooks.on(moment.today).caps:
        return ()
    return of(moment, pricing.known(moment, person_id)).near


def runs_again(moment: Moment, told: Stopped) -> bool:
    """Whether what stopped someone was lifted since: its window is over, tokens came, or the limit is another.

    Not whether there is room again for a moment: who is stopped is told once, and would never hear of it.
    """
    cap = told.denial.cap
    if not told.person_id or (cap.resets_at is not None and cap.resets_at <= moment.now):
        return bool(told.person_id)
    buyer = pricing.known(moment, told.person_id)
    if told.credit is not None:
        return wallets.latest_credit(moment.session, buyer.account_id) > told.credit
    now = next((one for one in of(moment, buyer).caps if (one.name, one.scope) == (cap.name, cap.scope)), cap)
    return now.limit > cap.limit or now.action != cap.action


def _scopes(moment: Moment, person_id: str) -> Iterable[Scope]:
    """Wherever someone's calls may go today: each approved service, and the projects that they are assigned to."""
    approved = [one.key for one in moment.handbook.services if one.approved_on(moment.today)]
    projects = ["", *sorted(terms.projects_of(moment.session, person_id, moment.today))]
    return [sums.scope_of(moment, person_id, service, project) for service in approved for project in projects]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a call would be told: its denial, if it would be stopped, and what was asked for."""

    denial: Denial | None
    cost: NanoUSD
    limits: Limits


def attempt(moment: Moment, ask: Ask, sizes: RecentSizes, *, buyer: Buyer | None = None) -> Tried:
    """Whether a call would run, by what such calls usually cost; nothing is held, and nobody is told."""
    buyer = buyer or pricing.buyer(moment, ask.source, ask.identities)
    what = pricing.offer(moment, ask, sizes)
    where = sums.scope_of(moment, buyer.person_id, what.service_key, ask.project)
    met = meeting.seen(moment, buyer, what.value, [where])
    cost, decision = reserving.decide(met, what, kind=ask.kind)
    denial = reserving.denial(met, what, decision, kind=ask.kind) if decision.stopped_by is not None else None
    return Tried(denial, cost, of(moment, buyer))


def authorize(moment: Moment, ask: Ask, sizes: RecentSizes) -> Denial | None:
    """The denial of a call that a gateway without a plugin asks for; its caller is told as with a hold."""
    buyer = pricing.buyer(moment, ask.source, ask.identities)
    what = pricing.offer(moment, ask, sizes)
    if usual := pricing.usual_cost(moment, what.model, buyer.account_id):
        what = pricing.at_cost(what, min(what.cost, usual, key=int))
    where = sums.scope_of(moment, buyer.person_id, what.service_key, ask.project)
    met = meeting.under_lock(moment, buyer, what.value, [where])
    decision = met.decide(what.cost, pricing.cheap_enough(moment, what))
    if decision.stopped_by is None:
        return None
    return reserving.denied(met, what, decision, kind=ask.kind)
