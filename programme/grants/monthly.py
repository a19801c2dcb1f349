"""The monthly grants: claimed, posted, and told of in one transaction, each month exactly once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.kinds import EntryKind, LotKind
from policy.period import Month, day_of, first_instant
from policy.reasons import Refusal
from policy.sizing import Factors
from policy.units import MicroTokens, NanoUSD
from programme import carry_over, notify, pausing
from programme.balance import warnings
from programme.funding import PRIORITY
from programme.grants import digests, greetings, netting, nobody, sizing
from programme.grants.closing import taking_out
from store import audit, locks, runs
from store.audit import POLICY
from store.exceptions import requests
from store.grants import lapses as announced
from store.grants import monthly, pauses
from store.grants.monthly import NewGrant
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.locks import Lock
from views import codec
from views.grants import Ending, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from programme.carry_over import Excess
    from programme.grants.sizing import Plan
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.grants.monthly import Holding

JOB = "grants"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class MonthlyRun:
    """What a run did, by which plan, and how many tokens lapsed into the pool."""

    plan: Plan
    lapsed: MicroTokens

    @property
    def month(self) -> Month:
        return self.plan.month

    @property
    def people(self) -> int:
        return len(self.plan.sizing.grants)

    @property
    def granted(self) -> MicroTokens:
        return self.plan.sizing.total

    @property
    def unsized(self) -> Mapping[str, str]:
        """Who could not be sized, and why."""
        return self.plan.unsized


def run(moment: Moment, month: Month, *, announce_in: str | None = None, pass_over: bool = False) -> MonthlyRun | None:
    """Grant a month to everyone who takes part; None when it is done already.

    What is over the carry limit lapses: some days later (settling.py), or at once under a handbook that announces
    nothing. Statements, and the digest for the channel `announce_in`, are owed in the same transaction. A Refusal
    leaves everything as it was. One is that the month concerns nobody; the calendar may `pass_over` such a month once
    it is over, since what is put right by then may hold only for later ones.
    """
    if not runs.claim(moment.session, JOB, str(month), now=moment.now):
        return None
    # Held before the grants and the accounts: store/locks.py.
    owed = requests.to_net(moment.session, moment.now)
    locks.hold(moment.session, Lock.GRANTS)
    planned = _plan(moment, month)
    if not planned.sizing.grants:
        return _of_nobody(moment, planned, pass_over=pass_over)
    holding = _Holdings(moment, planned, owed)
    over = _lapse(moment, planned, holding)
    _post(moment, planned, holding, over, key=str(month))
    if announce_in is not None:
        carried = sum(holding.carried(person_id, over) for person_id in planned.sizing.grants)
        digest = digests.of_run(moment, planned, carried=carried, lapsed=_total(over), taken_on=_taken_on(planned))
        notify.to_channel(
            moment,
            key=f"digest:{month}:{announce_in}",
            template="grants/digest",
            view=codec.written(digest),
            channel=announce_in,
            book=planned.book,
        )
    return MonthlyRun(planned, MicroTokens(_total(over)))


def is_done(moment: Moment, month: Month) -> bool:
    """Whether a month's grants are made."""
    return runs.is_done(moment.session, JOB, str(month))


def _of_nobody(moment: Moment, planned: Plan, *, pass_over: bool) -> MonthlyRun:
    """The run of a month in which no one gets a grant: a Refusal that says why, or once it is over, a note of it."""
    month = planned.month
    if not pass_over or moment.today < month.next().first_day:
        raise Refusal(
            "month_of_nobody",
            f"No one gets a grant for {month}:\n{nobody.of_month(moment, planned)}",
            next_step="See `tokens-bot people import`, `bands set` and `rollout draw`.",
        )
    after = {"people": 0, "unsized": len(planned.unsized)}
    version = planned.book.version
    audit.note(
        moment.session, POLICY, "grants.pass_over", str(month), at=moment.now, after=after, handbook_version=version
    )
    return MonthlyRun(planned, MicroTokens(0))


def run_joiners(moment: Moment, day: date) -> MonthlyRun | None:
    """Grant the month of `day` to those who came, or could be sized, only after its run; None where that is to come.

    Who they are follows from who has no grant of the month yet, so a run that failed holds up no one. They get the same
    share of their entitlement as everyone got; what is left of the budget pays, then the pool, then the treasury.
    """
    month = Month.containing(day)
    if not runs.is_done(moment.session, JOB, str(month)):
        return None
    owed = requests.to_net(moment.session, moment.now)
    locks.hold(moment.session, Lock.GRANTS)
    factors = monthly.factors_of_anybody(moment.session, month)
    share = int(codec.read(Factors, factors).budget_share * MILLION) if factors is not None else MILLION
    have = monthly.granted(moment.session, month)
    planned = sizing.plan(moment, month, leave_out=have, share=share)
    if planned.sizing.grants:
        holding = _Holdings(moment, planned, owed)
        holding.from_pool = _beyond_budget(moment, planned, holding.pool)
        _post(moment, planned, holding, {}, key=str(day))
    return MonthlyRun(planned, MicroTokens(0))


