"""What a joiner was offered, beside what they got: for their greeting, while the offer is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from policy import offered
from policy.offered import Offered
from policy.period import day_of
from programme.offers import making
from store.offers import joiners as store

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from policy.offered import Kept
    from policy.sizing import Factors
    from programme.moment import Moment


class KeptOffer(NamedTuple):
    """When an offer was made, and whether a grant is what it said."""

    made_on: date
    kept: Kept
    grant: Factors
    share_then: Decimal
    share_now: Decimal


def of_person(moment: Moment, person_id: str, grant: Factors | None) -> KeptOffer | None:
    """A person's grant beside the offer that they accepted; None where either is not known."""
    offer_id = store.of_person(moment.session, person_id)
    made = None if offer_id is None else making.get(moment, offer_id)
    if made is None or grant is None:
        return None
    basis, use, rules = made.content.basis, made.content.ours.use, moment.handbook.sizing
    said = Offered(basis.share, basis.buffer_permille, use.cost, use.issued)
    kept = offered.beside(said, grant, share=rules.share_of_compensation, round_to_tokens=rules.round_to_tokens)
    return KeptOffer(day_of(made.made_at, moment.zone), kept, grant, basis.share, rules.share_of_compensation)
