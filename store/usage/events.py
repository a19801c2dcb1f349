"""Usage events, the days they add up to, and what of them waits in quarantine."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from policy.metering import UsageEvent
from policy.units import MicroTokens, NanoUSD
from store import bulk
from store.tables.usage import file_imports, quarantine, usage_days, usage_events, wallet_days
from store.usage import ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from policy.metering import Meter
    from store.engine import Session

_encoder = msgspec.json.Encoder()


class EventPosting(NamedTuple):
    """What became of an event that could be priced and attributed."""

    account_id: int
    price_id: str | None
    cost_nano_usd: int
    debit_micro_tokens: int
    entry_id: int | None


class DayKey(NamedTuple):
    """What a day's usage is added up by."""

    day: date
    account_id: int
    service_key: str
    model: str
    project: str


EVENT_COLUMNS = (
    "source",
    "event_id",
    "occurred_at",
    "identities",
    "provider",
    "model",
    "tier",
    "meters",
    "project",
    "fingerprint",
    *EventPosting._fields,
)
DAY_COLUMNS = (*DayKey._fields, "calls", "input_tokens", "output_tokens", "cost_nano_usd", "debit_micro_tokens")
WALLET_DAY_COLUMNS = ("account_id", "day", "service_key", "debit_micro_tokens")
CONTENT = tuple(usage_events.c[name] for name in EVENT_COLUMNS[: -len(EventPosting._fields)])
_UNPOSTED = (None,) * len(EventPosting._fields)


class QuarantinedEvent(NamedTuple):
    """An event in quarantine, and why it is there."""

    event: UsageEvent
    reason: str
    detail: str
    since: datetime


class Line(NamedTuple):
    """Usage of one model of one service, added up over some days."""

    service_key: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: NanoUSD
    debit: MicroTokens


def known(session: Session, source: str, event_ids: Sequence[str]) -> dict[str, bytes]:
    """Fingerprints of those events of a source that arrived before."""
    numbers = list(ids.numbers(session, [(source, event_id) for event_id in event_ids]).values())
    if not numbers:
        return {}
    if bulk.is_postgresql(session):
        # By numbers that are given, only the months that have them are looked at.
        statement = "SELECT event_id, fingerprint FROM usage_events WHERE id = ANY(%s)"
        rows = bulk.fetch(session, statement, (numbers,))
    else:
        statement = (
            "SELECT e.event_id, e.fingerprint FROM json_each(?) AS j CROSS JOIN usage_events AS e WHERE e.id = j.value"
        )
        rows = bulk.fetch(session, statement, (json_text(numbers),))
    return {event_id: bytes(fingerprint) for event_id, fingerprint in rows}


def json_text(value: object) -> str:
    """JSON as the driver takes it."""
    return _encoder.encode(value).decode()


def insert_events(session: Session, events: Sequence[tuple[UsageEvent, EventPosting | None]]) -> None:
    """Add events with what became of them; None for those that go into quarantine.

    IntegrityError if one of them is known: what decides is its digest.
    """
    if not events:
        return
    numbers = ids.add(session, [event[:3] for event, _ in events])
    instant = bulk.instant_codec(session)
    encoded = {names: json_text(names) for names in {event.identities for event, _ in events}}
    rows = []
    for number, (event, posted) in zip(numbers, events, strict=True):
        source, event_id, at, names, provider, model, tier, meters, project, fingerprint, _ = event
        content = (source, event_id, instant(at), encoded[names], provider, model, tier, json_text(meters), project)
        rows.append((number, *content, fingerprint, *(posted or _UNPOSTED)))
    bulk.insert(session, usage_events, ("id", *EVENT_COLUMNS), rows)


def release(session: Session, events: Sequence[tuple[UsageEvent, EventPosting]], *, now: datetime) -> int:
    """Record what became of events that leave quarantine; how many really left it with this call."""
    instant = bulk.instant_codec(session)
    left = bulk.update(
        session,
        quarantine,
        ("source", "event_id", "released_at"),
        [(event.source, event.event_id, instant(now)) for event, _ in events],
        key=2,
    )
    ids.change(session, EventPosting._fields, [(event.source, event.event_id, *posted) for event, posted in events])
    return left


