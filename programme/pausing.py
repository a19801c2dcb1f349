"""The clock of a person's lots stands still while a leave pauses their grants: their ends move by its length."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from policy import leaves
from store.grants import pauses as store

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from policy.parameters.grants import SizingRules
    from programme.moment import Moment


def count(moment: Moment, person_ids: Collection[str]) -> dict[int, datetime]:
    """Move the ends of people's lots to where their leaves put them, as they are known now; the wallets are held.

    The new end of each lot that moved, by the entry that opened it. What was moved before is worked out anew from the
    end that was granted, so a leave that became shorter moves ends back.
    """
    away = store.leaves_of(moment.session, person_ids)
    books = moment.handbooks

    def rules_on(day: date) -> SizingRules:
        return books.on(day).sizing

    still = {person_id: leaves.pauses(some, rules_on, moment.today) for person_id, some in away.items()}
    by_person: defaultdict[str, list[store.Running]] = defaultdict(list)
    for lot in store.running(moment.session, away):
        by_person[lot.person_id].append(lot)
    moved = [
        (lot, end)
        for person_id, lots in by_person.items()
        for lot in lots
        if (end := leaves.moved(lot.starts_at, lot.granted_until, still[person_id], moment.zone)) != lot.expires_at
    ]
    store.move(moment.session, moved)
    store.counted(moment.session, away, now=moment.now)
    return {lot.entry_id: end for lot, end in moved}
