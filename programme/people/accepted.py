"""Which offer somebody accepted who joins: said by `people import`, or by whoever else brings new people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.reasons import Refusal
from store.offers import joiners as store

if TYPE_CHECKING:
    from programme.moment import Moment


def note(moment: Moment, person_id: str, offer_id: str) -> bool:
    """Keep that an offer became a person's, so that their greeting can refer to it.

    False where there is nothing to keep: they have had a grant before, or the offer is not on record any more. A
    Refusal where it is another person's already, who would then read what somebody else was offered.
    """
    if store.has_grants(moment.session, person_id):
        return False
    if not store.is_on_record(moment.session, offer_id):
        return False
    owner = store.owner(moment.session, offer_id)
    if owner not in {None, person_id}:
        raise Refusal("offer_taken", f"The offer {offer_id} is another person's already.", next_step="Check its id.")
    if owner is None:
        store.note(moment.session, person_id, offer_id, now=moment.now)
    return True
