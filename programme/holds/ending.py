"""How holds end that nobody settles: released, or lapsed; and how one is extended."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.caps import Reserved, SumKey
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.holds import meeting, pricing, reserving
from programme.holds.reserving import Held
from programme.usage import cap_sums as sums
from store import audit
from store.holds import records
from store.holds.records import JOB, LAPSED, LEASE, RELEASED, SETTLED, UNREPORTED
from store.ledger import ledger, recalls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.estimates import Asked
    from programme.holds.reserving import Decided
    from programme.holds.usual import UsualCalls
    from programme.moment import Moment
    from store.holds.records import Hold, Key
    from views.holds import Denial

AT_A_TIME = 500
KEPT = timedelta(days=1)
UNKNOWN, SETTLED_ALREADY, OVER, CANCELLED = "unknown_hold", "already_settled", "hold_over", "cancelled"


def release(moment: Moment, key: Key) -> Hold:
    """Give back all of a hold; doing so again changes nothing. What was settled is over already."""
    hold = _locked(moment, key)
    if hold.kind == LEASE and hold.is_open:
        # What calls used of it was posted as they were: it is settled by them, and tells their pace.
        return _end(moment, [hold], SETTLED if hold.used_nano_usd else RELEASED)[0]
    if hold.status == SETTLED and hold.kind != LEASE:
        raise Refusal(
            SETTLED_ALREADY, f"Hold {hold.id!r} is settled already.", next_step="There is nothing to release."
        )
    return _end(moment, [hold], RELEASED)[0] if hold.is_open else hold


def cancel(moment: Moment, key: Key, *, actor: str, why: str) -> Hold:
    """End a job's hold for whoever runs it, on record: it hears of it at its next report, and ends.

    What it used by then, and until it has ended, is posted as ever.
    """
    hold = _locked(moment, key)
    if hold.kind != JOB or not hold.is_open:
        raise Refusal(OVER, f"{hold.id!r} is no job that runs.", next_step="`tokens-bot job list` shows those that do.")
    ended = _end(moment, [hold.flagged(records.CANCELLED)], RELEASED)[0]
    before = {"status": hold.status, "nano_usd": hold.nano_usd, "used_nano_usd": hold.used_nano_usd}
    after = {"status": ended.status, "why": why}
    audit.note(moment.session, actor, "job.cancel", "/".join(key), at=moment.now, before=before, after=after)
    return ended


def lapse(moment: Moment) -> int:
    """Free what is held beyond its time; how many holds. A job that had reported before is flagged."""
    over = records.ended(moment.session, moment.now, limit=AT_A_TIME)
    _end(moment, [one.flagged(UNREPORTED) if one.kind == JOB and one.used_nano_usd else one for one in over], LAPSED)
    return len(over)


def forget_past(moment: Moment) -> None:
    """Drop sums of windows that are long over, and recalls of leases that are."""
    sums.forget_past(moment)
    recalls.forget(moment.session, moment.now - KEPT)


def _end(moment: Moment, over: Sequence[Hold], status: str) -> list[Hold]:
    """Free all that some holds still hold. They are locked; accounts come next, and then sums."""
    if not over:
        return []
    tokens, freed = defaultdict[int, Reserved](Reserved), defaultdict[SumKey, Reserved](Reserved)
    claims = records.claims(moment.session, [hold.key for hold in over])
    for hold in over:
        tokens[hold.account_id] = tokens[hold.account_id].plus(hold.tokens)
        for key in claims.get(hold.key, ()):
            freed[key] = freed[key].plus(hold.usd)
    ledger.lock(moment.session, tokens)
    records.free(moment.session, tokens)
    sums.add(moment, {}, freed)
    nothing = Reserved()
    ended = [hold.holding(nothing, nothing)._replace(status=status, closed_at=moment.now) for hold in over]
    records.change(moment.session, ended)
    return ended


def extend(moment: Moment, key: Key, lasts: timedelta | None, asked: Asked | None, usual: UsualCalls) -> Held | Denial:
    """Keep a hold for longer, and for more if what it will need from now on is more than it holds.

    What is denied leaves it as it was.
    """
    hold = _locked(moment, key)
    if records.CANCELLED in hold.flags.split(","):
        raise Refusal(CANCELLED, f"An administrator ended job {hold.id!r}.", next_step="Ask them why.")
    if not hold.is_open:
        raise Refusal(OVER, f"Hold {hold.id!r} is {hold.status}.", next_step="Ask for another one.")
    longer = hold._replace(expires_at=moment.now + reserving.lasts(moment, hold.kind, lasts))
    if hold.kind == LEASE:
        # It is of several models and grows by none: who needs more leases again.
        if asked is not None:
            raise Refusal("lease", f"{hold.id!r} is a lease, which does not grow.", next_step="Lease another one.")
        records.change(moment.session, [longer])
        return Held(longer, None, ())
    buyer = pricing.Buyer(hold.person_id, hold.account_id, is_wallet=ledger.is_wallet(moment.session, hold.account_id))
    ask = pricing.ask_again(hold, asked)
    what = pricing.offer(moment, ask, usual)
    where = sums.scope_of(moment, hold.person_id, hold.service_key, hold.project)
    met = meeting.under_lock(moment, buyer, what.value, [where])
    more = NanoUSD(max(int(what.cost) - hold.nano_usd, 0)) if asked is not None else NanoUSD(0)
    decided = reserving.decide(met, replace(what, cost=more), more)
    if more and not decided.is_admitted:
        return reserving.denied(decided, replace(what, cost=more), kind=hold.kind)
    longer = _taken(decided, longer) if more else longer
    records.change(moment.session, [longer])
    left = decided.met.purse
    available = None if left is None else left.caps.available - what.value.debit(more)
    return Held(longer, available, decided.warnings)


def _taken(decided: Decided, hold: Hold) -> Hold:
    """The hold with more in it; its own sums hold it, whatever the window is by now."""
    met, usd = decided.met, decided.usd
    tokens = met.tokens(usd)
    own = records.claims(met.moment.session, [hold.key]).get(hold.key, [])
    replace(met, sums={key: met.sums[key] for key in met.sums if key in own}).take(usd, tokens)
    older = {key: Reserved().less(usd) for key in own if key not in met.sums}
    sums.add(met.moment, {}, older)
    return hold.holding(hold.tokens.plus(tokens), hold.usd.plus(usd))._replace(
        first_micro_tokens=hold.first_micro_tokens + tokens.most, first_nano_usd=hold.first_nano_usd + usd.most
    )


def _locked(moment: Moment, key: Key) -> Hold:
    found = records.lock(moment.session, [key]).get(key)
    if found is None:
        raise Refusal(UNKNOWN, f"There is no hold {key[1]!r}.", next_step="Ask for one with POST /v1/holds.")
    return found
