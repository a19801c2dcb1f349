"""Once a month's figures are final, each owner of cost centres is told what theirs bear of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from programme import notify
from programme.finance import chargeback
from programme.finance.months import Months
from store.grants import leavers
from store.people import cost_centres as store
from views import codec
from views.finance import OwnersMonth

if TYPE_CHECKING:
    from policy.period import Month
    from programme.moment import Moment

TEMPLATE = "finance/statement"


def owe(moment: Moment, month: Month) -> int:
    """Owe every owner the statement of a month; how many. None for a month after which another one is settled.

    Rows keep the figures: a month that is settled does not change. Owners of whose cost centres nothing may be told
    are not told so.
    """
    if Months(moment, month.next()).is_final or not (keys_of := _owned(moment)):
        return 0
    found = chargeback.of_month(moment, month)
    contact, least = moment.handbook.contact, Months(moment, month).least_people
    letters: list[notify.PersonLetter] = []
    for owner, keys in sorted(keys_of.items()):
        centres = tuple(found[key] for key in keys if key in found)
        if any(not one.hidden for one in centres):
            view = codec.written(OwnersMonth(owner, str(month), centres, contact, least))
            letters.append((f"chargeback:{month}:{owner}", TEMPLATE, view, owner))
    return notify.to_people(moment, letters, book=moment.handbook, earliest=moment.now)


def _owned(moment: Moment) -> dict[str, list[str]]:
    """The keys of the cost centres of each owner who has not left."""
    gone = leavers.left_before(moment.session, moment.today)
    owned: defaultdict[str, list[str]] = defaultdict(list)
    for key, one in store.all_of(moment.session).items():
        if one.owner_id and one.owner_id not in gone:
            owned[one.owner_id].append(key)
    return owned


def of_owner(moment: Moment, kept: OwnersMonth) -> OwnersMonth | None:
    """What a row stands for when it goes out: of what the owner still owns, by today's names; None for nothing."""
    known, own = store.all_of(moment.session), set(_owned(moment).get(kept.owner_id, ()))
    centres = tuple(replace(one, name=known[one.key].name) for one in kept.centres if one.key in own)
    if all(one.hidden for one in centres):
        return None
    return replace(kept, centres=centres, contact=moment.handbook.contact)
