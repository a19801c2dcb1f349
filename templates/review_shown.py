"""What the buttons of a review's pack show to whoever presses them, each in a modal of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from policy.period import Month
from templates import labels, render, reviews

if TYPE_CHECKING:
    from views.reviews import Pack

TITLES = {
    "votes": "Votes on the review",
    "groups": "Whom it changes",
    "figures": "Figures of the review",
    "background": "Background of the review",
}
MOST_GROUPS = 20
"""Lines of each kind of groups: more would not fit into a section."""


def part(shown: Pack, what: str) -> dict[str, Any]:
    """One of the parts that are named in TITLES, as the review stands."""
    return render.modal(
        "reviews/shown",
        pack=shown,
        what=what,
        title=TITLES[what],
        group_name=partial(reviews.group_name, names=shown.names),
        counts=reviews.counts,
        kinds=reviews.KINDS,
        most_groups=MOST_GROUPS,
        duration=reviews.duration,
        missing_names=reviews.MISSING_NAMES,
        states=reviews.STATES,
        limits=reviews.LIMITS,
        mean=reviews.mean,
        share=reviews.share,
        request_states=labels.STATE_NAMES,
        not_counted=reviews.not_counted,
        appeals_in_words=reviews.appeals_in_words,
        sized_for=Month.parse(shown.summary.month),
    )
