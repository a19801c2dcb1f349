"""The double-entry ledger: accounts, entries with balanced postings, lots and what burnt them.

Nothing here is ever updated but what can be recomputed from the entries: an account's balance and version, and what
remains of a lot. `store/proof` recomputes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy import lots as burning
from policy.kinds import EntryKind
from policy.lots import OpenLot
from store import bulk
from store.ledger import recalls
from store.ledger.drafts import UnbalancedError
from store.ledger.returns import Returnables
from store.tables.holds import holds
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from store.tables.warnings import warnings_given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session
    from store.ledger.drafts import Draft, NewLot

TREASURY, POOL, EXPIRED = "treasury", "pool", "expired"


@dataclass(slots=True)
class Account:
    """An account under our lock, as it stands while a batch is posted; its lots are read for that.

    Of a wallet that gets or loses tokens otherwise than by use is also read whether gateways lease from it, and whether
    its owner was ever warned.
    """

    id: int
    is_wallet: bool
    version: int
    balance: int
    lots: list[OpenLot] = field(default_factory=list)
    is_leased: bool = False
    is_warned: bool = False


ENTRY_COLUMNS = (
    "id",
    "kind",
    "idempotency_key",
    "fingerprint",
    "effective_at",
    "posted_at",
    "memo",
    "actor",
    "value_version",
    "corrects_entry_id",
)
POSTING_COLUMNS = ("account_id", "version", "entry_id", "amount", "balance")
MOVEMENT_COLUMNS = ("entry_id", "lot_id", "amount")
# Their rows are plain tuples: there are many, and the garbage collector goes through named ones again and again.


class _LotRow(NamedTuple):
    """A row of `lots`, which a later entry of the same batch may take from; instants as the driver takes them."""

    id: int
    account_id: int
    entry_id: int
    kind: str
    priority: int
    amount: int
    remaining: int
    starts_at: Any
    expires_at: Any
    reason: str
    granted_by: str


@dataclass(slots=True)
class _Journal:
    """The rows that a batch will insert; `remaining` is what is left of lots that were there before, by id."""

    instant: Callable[[datetime], Any]
    entries: list[bulk.Row] = field(default_factory=list)
    postings: list[bulk.Row] = field(default_factory=list)
    opened: dict[int, _LotRow] = field(default_factory=dict)
    movements: list[bulk.Row] = field(default_factory=list)
    remaining: dict[int, int] = field(default_factory=dict)


def wallet_code(person_id: str) -> str:
    return f"wallet:{person_id}"


COMPANY = "company:"
"""The company's own account has a part for each person it pays for: the roll-up still knows whose use it was."""


THE_COMPANY = "company"
"""The part of it that is no person's: what is used for a project, or was decided to be the company's."""


def company_code(person_id: str) -> str:
    return f"{COMPANY}{person_id}"


def service_code(service_key: str) -> str:
    return f"service:{service_key}"


def open_accounts(session: Session, codes: Iterable[str]) -> dict[str, int]:
    """The id of each account by its code; those that do not exist are opened, also when two sessions try at once."""
    wanted = sorted(set(codes))
    found = _account_ids(session, wanted)
    missing = [code for code in wanted if code not in found]
    if missing:
        rows = [(code, code.removeprefix("wallet:") if code.startswith("wallet:") else None) for code in missing]
        bulk.insert_missing(session, accounts, ("code", "person_id"), rows)
        found |= _account_ids(session, missing)
    return found


def find_account(session: Session, code: str) -> int | None:
    """The id of an account, if it was ever opened."""
    return _account_ids(session, [code]).get(code)


def _account_ids(session: Session, codes: Sequence[str]) -> dict[str, int]:
    return {code: id_ for code, id_ in _ids_of_codes.execute(session, codes)}


_ids_of_codes = bulk.Among(sa.select(accounts.c.code, accounts.c.id), accounts.c.code)


def lock(session: Session, account_ids: Iterable[int]) -> dict[int, Account]:
    """Accounts by their ids, held until the transaction ends."""
    # A statement of its own, in id order: see docs/decisions/0005.
    return {account[0]: Account(*account) for account in _locked_accounts.execute(session, sorted(account_ids))}


