"""What is unusual about a review: the few things that its board reads before anything else is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from views.reviews import Pack

MOST = 3
"""More would not be unusual any more; the rest is in what the buttons show."""
MANY_UNKNOWN, MANY_UNSCORED = 10, 2
"""One in so many people whose use is not known, or who have no score, makes a review of fewer than it seems."""
BREAK_GLASS, NOT_RATIFIED = "break_glass", "not_ratified"


def of(pack: Pack) -> tuple[str, ...]:
    """Names of what is unusual, what matters most first; the words are in `reviews/_unusual.j2`."""
    return tuple(_found(pack))[:MOST]


def _found(pack: Pack) -> Iterator[str]:
    summary, figures = pack.summary, pack.summary.figures
    if any(not vote.adopts and vote.counts for vote in pack.votes):
        yield "against"
    if figures.resize is not None:
        yield "resize"
    if summary.appealed is not None and summary.appealed.upheld:
        yield "upheld"
    if figures.money.consumed > figures.money.issued:
        yield "overspent"
    if not_ratified(pack):
        yield "not_ratified"
    yield from _unknown(pack)


def _unknown(pack: Pack) -> Iterator[str]:
    """What the proposal could not take into account."""
    summary = pack.summary
    if summary.unknown_use * MANY_UNKNOWN > pack.cases:
        yield "unknown_use"
    if sum(summary.missing.values()) * MANY_UNSCORED > pack.cases:
        yield "unscored"
    if summary.figures.quarantined_events:
        yield "uncounted"


def not_ratified(pack: Pack) -> int:
    """How many break-glasses of the quarter the board did not ratify."""
    return sum(
        one.states.get(NOT_RATIFIED, 0) for one in pack.summary.figures.exceptions if one.class_name == BREAK_GLASS
    )
