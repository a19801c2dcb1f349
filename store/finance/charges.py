"""What entries of usage paid for, day by day, and what was granted: read as a stream, whatever the number of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from policy.kinds import EntryKind
from store import bulk
from store.ledger.ledger import COMPANY
from store.tables.ledger import accounts, entries, lots
from store.tables.usage import services, usage_days, usage_events, usage_reversals, usage_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from store.engine import Session

Instants = tuple["datetime", "datetime"]
"""From the first up to the second, which is not included."""
_en, _ev, _re, _ve = entries.c, usage_events.c, usage_reversals.c, usage_versions.c
_AT_ONCE = 10_000
_read_meters = msgspec.json.Decoder(dict[str, int]).decode


class UsageEntry(NamedTuple):
    """An entry that debits usage, or gives a debit back."""

    id: int
    kind: str
    service_key: str
    effective_at: datetime
    posted_at: datetime
    value_version: str


class Debited(NamedTuple):
    """What an entry debited for one event; `sign` is -1 where it gave that back."""

    entry_id: int
    account_id: int
    provider: str
    model: str
    tier: str
    project: str
    price_id: str
    meters: dict[str, int]
    cost_nano_usd: int
    debit_micro_tokens: int
    sign: int = 1


def usage_entries(session: Session, effective: Instants, posted: Instants) -> list[UsageEntry]:
    """Entries of usage that are of some time, and were posted in some time, by their instants.

    Takes one pass over all entries.
    """
    query = sa.select(_en.id, _en.kind, _en.memo, _en.effective_at, _en.posted_at, _en.value_version).where(
        _en.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL)),
        _en.effective_at >= effective[0],
        _en.effective_at < effective[1],
        _en.posted_at >= posted[0],
        _en.posted_at < posted[1],
    )
    return [UsageEntry(*row) for row in session.execute(query.order_by(_en.effective_at, _en.id))]


_standing = sa.select(
    _ev.entry_id,
    _ev.account_id,
    _ev.provider,
    _ev.model,
    _ev.tier,
    _ev.project,
    _ev.price_id,
    sa.cast(_ev.meters, sa.Text),
    _ev.cost_nano_usd,
    _ev.debit_micro_tokens,
)


def standing(session: Session, entry_ids: Iterable[int]) -> Iterator[Debited]:
    """The events that some entries pay for, and that nothing has undone."""
    for some in bulk.chunks(entry_ids, 500):
        query = _standing.where(_ev.entry_id.in_(some)).execution_options(yield_per=_AT_ONCE)
        for entry_id, account_id, provider, model, tier, project, price_id, meters, cost, debit in session.execute(
            query
        ):
            yield Debited(
                entry_id, account_id, provider, model, tier, project, price_id, _read_meters(meters), cost, debit
            )


def undone(session: Session, entry_ids: Iterable[int]) -> Iterator[Debited]:
    """Of some entries the debits that were undone since, and those that they undid; both in one cancel out."""
    original, reversal = _re.entry_id, _re.reversal_entry_id
    for some in bulk.chunks(entry_ids):
        for entry, others, sign in ((original, reversal, 1), (reversal, original, -1)):
            # What was debited and given back by entries of the same chunk is neither here nor there.
            query = _undone.add_columns(entry).where(entry.in_(some), others.not_in(some))
            for row in session.execute(query.execution_options(yield_per=_AT_ONCE)):
                yield _of_version(row, sign)


_SAID = ("provider", "model", "tier", "project")
_undone = (
    sa.select(
        _re.account_id,
        _re.price_id,
        _re.meters,
        _re.cost_nano_usd,
        _re.debit_micro_tokens,
        _ve.content,
        _ev.provider,
        _ev.model,
        _ev.tier,
        _ev.project,
    )
    .join_from(usage_reversals, usage_events)
    .outerjoin(
        usage_versions,
        sa.and_(_ve.source == _re.source, _ve.event_id == _re.event_id, _ve.revision == _re.revision),
    )
)


def _of_version(row: Any, sign: int) -> Debited:  # noqa: ANN401 - a row
    account_id, price_id, meters, cost, debit, content, *now, entry_id = row
    provider, model, tier, project = [content[name] for name in _SAID] if content else now
    return Debited(entry_id, account_id, provider, model, tier, project, price_id, meters, cost, debit, sign)


def payers(session: Session) -> dict[int, str]:
    """Whose use each account pays for, by its number."""
    query = sa.select(accounts.c.id, accounts.c.code, accounts.c.person_id)
    of_people = query.where(accounts.c.person_id.is_not(None) | accounts.c.code.startswith(COMPANY))
    return {id_: person or code.removeprefix(COMPANY) for id_, code, person in session.execute(of_people)}


class Used(NamedTuple):
    """What one account used for one project on one day, in nano-USD."""

    account_id: int
    project: str
    day: date
    nano_usd: int


def used(session: Session, days: tuple[date, date]) -> list[Used]:
    """What was used from one day up to another, by account, project and day: from the roll-up."""
    d = usage_days.c
    query = sa.select(d.account_id, d.project, d.day, sa.func.sum(d.cost_nano_usd))
    rows = session.execute(query.where(d.day >= days[0], d.day < days[1]).group_by(d.account_id, d.project, d.day))
    return [Used(account_id, project, day, int(cost)) for account_id, project, day, cost in rows]


def granted(session: Session, effective: Instants, posted: Instants) -> list[tuple[str, int, int]]:
    """(kind of lot, person's account, micro-tokens) of the lots that were opened in some time."""
    query = (
        sa.select(lots.c.kind, lots.c.account_id, sa.func.sum(lots.c.amount))
        .join_from(lots, entries, lots.c.entry_id == _en.id)
        .where(_en.kind != EntryKind.REVERSAL, _en.effective_at >= effective[0], _en.effective_at < effective[1])
        .where(_en.posted_at >= posted[0], _en.posted_at < posted[1])
        .group_by(lots.c.kind, lots.c.account_id)
    )
    return [(kind, account_id, int(amount)) for kind, account_id, amount in session.execute(query)]


def service_kinds(session: Session) -> dict[str, tuple[str, str]]:
    """(name, kind) of each service that was ever approved, by its key."""
    rows = session.execute(sa.select(services.c.key, services.c.name, services.c.kind))
    return {key: (name, kind) for key, name, kind in rows}