def hold(session: Session, codes: Iterable[str]) -> dict[str, Account]:
    """Accounts by their codes, held until the transaction ends; those that do not exist are opened."""
    wanted = sorted(set(codes))
    held = _hold(session, wanted)
    if not held:
        open_accounts(session, wanted)
        held = _hold(session, wanted)
    return held


def _hold(session: Session, codes: Sequence[str]) -> dict[str, Account]:
    """All of some accounts, or none: two who opened an account while they hold others could wait for each other."""
    rows = _held_accounts.execute(session, {"codes": codes, "how_many": len(codes)})
    return {code: Account(id_, bool(is_wallet), *rest) for code, id_, is_wallet, *rest in rows}


def is_wallet(session: Session, account_id: int) -> bool:
    query = sa.select(accounts.c.person_id.is_not(None)).where(accounts.c.id == account_id)
    return bool(session.execute(query).scalar_one())


def balance(session: Session, account_id: int) -> int:
    """Micro-tokens on an account, which the caller holds."""
    on_it: int = session.execute(sa.select(accounts.c.balance).where(accounts.c.id == account_id)).scalar_one()
    return on_it


class LotLeft(NamedTuple):
    """A lot, and the micro-tokens that remain of it."""

    id: int
    remaining: int


def lot_of(session: Session, entry_id: int) -> LotLeft:
    """The lot that an entry opened."""
    query = sa.select(lots.c.id, lots.c.remaining).where(lots.c.entry_id == entry_id)
    return LotLeft._make(session.execute(query).one())


def _in_order(query: sa.Select[Any]) -> sa.Select[Any]:
    """Accounts under lock, in the order of their ids: everyone takes them in that order.

    FOR NO KEY UPDATE, which lets others insert rows that point at the account.
    """
    return query.order_by(accounts.c.id).with_for_update(key_share=True)


def fingerprint(*parts: object) -> bytes:
    """What an entry's content is known by: another content under the same key is told by it."""
    return blake2b("|".join(map(str, parts)).encode(), digest_size=16).digest()


class PostedEntry(NamedTuple):
    """An entry that is there, and the fingerprint of what it was posted for."""

    id: int
    fingerprint: bytes


def find_entry(session: Session, idempotency_key: str) -> PostedEntry | None:
    """The entry that was posted under a key."""
    query = sa.select(entries.c.id, entries.c.fingerprint).where(entries.c.idempotency_key == idempotency_key)
    row = session.execute(query).one_or_none()
    return PostedEntry(row.id, bytes(row.fingerprint)) if row else None


def post(
    session: Session, drafts: Sequence[Draft], *, now: datetime, holding: Iterable[Account] | None = None
) -> list[int]:
    """Post entries in order and return their ids.

    Debits of a wallet burn its lots; a new lot settles the wallet's debt first; a reversal fills them again.
    Accounts are locked in the order of their ids, so that two batches cannot wait for each other; or the caller is
    `holding` all of them.
    """
    if not drafts:
        return []
    for draft in drafts:
        if sum(amount for _, amount in draft.amounts) or not all(amount for _, amount in draft.amounts):
            raise UnbalancedError(f"{draft.idempotency_key}: {draft.amounts}")
    touched = {account_id for draft in drafts for account_id, _ in draft.amounts}
    held = lock(session, touched) if holding is None else {one.id: one for one in holding if one.id in touched}
    wanted = (len(drafts), sum(draft.lot is not None for draft in drafts))
    entry_ids, new_lots = _look(session, held, wanted, is_usage=all(d.kind is EntryKind.USAGE for d in drafts))
    corrected = [d.corrects_entry_id for d in drafts if d.kind is EntryKind.REVERSAL and d.corrects_entry_id]
    returnable = Returnables(session, corrected, now) if corrected else None
    lot_ids = iter(new_lots)
    instant = bulk.instant_codec(session)
    journal = _Journal(instant)
    for entry_id, draft in zip(entry_ids, drafts, strict=True):
        journal.entries.append(_entry(entry_id, draft, instant, now))
        for account_id, amount in draft.amounts:
            account = held[account_id]
            if account.is_wallet:
                if draft.lot and amount > 0:
                    if draft.kind is EntryKind.REVERSAL:
                        _give_back(journal, account, entry_id, next(lot_ids), draft, amount, returnable)
                    else:
                        _open_lot(journal, account, entry_id, next(lot_ids), draft.lot, amount)
                elif amount < 0:
                    movements = draft.takes or _burnt(account, -amount, draft.effective_at)
                    _take(journal, account, entry_id, movements)
            account.version += 1
            account.balance += amount
            journal.postings.append((account_id, account.version, entry_id, amount, account.balance))
    _write(session, journal, held.values())
    _recall_leases(session, drafts, held, now)
    return entry_ids


