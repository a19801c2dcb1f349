"""What job listings say of the allowance: from the policy in force, and who is told once it is out of date."""

from __future__ import annotations

import hashlib
import json
from statistics import median
from typing import TYPE_CHECKING

from policy import offers, texts
from policy.parameters.grants import LEVELS
from policy.period import Quarter
from policy.reasons import Refusal
from policy.value.currencies import PAR, USD
from programme import notify
from programme.offers.making import RECRUITER
from programme.people import terms
from programme.value import valuation
from store.handbook import rates
from store.offers import listings as store
from store.offers.listings import HandedOut
from store.people import directory as people_store
from views import codec
from views.offers import ListingFacts, OutdatedListings

if TYPE_CHECKING:
    from policy.handbook import Handbook
    from programme.moment import Moment

OUTDATED = "offers/outdated"
MONTHS_A_QUARTER = 3


def of(moment: Moment, *, level: str = "", band: str = "") -> ListingFacts:
    """What holds today for a post; without a band, for all of them."""
    if level and level not in LEVELS:
        raise Refusal("level", f"level = {texts.quoted(level)}: expected one of {', '.join(LEVELS)}.")
    if band and band not in terms.bands(moment, moment.today):
        raise Refusal("band", f"band = {texts.quoted(band)}: no midpoint is set for it.")
    return _facts(moment.handbook, level, band, days_of_use(moment, band))


def in_public(moment: Moment, days: int | None) -> ListingFacts | None:
    """What holds today for every post, where the company shows it; `days` as `days_of_use` has them."""
    return _facts(moment.handbook, "", "", days) if moment.handbook.offers.lists_in_public else None


def _facts(book: Handbook, level: str, band: str, days: int | None) -> ListingFacts:
    return ListingFacts(
        level=level,
        band=band,
        company=book.offers.company,
        share=book.sizing.share_of_compensation,
        lot_months=book.lots.months,
        days=days,
        handbook=book.version,
    )


def days_of_use(moment: Moment, band: str = "") -> int | None:
    """How many working days of use a month's tokens are; None where there are no figures that may be told."""
    last = Quarter.containing(moment.today).previous()
    used = store.used_a_day(moment.session, last.first_day, last.next().first_day)
    tokens = _of_band(moment, band) if band else _usual(moment, last)
    return None if tokens is None else offers.working_days(tokens, used)


def _of_band(moment: Moment, band: str) -> int | None:
    """A month's tokens by a band's midpoint, before level, projects, use and budget."""
    quarter = Quarter.containing(moment.today)
    midpoint = terms.bands(moment, moment.today)[band]
    rate = ({USD: PAR} | rates.frozen(moment.session, quarter)).get(midpoint.currency)
    if rate is None:
        return None
    value = valuation.expected(moment, quarter, moment.handbooks)
    share = moment.handbook.sizing.share_of_compensation
    use = offers.allowance(rate.in_usd(midpoint), share, value.issue_buffer_permille)
    return int(value.debit(use.issued)) // offers.MONTHS


def _usual(moment: Moment, quarter: Quarter) -> int | None:
    """The median of a quarter's monthly grants, of as many people as have to stand behind it."""
    months = [str(quarter.first_month.plus(count)) for count in range(MONTHS_A_QUARTER)]
    found = store.granted(moment.session, months)
    return int(median(found)) if len(found) >= MONTHS_A_QUARTER * offers.LEAST_PEOPLE else None


def digest(facts: ListingFacts) -> str:
    """Of what a listing says of the policy. How far tokens go changes each quarter, and outdates no listing."""
    said = [facts.company, str(facts.share), facts.lot_months]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def hand_out(moment: Moment, facts: ListingFacts, language: str, *, actor: str) -> None:
    """Remember that a text was handed out, so that someone hears of it once it no longer holds."""
    one = HandedOut(facts.level, facts.band, language, digest(facts), facts.handbook, moment.now, actor)
    store.keep(moment.session, one)


def tell_outdated(moment: Moment) -> int:
    """Tell recruiters, once, which listings no longer say what the policy does; how many they are."""
    book = moment.handbook
    now = digest(_facts(book, "", "", None))
    found = [one for one in store.all_of(moment.session) if now not in {one.digest, one.outdated_digest}]
    if not found:
        return 0
    view = codec.written(OutdatedListings(book.version, tuple((one.level, one.band, one.language) for one in found)))
    if not _owe(moment, view, key=f"listings:{book.version}:{moment.now.isoformat()}"):
        return 0
    for one in found:
        store.note_outdated(moment.session, one, now)
    return len(found)


def _owe(moment: Moment, view: str, *, key: str) -> bool:
    """Owe it to the recruiters' channel; without one, to each recruiter. Whether there is anybody to tell."""
    book, channel = moment.handbook, moment.recruiters_channel
    if channel is not None:
        notify.to_channel(moment, key=key, template=OUTDATED, view=view, channel=channel, book=book)
        return True
    people = people_store.with_role(moment.session, RECRUITER, moment.today)
    letters = [(f"{key}:{person_id}", OUTDATED, view, person_id) for person_id in people]
    return bool(notify.to_people(moment, letters, book=book, earliest=moment.now))
