"""Appeals that a member of the board may decide, in as many statements however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.period import Month
from programme.appeals import annual, appeals
from store.appeals import annual as annual_store
from store.appeals import records as store
from store.people import directory as people_store
from store.reviews import annual as groups
from store.reviews import drafts
from views.appeals import AnnualDuty, Duty
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from programme.moment import Moment


def against_cuts(moment: Moment, person_id: str) -> list[Duty]:
    """Open appeals against cuts of the quarterly review, the nearest deadline first."""
    filed = [one for one in store.all_open(moment.session) if moment.now < one.decide_by]
    able = appeals.deciders_of_each(moment, filed)
    mine = [one for one in filed if person_id in able[one.id]]
    if not mine:
        return []
    cases = drafts.cases_of(moment.session, [(one.quarter, one.person_id) for one in mine])
    holds_from = drafts.months_from(moment.session, {one.quarter for one in mine})
    names = _names(moment, (one.person_id for one in mine))
    return [
        Duty(
            appeal=one,
            delta_thousandths=cases[one.quarter, one.person_id].delta_thousandths,
            holds_from=holds_from[one.quarter],
            person=names[one.person_id],
        )
        for one in mine
    ]


def against_annual_reviews(moment: Moment, person_id: str) -> list[AnnualDuty]:
    """Open appeals against factors of the annual review, the nearest deadline first."""
    filed = [one for one in annual_store.all_open(moment.session) if moment.now < one.decide_by]
    able = annual.deciders_of_each(moment, filed)
    mine = [one for one in filed if person_id in able[one.id]]
    if not mine:
        return []
    rows = groups.of_years(moment.session, [(one.year, one.person_id) for one in mine])
    names = _names(moment, (one.person_id for one in mine))
    found = ((one, rows[one.year, one.person_id]) for one in mine)
    return [
        AnnualDuty(appeal=one, annual=factor, holds_from=Month.parse(row.holds_from), person=names[one.person_id])
        for one, row in found
        if (factor := annual.factor_of(moment, row)) is not None
    ]


def _names(moment: Moment, person_ids: Iterable[str]) -> dict[str, PersonName]:
    found = people_store.names(moment.session, set(person_ids))
    return {person_id: PersonName(*name) for person_id, name in found.items()}