def _recall_leases(session: Session, drafts: Iterable[Draft], held: Mapping[int, Account], now: datetime) -> None:
    """Gateways are not to go on by what a wallet had before it got or lost tokens otherwise than by use."""
    moved = {id_ for draft in drafts if draft.kind is not EntryKind.USAGE for id_, _ in draft.amounts}
    # Their locks are held: no lease comes in between.
    if wallets := {id_ for id_ in moved if held[id_].is_leased}:
        recalls.of_accounts(session, wallets, now=now)


def _entry(entry_id: int, draft: Draft, instant: Callable[[datetime], object], now: datetime) -> tuple[Any, ...]:
    return (
        entry_id,
        draft.kind,
        draft.idempotency_key or f"{draft.kind}:{entry_id}",
        draft.fingerprint,
        instant(draft.effective_at),
        instant(now),
        draft.memo,
        draft.actor,
        draft.value_version,
        draft.corrects_entry_id,
    )


_ACCOUNT = (accounts.c.id, accounts.c.person_id.is_not(None), accounts.c.version, accounts.c.balance)
_locked_accounts = bulk.Among(_in_order(sa.select(*_ACCOUNT)), accounts.c.id)
_codes: sa.BindParameter[Any] = sa.bindparam("codes", type_=bulk.Some())
_there = accounts.alias("there")
_how_many = sa.select(sa.func.count()).select_from(_there).where(bulk.is_among(_there.c.code, _codes))
_held_accounts = bulk.Typed(
    _in_order(
        sa.select(accounts.c.code, *_ACCOUNT).where(
            bulk.is_among(accounts.c.code, _codes), _how_many.scalar_subquery() == sa.bindparam("how_many")
        )
    )
)


_OPEN, _ENTRY, _LOT, _LEASED, _WARNED = range(5)
"""What a row of the statement below is about: an open lot, a fresh id of either, what else is known of a wallet."""


def _look(
    session: Session, held: Mapping[int, Account], wanted: tuple[int, int], *, is_usage: bool
) -> tuple[list[int], list[int]]:
    """Read into some accounts what is known of the wallets among them; so many fresh ids, of entries and of lots."""
    wallets = [account for account in held.values() if account.is_wallet]
    for wallet in wallets:
        wallet.lots, wallet.is_leased, wallet.is_warned = [], False, False
    fresh: dict[int, list[int]] = {_ENTRY: [], _LOT: []}
    given = {"wallets": [wallet.id for wallet in wallets], "entries": wanted[0], "lots": wanted[1]}
    statement = _looking(session.dialect.name, is_usage)
    for what, account_id, id_, priority, expires_at, remaining in statement.execute(session, given):
        if what == _OPEN:
            held[account_id].lots.append(OpenLot(id_, priority, bulk.read_instant(expires_at), remaining))
        elif what in fresh:
            fresh[what].append(id_)
        elif what == _LEASED:
            held[account_id].is_leased = True
        else:
            held[account_id].is_warned = True
    for wallet in wallets:
        wallet.lots = burning.burn_order(wallet.lots)
    return bulk.counted(fresh[_ENTRY], wanted[0]), bulk.counted(fresh[_LOT], wanted[1])


@cache
def _looking(dialect: str, is_usage: bool) -> bulk.Typed:  # noqa: FBT001 - one of two statements
    """One statement for all that is read before anything is posted, whatever is posted."""
    some: sa.BindParameter[Any] = sa.bindparam("wallets", type_=bulk.Some(sa.BigInteger))
    nothing = (sa.null(), sa.null(), sa.null())

    def about(what: int, *columns: Any) -> sa.Select[Any]:  # noqa: ANN401 - SQLAlchemy's own
        return sa.select(sa.literal_column(str(what)).label("what"), *columns)

    # In the words of the index, which is of these lots alone.
    opened = about(_OPEN, lots.c.account_id, lots.c.id, lots.c.priority, lots.c.expires_at, lots.c.remaining)
    parts = [opened.where(sa.text("lots.remaining > 0"), bulk.is_among(lots.c.account_id, some))]
    for what, table, count in ((_ENTRY, entries, "entries"), (_LOT, lots, "lots")):
        ids = bulk.fresh_ids(dialect, table, count).subquery()
        parts.append(about(what, sa.null(), *ids.c, *nothing))
    if not is_usage:
        leased = about(_LEASED, holds.c.account_id, sa.null(), *nothing)
        parts.append(leased.where(recalls.LEASED, bulk.is_among(holds.c.account_id, some)))
        warned = about(_WARNED, warnings_given.c.account_id, sa.null(), *nothing)
        parts.append(warned.where(bulk.is_among(warnings_given.c.account_id, some)))
    return bulk.Typed(sa.union_all(*parts))


