"""The permanent policy after a year: what its figures call for, why, and what they do not show. People decide."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.parameters.grants import AnnualGroup
from policy.reasons import Reason
from policy.reviews.use import proposed_share, too_large

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.handbook import Handbook

QUARTERS = 4
FEWEST = 20
"""From so many people on a percentile of their use says something, and nothing of one of them."""
GROUPS = (
    AnnualGroup("above", Decimal("1.05")),
    AnnualGroup("as expected", Decimal("1.00")),
    AnnualGroup("below", Decimal("0.95")),
)
"""What is proposed where the handbook has no groups: half of what they may do."""


@dataclass(frozen=True, slots=True)
class YearFigures:
    """What a year showed.

    `used` is each person's mean use of their grants, over the quarters whose grants were made with `share`, which is
    that of the last quarter.
    """

    year: int
    quarters: int
    share: Decimal
    used: tuple[Decimal, ...]
    reviews: int
    raised: int
    cut: int


@dataclass(frozen=True, slots=True)
class PermanentPolicy:
    """A draft: the share of compensation, the groups to add, why, and what the year leaves open."""

    share: Decimal
    groups: tuple[AnnualGroup, ...]
    because: tuple[Reason, ...]
    not_shown: tuple[str, ...]


def drafted(figures: YearFigures, book: Handbook) -> PermanentPolicy:
    """The next handbook's share and groups; all else goes on as it is, because the year says nothing against it."""
    share, why = _share(figures, book)
    groups = () if book.sizing.annual else GROUPS
    because = (*why, _reviews(figures), _groups(book))
    return PermanentPolicy(share, groups, because, tuple(_not_shown(figures, book)))


def _share(figures: YearFigures, book: Handbook) -> tuple[Decimal, tuple[Reason, ...]]:
    share, enter = book.sizing.share_of_compensation, book.adjustment.use.low_enter
    if len(figures.used) < FEWEST:
        text = f"Fewer than {FEWEST} people had grants, so their use says nothing: the share stays {share:.1%}."
        return share, (Reason("too_few", text),)
    below = sum(one < enter for one in figures.used)
    told = f"Of {len(figures.used)} people, {below} used less than {enter:.0%} of their grants on average."
    found = too_large(figures.used, book.adjustment)
    if found is None or book.adjustment.resize is None:
        kept = f"That is no reason for another share: it stays {share:.1%}."
        return share, (Reason("use", told), Reason("share", kept))
    wanted = min(proposed_share(figures.share, found, book.adjustment.resize), share)
    most = f"{book.adjustment.resize.percentile:.0%} of them used at most {found.percentile:.0%}"
    text = f"{most}; with {book.adjustment.resize.headroom:.0%} more, the share goes from {share:.1%} to {wanted:.1%}."
    return wanted, (Reason("use", told), Reason("share", text, {"from": f"{share}", "to": f"{wanted}"}))


def _reviews(figures: YearFigures) -> Reason:
    text = f"{figures.reviews} quarterly reviews were adopted: {figures.raised} raises, {figures.cut} cuts."
    return Reason("reviews", f"{text} Their thresholds, and floors and caps, go on as they are.")


def _groups(book: Handbook) -> Reason:
    if book.sizing.annual:
        return Reason("groups", "The handbook has groups of the annual review already; they stay.")
    names = ", ".join(f"{group.name} {group.factor}" for group in GROUPS)
    text = f"The annual review gets groups ({names}). Finance imports who is in which; the bot puts no one in."
    return Reason("groups", text)


def _not_shown(figures: YearFigures, book: Handbook) -> Iterator[str]:
    if figures.quarters < QUARTERS:
        yield f"Grants were made in {figures.quarters} of four quarters: what changes with the season is not seen."
    if len(figures.used) < FEWEST:
        yield "How much of their grants people use, because too few had any."
    if book.outcomes.unit == "team":
        yield "Who does more with the same tokens: output is measured for teams, never for single people."
    yield "Whether the programme is worth its money: that takes a comparison with those who had no grants."
    yield "What people would have used of larger grants, or of none."
