"""The token value of a quarter: worked out from the basket, adopted by people, frozen for what was debited by it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from policy.period import first_instant
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value import basket, buffer
from policy.value.basket import Item
from policy.value.valuation import TokenValue, fixed_value
from store import audit, locks
from store.handbook import reference
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.handbook import Handbook
    from policy.period import Quarter
    from policy.value.basket import Index, Key
    from programme.handbooks import Handbooks
    from programme.moment import Moment

QUARTERS_PER_YEAR = 4
Calculation = dict[str, Any]
"""Everything that a value follows from, as plain values: decimals as text, prices as [nano-USD, per so many units]."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was worked out for a quarter, beside the value that is in force for it."""

    quarter: Quarter
    old: TokenValue
    new: TokenValue
    digest: str
    calculation: Calculation


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption did; without a value it waits for a second person."""

    value: TokenValue | None
    again: bool = False


def value_of(moment: Moment, quarter: Quarter, handbooks: Handbooks) -> TokenValue:
    """The quarter's value; the first to ask adopts what holds until people adopt another."""
    book = handbooks.on(quarter.first_day)
    adopted = reference.value_of(moment.session, quarter)
    if adopted is None:
        value = expected(moment, quarter, handbooks)
        reference.adopt_value(moment.session, value, handbook_version=book.version, now=moment.now)
        adopted = reference.value_of(moment.session, quarter)
    assert adopted is not None  # noqa: S101 - we have just adopted it, or another session has
    return _funded(adopted, book)


def expected(moment: Moment, quarter: Quarter, handbooks: Handbooks) -> TokenValue:
    """What a quarter's value is while no one adopted one: the handbook's figure × the last index."""
    book = handbooks.on(quarter.first_day)
    if (adopted := reference.value_of(moment.session, quarter)) is not None:
        return _funded(adopted, book)
    if book.value.method == "fixed":
        return fixed_value(quarter, book)
    version = f"{quarter}.1"
    if before := reference.values_until(moment.session, quarter):
        last = before[-1]
        nano_usd = buffer.value_in_nano_usd(int(book.value.usd_per_token), last.price_index)
        return _funded(replace(last, quarter=quarter, version=version, nano_usd_per_token=nano_usd), book)
    prior = buffer.buffer([], book.value.buffer)
    return _funded(TokenValue(quarter, version, int(book.value.usd_per_token), buffer_permille=prior.permille), book)


def _funded(value: TokenValue, book: Handbook) -> TokenValue:
    return replace(value, on_top=book.value.buffer.funding == "on_top")


def propose(moment: Moment, quarter: Quarter, *, actor: str) -> Proposal:
    """Work a quarter's value out from prices at its first instant, and keep it to be adopted."""
    _require_open(moment, quarter)
    books = moment.handbooks
    book = books.on(quarter.first_day)
    if book.value.method == "fixed":
        raise Refusal("value_fixed", f"Handbook {book.version} fixes the value.", next_step="Set value.method there.")
    old = expected(moment, quarter, books)
    calculation = _Working(moment, quarter, book, old).calculation()
    digest = digest_of(calculation)
    # Anyone who adopts at this moment adopts what they have read, or reads this.
    locks.hold(moment.session, Lock.VALUES)
    reference.keep_proposal(
        moment.session, quarter, digest=digest, calculation=calculation, actor=actor, now=moment.now
    )
    return Proposal(quarter, old, _value(quarter, "proposed", calculation), digest, calculation)


def digest_of(calculation: Calculation) -> str:
    return hashlib.sha256(json.dumps(calculation, sort_keys=True).encode()).hexdigest()


def _require_open(moment: Moment, quarter: Quarter) -> None:
    if moment.now >= quarter.bounds(moment.zone)[1]:
        raise Refusal(
            "quarter_over", f"{quarter} is over, and what was debited in it stays.", next_step="Name a later one."
        )


