"""The greeting of whoever joins the programme: once ever, with the first grant, in place of that month's statement."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.period import Month, day_of, first_instant
from programme import notify
from programme.balance import balance
from store.grants import monthly
from store.outbox import messages
from store.people import directory as people_store
from store.people import terms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from policy.handbook import Handbook
    from programme.moment import Moment
    from views.balance import BalanceCard

GREETING = "grants/greeting"


class Greeting(NamedTuple):
    """What somebody has just now, which services it pays for, and whom to ask."""

    card: BalanceCard
    services: tuple[str, ...]
    contact: str


def newcomers(moment: Moment, month: Month, granted: Collection[str]) -> set[str]:
    """Those of whoever is granted a month who had no grant of another month, and were never greeted."""
    greeted = messages.keys_with(moment.session, notify.GREETINGS)
    before = monthly.granted_in_others(moment.session, month)
    return {
        person_id for person_id in granted if person_id not in before and notify.greeting_key(person_id) not in greeted
    }


def owe(moment: Moment, month: Month, begins: Mapping[str, datetime], *, book: Handbook) -> None:
    """Owe their greetings to newcomers, each once their grant has begun and they are not away."""
    away = terms.leaves(moment.session, month)
    by_day: defaultdict[datetime, list[notify.PersonLetter]] = defaultdict(list)
    for person_id, begin in begins.items():
        earliest = _back(moment, max(moment.now, begin), away.get(person_id, ()))
        letter = (notify.greeting_key(person_id), GREETING, json.dumps({"person_id": person_id}), person_id)
        by_day[earliest].append(letter)
    for earliest, letters in by_day.items():
        notify.to_people(moment, letters, book=book, earliest=earliest)


def _back(moment: Moment, at: datetime, away: Iterable[tuple[date, date | None]]) -> datetime:
    """An instant, or the first day after the leave on which someone then is, if its end is known."""
    for first, last in sorted(away, key=lambda one: one[0]):
        if last is not None and first <= day_of(at, moment.zone) <= last:
            at = first_instant(last + timedelta(days=1), moment.zone)
    return at


def as_it_stands(moment: Moment, person_id: str) -> Greeting | None:
    """What a greeting says now; None for someone who has left, or has nothing and nothing to come."""
    person = people_store.by_id(moment.session, person_id)
    if person is None or (person.left_on is not None and person.left_on < moment.today):
        return None
    card = balance.of_email(moment, person.email)
    if card is None or not (card.lots or card.coming or card.grant):
        return None
    book = moment.handbook
    services = tuple(one.name for one in book.services if one.approved_on(moment.today))
    return Greeting(card, services, book.contact)
