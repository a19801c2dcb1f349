"""Once a working day administrators are told of usage that was refused: gateways often do not read their answers."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from policy.period import is_working_day
from programme import notify
from store.people import directory
from store.usage import refusals
from views.usage import RefusalNote, RefusedOf

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from programme.moment import Moment
    from store.usage.refusals import Refusals

TEMPLATE = "usage/refusals"


def is_owed(moment: Moment) -> bool:
    """Whether there is anything of the days before to tell, on a working day, and anybody to tell it to."""
    return (
        refusals.is_to_tell(moment.session, moment.today)
        and is_working_day(moment.today, moment.handbook.messages.holidays)
        and bool(_readers(moment))
    )


def owe(moment: Moment) -> int:
    """Owe every administrator a note of the days before of which no one was told yet; how many notes.

    The rows only say on which day that was: what they tell is counted when they go out.
    """
    if not refusals.note_told(moment.session, moment.today, on=moment.today):
        return 0
    view = json.dumps({"day": moment.today.isoformat()})
    letters = [(f"refusals:{moment.today}:{who}", TEMPLATE, view, who) for who in _readers(moment)]
    return notify.to_people(moment, letters, book=moment.handbook, earliest=moment.now)


def note_of(moment: Moment, day: date) -> RefusalNote | None:
    """What is told on a day; None when that was nothing."""
    days = refusals.days_told_on(moment.session, day)
    if days is None:
        return None
    of: dict[str, list[Refusals]] = defaultdict(list)
    for one in refusals.told_on(moment.session, day):
        of[one.source].append(one)
    gateways = sorted(of.items(), key=lambda item: (-sum(one.events for one in item[1]), item[0]))
    return RefusalNote(*days, tuple(_refused_of(source, some) for source, some in gateways))


def _refused_of(source: str, some: list[Refusals]) -> RefusedOf:
    rejected = [one for one in some if one.status == "rejected"]
    conflicts = [one for one in some if one.status == "conflict"]
    return RefusedOf(source, _sum(rejected), _reasons(rejected), _sum(conflicts), _reasons(conflicts))


def _sum(some: Iterable[Refusals]) -> int:
    return sum(one.events for one in some)


def _reasons(some: Iterable[Refusals]) -> tuple[str, ...]:
    return tuple(one.reason for one in sorted(some, key=lambda one: (-one.events, one.reason)))


def _readers(moment: Moment) -> list[str]:
    return directory.with_role(moment.session, "admin", moment.today)
