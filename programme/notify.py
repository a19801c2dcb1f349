"""Messages owed to people and channels: when each may go out, and into the outbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.hours import next_opening
from store import time_zones
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.outbox.messages import Copy

PersonLetter = tuple[str, str, str, str]
"""(key, template, view as JSON text, person id)"""
GREETINGS = "greeting:"
A_FEW = 100
"""So many people are named in a query; of more, everyone's zone is read."""


def greeting_key(person_id: str) -> str:
    """The key of somebody's greeting, which there is once: also for those who find it by their account."""
    return f"{GREETINGS}{person_id}"


def to_people(moment: Moment, letters: Sequence[PersonLetter], *, book: Handbook, earliest: datetime) -> int:
    """Owe messages, each not before its reader's next working hour from `earliest` on; how many."""
    rows = in_hours(moment, letters, book=book, earliest=earliest) if letters else []
    messages.owe(moment.session, rows, now=moment.now)
    return len(rows)


def in_hours(
    moment: Moment, letters: Sequence[PersonLetter], *, book: Handbook, earliest: datetime
) -> list[NewMessage]:
    """Messages, each due at its reader's next working hour from `earliest` on."""
    zone_of = zones(moment, [person_id for *_, person_id in letters])
    opening = {
        zone: next_opening(earliest, time_zones.zone(zone, moment.zone), book.messages)
        for zone in {zone_of[person_id] for *_, person_id in letters}
    }
    return [
        NewMessage(key, template, view, person_id, None, opening[zone_of[person_id]])
        for key, template, view, person_id in letters
    ]


def new_faces(
    moment: Moment,
    about: str,
    face_of: Mapping[str, str],
    *,
    occasion: object,
    copies: Sequence[Copy] | None = None,
) -> list[NewMessage]:
    """A new face for every copy of a card about something, once for each occasion; `face_of` has its template.

    Whoever has read the `copies` hands them over.
    """
    found = messages.copies(moment.session, about, tuple(face_of)) if copies is None else copies
    return [
        NewMessage(
            f"{copy.key}@{occasion}",
            face_of[copy.template],
            json.dumps(copy.view),
            copy.person_id,
            copy.channel,
            moment.now,
            at_once=True,
            replaces=copy.key,
        )
        for copy in found
        if copy.template in face_of
    ]


def zones(moment: Moment, person_ids: Sequence[str]) -> dict[str, str]:
    """The time zone of each of some people, by id."""
    query = sa.select(people.c.id, people.c.time_zone)
    if len(person_ids) <= A_FEW:
        query = query.where(people.c.id.in_(person_ids))
    return {id_: zone for id_, zone in moment.session.execute(query)}


def to_channel(moment: Moment, *, key: str, template: str, view: str, channel: str, book: Handbook) -> None:
    """Owe a message to a channel, not before the programme's next working hour."""
    due_at = next_opening(moment.now, moment.zone, book.messages)
    messages.owe(moment.session, [NewMessage(key, template, view, None, channel, due_at)], now=moment.now)
