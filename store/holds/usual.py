"""What was posted of calls lately, as far as it says what calls to come usually are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.metering import OUTPUT_METERS
from store import bulk
from store.digests import A_MONTH, month_of
from store.ledger import ledger
from store.tables.ledger import accounts, postings
from store.tables.usage import usage_days, usage_events

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from store.engine import Session

_e, _d = usage_events.c, usage_days.c
MOST_EVENTS = 10_000


def outputs(session: Session, services: Collection[str], since: datetime, *, entries: int) -> Mapping[str, list[int]]:
    """How many output tokens calls had, by the model: those of the latest entries of each service.

    The entries are found by the services' accounts: no index of events is kept for it.
    """
    codes = [ledger.service_code(one) for one in services]
    found: defaultdict[str, list[int]] = defaultdict(list)
    for (account_id,) in session.execute(sa.select(accounts.c.id).where(accounts.c.code.in_(codes))).all():
        of_service = sa.select(postings.c.entry_id).where(postings.c.account_id == account_id)
        latest = of_service.order_by(postings.c.version.desc()).limit(entries).subquery()
        query = sa.select(_e.model, _e.meters).join_from(latest, usage_events, _e.entry_id == latest.c.entry_id)
        # By their numbers as well: months of before need not be asked.
        recent = query.where(_e.occurred_at >= since, _e.id >= month_of(since) * A_MONTH).limit(MOST_EVENTS)
        for model, meters in session.execute(recent):
            if size := sum(count for meter, count in meters.items() if meter in OUTPUT_METERS):
                found[model].append(size)
    return found


def calls(session: Session, account_id: int, model: str, days: Sequence[date]) -> tuple[int, int]:
    """(how many calls of a model an account paid for on some days, what they cost together in nano-USD)."""
    [(number, cost)] = _calls.execute(session, days, account=account_id, called=model)
    return int(number), int(cost)


_calls = bulk.Among(
    sa.select(sa.func.coalesce(sa.func.sum(_d.calls), 0), sa.func.coalesce(sa.func.sum(_d.cost_nano_usd), 0)).where(
        _d.account_id == sa.bindparam("account"), _d.model == sa.bindparam("called")
    ),
    _d.day,
)
