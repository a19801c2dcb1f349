"""Working out an offer from what holds today, keeping it, and deleting it in time."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import texts
from policy.parameters.grants import LEVELS
from policy.period import Quarter
from policy.reasons import FieldsRefused, Refusal
from policy.value.currencies import PAR, USD, Money
from programme import handbooks
from programme.offers import figures
from programme.offers.figures import Grounds
from programme.people import terms
from programme.value import model_tokens, valuation
from store import audit
from store.handbook import rates
from store.offers import joiners, records
from store.offers.records import StoredOffer
from store.people import directory as people_store
from views import codec
from views.offers import Offer, OfferContent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from fractions import Fraction

    from policy.value.currencies import Rate
    from programme.moment import Moment
    from views.offers import GivenOffer

RECRUITER = "recruiter"
MOST_RIVALS = 3
LONGEST_LABEL = 40


def require_recruiter(moment: Moment, person_id: str) -> None:
    """A Refusal for everyone who has not the role."""
    if RECRUITER not in people_store.roles_of(moment.session, person_id):
        raise Refusal(
            "not_a_recruiter",
            "Offers and listings are for people with the role `recruiter`.",
            next_step="An administrator gives it with `tokens-bot people import`.",
        )


def make(moment: Moment, given: GivenOffer, *, actor: str, key: str) -> Offer:
    """Work out an offer and keep it; what was made under the same key is returned as it was."""
    if (earlier := records.by_key(moment.session, key)) is not None:
        return _read(earlier)
    content = work_out(moment, given)
    stored = StoredOffer(
        id=f"off_{secrets.token_hex(8)}",
        idempotency_key=key,
        label=content.given.label,
        made_at=moment.now,
        made_by=actor,
        handbook_version=content.basis.handbook,
        value_version=content.basis.value,
        content=codec.plain(content),
    )
    records.keep(moment.session, stored)
    audit.note(moment.session, actor, "offers.make", stored.id, at=moment.now, after={"rivals": len(given.rivals)})
    return Offer(stored.id, stored.made_at, stored.made_by, content)


def get(moment: Moment, offer_id: str) -> Offer | None:
    found = records.get(moment.session, offer_id)
    return None if found is None else _read(found)


def require(moment: Moment, offer_id: str) -> Offer:
    """An offer on record, or a Refusal: it may have been deleted since."""
    if (found := get(moment, offer_id)) is None:
        raise Refusal("no_offer", "There is no such offer any more.", next_step="Type `/tokens offer` for a new one.")
    return found


def latest(moment: Moment, *, limit: int, since: datetime | None = None) -> list[Offer]:
    return [_read(one) for one in records.latest(moment.session, limit=limit, since=since)]


def forget_old(moment: Moment) -> int:
    """Delete the offers that are older than the handbook keeps them; how many."""
    kept_from = moment.now - timedelta(days=moment.handbook.offers.keep_days)
    joiners.forget(moment.session, offers_before=kept_from)
    count = records.forget(moment.session, before=kept_from)
    if count:
        audit.note(moment.session, handbooks.SYSTEM, "offers.forget", "offers", at=moment.now, after={"deleted": count})
    return count


def _read(stored: StoredOffer) -> Offer:
    # PostgreSQL returns JSON as plain values too, with texts where there were decimals.
    return Offer(
        stored.id, stored.made_at, stored.made_by, codec.read(OfferContent, json.loads(json.dumps(stored.content)))
    )


def work_out(moment: Moment, given: GivenOffer) -> OfferContent:
    """The figures of an offer by today's handbook, value and rates; FieldsRefused names what can't be worked out."""
    _check(given)
    quarter = Quarter.containing(moment.today)
    value = valuation.expected(moment, quarter, moment.handbooks)
    compensation, base = _compensation(moment, given)
    known = {USD: PAR} | rates.frozen(moment.session, quarter)
    _require_rates(given, base, compensation, known, quarter)
    return figures.content(given, base, compensation, Grounds(moment.handbook, value, known, _per_token(moment, given)))


def _per_token(moment: Moment, given: GivenOffer) -> Fraction | None:
    """What the tokens of other offers are priced at, where there are any; a Refusal where the basket has no price."""
    if not any(one.model_tokens_a_month for one in given.rivals):
        return None
    found = model_tokens.price(moment)
    if found is None:
        raise Refusal("no_basket", "The basket prices no input or output tokens.", next_step="Tell credits instead.")
    return found


def _check(given: GivenOffer) -> None:
    problems = {}
    for field, label in (("label", given.label), *((f"rival_{i}", r.label) for i, r in enumerate(given.rivals, 1))):
        if wrong := texts.unfit(label, LONGEST_LABEL):
            problems[field] = f"Its label: expected {wrong}."
        elif "@" in label:
            problems[field] = "A label is no address. Nothing of a person is kept with an offer."
    if given.level and given.level not in LEVELS:
        problems["level"] = f"{texts.quoted(given.level)} is none of {', '.join(LEVELS)}."
    if not given.base and not given.band:
        problems["base"] = "Say the base salary, or choose a pay band."
    if len(given.rivals) > MOST_RIVALS:
        problems["rivals"] = f"{len(given.rivals)} other offers; compare {MOST_RIVALS} at most."
    if problems:
        raise FieldsRefused(problems)


def _compensation(moment: Moment, given: GivenOffer) -> tuple[Money, Money]:
    """(what the allowance follows from, the base salary): the band's midpoint stands for what is not said."""
    if not given.band:
        assert given.base is not None  # noqa: S101 - checked before
        return given.base, given.base
    midpoint = terms.bands(moment, moment.today).get(given.band)
    if midpoint is None:
        raise FieldsRefused({"band": f"No midpoint is set for band {texts.quoted(given.band)}."})
    return midpoint, given.base or midpoint


def _require_rates(
    given: GivenOffer, base: Money, compensation: Money, known: Mapping[str, Rate], quarter: Quarter
) -> None:
    """FieldsRefused where an amount is in a currency without a rate of this quarter."""
    told: dict[str, tuple[Money, ...]] = {
        "band": (compensation,),
        "base": (base,),
        "bonus": (given.bonus,),
        "equity": (given.equity,),
    }
    for place, one in enumerate(given.rivals, 1):
        told[f"rival_{place}"] = (one.base, one.bonus, one.equity, one.credits, one.seats_a_month)
    problems = {}
    for field, amounts in told.items():
        missing = sorted({one.currency for one in amounts if one.nano} - known.keys())
        if missing:
            problems[field] = f"No rate of {' or '.join(missing)} is frozen for {quarter}: see `tokens-bot rates`."
    if problems:
        raise FieldsRefused(problems)
