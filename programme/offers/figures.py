"""The figures of an offer from what they follow from: no clock, and nothing is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from policy import offers
from policy.units import NanoUSD, divide_half_even
from views.offers import Basis, ComparedRival, OfferContent, OfferedPackage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from policy.handbook import Handbook
    from policy.offers import Package
    from policy.value.currencies import Money, Rate
    from policy.value.valuation import TokenValue
    from views.offers import GivenOffer, GivenRival

MILLION = 1_000_000
_SHARE_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the figures of any offer of a day follow from; `per_token` is what a rival's tokens are priced at."""

    handbook: Handbook
    value: TokenValue
    rates: Mapping[str, Rate]
    per_token: Fraction | None = None

    def usd(self, amount: Money) -> NanoUSD:
        return self.rates[amount.currency].in_usd(amount) if amount.nano else NanoUSD(0)


def content(given: GivenOffer, base: Money, compensation: Money, grounds: Grounds) -> OfferContent:
    """An offer worked out; the allowance follows from the compensation, which may be another than the base salary."""
    basis = _basis(grounds.usd(compensation), grounds.rates[base.currency], grounds)
    use = offers.allowance(basis.compensation, basis.share, basis.buffer_permille)
    ours = offers.Package(offers.Pay(*(grounds.usd(one) for one in (base, given.bonus, given.equity))), use)
    rivals = tuple(_compared(ours, rival, grounds) for rival in given.rivals)
    return OfferContent(replace(given, base=base), basis, _worked(given.label, ours, grounds), rivals)


def _basis(compensation: NanoUSD, rate: Rate, grounds: Grounds) -> Basis:
    book, rules, per_token = grounds.handbook, grounds.handbook.offers, grounds.per_token
    return Basis(
        company=rules.company,
        handbook=book.version,
        value=grounds.value.version,
        compensation=compensation,
        share=book.sizing.share_of_compensation,
        buffer_permille=grounds.value.issue_buffer_permille,
        usable_share=rules.usable_share,
        restriction=rules.restriction,
        least_restriction=rules.least_restriction,
        most_restriction=rules.most_restriction,
        risk=rules.risk,
        lot_months=book.lots.months,
        keep_days=rules.keep_days,
        rate=rate,
        per_million_model_tokens=None if per_token is None else _rounded(MILLION * per_token),
    )


def _compared(ours: Package, rival: GivenRival, grounds: Grounds) -> ComparedRival:
    usd = grounds.usd
    perks = offers.Perks(usd(rival.credits), usd(rival.seats_a_month), rival.model_tokens_a_month)
    pay = offers.Pay(*(usd(one) for one in (rival.base, rival.bonus, rival.equity)))
    theirs = offers.Package(pay, perks.use(grounds.per_token or offers.NO_PRICE))
    found = offers.break_even(ours, theirs)
    share = None if found.share is None else _decimal(found.share)
    return ComparedRival(_worked(rival.label, theirs, grounds), found.better, share)


def _worked(label: str, package: Package, grounds: Grounds) -> OfferedPackage:
    use = offers.equivalent(package.use, grounds.handbook.offers)
    return OfferedPackage(label, package.pay, package.use, package.headline, use, use.plus(package.pay.total))


def _decimal(share: Fraction) -> Decimal:
    return (Decimal(share.numerator) / share.denominator).quantize(_SHARE_STEP, ROUND_HALF_EVEN)


def _rounded(amount: Fraction) -> NanoUSD:
    return NanoUSD(divide_half_even(amount.numerator, amount.denominator))