def add_to_days(session: Session, days: Mapping[DayKey, Sequence[int]]) -> None:
    """Add (calls, input tokens, output tokens, cost, debit) to the days' roll-up, and to that of the wallets.

    In the order of the key: two batches that touch the same rows then never wait for each other in a circle.
    """
    day = bulk.day_codec(session)
    rows = [(day(on), *rest, *figures) for (on, *rest), figures in sorted(days.items())]
    bulk.add_up(session, usage_days, DAY_COLUMNS, rows, key=len(DayKey._fields))
    _add_to_wallets(session, days)


def _add_to_wallets(session: Session, days: Mapping[DayKey, Sequence[int]]) -> None:
    """A debit is added to a line under its wallet's lock.

    Free use is under no lock, and must not hold up who has one: where its line is there, that is all that it needs.
    All lines that may be new come first and in order, so that no one waits in a circle.
    """
    day = bulk.day_codec(session)
    debits: Counter[tuple[int, date, str]] = Counter()
    for (on, account_id, service, *_), figures in days.items():
        debits[account_id, on, service] += figures[-1]
    lines = [(account_id, day(on), service, debit) for (account_id, on, service), debit in sorted(debits.items())]
    paid = [line for line in lines if line[-1]]
    if len(paid) < len(lines):
        bulk.add_up(session, wallet_days, WALLET_DAY_COLUMNS[:3], [line[:3] for line in lines], key=3)
    bulk.add_up(session, wallet_days, WALLET_DAY_COLUMNS, paid, key=3)


def hold(session: Session, held: Sequence[tuple[UsageEvent, str, str]], *, now: datetime) -> None:
    """Put events, already inserted, into quarantine with (reason, detail)."""
    since = bulk.instant_codec(session)(now)
    rows = [(event.source, event.event_id, reason, detail, since) for event, reason, detail in held]
    bulk.insert(session, quarantine, ("source", "event_id", "reason", "detail", "since"), rows)


def explain_hold(session: Session, still: Sequence[tuple[UsageEvent, str, str]]) -> None:
    """Renew the reason of events that stay in quarantine."""
    rows = [(event.source, event.event_id, reason, detail) for event, reason, detail in still]
    bulk.update(session, quarantine, ("source", "event_id", "reason", "detail"), rows, key=2)


