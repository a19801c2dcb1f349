"""What a call to come may cost: who asks, for what, at whose cost, and how much at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy import estimates
from policy.metering import UnpricedMeterError, named
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.holds.usual import models_of_classes
from programme.usage import payers
from programme.usage.rating import LARGEST_EVENT, Rating, not_employed
from store.holds import records
from store.ledger import ledger
from store.people import directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from policy.estimates import Asked
    from policy.metering import Identities, Meters, Price
    from policy.value.valuation import TokenValue
    from programme.holds.usual import UsualCalls
    from programme.moment import Moment
    from programme.usage.rating import Tariff
    from store.holds.records import Hold

UNKNOWN_PERSON = "unknown_person"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a gateway asks to hold."""

    source: str
    id: str
    kind: str
    identities: Identities
    provider: str
    model: str
    service: str
    project: str
    asked: Asked
    lasts: timedelta | None
    fingerprint: bytes
    waits: bool = False
    """It is asked again if it is denied only for what running calls hold: until then nobody is told."""


def ask_again(hold: Hold, asked: Asked | None) -> Ask:
    """What a hold that is there asks for from now on: by default what it holds."""
    again = asked or estimates.Asked({}, usd=NanoUSD(hold.nano_usd))
    return Ask(
        *(hold.source, hold.id, hold.kind, (), hold.provider, hold.model, hold.service_key, hold.project),
        again,
        None,
        hold.fingerprint,
    )


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who asks, and the account that pays; only a wallet has a balance that can run out."""

    person_id: str
    account_id: int
    is_wallet: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What is asked for, with its price: None where the gateway said the cost itself."""

    service_key: str
    provider: str
    model: str
    value: TokenValue
    cost: NanoUSD
    meters: Meters
    price: Price | None


def buyer(moment: Moment, source: str, identities: Identities) -> Buyer:
    """Who asks; a Refusal for a stranger, and for who is not here any more."""
    person_id = _person(moment, source, identities)
    here = directory.partly_here(moment.session, [person_id], [moment.today]).get(person_id)
    if here is not None and not here.on(moment.today):
        raise Refusal("not_employed", f"{not_employed(moment.today, here).capitalize()}.")
    code = payers.codes(moment, [(person_id, moment.today)])[person_id, moment.today]
    account_id = ledger.open_accounts(moment.session, [code])[code]
    return Buyer(person_id, account_id, is_wallet=not code.startswith(ledger.COMPANY))


def _person(moment: Moment, source: str, identities: Identities) -> str:
    person_id = directory.resolve(moment.session, source, set(identities)).who(identities)
    if person_id is None:
        names = ", ".join(f"{kind} {name!r}" for kind, name in identities) or "no one"
        raise Refusal(UNKNOWN_PERSON, f"No person is known for {names}.", next_step="Link them, or name another.")
    return person_id


def buyer_seen(moment: Moment, source: str, identities: Identities) -> Buyer:
    """The same for who only looks: no account is opened."""
    return known(moment, _person(moment, source, identities))


def known(moment: Moment, person_id: str) -> Buyer:
    """Someone as who only looks sees them; 0 is the account of who never had one."""
    code = payers.codes(moment, [(person_id, moment.today)])[person_id, moment.today]
    account_id = ledger.find_account(moment.session, code) or 0
    return Buyer(person_id, account_id, is_wallet=not code.startswith(ledger.COMPANY))


def offer(moment: Moment, ask: Ask, usual: UsualCalls) -> Offer:
    """What it may cost at most; a Refusal where no service or no price is known for it."""
    provider = ask.provider or _provider_of(moment, ask.service)
    if not ask.model and ask.kind == records.JOB:
        ask = replace(ask, model=_only_model(moment, provider))
    tariff = Rating(moment).tariff(provider, ask.model, moment.today)
    if tariff.service_key is None:
        raise Refusal("unapproved_service", f"No approved service has the provider {provider!r}.")
    rules = moment.handbook.holds
    price = price_of(moment, tariff, ask.model) if ask.asked.usd is None or ask.model else None
    meters: Meters = {}
    if ask.asked.usd is not None:
        cost = ask.asked.usd
    else:
        meters = _meters(moment, ask, usual)
        cost = _cost(price, meters, provider, ask.model)
    if ask.kind == records.JOB:
        cost = estimates.of_job(cost, rules)
    if cost > LARGEST_EVENT:
        raise Refusal("cost_out_of_range", f"It would cost USD {cost.decimal.normalize():f}.")
    return Offer(tariff.service_key, provider, ask.model, tariff.value, cost, meters, price)


