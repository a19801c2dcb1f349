"""What the invented company does once a year is over: a permanent policy, groups of the annual review, an appeal.

It happens in January and February, between two looks of the story; what somebody at the page has done stands.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bot.demo import company
from policy.appeals import OPEN
from policy.period import Month, day_of
from policy.reasons import Refusal
from programme.appeals import annual as appeals
from programme.handbook import cards, deciding, permanent, proposing
from programme.reviews import annual as groups
from store.appeals import annual as appeals_store
from store.handbook import proposals as proposals_store
from store.people import directory
from store.reviews import annual as groups_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from programme.app import App
    from programme.moment import Moment
    from store.people.directory import Person

JANUARY, FEBRUARY = 1, 2
TUESDAY, WEDNESDAY, THURSDAY = 1, 2, 3
MORNING, AFTERNOON = 9, 15
SECOND_WEEK = 8
"""The first day of the month on which it may be: people are back at work."""
PROPOSES, CONFIRMS = "omar", "ada"
GROUPS = {"above": ("grace", "priya", "uma"), "below": ("owen", "noor")}
"""What the compensation review came to; everyone else did as expected."""
APPEALS, WHY_APPEALED = "owen", "Half of my year was with the search team, and their lead was not asked"
DECIDES, WHY_UPHELD = "iris", "Search confirms it: the rating is of half a year"


def happen(app: App, instant: datetime) -> None:
    """Whatever a year's end has for an instant; what happened before does not happen again."""
    local = instant.astimezone(app.zone)
    step = _STEPS.get((local.month, local.weekday(), local.hour))
    if step is None or local.day < SECOND_WEEK:
        return
    try:
        with app.transaction(instant) as moment:
            step(moment)
    except Refusal:
        # What has happened already, or cannot: the first year has hardly any grants.
        return


def _propose(moment: Moment) -> None:
    """Finance proposes what the year that is over calls for, unless the handbook has groups already."""
    next_month = Month.containing(moment.today).next()
    last = moment.handbooks.versions[-1]
    if not last.sizing.annual and not proposals_store.all_open(moment.session):
        made = permanent.draft(moment, next_month.year - 1, next_month)
        person = _person(moment, PROPOSES)
        proposing.propose(moment, made.body, person, actor=person.id)


def _confirm(moment: Moment) -> None:
    for one in proposals_store.all_open(moment.session):
        card = cards.untried(moment, one)
        deciding.confirm(moment, _person(moment, CONFIRMS), one.id, card.mark)


def _import(moment: Moment) -> None:
    """Who is in which group from the next month on, as long as nobody said so."""
    year, month = moment.today.year - 1, Month.containing(moment.today).next()
    if any(row.year == year for row in groups_store.on(moment.session, month).values()):
        return
    group_of = {who: name for name, people in GROUPS.items() for who in people}
    lines = [
        f"{one.email},{group_of.get(one.handle, 'as expected')}\n"
        for one in company.EMPLOYEES
        if one.team and directory.by_email(moment.session, one.email)
    ]
    file = io.StringIO("email,group\n" + "".join(lines))
    groups.import_csv(moment, file, year=year, month=month, by=_person(moment, PROPOSES).email)


def _appeal(moment: Moment) -> None:
    appeals.file(moment, _person(moment, APPEALS), WHY_APPEALED)


def _decide(moment: Moment) -> None:
    """A day later at the earliest: until then, somebody at the page may decide it."""
    appeal = appeals_store.get(moment.session, moment.today.year - 1, _person(moment, APPEALS).id)
    if appeal is not None and appeal.state == OPEN and day_of(appeal.filed_at, moment.zone) < moment.today:
        appeals.decide(moment, _person(moment, DECIDES), appeal.id, upheld=True, reason=WHY_UPHELD)


def _person(moment: Moment, handle: str) -> Person:
    person = directory.by_email(moment.session, f"{handle}@{company.DOMAIN}")
    assert person is not None  # noqa: S101 - the story's people are the company's
    return person


_STEPS: dict[tuple[int, int, int], Callable[[Moment], None]] = {
    (JANUARY, TUESDAY, MORNING): _propose,
    (JANUARY, WEDNESDAY, AFTERNOON): _confirm,
    (JANUARY, THURSDAY, MORNING): _import,
    (FEBRUARY, TUESDAY, MORNING): _appeal,
    (FEBRUARY, THURSDAY, AFTERNOON): _decide,
}
