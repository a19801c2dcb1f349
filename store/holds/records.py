"""Holds: what calls and jobs may cost while they run, on their wallets and in the sums of caps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from policy.caps import Reserved, SumKey
from store import bulk
from store.tables.holds import hold_claims, holds
from store.tables.ledger import accounts, lots

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session

HELD, SETTLED, RELEASED, LAPSED = "held", "settled", "released", "lapsed"
CALL, JOB, LEASE = "call", "job", "lease"
LARGER, LATE, QUARANTINED, UNREPORTED, CANCELLED = "larger", "late", "quarantined", "unreported", "cancelled"
"""What is odd about a hold: more was used than held; usage came after its end; it waits; a job went silent, or was
cancelled by an administrator."""

Key = tuple[str, str]
"""A source, and an id that is unique within it."""


class Hold(NamedTuple):
    """A hold as it stands; what is still held is 0 once it is over."""

    source: str
    id: str
    kind: str
    fingerprint: bytes
    account_id: int
    person_id: str
    service_key: str
    provider: str
    model: str
    project: str
    status: str
    micro_tokens: int
    nano_usd: int
    likely_micro_tokens: int
    likely_nano_usd: int
    first_micro_tokens: int
    first_nano_usd: int
    used_micro_tokens: int
    used_nano_usd: int
    answer: dict[str, Any] | None
    flags: str
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None

    @property
    def key(self) -> Key:
        return self.source, self.id

    @property
    def tokens(self) -> Reserved:
        return Reserved(self.micro_tokens, self.likely_micro_tokens)

    @property
    def usd(self) -> Reserved:
        return Reserved(self.nano_usd, self.likely_nano_usd)

    @property
    def is_open(self) -> bool:
        return self.status == HELD

    def holding(self, tokens: Reserved, usd: Reserved) -> Hold:
        return self._replace(
            micro_tokens=tokens.most,
            nano_usd=usd.most,
            likely_micro_tokens=tokens.likely,
            likely_nano_usd=usd.likely,
        )

    def flagged(self, *flags: str) -> Hold:
        return self._replace(flags=",".join(sorted({*filter(None, self.flags.split(",")), *flags})))


_h = holds.c
_columns = tuple(_h[name] for name in Hold._fields)
CHANGING = (
    *("status", "micro_tokens", "nano_usd", "likely_micro_tokens", "likely_nano_usd"),
    *("first_micro_tokens", "first_nano_usd"),
    *("used_micro_tokens", "used_nano_usd", "flags", "expires_at", "closed_at"),
)
CLAIM_COLUMNS = ("source", "hold_id", "scope", "key", "span", "first_day")


# What each call runs is made once: to put it together takes longer than to run it.
_find = bulk.Prepared(
    sa.select(*_columns).where(_h.source == sa.bindparam("in_source"), _h.id == sa.bindparam("hold_id"))
)


def find(session: Session, key: Key) -> Hold | None:
    rows = _find.execute(session, {"in_source": key[0], "hold_id": key[1]})
    return _read(rows[0]) if rows else None


def jobs(
    session: Session, *, only_open: bool, limit: int, person_id: str | None = None, service: str | None = None
) -> list[Hold]:
    """Training jobs, all or of one person or service, the latest first."""
    query = sa.select(*_columns).where(sa.text("holds.kind = 'job'"))
    given = ((_h.person_id, person_id), (_h.service_key, service))
    query = query.where(*(column == value for column, value in given if value is not None))
    if only_open:
        query = query.where(sa.text("holds.status = 'held'"))
    return [_hold(row) for row in session.execute(query.order_by(_h.created_at.desc(), _h.id).limit(limit))]


def jobs_named(session: Session, id_: str) -> list[Hold]:
    """Training jobs of an id, whatever their source."""
    query = sa.select(*_columns).where(sa.text("holds.kind = 'job'"), _h.id == id_).order_by(_h.source)
    return [_hold(row) for row in session.execute(query)]


def lock(session: Session, keys: Collection[Key]) -> dict[Key, Hold]:
    """Holds that are there, under lock until the transaction ends, in the order of their keys."""
    found: dict[Key, Hold] = {}
    for source, ids in _by_source(keys):
        lock = _locked_postgresql if bulk.is_postgresql(session) else _locked_sqlite
        for row in lock.execute(session, ids, in_source=source):
            hold = _read(row)
            found[hold.key] = hold
    return found


_of_source = sa.select(*_columns).where(_h.source == sa.bindparam("in_source"))
# Texts in the order that Python has them in, whatever the database's language.
_locked_postgresql = bulk.Among(_of_source.order_by(sa.collate(_h.id, "C")).with_for_update(key_share=True), _h.id)
_locked_sqlite = bulk.Among(_of_source.order_by(_h.id), _h.id)


def ended(session: Session, now: datetime, *, limit: int) -> list[Hold]:
    """Open holds whose time is over, under lock; those that someone else is at are left to them."""
    over = sa.and_(sa.text("holds.status = 'held'"), _h.expires_at <= now)
    query = sa.select(*_columns).where(over).order_by(_h.expires_at).limit(limit)
    return [_hold(row) for row in session.execute(query.with_for_update(key_share=True, skip_locked=True))]


def _read(row: Sequence[Any]) -> Hold:
    """A hold as the driver gave it."""
    hold = Hold._make(row)
    return hold._replace(
        fingerprint=bytes(hold.fingerprint),
        answer=msgspec.json.decode(hold.answer) if isinstance(hold.answer, str) else hold.answer,
        created_at=bulk.read_instant(hold.created_at),
        expires_at=bulk.read_instant(hold.expires_at),
        closed_at=hold.closed_at and bulk.read_instant(hold.closed_at),
    )


def _hold(row: Any) -> Hold:  # noqa: ANN401 - a row with the columns of a hold
    return Hold._make(row)._replace(fingerprint=bytes(row.fingerprint))


def _by_source(keys: Collection[Key]) -> list[tuple[str, list[str]]]:
    sources: dict[str, list[str]] = {}
    for source, id_ in sorted(set(keys)):
        sources.setdefault(source, []).append(id_)
    return list(sources.items())


def insert(session: Session, hold: Hold, claims: Iterable[SumKey]) -> None:
    """Add a hold; one whose key is there already is an IntegrityError."""
    instant, day = bulk.instant_codec(session), bulk.day_codec(session)
    kept = hold._replace(
        answer=msgspec.json.encode(hold.answer).decode(),  # type: ignore[arg-type]  # as the driver takes it
        created_at=instant(hold.created_at),
        expires_at=instant(hold.expires_at),
    )
    bulk.insert(session, holds, Hold._fields, [kept])
    rows = [(*hold.key, one.scope, one.key, one.window, day(one.first_day)) for one in claims]
    bulk.insert(session, hold_claims, CLAIM_COLUMNS, rows)


def change(session: Session, changed: Sequence[Hold]) -> None:
    """Keep what became of holds that are locked."""
    instant = bulk.instant_codec(session)
    rows = [
        (
            *hold.key,
            *(getattr(hold, name) for name in CHANGING[:-2]),
            instant(hold.expires_at),
            instant(hold.closed_at) if hold.closed_at else None,
        )
        for hold in changed
    ]
    bulk.update(session, holds, ("source", "id", *CHANGING), rows, key=2)


def claims(session: Session, keys: Collection[Key]) -> dict[Key, list[SumKey]]:
    """The sums that each of some holds is part of."""
    found = dict[Key, list[SumKey]]()
    for source, ids in _by_source(keys):
        for hold_id, scope, key, span, first_day in _claims.execute(session, ids, in_source=source):
            found.setdefault((source, hold_id), []).append(SumKey(scope, key, span, bulk.read_day(first_day)))
    return found


_claimed = hold_claims.c
_claims = bulk.Among(
    sa.select(_claimed.hold_id, _claimed.scope, _claimed.key, _claimed.span, _claimed.first_day).where(
        _claimed.source == sa.bindparam("in_source")
    ),
    _claimed.hold_id,
)


class Standing(NamedTuple):
    """A wallet under lock: what is on it, what of that is in lots that cannot be spent now, what is held."""

    balance: int
    unspendable: int
    held: Reserved


_on_it = sa.select(accounts.c.balance, accounts.c.held, accounts.c.likely).where(
    accounts.c.id == sa.bindparam("account")
)
_seen = bulk.Prepared(_on_it)
_locked = bulk.Prepared(_on_it.with_for_update(key_share=True))
_closed = bulk.Prepared(
    sa.select(sa.func.coalesce(sa.func.sum(lots.c.remaining), 0))
    .where(lots.c.account_id == sa.bindparam("account"), sa.text("lots.remaining > 0"))
    .where(sa.or_(lots.c.starts_at > sa.bindparam("now"), lots.c.expires_at <= sa.bindparam("now")))
)


def wallet(session: Session, account_id: int, now: datetime) -> Standing:
    """A wallet, held until the transaction ends.

    Two statements: the lots are to be those of the balance that the lock waited for.
    """
    [(balance, *held)] = _locked.execute(session, {"account": account_id})
    return Standing(balance, unspendable(session, account_id, now), Reserved(*held))


def wallet_seen(session: Session, account_id: int, now: datetime) -> Standing:
    """The same without a lock, for who only looks."""
    [(balance, *held)] = _seen.execute(session, {"account": account_id}) or [(0, 0, 0)]
    return Standing(balance, unspendable(session, account_id, now), Reserved(*held))


def unspendable(session: Session, account_id: int, now: datetime) -> int:
    """What is left in lots that have ended, or only begin."""
    [(left,)] = _closed.execute(session, {"account": account_id, "now": bulk.instant_codec(session)(now)})
    return int(left)


class NoRoomError(RuntimeError):
    """A hold did not fit although it was seen to fit under the same lock: no one may go on from there."""


NO_BOUND = -(2**62)
"""Further below zero than any wallet can be."""


def take(session: Session, account_id: int, tokens: Reserved, least: int | None, *, by_likely: bool) -> None:
    """Hold tokens of an account that is locked: its balance less what is held, or likely, stays at `least` or above."""
    given = {"account": account_id, "most": tokens.most, "usual": tokens.likely}
    given["least"] = NO_BOUND if least is None else least
    if (_take_likely if by_likely else _take_most).change(session, given) != 1:
        raise NoRoomError(account_id)


def free(session: Session, tokens: Mapping[int, Reserved]) -> None:
    """Let go of tokens that are held of accounts, in the order of their ids."""
    for account_id, (most, usual) in sorted(tokens.items()):
        if most and _free.change(session, {"account": account_id, "most": most, "usual": usual}) != 1:
            raise NoRoomError(account_id)


def _amount(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger())


_a = accounts.c
_held, _likely = _a.held + _amount("most"), _a.likely + _amount("usual")
_taking = sa.update(accounts).where(_a.id == sa.bindparam("account")).values(held=_held, likely=_likely)
_take_most = bulk.Prepared(_taking.where(_a.balance - _held >= _amount("least")))
_take_likely = bulk.Prepared(_taking.where(_a.balance - _likely >= _amount("least")))
_free = bulk.Prepared(
    sa.update(accounts)
    .where(_a.id == sa.bindparam("account"), _a.held >= _amount("most"), _a.likely >= _amount("usual"))
    .values(held=_a.held - _amount("most"), likely=_a.likely - _amount("usual"))
)


class Open(NamedTuple):
    """How many calls hold something of an account, and how much."""

    calls: int
    micro_tokens: int


def open_of(session: Session, account_id: int) -> Open:
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_h.micro_tokens), 0))
    query = query.where(_h.account_id == account_id, sa.text("holds.status = 'held'"))
    calls, held = session.execute(query).one()
    return Open(calls, int(held))


def spent_since(session: Session, account_id: int, models: Collection[str], since: datetime) -> int:
    """What an account paid since an instant for calls of some models, and by leases."""
    query = sa.select(sa.func.coalesce(sa.func.sum(_h.used_nano_usd), 0))
    query = query.where(_h.model.in_({*models, ""}), _h.account_id == account_id, _h.closed_at >= since, _settled)
    return int(session.execute(query).scalar_one())


_settled = sa.text("holds.status = 'settled'")
