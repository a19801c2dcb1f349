"""How offers and job listings speak of the allowance."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 - beside types that are read at run time
from dataclasses import dataclass
from typing import Annotated

from policy.declared import Between, OneOf, Share

NO, YES = "no", "yes"


@dataclass(frozen=True, slots=True)
class OfferRules:
    """What an allowance is worth as cash, and how long an offer's figures are kept.

    Of what is issued only the `usable_share` is used; a dollar that can buy nothing but AI use is worth `restriction`
    less than one that can buy anything, with a range; and `risk` is that the programme changes.
    """

    company: str
    usable_share: Share
    restriction: Share
    least_restriction: Share
    most_restriction: Share
    risk: Share
    keep_days: Annotated[int, Between(1, 3_650)]
    public_listing: Annotated[str, OneOf((NO, YES))]

    @property
    def lists_in_public(self) -> bool:
        return self.public_listing == YES


def offer_contradictions(offers: OfferRules) -> Iterator[str]:
    if not offers.least_restriction <= offers.restriction <= offers.most_restriction:
        yield f"offers.restriction = {offers.restriction}: not between least_restriction and most_restriction"