def _beyond_budget(moment: Moment, planned: Plan, pool: int) -> dict[str, int]:
    """What the pool pays of each grant, in micro-tokens: as far as it goes, what the rest of the budget does not."""
    if planned.budget is None:
        return {}
    budget, in_pool = max(int(planned.budget), 0), ledger.balance(moment.session, pool)
    paid: dict[str, int] = {}
    for person_id, factors in planned.sizing.grants.items():
        usd, amount = int(factors.usd), int(factors.amount)
        within = amount if usd <= budget else amount * budget // usd
        paid[person_id] = min(amount - within, max(in_pool, 0))
        budget, in_pool = max(budget - usd, 0), in_pool - paid[person_id]
    return paid


def _plan(moment: Moment, month: Month) -> Plan:
    planned = sizing.plan(moment, month)
    if not planned.phase:
        launched = planned.book.rollout.launched_on
        raise Refusal(
            "not_launched",
            f"The programme begins on {launched}." if launched else "The handbook has no rollout.launched_on.",
            next_step="Set it in a new version: `tokens-bot handbook propose`." if launched is None else "",
        )
    return planned


class _Holdings:
    """What the people of a plan hold when their grants are posted; their wallets are locked until the commit.

    `owed` are the break-glasses that are taken off grants.
    """

    def __init__(self, moment: Moment, planned: Plan, owed: Sequence[Request]) -> None:
        self.owed = owed
        codes = {person_id: ledger.wallet_code(person_id) for person_id in planned.sizing.grants}
        account_of = ledger.open_accounts(moment.session, [ledger.TREASURY, ledger.POOL, *codes.values()])
        ledger.lock(moment.session, account_of.values())
        self.treasury, self.pool = account_of[ledger.TREASURY], account_of[ledger.POOL]
        self.wallet = {person_id: account_of[code] for person_id, code in codes.items()}
        self.from_pool: Mapping[str, int] = {}
        self.lots: defaultdict[str, list[Holding]] = defaultdict(list)
        begun = first_instant(planned.month.first_day, moment.zone)
        for holding in monthly.holdings(moment.session):
            # What has ended stays open for late usage, and is neither carried over nor told of.
            if holding.person_id in codes and holding.expires_at > begun:
                self.lots[holding.person_id].append(holding)

    def paying(self, person_id: str, amount: int) -> tuple[tuple[int, int], ...]:
        """The postings that pay for a person's grant."""
        from_pool = self.from_pool.get(person_id, 0)
        legs = ((self.treasury, from_pool - amount), (self.pool, -from_pool))
        return tuple(leg for leg in legs if leg[1])

    def left(self, person_id: str, over: Mapping[str, Excess]) -> list[tuple[Holding, int]]:
        """Each lot with what remains of it once the excess is gone."""
        gone = dict(over[person_id].takes) if person_id in over else {}
        return [(h, h.remaining - gone.get(h.lot_id, 0)) for h in self.lots[person_id]]

    def carried(self, person_id: str, over: Mapping[str, Excess]) -> int:
        return sum(left for holding, left in self.left(person_id, over) if holding.kind == LotKind.MONTHLY)


def _lapse(moment: Moment, planned: Plan, holding: _Holdings) -> dict[str, Excess]:
    """What is over the carry limit; taken into the pool where late usage is not waited for."""
    at = first_instant(planned.month.first_day, moment.zone)
    grants = {person_id: factors.whole_grant for person_id, factors in planned.sizing.grants.items()}
    if _taken_on(planned) is not None:
        told = announced.announced(moment.session, planned.month)
        return carry_over.since_the_first(moment, planned.month, grants, told)
    over = carry_over.due(holding.lots, grants, planned.book, at)
    drafts = [
        taking_out(
            EntryKind.LAPSE,
            f"lapse:{planned.month}:{person_id}",
            holding.wallet[person_id],
            {holding.pool: excess.takes},
            at=at,
            memo=f"Over the carry-over limit of {planned.month}",
        )
        for person_id, excess in over.items()
    ]
    ledger.post(moment.session, drafts, now=moment.now)
    return over


def _taken_on(planned: Plan) -> date | None:
    """When what lapses on the first is taken; None where it is at once."""
    rules = planned.book.lots
    settled = planned.month.first_day + timedelta(days=rules.settle_days)
    return None if rules.announced_from is None else settled


def _total(over: Mapping[str, Excess]) -> int:
    return sum(excess.amount for excess in over.values())


