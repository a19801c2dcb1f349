"""A difference as finance sees it, as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.reconciliation import mending, showing
from store.closings import records
from store.people import directory as people_store
from views.people import PersonName
from views.reconciliation import FindingCard

if TYPE_CHECKING:
    from programme.moment import Moment


def of(moment: Moment, finding_id: str) -> FindingCard:
    found = showing.require(moment, finding_id)
    names = people_store.names(moment.session, {found.chosen_by or "", found.confirmed_by or ""})
    chosen, confirmed = names.get(found.chosen_by or ""), names.get(found.confirmed_by or "")
    limit = moment.handbook.reconciliation.second_person_above_usd
    return FindingCard(
        found=found,
        chosen_by=PersonName(*chosen) if chosen else None,
        confirmed_by=PersonName(*confirmed) if confirmed else None,
        can_mend=mending.can_mend(found),
        needs_two=max(abs(int(found.open_amount)), int(found.moved)) > limit,
        is_closed=found.month in records.closed_months(moment.session),
    )
