"""Who is told of a difference: everyone from finance, on a card that tells what holds when it is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from programme import notify
from store.outbox import messages
from store.people import directory as people_store
from views.reconciliation import OPEN, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from programme.moment import Moment
    from store.outbox.messages import NewMessage
    from views.reconciliation import Found

CARD, FACE = "reconciliation/card", "reconciliation/face"
ROLE = "finance"


def tell(moment: Moment, changed: Iterable[Found]) -> None:
    """Cards for what began, in their readers' hours; new faces for what was told already."""
    book = moment.handbook
    readers = people_store.with_role(moment.session, ROLE, moment.today)
    for found in changed:
        occasion = f"{found.revision}:{found.state}:{int(found.amount)}:{int(found.settled)}"
        faces = notify.new_faces(moment, found.id, {CARD: FACE}, occasion=occasion)
        fresh = _cards(found, readers) if found.state in {OPEN, WAITING} else []
        letters = notify.in_hours(moment, fresh, book=book, earliest=moment.now)
        _owe(moment, found, [*faces, *letters])


def _cards(found: Found, readers: Iterable[str]) -> list[notify.PersonLetter]:
    view = json.dumps({"finding_id": found.id})
    return [(f"finding:{found.id}:{found.revision}:{reader}", CARD, view, reader) for reader in readers]


def _owe(moment: Moment, found: Found, letters: Iterable[NewMessage]) -> None:
    known = [letter for letter in letters if not messages.is_owed(moment.session, letter.key)]
    messages.owe(moment.session, [letter._replace(about=found.id) for letter in known], now=moment.now)
