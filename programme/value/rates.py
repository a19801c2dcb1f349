"""Rates of currencies: set for a quarter, frozen by two people, and what they make of pay bands in other currencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from policy.value.currencies import PAR, USD, Rate, require_code
from store import audit, locks
from store.handbook import rates as store
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.period import Quarter
    from policy.units import NanoUSD
    from policy.value.currencies import Money
    from programme.moment import Moment
    from store.handbook.rates import KeptRate


@dataclass(frozen=True, slots=True)
class Midpoints:
    """Midpoints of pay bands in USD, each with its band's rate, and the currency of those that have no rate."""

    usd: Mapping[str, NanoUSD]
    rates: Mapping[str, Rate]
    without_rate: Mapping[str, str]


def in_usd(moment: Moment, midpoints: Mapping[str, Money], quarter: Quarter) -> Midpoints:
    """Midpoints at the quarter's frozen rates."""
    foreign = any(one.currency != USD for one in midpoints.values())
    known = {USD: PAR} | (store.frozen(moment.session, quarter) if foreign else {})
    rates = {band: known[one.currency] for band, one in midpoints.items() if one.currency in known}
    return Midpoints(
        usd={band: rate.in_usd(midpoints[band]) for band, rate in rates.items()},
        rates=rates,
        without_rate={band: one.currency for band, one in midpoints.items() if band not in rates},
    )


def of(moment: Moment) -> list[KeptRate]:
    """Every rate on record."""
    return store.all_of(moment.session)


def set_rate(moment: Moment, quarter: Quarter, currency: str, per_unit: NanoUSD, *, actor: str) -> None:
    """Say what a unit is worth in a quarter. It counts once two people have adopted it, and never changes then."""
    _require_open(moment, quarter)
    code = require_code(currency)
    if code == USD:
        raise Refusal("currency", "USD needs no rate: amounts are in USD.")
    locks.hold(moment.session, Lock.VALUES)
    if code in store.frozen(moment.session, quarter):
        raise Refusal("rate_frozen", f"The rate of {code} is frozen for {quarter}.", next_step="Name a later quarter.")
    store.keep(moment.session, quarter, Rate(code, per_unit), actor=actor, now=moment.now)
    audit.note(
        moment.session,
        actor,
        store.SET,
        str(quarter),
        at=moment.now,
        after={"currency": code, "usd": f"{per_unit.decimal:f}"},
    )


def adopt(moment: Moment, quarter: Quarter, *, actor: str) -> list[Rate]:
    """Adopt all rates of a quarter that wait; none is frozen, and returned, until a second person does as well."""
    _require_open(moment, quarter)
    locks.hold(moment.session, Lock.VALUES)
    waiting = [kept for kept in store.all_of(moment.session, quarter) if kept.frozen_at is None]
    if not waiting:
        raise Refusal("no_rate", f"No rate waits for {quarter}.", next_step="See `tokens-bot rates set`.")
    rates = {kept.currency: f"{kept.rate.per_unit.decimal:f}" for kept in waiting}
    after = {"digest": store.digest(str(quarter), rates), "rates": rates}
    first = waiting[0].adopted_by
    if first == actor:
        text = f"Rates need two people, and you were the first for {quarter}."
        raise Refusal("second_person", text, next_step="Have someone else adopt them.")
    if first is None:
        store.note_first(moment.session, quarter, actor)
        audit.note(moment.session, actor, store.ADOPTED_FIRST, str(quarter), at=moment.now, after=after)
        return []
    store.freeze(moment.session, quarter, actor, moment.now)
    audit.note(moment.session, actor, store.ADOPTED, str(quarter), at=moment.now, after=after)
    return [kept.rate for kept in waiting]


def _require_open(moment: Moment, quarter: Quarter) -> None:
    if moment.now >= quarter.bounds(moment.zone)[1]:
        text = f"{quarter} is over, and what was granted in it stays."
        raise Refusal("quarter_over", text, next_step="Name a later one.")
