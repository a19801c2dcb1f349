"""An offer in words and figures: for Slack, for a page and for text to copy, all from the same words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.offers import Better, Range
from policy.units import NanoUSD
from templates import formats, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from templates.words import Words
    from views.offers import ComparedRival, Offer, OfferContent, OfferedPackage

FOLDER = "offer_words"
LONGEST_LABEL = 60
NAMES = {"en": "English", "de": "German"}
NOT = ("not_cash", "not_transferable", "not_kept", "not_fixed", "not_salary")
_THOUSANDTH = Decimal("0.001")
COUNSEL = ("for_tax", "for_contract", "for_equity")


def languages() -> tuple[str, ...]:
    return words.languages(FOLDER)


def words_of(offer: Offer) -> Words:
    return words.of(FOLDER, offer.content.given.language)


def english() -> Words:
    return words.of(FOLDER, words.ENGLISH)


def label(package: OfferedPackage) -> str:
    """What someone called an offer, on one line."""
    return formats.short(package.label, LONGEST_LABEL)


@dataclass(frozen=True, slots=True)
class OfferText:
    """What an offer says, in one language."""

    offer: Offer
    words: Words

    @property
    def content(self) -> OfferContent:
        return self.offer.content

    @property
    def title(self) -> str:
        return self.words.say("title", company=self.content.basis.company, label=label(self.content.ours))

    @property
    def label(self) -> str:
        return label(self.content.ours)

    @property
    def facts(self) -> list[tuple[str, str]]:
        """(name, what) of the post."""
        given, w = self.content.given, self.words
        found = [
            (w["level"], w["levels"].get(given.level, "")),
            (w["band"], given.band),
            (w["start"], w.day(given.start) if given.start else ""),
        ]
        return [(name, what) for name, what in found if what]

    def money(self, amount: NanoUSD) -> str:
        return self.words.money(amount, self.content.basis.rate)

    def amount(self, amount: NanoUSD) -> str:
        return self.words.amount(amount, self.content.basis.rate)

    def range(self, found: Range, told: Callable[[NanoUSD], str] | None = None) -> str:
        """A range, without the currency's name unless told otherwise; the point alone where it is all there is."""
        low, point, high = (told or self.amount)(found.low), (told or self.amount)(found.point), found.high
        if found.low == high:
            return point
        return self.words.say("range", low=low, point=point, high=(told or self.amount)(high))

    @property
    def packages(self) -> list[OfferedPackage]:
        return [self.content.ours, *(one.package for one in self.content.rivals)]

    def table(self) -> list[list[str]]:
        """Rows with their heading, a column for each offer; what no offer has is left out."""
        w, shown = self.words, self.packages
        heading = [w.say("a_year", currency=self.content.basis.rate.currency), *(label(one) for one in shown)]
        columns = [_figures(one) for one in shown]
        names = [name for name in columns[0] if any(one[name].high for one in columns)]
        return [heading, *([w[name], *(self.range(one[name]) for one in columns)] for name in names)]

    def lists(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Each offer with what it has, the currency beside each figure."""
        return [
            (
                label(one),
                [
                    (self.words[name], self.range(found, self.money))
                    for name, found in _figures(one).items()
                    if found.high
                ],
            )
            for one in self.packages
        ]

    @property
    def results(self) -> list[str]:
        """Which offer comes to more, a sentence for each other one."""
        ours = self.content.ours
        if not self.content.rivals:
            return [self.words.say("alone", low=self.money(ours.pay.total), high=self.money(ours.headline))]
        return [self._result(ours, one) for one in self.content.rivals]

    def _result(self, ours: OfferedPackage, rival: ComparedRival) -> str:
        name = rival.better.value
        if rival.better is Better.ABOVE and not rival.share:
            name = "anything"
        gap = NanoUSD(abs(int(rival.package.pay.total) - int(ours.pay.total)))
        share = "" if rival.share is None else self.words.percent(rival.share)
        return self.words.say(name, ours=label(ours), rival=label(rival.package), share=share, gap=self.money(gap))

    @property
    def in_short(self) -> list[str]:
        """What the allowance costs, and what it is as cash: the rest of the working is on the page."""
        return [self._cost_is(), self._cash_is()]

    @property
    def working(self) -> list[str]:
        """The arithmetic, step by step."""
        return list(self._working())

    def _working(self) -> Iterator[str]:
        basis, w = self.content.basis, self.words
        yield self._cost_is()
        yield w["compensation_is"]
        whole = "issued_is" if basis.buffer_permille else "issued_whole"
        buffer = w.percent(basis.buffer_permille * _THOUSANDTH)
        yield w.say(whole, issued=self.money(self.content.ours.use.issued), buffer=buffer)
        yield self._cash_is()
        if any(one.package.use.cost for one in self.content.rivals):
            yield w["rivals_use"]
        if basis.per_million_model_tokens is not None:
            yield w.say("rivals_tokens", price=w.cents(basis.per_million_model_tokens, basis.rate))

    def _cost_is(self) -> str:
        basis = self.content.basis
        return self.words.say(
            "cost_is",
            company=basis.company,
            share=self.words.percent(basis.share),
            compensation=self.money(basis.compensation),
            cost=self.money(self.content.ours.use.cost),
        )

    def _cash_is(self) -> str:
        basis, cash, w = self.content.basis, self.content.ours.use_as_cash, self.words
        return w.say(
            "cash_is",
            usable=w.percent(basis.usable_share),
            restriction=w.percent(basis.restriction),
            least=w.percent(basis.least_restriction),
            most=w.percent(basis.most_restriction),
            risk=w.percent(basis.risk),
            low=self.money(cash.low),
            point=self.money(cash.point),
            high=self.money(cash.high),
        )

    @property
    def is_not(self) -> list[str]:
        basis = self.content.basis
        return [self.words.say(one, company=basis.company, months=str(basis.lot_months)) for one in NOT]

    @property
    def counsel(self) -> list[str]:
        with_equity = any(one.pay.equity for one in self.packages)
        return [self.words[one] for one in COUNSEL if with_equity or one != "for_equity"]

    @property
    def made_on(self) -> str:
        return self.words.say("of", day=self.words.day(self.offer.made_at.date()))

    @property
    def footer(self) -> str:
        basis = self.content.basis
        last = (self.offer.made_at + timedelta(days=basis.keep_days)).date()
        return self.words.say("footer", handbook=basis.handbook, value=basis.value, day=self.words.day(last))


def _figures(one: OfferedPackage) -> dict[str, Range]:
    """What an offer comes to, by the names of the table's rows."""
    alone = {
        "base": one.pay.base,
        "bonus": one.pay.bonus,
        "equity": one.pay.equity,
        "use_at_cost": one.use.cost,
    }
    found = {name: Range(amount, amount, amount) for name, amount in alone.items()}
    whole = Range(one.headline, one.headline, one.headline)
    return found | {"use_as_cash": one.use_as_cash, "all_as_cash": one.cash, "all_at_cost": whole}


def text_of(offer: Offer, said: Words | None = None) -> OfferText:
    """What an offer says, in its own language or in the given words."""
    return OfferText(offer, said or words_of(offer))


def language_name(offer: Offer) -> str:
    return NAMES.get(offer.content.given.language, offer.content.given.language)


def file_name(offer: Offer) -> str:
    """What a label leaves of itself in the name of a file."""
    kept = re.sub(r"[^a-z0-9]+", "-", offer.content.given.label.lower()).strip("-")
    return kept or "offer"


def parts(text: str, longest: int) -> list[str]:
    """A long text in parts that end with a line."""
    found, lines = [""], text.split("\n")
    for line in lines:
        if len(found[-1]) + len(line) >= longest:
            found.append("")
        found[-1] += f"{line}\n"
    return [one.strip("\n") for one in found]
