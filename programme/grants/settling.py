"""The lapse of a month: taken once late usage of the month before has had its time, never more than was announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.kinds import EntryKind
from policy.period import first_instant
from policy.reasons import Refusal
from policy.sizing import Factors
from policy.units import MicroTokens
from programme import carry_over
from programme.grants import monthly
from programme.grants.closing import taking_out
from store import audit, runs
from store.audit import POLICY
from store.grants import lapses as store
from store.ledger import ledger
from views import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from policy.period import Month
    from programme.carry_over import Excess
    from programme.moment import Moment
    from store.ledger.drafts import Draft

JOB = "lapses"


def run(moment: Moment, month: Month) -> MicroTokens | None:
    """Take what lapsed on a month's first into the pool; how much, None when it is done already.

    Of a month of a handbook without announcements nothing is left to take: its grants' run did. A Refusal while the
    month's grants are not posted: without them no one knows what may be carried over.
    """
    if not runs.is_done(moment.session, monthly.JOB, str(month)):
        raise Refusal(
            "month_not_granted", f"The grants of {month} are not posted yet.", next_step="`tokens-bot doctor`."
        )
    if not runs.claim(moment.session, JOB, str(month), now=moment.now):
        return None
    announced = store.announced(moment.session, month)
    if moment.handbooks.on(month.first_day).lots.announced_from is None or not announced:
        return MicroTokens(0)
    # Locked before they are read: usage that is posted meanwhile would else burn what we are about to take.
    pool, wallet = _hold(moment, announced)
    over = carry_over.since_the_first(moment, month, whole_grants(moment, month, announced), announced)
    drafts = [_draft(moment, month, id_, one, wallet[id_], pool) for id_, one in sorted(over.items()) if one.amount]
    ledger.post(moment.session, drafts, now=moment.now)
    after = {"people": len(drafts)}
    audit.note(moment.session, POLICY, "lapses.run", str(month), at=moment.now, after=after)
    return MicroTokens(sum(one.amount for one in over.values()))


def whole_grants(moment: Moment, month: Month, person_ids: Iterable[str]) -> dict[str, MicroTokens]:
    """Some people's grants of a month, as they would be for the whole of it; who got none is left out."""
    found = store.factors(moment.session, month, person_ids)
    return {person_id: codec.read(Factors, factors).whole_grant for person_id, factors in found.items()}


def _hold(moment: Moment, person_ids: Iterable[str]) -> tuple[int, Mapping[str, int]]:
    codes = {person_id: ledger.wallet_code(person_id) for person_id in person_ids}
    account_of = ledger.open_accounts(moment.session, [ledger.POOL, *codes.values()])
    ledger.lock(moment.session, account_of.values())
    return account_of[ledger.POOL], {person_id: account_of[code] for person_id, code in codes.items()}


def _draft(moment: Moment, month: Month, person_id: str, over: Excess, wallet: int, pool: int) -> Draft:  # noqa: PLR0917 - private, called once
    return taking_out(
        EntryKind.LAPSE,
        f"lapse:{month}:{person_id}",
        wallet,
        {pool: over.takes},
        at=first_instant(month.first_day, moment.zone),
        memo=f"Over the carry-over limit of {month}",
    )