class _Working:
    """The steps from prices and spend to a value."""

    def __init__(self, moment: Moment, quarter: Quarter, book: Handbook, old: TokenValue) -> None:
        self._session, self._quarter, self._book, self._old, self._moment = moment.session, quarter, book, old, moment
        # Of a quarter that was adopted before, the basket is still that of the quarters before it.
        self._before = [one for one in reference.calculations(moment.session) if one[0].quarter < quarter]

    def calculation(self) -> Calculation:
        rules = self._book.value
        linked, link_index, items = self._basket()
        later = self._shares_of_spend(self._quarter.previous(), 1)
        found = self._index(items, link_index, later)
        notes = [reason.text for reason in found.because]
        if refresh := self._refresh(linked, found, notes):
            linked, link_index, items = self._quarter, found.level, refresh
            found = self._index(items, link_index, later)
        levels = self._levels(link_index)
        held = buffer.buffer([*levels, found.level], rules.buffer)
        outstanding = MicroTokens(reference.outstanding(self._session))
        nano_usd = buffer.value_in_nano_usd(int(rules.usd_per_token), found.level)
        return {
            "handbook": self._book.version,
            "base_nano_usd": int(rules.usd_per_token),
            "linked_at": str(linked),
            "link_index": str(link_index),
            "items": [_written(line) for line in found.lines],
            "later_shares": [[*key, str(share)] for key, share in sorted(later.items())],
            "laspeyres": str(found.laspeyres),
            "paasche": _text(found.paasche),
            "fisher": _text(found.fisher),
            "divergence": _text(found.divergence),
            "mix": _text(found.mix),
            "index": str(found.level),
            "nano_usd_per_token": nano_usd,
            "levels": [str(level) for level in levels],
            "quarters": held.quarters,
            "seen": str(held.seen),
            "sigma": str(held.sigma),
            "buffer_permille": held.permille,
            "outstanding_micro_tokens": int(outstanding),
            "notes": notes,
        }

    def _levels(self, link_index: Decimal) -> list[Decimal]:
        """The levels that were worked out, one a quarter, after the first link's; what is carried over is no news."""
        worked_out = {value.quarter: value.price_index for value, _ in self._before}
        first = Decimal(self._before[0][1]["link_index"]) if self._before else link_index
        return [first, *worked_out.values()]

    def _index(self, items: list[Item], link_index: Decimal, later: Mapping[Key, Decimal]) -> Index:
        prices = {item.key: self._price(item.key, self._quarter) for item in items}
        return basket.index(items, prices, link_index=link_index, later_shares=later)

    def _basket(self) -> tuple[Quarter, Decimal, list[Item]]:
        """(quarter of its link, index there, items): the last one adopted, else the handbook's starting basket."""
        if self._before:
            _, last = self._before[-1]
            return type(self._quarter).parse(last["linked_at"]), Decimal(last["link_index"]), _items(last)
        linked = self._quarter.previous()
        items = [
            Item(key, item.class_, item.share, self._price(key, linked))
            for item in self._book.value.basket
            for key in [(item.provider, item.model, item.tier, item.meter)]
        ]
        return linked, self._old.price_index, items

    def _price(self, key: Key, quarter: Quarter) -> Fraction | None:
        """What a unit costs at a quarter's first instant: the handbook's own price wins; None for what is retired."""
        provider, model, tier, meter = key
        day = quarter.first_day
        for item in self._book.value.basket:
            of_item = (item.provider, item.model, item.tier, item.meter)
            if of_item == key and item.retired_on is not None and item.retired_on <= day:
                return None
        at = first_instant(day, self._moment.zone)
        price = self._book.negotiated_price(provider, model, day) or self._moment.prices.listed(
            provider, model, tier, at
        )
        unit = None if price is None else price.meters.get(meter)  # type: ignore[call-overload]  # a meter, as the basket's
        return None if unit is None or not unit.nano_usd else Fraction(unit.nano_usd, unit.per)

    def _shares_of_spend(self, last: Quarter, quarters: int) -> dict[Key, Decimal]:
        """Shares of what was spent in some quarters, the last of which is given; empty where nothing was."""
        first = last
        for _ in range(quarters - 1):
            first = first.previous()
        begin, end = first.bounds(self._moment.zone)[0], last.bounds(self._moment.zone)[1]
        spend = reference.spend_by_meter(self._session, begin, end)
        return basket.shares_of(spend, self._book.value.index.provider_cap) if any(spend.values()) else {}

    def _refresh(self, linked: Quarter, found: Index, notes: list[str]) -> list[Item] | None:
        """A new basket from a year of spend, once the old one is a year old or has drifted for two quarters."""
        age, quarter = 0, linked
        while quarter < self._quarter:
            quarter, age = quarter.next(), age + 1
        limit = self._book.value.index.reweight_divergence
        drifted = bool(self._before) and all(
            Decimal(d or 0) > limit for d in (found.divergence, self._before[-1][1]["divergence"])
        )
        if age < QUARTERS_PER_YEAR and not drifted:
            return None
        last = self._quarter.previous()
        if not all(self._shares_of_spend(q, 1) for q in _year_until(last)):
            notes.append("The basket is due for new shares, but there is no year of spend to take them from yet.")
            return None
        if age < QUARTERS_PER_YEAR:
            notes.append("Laspeyres and Fisher have drifted apart for two quarters, so the basket has new shares.")
        shares = self._shares_of_spend(last, QUARTERS_PER_YEAR)
        classes: dict[Key, str] = {(i.provider, i.model, i.tier, i.meter): i.class_ for i in self._book.value.basket}
        return [
            Item(key, classes.get(key, key[3]), share, self._price(key, self._quarter))
            for key, share in sorted(shares.items())
        ]


