"""What ends: lots whose time is over, what leavers leave, what exceeds the carry limit, and the notices before it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.kinds import EntryKind, LotKind
from policy.period import Month, first_instant
from policy.units import MICRO_PER_TOKEN, MicroTokens
from programme import notify
from programme.grants import sizing
from store.audit import POLICY
from store.grants import monthly
from store.ledger import ledger
from store.ledger.ledger import Draft
from views import codec
from views.grants import Ending, LapseNotice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from policy.handbook import Handbook
    from programme.handbooks import Handbooks
    from programme.moment import Moment
    from store.grants.monthly import Holding

TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Excess:
    """What someone holds beyond the carry limit, and out of which lots it lapses: those that end first."""

    amount: int
    takes: tuple[tuple[int, int], ...]


def close_ended(moment: Moment, day: date) -> int:
    """Close lots that ended `settle_days` before a day, and all lots of people who left as long ago; how many."""
    book = moment.handbooks.on(day)
    settled = day - timedelta(days=book.lots.settle_days)
    gone = monthly.leavers(moment.session, settled)
    ended_before = first_instant(settled, moment.zone)
    # Locked before they are read: usage that is posted meanwhile would else burn what we are about to close.
    _hold_wallets(moment, ended_before, gone)
    ended = monthly.holdings(moment.session, ended_before=ended_before)
    left = [h for h in monthly.holdings(moment.session) if h.person_id in gone] if gone else []
    by_wallet: defaultdict[str, dict[int, Holding]] = defaultdict(dict)
    for holding in (*ended, *left):
        by_wallet[holding.person_id][holding.lot_id] = holding
    at = first_instant(day, moment.zone)
    drafts = [
        _closing(moment, person_id, lots.values(), day, at, gone=person_id in gone)
        for person_id, lots in sorted(by_wallet.items())
    ]
    ledger.post(moment.session, drafts, now=moment.now)
    return sum(len(lots) for lots in by_wallet.values())


def _hold_wallets(moment: Moment, ended_before: datetime, gone: set[str]) -> None:
    touched = {h.account_id for h in monthly.holdings(moment.session, ended_before=ended_before)}
    if gone:
        touched |= {h.account_id for h in monthly.holdings(moment.session) if h.person_id in gone}
    if touched:
        ledger.lock(
            moment.session, touched | set(ledger.open_accounts(moment.session, [ledger.EXPIRED, ledger.POOL]).values())
        )


def _closing(moment: Moment, person_id: str, lots: Iterable[Holding], day: date, at: datetime, *, gone: bool) -> Draft:
    """One entry for all that ended: grants expire, what is left of exceptions returns to the pool."""
    closed = list(lots)
    account_of = ledger.open_accounts(moment.session, [ledger.EXPIRED, ledger.POOL])
    what = "Left the company" if gone else "Ended: " + "; ".join(h.reason for h in closed)
    into: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for holding in closed:
        account = ledger.POOL if holding.kind.returns_to_pool else ledger.EXPIRED
        into[account_of[account]].append((holding.lot_id, holding.remaining))
    return taking_out(EntryKind.EXPIRY, f"expiry:{day}:{person_id}", closed[0].account_id, into, at=at, memo=what)


def taking_out(
    kind: EntryKind, key: str, wallet: int, into: Mapping[int, Sequence[tuple[int, int]]], *, at: datetime, memo: str
) -> Draft:
    """An entry that takes amounts out of certain lots of a wallet, into accounts of the programme."""
    sums = [(account, sum(taken for _, taken in takes)) for account, takes in into.items()]
    takes = [take for some in into.values() for take in some]
    return Draft(
        kind=kind,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, takes),
        effective_at=at,
        memo=memo,
        actor=POLICY,
        amounts=((wallet, -sum(amount for _, amount in sums)), *sums),
        takes=tuple(takes),
    )


def due(
    lots: Mapping[str, Sequence[Holding]], grants: Mapping[str, MicroTokens], book: Handbook, at: datetime
) -> dict[str, Excess]:
    """What lapses at the beginning of a month, by person; what ends then is not part of it.

    `grants` are the month's as they would be for the whole of it. Nothing lapses for people who get none.
    """
    over = {id_: _over_limit(lots.get(id_, ()), int(grant), book, at) for id_, grant in grants.items()}
    return {person_id: one for person_id, one in over.items() if one.amount}


def foreseen(moment: Moment, month: Month, lots: Mapping[str, Sequence[Holding]], book: Handbook) -> dict[str, Excess]:
    """What will lapse at the beginning of a month to come, if nothing of it is used until then."""
    grants = sizing.foreseen(moment, month, book, lots)
    return due(lots, grants, book, first_instant(month.first_day, moment.zone))


def _over_limit(lots: Iterable[Holding], whole_grant: int, book: Handbook, at: datetime) -> Excess:
    """What is left of monthly grants at an instant beyond `carry_over` × a whole month's grant."""
    kept = [h for h in lots if h.kind == LotKind.MONTHLY and h.expires_at > at]
    limit = whole_grant * int(book.lots.carry_over * TEN_THOUSAND) // TEN_THOUSAND
    excess = max(sum(h.remaining for h in kept) - limit, 0)
    takes: list[tuple[int, int]] = []
    left = excess
    for holding in kept:
        taken = min(left, holding.remaining)
        if taken:
            takes.append((holding.lot_id, taken))
            left -= taken
    return Excess(excess, tuple(takes))


def announce(moment: Moment, day: date) -> int:
    """Owe a notice to everyone who will lose something so many days from `day`; how many people.

    A notice that comes too late to be of use is left out: when the lapse is past, or when its later notice is due too.
    """
    books = moment.handbooks
    book = books.on(day)
    today = moment.today
    owed = 0
    for days in book.lots.notice_days:
        target = day + timedelta(days=days)
        sooner = [d for d in book.lots.notice_days if d < days]
        if target <= today or (sooner and today >= target - timedelta(days=max(sooner))):
            continue
        owed += _announce_for(moment, target, books, days=days)
    return owed


def _announce_for(moment: Moment, target: date, books: Handbooks, *, days: int) -> int:
    begin, end = first_instant(target, moment.zone), first_instant(target + timedelta(days=1), moment.zone)
    by_person: defaultdict[str, list[Holding]] = defaultdict(list)
    for holding in monthly.holdings(moment.session):
        by_person[holding.person_id].append(holding)
    month = Month.containing(target)
    over = foreseen(moment, month, by_person, books.on(target)) if target == month.first_day else {}
    book = books.on(target - timedelta(days=days))
    gone = monthly.leavers(moment.session, target)
    rows = []
    for person_id, lots in sorted(by_person.items()):
        ending = tuple(
            Ending(MicroTokens(h.remaining), target)
            for h in lots
            # Of an exception its own notice tells, which offers to ask for more time.
            if begin <= h.expires_at < end and h.remaining >= MICRO_PER_TOKEN and h.kind != LotKind.EXCEPTION
        )
        lapsing = over[person_id].amount if person_id in over else 0
        if person_id in gone or not (ending or lapsing >= MICRO_PER_TOKEN):
            continue
        notice = LapseNotice(target, days, MicroTokens(lapsing), ending, book.contact)
        rows.append((f"notice:{target}:{days}:{person_id}", "grants/lapse_notice", codec.written(notice), person_id))
    return notify.to_people(moment, rows, book=book, earliest=moment.now)
