"""What the annual review says of people's grants in a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.weights import Annual
from store.reviews import annual as store

if TYPE_CHECKING:
    from policy.handbook import Handbook
    from policy.period import Month
    from programme.moment import Moment


def factors(moment: Moment, month: Month, book: Handbook) -> dict[str, Annual]:
    """What the annual review says of each person in a month; a group that the handbook no longer has says nothing."""
    factor_of = {group.name: group.factor for group in book.sizing.annual}
    if not factor_of:
        return {}
    return {
        person_id: Annual(row.year, row.group_name, factor_of[row.group_name])
        for person_id, row in store.on(moment.session, month).items()
        if row.group_name in factor_of
    }