def _burnt(wallet: Account, amount: int, at: datetime) -> tuple[tuple[int, int], ...]:
    """What a debit takes from the wallet's lots; what they cannot cover becomes debt."""
    return burning.burn(wallet.lots, amount, at).movements


def _take(journal: _Journal, wallet: Account, entry_id: int, movements: Iterable[tuple[int, int]]) -> None:
    for lot_id, taken in movements:
        journal.movements.append((entry_id, lot_id, taken))
        index = next(i for i, lot in enumerate(wallet.lots) if lot.id == lot_id)
        left = wallet.lots[index].remaining - taken
        wallet.lots[index] = wallet.lots[index]._replace(remaining=left)
        if lot_id in journal.opened:
            journal.opened[lot_id] = journal.opened[lot_id]._replace(remaining=left)
        else:
            journal.remaining[lot_id] = left


def _open_lot(journal: _Journal, wallet: Account, entry_id: int, lot_id: int, lot: NewLot, amount: int) -> None:  # noqa: PLR0917 - private, called once
    owed = burning.debt(wallet.balance, (open_lot.remaining for open_lot in wallet.lots))
    settled = burning.settled_by(amount, owed)
    opened = OpenLot(lot_id, lot.priority, lot.expires_at, amount - settled)
    wallet.lots = burning.burn_order([*wallet.lots, opened])
    journal.opened[lot_id] = _LotRow(
        lot_id,
        wallet.id,
        entry_id,
        lot.kind,
        lot.priority,
        amount,
        opened.remaining,
        journal.instant(lot.starts_at),
        journal.instant(lot.expires_at),
        lot.reason,
        lot.granted_by,
    )
    if settled:
        journal.movements.append((entry_id, lot_id, settled))


def _give_back(  # noqa: PLR0917 - private, called once
    journal: _Journal,
    wallet: Account,
    entry_id: int,
    lot_id: int,
    draft: Draft,
    amount: int,
    returnable: Returnables | None,
) -> None:
    """Settle debt, fill the lots that were burnt, and open a lot for the rest."""
    assert draft.lot is not None  # noqa: S101 - see `post`
    assert returnable is not None  # noqa: S101 - there is a reversal
    assert draft.corrects_entry_id is not None  # noqa: S101 - a reversal names what it corrects
    owed = burning.debt(wallet.balance, (lot.remaining for lot in wallet.lots))
    given, touched = returnable.plan(draft.corrects_entry_id, amount, owed, wallet, journal.movements)
    known = {lot.id for lot in wallet.lots}
    # Also lots of which nothing was left, each once.
    spent = {lot.id: lot for lot in touched if lot.id not in known}
    wallet.lots = burning.burn_order([*wallet.lots, *spent.values()])
    if given.fresh:
        _open_lot(journal, wallet, entry_id, lot_id, draft.lot, given.settled + given.fresh)
    _take(journal, wallet, entry_id, [(id_, -back) for id_, back in given.movements])


def _write(session: Session, journal: _Journal, held: Iterable[Account]) -> None:
    bulk.write(
        session,
        bulk.Rows(entries, ENTRY_COLUMNS, journal.entries),
        bulk.Rows(postings, POSTING_COLUMNS, journal.postings),
        bulk.Rows(lots, _LotRow._fields, list(journal.opened.values())),
        bulk.Rows(lots, ("id", "remaining"), sorted(journal.remaining.items()), key=1),
        bulk.Rows(lot_movements, MOVEMENT_COLUMNS, journal.movements),
        bulk.Rows(accounts, ("id", "version", "balance"), [(a.id, a.version, a.balance) for a in held], key=1),
    )
