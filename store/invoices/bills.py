"""Files of bills, and the lines that stand of each bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.bills import ATTO_PER_NANO, BillName, Place, Sum, owed
from store import bulk
from store.tables.invoices import bill_files, bill_lines, bills

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from store.engine import Session

_b, _f, _l = bills.c, bill_files.c, bill_lines.c
_PLACE = (_l.bears, _l.service, _l.day, _l.person, _l.project, _l.model)
_AMOUNTS = ("rows", "nano_usd", "rest", "owed_nano_usd")


class File(NamedTuple):
    """A file that was imported, and when it was issued."""

    id: int
    digest: str
    name: str
    issued_at: datetime

    @property
    def rank(self) -> tuple[datetime, str]:
        """Of two files of one bill the higher one stands, in whatever order they come."""
        return self.issued_at, self.digest


class Bill(NamedTuple):
    """A bill as it stands; `posted_at` is empty while its import is not done."""

    id: int
    name: BillName
    file: File
    rows: int
    nano_usd: int
    posted_at: datetime | None


def file_of(session: Session, digest: str) -> File | None:
    """The file with a content, if it was ever imported."""
    query = sa.select(*(_f[name] for name in File._fields)).where(_f.digest == digest)
    row = session.execute(query).one_or_none()
    return File._make(row) if row else None


class NewFile(NamedTuple):
    """A file that comes in."""

    digest: str
    name: str
    issued_at: datetime
    taken_at: datetime
    actor: str


def keep_file(session: Session, new: NewFile) -> File:
    """Note a file, or that one which is known was issued at another time."""
    instant = bulk.instant_codec(session)
    row = new._replace(issued_at=instant(new.issued_at), taken_at=instant(new.taken_at))
    bulk.insert_missing(session, bill_files, NewFile._fields, [row])
    same = _f.digest == new.digest
    session.execute(sa.update(bill_files).where(same, _f.issued_at != new.issued_at).values(issued_at=new.issued_at))
    known = file_of(session, new.digest)
    assert known is not None  # noqa: S101 - it was inserted, by us or by another session
    return known


_bill = sa.select(
    _b.id, _b.account, _b.period, *(_f[name] for name in File._fields), _b.rows, _b.nano_usd, _b.posted_at
).join_from(bills, bill_files)


def _read(row: Any) -> Bill:  # noqa: ANN401 - a row of `_bill`
    id_, account, period, *file, rows, nano_usd, posted_at = row
    return Bill(id_, BillName(account, period), File._make(file), rows, nano_usd, posted_at)


def all_of(session: Session, *, period: tuple[date, date] | None = None) -> list[Bill]:
    """Every bill, or those whose period begins in some days, by period and account."""
    query = _bill if period is None else _bill.where(_b.period >= period[0], _b.period < period[1])
    return [_read(row) for row in session.execute(query.order_by(_b.period, _b.account))]


def find(session: Session, name: BillName) -> Bill | None:
    row = session.execute(_bill.where(_b.account == name.account, _b.period == name.period)).one_or_none()
    return _read(row) if row else None


def get(session: Session, bill_id: int) -> Bill | None:
    row = session.execute(_bill.where(_b.id == bill_id)).one_or_none()
    return _read(row) if row else None


def lock(session: Session, bill_id: int) -> None:
    """Hold a bill until the transaction ends: one import of it at a time posts."""
    session.execute(sa.select(_b.id).where(_b.id == bill_id).with_for_update()).one()


def open_(session: Session, name: BillName, file: File) -> Bill:
    """A bill, which is opened with a file if there is none; held until the transaction ends."""
    row = (name.account, bulk.day_codec(session)(name.period), file.id, 0, 0)
    bulk.insert_missing(session, bills, ("account", "period", "file_id", "rows", "nano_usd"), [row])
    found = find(session, name)
    assert found is not None  # noqa: S101 - it was inserted, by us or by another session
    lock(session, found.id)
    return found


def stand(session: Session, bill_id: int, file: File, whole: Sum) -> None:
    """What stands of a bill is from a file, and has yet to be posted."""
    values = {"file_id": file.id, "rows": whole.rows, "nano_usd": whole.nano_usd, "posted_at": None}
    session.execute(sa.update(bills).where(_b.id == bill_id).values(values))


def settle(session: Session, bill_id: int, now: datetime) -> None:
    """Everything of a bill is posted."""
    session.execute(sa.update(bills).where(_b.id == bill_id).values(posted_at=now))


def under_way(session: Session) -> list[Bill]:
    """Bills whose import is not done."""
    return [_read(row) for row in session.execute(_bill.where(_b.posted_at.is_(None)).order_by(_b.id))]


class Line(NamedTuple):
    """A line of a bill; its key stays what it was, also where the line names nobody any more."""

    key: bytes
    place: Place
    cost: Sum


def lines(session: Session, bill_id: int) -> dict[bytes, Line]:
    """What stands of a bill by its keys, also what is nothing by now."""
    query = sa.select(_l.key, *_PLACE, _l.rows, _l.nano_usd, _l.rest).where(_l.bill_id == bill_id)
    found = {}
    for key, *place, rows, nano, rest in session.execute(query):
        cost = Sum(int(rows), int(nano) * ATTO_PER_NANO + int(rest))
        found[bytes(key)] = Line(bytes(key), Place(*place), cost)
    return found


def add(session: Session, bill_id: int, fresh: Iterable[Line]) -> None:
    """Lines that were not there before."""
    day = bulk.day_codec(session)
    rows = [(bill_id, one.key, *one.place._replace(day=day(one.place.day)), *_amounts(one), 0) for one in fresh]
    bulk.insert(session, bill_lines, ("bill_id", "key", *Place._fields, *_AMOUNTS, "posted_nano_usd"), rows)


def change(session: Session, bill_id: int, changed: Iterable[Line]) -> None:
    """What lines come to by now."""
    rows = [(bill_id, one.key, *_amounts(one)) for one in changed]
    bulk.update(session, bill_lines, ("bill_id", "key", *_AMOUNTS), rows, key=2)


def _amounts(one: Line) -> tuple[int, ...]:
    return (one.cost.rows, *divmod(one.cost.atto_usd, ATTO_PER_NANO), owed(one.place, one.cost))


def rows_of(session: Session, bill_id: int, keys: Sequence[bytes]) -> int:
    """How many rows some lines stand for."""
    return sum(
        int(
            session.execute(
                sa.select(sa.func.coalesce(sa.func.sum(_l.rows), 0)).where(_l.bill_id == bill_id, _l.key.in_(some))
            ).scalar_one()
        )
        for some in bulk.chunks(keys, 500)
    )


class Due(NamedTuple):
    """A line whose usage is not posted as it stands."""

    key: bytes
    place: Place
    owed: int


def due(session: Session, bill_id: int, limit: int) -> list[Due]:
    """The first of them, by day."""
    # In the words of the index, which is of these lines alone.
    query = sa.select(_l.key, *_PLACE, _l.owed_nano_usd).where(
        _l.bill_id == bill_id, sa.text("owed_nano_usd <> posted_nano_usd")
    )
    rows = session.execute(query.order_by(_l.day, _l.key).limit(limit))
    return [Due(bytes(key), Place(*place), owes) for key, *place, owes in rows]


def has_due(session: Session, bill_id: int) -> bool:
    """Whether there are any."""
    return bool(due(session, bill_id, 1))


def note_posted(session: Session, bill_id: int, some: Sequence[Due]) -> None:
    """What was reported as usage of some lines."""
    rows = [(bill_id, one.key, one.owed) for one in some]
    bulk.update(session, bill_lines, ("bill_id", "key", "posted_nano_usd"), rows, key=2)


def forget_person(session: Session, names: Iterable[str], person_id: str) -> None:
    """Lines that name somebody name an id, and are known by what they were known by."""
    told = sa.func.lower(_l.person).in_([name.lower() for name in names])
    session.execute(sa.update(bill_lines).where(told).values(person=person_id))