def _year_until(last: Quarter) -> list[Quarter]:
    quarters = [last]
    while len(quarters) < QUARTERS_PER_YEAR:
        quarters.append(quarters[-1].previous())
    return quarters


def _written(line: basket.Line) -> dict[str, Any]:
    provider, model, tier, meter = line.item.key
    return {
        "provider": provider,
        "model": model,
        "tier": tier,
        "meter": meter,
        "class": line.item.class_,
        "share": str(line.item.share),
        "link_price": _fraction(line.item.link_price),
        "price": _fraction(line.price),
        "relative": _fraction(line.relative),
        "contribution": str(line.contribution),
        "imputed": line.imputed,
    }


def _fraction(value: Fraction | None) -> list[int] | None:
    return None if value is None else [value.numerator, value.denominator]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _items(calculation: Calculation) -> list[Item]:
    return [
        Item(
            (item["provider"], item["model"], item["tier"], item["meter"]),
            item["class"],
            Decimal(item["share"]),
            Fraction(*item["link_price"]) if item["link_price"] else None,
        )
        for item in calculation["items"]
    ]


def _value(quarter: Quarter, version: str, calculation: Calculation) -> TokenValue:
    return TokenValue(
        quarter,
        version,
        calculation["nano_usd_per_token"],
        price_index=Decimal(calculation["index"]),
        buffer_permille=calculation["buffer_permille"],
    )


def adopt(moment: Moment, quarter: Quarter, *, actor: str, digest: str | None = None, login: str = "") -> Adoption:
    """Make what was proposed a quarter's value, for all debits from now on; no count of tokens changes.

    A change that exceeds the handbook's bound needs a second person; a login alone is none, because one person may
    have a login and an account in Slack. The liability's change goes against the buffer.
    A Refusal where the proposal is no longer the one with this digest.
    """
    _require_open(moment, quarter)
    locks.hold(moment.session, Lock.VALUES)
    proposed = reference.proposal(moment.session, quarter)
    if proposed is None:
        raise Refusal("no_proposal", f"Nothing is proposed for {quarter}.", next_step="See `tokens-bot value propose`.")
    if digest not in {None, proposed.digest}:
        raise Refusal("another_proposal", f"Another value has since been proposed for {quarter}.")
    books = moment.handbooks
    for value, calculation in reference.calculations(moment.session):
        if value.quarter == quarter and calculation == proposed.calculation:
            return Adoption(value, again=True)
    old = expected(moment, quarter, books)
    book = books.on(quarter.first_day)
    typed = {"login": login} if login else {}
    first = proposed.first_adopter if proposed.first_adopter and _is_person(proposed.first_adopter) else None
    if needs_two(old, proposed.calculation, book):
        _require_person(actor, first, book)
        if first is None:
            reference.note_first_adopter(moment.session, quarter, actor)
            _note(moment, reference.ADOPTED_FIRST, quarter, actor, {"digest": proposed.digest, **typed})
            return Adoption(None)
    version = f"{quarter}.{reference.count_values(moment.session, quarter) + 1}"
    value = _value(quarter, version, proposed.calculation)
    reference.adopt_value(
        moment.session,
        value,
        handbook_version=book.version,
        now=moment.now,
        calculation=proposed.calculation,
        adopted_by=first or actor,
        confirmed_by=actor if first else None,
    )
    tokens = MicroTokens(reference.outstanding(moment.session))
    change = NanoUSD(int(value.worth(tokens)) - int(old.worth(tokens)))
    reference.revalue(moment.session, value=value, change=change, tokens=tokens, actor=actor, now=moment.now)
    _note(moment, reference.ADOPTED, quarter, actor, {"version": version, "digest": proposed.digest, **typed})
    return Adoption(value)


def _is_person(actor: str) -> bool:
    """Whether an actor is not just a login of the command line, which may be anybody's."""
    return not actor.startswith("cli:")


def _require_person(actor: str, first: str | None, book: Handbook) -> None:
    """A Refusal for whoever can't be one of two people, or was the first of them already."""
    takes_two = f"A change of more than {book.value.index.second_person_above:.0%} needs two people"
    if not _is_person(actor):
        raise Refusal(
            "adopter_unknown", f"{takes_two}, and {actor} is no one's.", next_step="Say who you are with `--by EMAIL`."
        )
    if first == actor:
        raise Refusal("second_person", f"{takes_two}.", next_step="Have someone else adopt it.")


def needs_two(old: TokenValue, calculation: Calculation, book: Handbook) -> bool:
    """Whether a change is so large that one person is not enough."""
    change = abs(calculation["nano_usd_per_token"] - old.nano_usd_per_token)
    return Fraction(change, old.nano_usd_per_token) > Fraction(book.value.index.second_person_above)


def _note(moment: Moment, action: str, quarter: Quarter, actor: str, after: Mapping[str, Any]) -> None:
    audit.note(moment.session, actor, action, str(quarter), at=moment.now, after=after)
