"""What the board and the person see of an appeal, and for whom it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.appeals import OPEN
from programme.appeals import appeals
from programme.reviews import grounds
from store.appeals import records as store
from store.people import directory as people_store
from views.appeals import Card
from views.people import PersonName

if TYPE_CHECKING:
    from programme.moment import Moment


def of(moment: Moment, appeal_id: str) -> Card:
    """An appeal as it stands."""
    appeal = appeals.require(moment, *appeals.parse_id(appeal_id))
    case = appeals.case_of(moment, appeal)
    able = sorted(appeals.deciders(moment, appeal)) if appeal.state == OPEN else []
    names = people_store.names(moment.session, {appeal.person_id, appeal.decided_by or "", *able})
    named = {person_id: PersonName(*name) for person_id, name in names.items()}
    return Card(
        appeal=appeal,
        case=case,
        holds_from=appeals.holds_from(moment, appeal),
        person=named[appeal.person_id],
        decided_by=named.get(appeal.decided_by or ""),
        deciders=tuple(named[person_id] for person_id in able),
        silence=appeals.silence(moment, appeal),
        credited=None if appeal.entry_id is None else store.credited(moment.session, appeal.entry_id),
        ground=grounds.of_quarter(moment, appeal.quarter, case),
        is_overdue=appeal.state == OPEN and moment.now >= appeal.decide_by,
    )


def awaits(moment: Moment, appeal_id: str) -> frozenset[str] | None:
    """Who can decide an appeal that still waits for someone; None once it is decided or over."""
    appeal = appeals.require(moment, *appeals.parse_id(appeal_id))
    if appeal.state != OPEN or moment.now >= appeal.decide_by:
        return None
    return appeals.deciders(moment, appeal)