def _post(moment: Moment, planned: Plan, holding: _Holdings, over: Mapping[str, Excess], *, key: str) -> None:
    """Entries with their lots, the grants with their factors, what the buffer holds back, and a letter for each."""
    ends_at = first_instant(planned.month.plus(planned.book.lots.months).first_day, moment.zone)
    drafts = [
        _draft(planned, person_id, factors, holding, ends_at, moment.zone)
        for person_id, factors in planned.sizing.grants.items()
    ]
    entry_ids = ledger.post(moment.session, drafts, now=moment.now)
    warnings.credited(moment, [holding.wallet[person_id] for person_id in planned.sizing.grants])
    _keep(moment, planned, entry_ids)
    moved = pausing.count(
        moment, planned.sizing.grants.keys() & pauses.away_since(moment.session, planned.month.first_day)
    )
    entry_of = dict(zip(planned.sizing.grants, entry_ids, strict=True))
    netted = netting.take_off(moment, holding.owed, planned, entry_of, holding.wallet, pool=holding.pool)
    held = sum(_held_back(factors, planned) for factors in planned.sizing.grants.values())
    monthly.hold_back(
        moment.session,
        key=f"held_back:{key}",
        amount=NanoUSD(held),
        value_version=planned.value.version,
        actor=POLICY,
        now=moment.now,
    )
    ends = {entry_id: day_of(moved.get(entry_id, ends_at), moment.zone) for entry_id in entry_ids}
    _owe_statements(moment, planned, holding, over, netted, entry_of=entry_of, ends=ends)
    after = {"people": len(drafts), "unsized": len(planned.unsized)}
    audit.note(
        moment.session, POLICY, "grants.run", key, at=moment.now, after=after, handbook_version=planned.book.version
    )


def _draft(  # noqa: PLR0917 - private, called once
    planned: Plan, person_id: str, factors: Factors, holding: _Holdings, ends_at: datetime, zone: ZoneInfo
) -> Draft:
    key = f"grant:{planned.month}:{person_id}"
    starts_at = sizing.begins_at(planned, person_id, zone)
    reason = f"Grant for {planned.month.first_day:%B %Y}"
    amount = int(factors.amount)
    return Draft(
        kind=EntryKind.GRANT,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, amount),
        effective_at=starts_at,
        memo=reason,
        actor=POLICY,
        amounts=(*holding.paying(person_id, amount), (holding.wallet[person_id], amount)),
        value_version=planned.value.version,
        lot=NewLot(LotKind.MONTHLY, PRIORITY, starts_at, ends_at, reason, POLICY),
    )


def _keep(moment: Moment, planned: Plan, entry_ids: Sequence[int]) -> None:
    rows = [
        NewGrant(
            str(planned.month),
            person_id,
            entry_id,
            int(factors.amount),
            int(factors.entitlement),
            int(factors.usd),
            codec.written(factors),
            planned.book.version,
            planned.value.version,
        )
        for entry_id, (person_id, factors) in zip(entry_ids, planned.sizing.grants.items(), strict=True)
    ]
    monthly.insert(moment.session, rows)


def _held_back(factors: Factors, planned: Plan) -> int:
    """What the buffer keeps of a grant: tokens × V × b, whoever pays it."""
    return int(planned.value.worth(factors.amount)) * planned.value.buffer_permille // 1_000


def _owe_statements(
    moment: Moment,
    planned: Plan,
    holding: _Holdings,
    over: Mapping[str, Excess],
    netted: Mapping[str, MicroTokens],
    *,
    entry_of: Mapping[str, int],
    ends: Mapping[int, date],
) -> None:
    rows = []
    new = greetings.newcomers(moment, planned.month, planned.sizing.grants.keys())
    begins = {person_id: sizing.begins_at(planned, person_id, moment.zone) for person_id in sorted(new)}
    greetings.owe(moment, planned.month, begins, book=planned.book)
    into_debt = monthly.settled(moment.session, entry_of.values())
    for person_id, factors in planned.sizing.grants.items():
        if person_id in new:
            continue
        settled = into_debt.get(entry_of[person_id], 0)
        open_lots = [(left, day_of(h.expires_at, moment.zone)) for h, left in holding.left(person_id, over) if left]
        taken_off = netted.get(person_id, MicroTokens(0))
        open_lots.append((int(factors.amount) - settled - int(taken_off), ends[entry_of[person_id]]))
        open_lots.sort(key=lambda one: one[1])
        statement = Statement(
            month=planned.month,
            name=planned.people[person_id].name,
            factors=factors,
            worth=planned.value.worth(factors.amount),
            settled=MicroTokens(settled),
            carried=MicroTokens(holding.carried(person_id, over)),
            lapsed=MicroTokens(over[person_id].amount if person_id in over else 0),
            endings=tuple(Ending(MicroTokens(left), day) for left, day in open_lots if left),
            contact=planned.book.contact,
            netted=taken_off,
            taken_on=_taken_on(planned),
            person_id=person_id,
        )
        key = f"statement:{planned.month}:{person_id}"
        rows.append((key, "grants/statement", codec.written(statement), person_id))
    begun = first_instant(planned.month.first_day, moment.zone)
    # A person who joins later in the month reads it on their first day.
    later = [row for row in rows if sizing.begins_at(planned, row[3], moment.zone) > max(moment.now, begun)]
    for row in later:
        starts = sizing.begins_at(planned, row[3], moment.zone)
        notify.to_people(moment, [row], book=planned.book, earliest=starts)
    known = {row[0] for row in later}
    notify.to_people(
        moment, [row for row in rows if row[0] not in known], book=planned.book, earliest=max(moment.now, begun)
    )