def at_cost(what: Offer, cost: NanoUSD) -> Offer:
    """The same call, if it costs something else."""
    return replace(what, cost=cost)


def _meters(moment: Moment, ask: Ask, usual: UsualCalls) -> Meters:
    if ask.kind == records.JOB:
        return dict(ask.asked.meters)
    known = ask.asked.most_output is not None or "output" in ask.asked.meters
    size = None if known else usual.output(moment, ask.model)
    return estimates.worst_case(ask.asked, moment.handbook.holds, size)


def _provider_of(moment: Moment, service: str) -> str:
    found = next((one for one in moment.handbook.services if one.key == service), None)
    if found is None or not found.approved_on(moment.today):
        raise Refusal("unapproved_service", f"service = {service!r}: it is not approved today.")
    return found.providers[0]


def _only_model(moment: Moment, provider: str) -> str:
    """The one model that a provider has a price for, such as a cluster's only kind of GPU; empty where it has more."""
    prices = (one for one in moment.handbook.prices if one.holds_on(moment.today))
    models = {one.price.model for one in prices if one.price.provider == provider}
    return models.pop() if len(models) == 1 else ""


def price_of(moment: Moment, tariff: Tariff, model: str) -> Price | None:
    return tariff.negotiated or moment.prices.listed(tariff.provider, model, "", moment.now)


def _cost(price: Price | None, meters: Meters, provider: str, model: str) -> NanoUSD:
    if price is None:
        raise Refusal("unknown_model", f"No price is known for {named(provider, model, '')}.")
    try:
        return price.cost(meters)
    except UnpricedMeterError as error:
        raise Refusal("unpriced_meter", f"{str(error).capitalize()}.") from error


def likely(moment: Moment, what: Offer, account_id: int, usual: UsualCalls) -> NanoUSD:
    """What a call counts as where worst cases do not fit (docs/decisions/0053).

    The person's own calls of the model say what is usual; before there are enough, the length of everyone's answers.
    """
    known = usual.cost(moment, account_id, what.model) or _as_others(moment, what, usual)
    return estimates.likely(what.cost, known, moment.handbook.holds)


def _as_others(moment: Moment, what: Offer, usual: UsualCalls) -> NanoUSD | None:
    size = usual.output(moment, what.model)
    if size is None or what.price is None or what.meters.get("output", 0) <= size:
        return None
    return _cost(what.price, {**what.meters, "output": size}, what.provider, what.model)


def cheap_enough(moment: Moment, what: Offer) -> Mapping[str, bool]:
    """For each class that a `slow` cap names: whether a call costs no more than it would with a model of that class."""
    classes = {cap.slow_to for cap in moment.handbook.caps if cap.slow_to}
    return {name: what.cost <= most for name in classes if (most := _dearest(moment, name, what)) is not None}


def _dearest(moment: Moment, class_: str, what: Offer) -> NanoUSD | None:
    costs = [cost for _, cost in _costs_in(moment, class_, what)]
    return max(costs, default=None)


def cheaper_model(moment: Moment, class_: str, what: Offer) -> str:
    """A model that a `slow` cap lets pass: of the same provider, if one is."""
    found = sorted(_costs_in(moment, class_, what), key=lambda one: (one[0][0] != what.provider, one[1]))
    return found[0][0][1] if found else ""


def _costs_in(moment: Moment, class_: str, what: Offer) -> list[tuple[tuple[str, str], NanoUSD]]:
    rating, found = Rating(moment), list[tuple[tuple[str, str], NanoUSD]]()
    for of_class, provider, model in sorted(models_of_classes(moment.handbook, moment)):
        if of_class != class_:
            continue
        price = price_of(moment, rating.tariff(provider, model, moment.today), model)
        try:
            found.append(((provider, model), _cost(price, what.meters, provider, model)))
        except Refusal:
            continue
    return found
