"""A break-glass that was not ratified is taken off the next grant, as far as the grant's floor allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import sizing
from policy.kinds import EntryKind
from policy.period import first_instant
from policy.units import MicroTokens
from programme.exceptions import notices
from programme.exceptions.request import move
from programme.grants.closing import taking_out
from store import audit
from store.audit import POLICY
from store.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from policy.sizing import Factors
    from programme.grants.sizing import Plan
    from programme.moment import Moment
    from store.exceptions.requests import Request


def take_off(
    moment: Moment,
    owed: Iterable[Request],
    planned: Plan,
    entry_of: Mapping[str, int],
    wallet_of: Mapping[str, int],
    *,
    pool: int,
) -> dict[str, MicroTokens]:
    """Net what is owed out of grants that were just posted, into the pool; how much of each person's.

    `owed` are break-glasses that wait for it, `entry_of` has the grant's entry of each person. The requests and the
    accounts are held. What a floor keeps is let go, on record.
    """
    at = first_instant(planned.month.first_day, moment.zone)
    netted: dict[str, MicroTokens] = {}
    for request in owed:
        if request.person_id in entry_of:
            factors = planned.sizing.grants[request.person_id]
            left = int(spare(factors, planned)) - int(netted.get(request.person_id, MicroTokens(0)))
            taken = _net(moment, request, entry_of[request.person_id], left, planned, wallet_of, pool, at=at)
            netted[request.person_id] = netted.get(request.person_id, MicroTokens(0)) + taken
            _tell(moment, request, taken, planned)
    return netted


def spare(factors: Factors, planned: Plan) -> MicroTokens:
    """What a grant has above its floor in USD, prorated as the grant is."""
    rules = planned.book.sizing
    floor = sizing.least(rules, factors.fte_permille, factors.days_active, factors.days_in_month)
    return MicroTokens(max(int(factors.amount) - sizing.bought(floor, planned.value), 0))


def _net(  # noqa: PLR0917 - private, called once
    moment: Moment,
    request: Request,
    entry_id: int,
    left: int,
    planned: Plan,
    wallet_of: Mapping[str, int],
    pool: int,
    *,
    at: datetime,
) -> MicroTokens:
    lot = ledger.lot_of(moment.session, entry_id)
    taken = max(min(int(request.to_net), left, lot.remaining), 0)
    if taken:
        draft = taking_out(
            EntryKind.NETTING,
            f"netted:{request.id}",
            wallet_of[request.person_id],
            {pool: [(lot.id, taken)]},
            at=at,
            memo=f"Break-glass that was not ratified, taken off the grant for {planned.month}",
        )
        ledger.post(moment.session, [draft], now=moment.now)
    return MicroTokens(taken)


def _tell(moment: Moment, request: Request, taken: MicroTokens, planned: Plan) -> None:
    moved = move(moment, request, netted=int(taken), netted_month=str(planned.month))
    notices.renew(moment, moved)
    after = {"month": str(planned.month), "whole": taken == request.to_net}
    version = planned.book.version
    audit.note(moment.session, POLICY, "request.net", request.id, at=moment.now, after=after, handbook_version=version)