def held_events(
    session: Session,
    *,
    limit: int,
    after: tuple[datetime, str, str] | None = None,
    lock: bool = False,
    wanted: Sequence[sa.ColumnElement[bool]] = (),
) -> list[QuarantinedEvent]:
    """What is in quarantine, all or what is `wanted`, the oldest first.

    `after` is (since, source, event id) of the last one seen. `lock` keeps other sessions from releasing
    the same events.
    """
    order = (quarantine.c.since, quarantine.c.source, quarantine.c.event_id)
    query = (
        sa.select(*CONTENT, quarantine.c.reason, quarantine.c.detail, quarantine.c.since)
        .select_from(ids.with_events(quarantine))
        .where(quarantine.c.released_at.is_(None), *wanted)
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        query = query.where(
            sa.tuple_(*order) > sa.tuple_(*(sa.literal(v, c.type) for v, c in zip(after, order, strict=True)))
        )
    if lock:
        # The event as well: its content may be replaced between our snapshot and our lock.
        query = query.with_for_update(of=(quarantine, usage_events), skip_locked=True)
    return [QuarantinedEvent(event_of(row), row.reason, row.detail, row.since) for row in session.execute(query)]


def event_of(row: Any) -> UsageEvent:  # noqa: ANN401 - a row with the columns of `CONTENT`
    """An event as it arrived, or as someone corrected it while it waited."""
    return UsageEvent(
        source=row.source,
        event_id=row.event_id,
        occurred_at=row.occurred_at,
        identities=tuple((kind, name) for kind, name in row.identities),
        provider=row.provider,
        model=row.model,
        tier=row.tier,
        meters=row.meters,
        project=row.project,
        fingerprint=bytes(row.fingerprint),
    )


def held_because(session: Session, source: str, event_id: str) -> str | None:
    """Why an event waits in quarantine; None when it does not."""
    q = quarantine.c
    query = sa.select(q.detail).where(q.source == source, q.event_id == event_id, q.released_at.is_(None))
    why: str | None = session.execute(query).scalar_one_or_none()
    return why


def only(source: str | None, reason: str | None) -> list[sa.ColumnElement[bool]]:
    """Which of what is in quarantine is of one gateway, or waits for one reason."""
    given = ((quarantine.c.source, source), (quarantine.c.reason, reason))
    return [column == value for column, value in given if value is not None]


def count_held(session: Session, wanted: Sequence[sa.ColumnElement[bool]] = ()) -> dict[str, int]:
    """How many events are in quarantine, by reason."""
    query = sa.select(quarantine.c.reason, sa.func.count()).where(quarantine.c.released_at.is_(None), *wanted)
    return {reason: count for reason, count in session.execute(query.group_by(quarantine.c.reason))}


def content(event: UsageEvent) -> dict[str, object]:
    """What an event says, as plain values."""
    return {
        "occurred_at": event.occurred_at.astimezone(UTC).isoformat(),
        "identities": event.identities,
        "provider": event.provider,
        "model": event.model,
        "tier": event.tier,
        "meters": event.meters,
        "project": event.project,
    }


def lines_of_days(session: Session, account_id: int, days: Sequence[date]) -> list[Line]:
    """A wallet's usage over some days by service and model, the most expensive first.

    The days are named one by one, because the key begins with the day: each is one short seek.
    """
    c = usage_days.c
    sums = [sa.func.sum(column) for column in (c.calls, c.input_tokens, c.output_tokens)]
    cost, debit = sa.func.sum(c.cost_nano_usd), sa.func.sum(c.debit_micro_tokens)
    query = (
        sa.select(c.service_key, c.model, *sums, cost, debit)
        .where(c.day.in_(days), c.account_id == account_id)
        .group_by(c.service_key, c.model)
        .order_by(debit.desc(), c.service_key, c.model)
    )
    return [
        Line(row[0], row[1], int(row[2]), int(row[3]), int(row[4]), NanoUSD(row[5]), MicroTokens(row[6]))
        for row in session.execute(query)
    ]


class PaidEvent(NamedTuple):
    """An event that an entry paid for."""

    model: str
    tier: str
    meters: dict[Meter, int]
    price_id: str
    cost_nano_usd: int
    debit_micro_tokens: int
    occurred_at: datetime


def events_of_entry(session: Session, entry_id: int, *, limit: int) -> list[PaidEvent]:
    """The latest events that an entry paid for."""
    c = usage_events.c
    query = sa.select(*(c[name] for name in PaidEvent._fields)).where(c.entry_id == entry_id)
    return [PaidEvent._make(row) for row in session.execute(query.order_by(c.occurred_at.desc()).limit(limit))]


def count_events_of_entry(session: Session, entry_id: int) -> int:
    query = sa.select(sa.func.count()).where(usage_events.c.entry_id == entry_id)
    return session.execute(query).scalar_one()


class Progress(NamedTuple):
    """How far an interrupted import came, and how many events it has counted of each kind."""

    lines_done: int
    bytes_done: int
    counts: Mapping[str, int]


def progress_of_file(session: Session, digest: str) -> Progress | None:
    """How far an import came that was interrupted."""
    c = file_imports.c
    row = session.execute(sa.select(c.lines_done, c.bytes_done, c.counts).where(c.digest == digest)).one_or_none()
    return Progress._make(row) if row else None


def note_progress(session: Session, digest: str, *, lines: int, offset: int, counts: Mapping[str, int]) -> None:
    """Remember how far an import came, in the transaction of the batch it speaks of."""
    figures = {"lines_done": lines, "bytes_done": offset, "counts": dict(counts)}
    found = session.execute(sa.update(file_imports).where(file_imports.c.digest == digest).values(**figures))
    if not found.rowcount:
        session.execute(sa.insert(file_imports).values(digest=digest, **figures))


def forget_progress(session: Session, digest: str) -> None:
    session.execute(sa.delete(file_imports).where(file_imports.c.digest == digest))
