"""Offers, usual and unusual, as views, messages and forms."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from policy import handbook
from policy import offers as policy_offers
from policy.period import Quarter
from policy.units import MicroTokens, NanoUSD
from policy.value.currencies import PAR, Money, Rate
from policy.value.valuation import TokenValue
from programme.offers import figures
from programme.offers.figures import Grounds
from scheduler.composers import offers as offers_composer
from templates import listings, offer_page, offers, render, worth
from tests.support.letters import HOSTILE
from views import codec
from views.offers import GivenOffer, GivenRival, ListingFacts, Offer, OutdatedListings, WorthLine, YearsWorth

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOOK = handbook.parse(handbook.packaged().replace('company = "our company"', 'company = "Fernwind"'))
GROUNDS = Grounds(
    BOOK,
    TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_200_000, buffer_permille=150),
    {"USD": PAR, "EUR": Rate("EUR", PAR.per_unit.parse("1.08"))},
    Fraction(2_180),
)
LEVELS = [("senior", "Senior"), ("staff", "Staff")]
LANGUAGES = [("en", "English"), ("de", "German")]


def money(amount: int, currency: str = "USD") -> Money:
    return Money(currency, amount * 10**9)


def rival(label: str, **told: int) -> GivenRival:
    """Another offer in USD: amounts a year, seats a month in all, input and output tokens a month."""
    tokens = told.pop("tokens", 0)
    amounts = {name: money(told.get(name, 0)) for name in ("base", "bonus", "equity", "credits", "seats_a_month")}
    return GivenRival(label=label, model_tokens_a_month=tokens, **amounts)


def offer(given: GivenOffer, grounds: Grounds = GROUNDS) -> Offer:
    base = given.base or money(150_000)
    return Offer("off_1", AT, "per_1", figures.content(given, base, base, grounds))


GIVEN = GivenOffer(
    label="Offer 17",
    level="senior",
    base=money(180_000),
    bonus=money(18_000),
    equity=money(40_000),
    start=date(2027, 3, 1),
)
NO_TOKENS = dataclasses.replace(GROUNDS, per_token=None)
MATTERS = offer(dataclasses.replace(GIVEN, rivals=(rival("B", base=240_000),)), NO_TOKENS)
"""The worked example: the allowance decides."""
DOES_NOT = offer(dataclasses.replace(GIVEN, language="de", rivals=(rival("B", base=210_000, bonus=10_000),)), NO_TOKENS)
SEATS = offer(
    dataclasses.replace(
        GIVEN,
        rivals=(
            rival("Northwind", base=220_000, bonus=25_000, seats_a_month=600, tokens=50_000_000),
            rival("Contoso", base=190_000, equity=30_000, credits=60_000),
            rival("Third", base=238_000),
        ),
    )
)
ALONE = offer(GIVEN, NO_TOKENS)
IN_EUROS = offer(
    GivenOffer(
        label="Angebot 3",
        band="P3",
        base=money(120_000, "EUR"),
        bonus=money(0),
        equity=money(0),
        rivals=(rival("USD 129,600", base=129_600),),
    ),
    NO_TOKENS,
)
HOSTILE_ONE = offer(
    dataclasses.replace(
        GIVEN,
        label=HOSTILE,
        band=HOSTILE,
        rivals=tuple(dataclasses.replace(rival("x", base=240_000, credits=5), label=HOSTILE) for _ in range(3)),
    )
)


def answer(made: Offer) -> Message:
    return render.message("offers/offer", offer=made, text=offers.text_of(made, offers.english()))


def page(made: Offer) -> Message:
    return render.message("offers/page", text=offers.text_of(made), language=offers.language_name(made))


def copied(made: Offer) -> Message:
    text, language = offers.text_of(made), offers.language_name(made)
    return render.message(
        "offers/copied", text=text, language=language, parts=offers.parts(offer_page.plain(text), 2_900)
    )


def form(fields: dict[str, str], bands: tuple[str, ...] = ("P3", "P4")) -> dict[str, Any]:
    names = ("label", "level", "band", "base", "bonus", "equity", "start", "rival_1", "rival_2", "rival_3", "language")
    return render.modal(
        "offers/form",
        form={name: fields.get(name, "") for name in names},
        levels=LEVELS,
        bands=[(one, one) for one in bands],
        rivals=(("rival_1", "Another offer"), ("rival_2", "A second one"), ("rival_3", "A third one")),
        languages=LANGUAGES,
    )


def made(one: Offer) -> dict[str, Any]:
    return render.modal("offers/made", text=offers.text_of(one, offers.english()))


def huge(amount: int) -> Offer:
    """An offer of as much as the ledger holds, beside three like it."""
    most = [rival("y" * 40, base=amount, bonus=amount, equity=amount, credits=amount) for _ in range(3)]
    given = dataclasses.replace(GIVEN, label="x" * 40, base=money(amount), rivals=tuple(most))
    return offer(given)


FACTS = ListingFacts(
    level="senior",
    band="P3",
    company="Fernwind",
    share=Decimal("0.25"),
    lot_months=3,
    days=90,
    handbook="2026.1",
)


def listed(facts: ListingFacts = FACTS, language: str = "en") -> Message:
    return render.message(
        "offers/listing",
        facts=facts,
        post=", ".join(filter(None, (facts.level, facts.band))),
        text=listings.written(facts, language, listings.TEXT).replace("`", "'"),
        json_ld=listings.written(facts, language, listings.JSON_LD).replace("`", "'"),
    )


def outdated(*posts: tuple[str, str, str]) -> Message:
    return offers_composer.compose_outdated(codec.plain(OutdatedListings("2027.1", posts)))[0]


def worth_line(name: str, tokens: str) -> WorthLine:
    amount = MicroTokens.parse(tokens)
    return WorthLine(name, amount, GROUNDS.value.worth(amount))


YEAR = YearsWorth(
    year=2026,
    is_over=False,
    opening=worth_line("opening", "0"),
    lines=(
        worth_line("granted", "281100"),
        worth_line("exceptions", "5000"),
        worth_line("used", "-108423.5"),
        worth_line("lapsed", "-90000"),
        worth_line("other", "-120"),
    ),
    closing=worth_line("closing", "87556.5"),
    used=GROUNDS.value.worth(MicroTokens.parse("108423.5")),
    used_as_cash=policy_offers.used_as_cash(GROUNDS.value.worth(MicroTokens.parse("108423.5")), BOOK.offers),
    least_restriction=BOOK.offers.least_restriction,
    most_restriction=BOOK.offers.most_restriction,
    lot_months=3,
    rate=None,
    quarter="2026-Q4",
)
UNUSED = dataclasses.replace(
    YEAR,
    year=2025,
    is_over=True,
    opening=worth_line("opening", "100"),
    lines=(),
    closing=worth_line("closing", "100"),
    used=NanoUSD(0),
    used_as_cash=policy_offers.used_as_cash(NanoUSD(0), BOOK.offers),
)
EVERY_POST = dataclasses.replace(FACTS, level="", band="", days=None)
CASES: dict[str, Callable[[], Message]] = {
    "offer_that_the_allowance_decides": lambda: answer(MATTERS),
    "offer_that_is_better_anyway": lambda: answer(DOES_NOT),
    "offer_beside_seats_and_credits": lambda: answer(SEATS),
    "offer_alone": lambda: answer(ALONE),
    "offer_in_euros": lambda: answer(IN_EUROS),
    "offer_hostile": lambda: answer(HOSTILE_ONE),
    "page_of_an_offer": lambda: page(MATTERS),
    "page_of_an_offer_in_german": lambda: page(DOES_NOT),
    "page_of_an_offer_hostile": lambda: page(HOSTILE_ONE),
    "copied_offer": lambda: copied(SEATS),
    "copied_offer_in_german": lambda: copied(DOES_NOT),
    "worth": lambda: worth.answer(YEAR),
    "worth_in_euros": lambda: worth.answer(dataclasses.replace(YEAR, rate=GROUNDS.rates["EUR"])),
    "worth_of_a_year_without_use": lambda: worth.answer(UNUSED),
    "listing": listed,
    "listing_of_every_post_in_german": lambda: listed(EVERY_POST, "de"),
    "listing_hostile": lambda: listed(dataclasses.replace(FACTS, company=HOSTILE, band=HOSTILE)),
    "outdated_listings": lambda: outdated(("senior", "P3", "en"), ("", "", "de")),
    "outdated_listings_hostile": lambda: outdated(("senior", HOSTILE, "en")),
    "coming_page": lambda: render.message("offers/coming"),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "offer": lambda: answer(huge(1_000_000_000)),
    "outdated": lambda: outdated(*[("principal", "y" * 40, "en")] * 200),
    "copied": lambda: copied(huge(1_000_000_000)),
}
MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    "offer_form": lambda: form({"language": "en"}),
    "offer_form_filled_in": lambda: form({"label": "Offer 17", "band": "P4", "base": "EUR 180k", "rival_1": "B: 240k"}),
    "offer_form_without_bands": lambda: form({}, ()),
    "offer_form_hostile": lambda: form({"label": HOSTILE, "rival_1": HOSTILE}),
    "offer_made": lambda: made(MATTERS),
    "offer_made_hostile": lambda: made(HOSTILE_ONE),
}
