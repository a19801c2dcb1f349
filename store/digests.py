"""What an event is known by for ever: sixteen bytes made of its source and id, and the number that it was given.

They are stored, so both must stay as they are. PostgreSQL makes the digest itself where it joins, SQLite asks us.
"""

from __future__ import annotations

from datetime import UTC
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

if TYPE_CHECKING:
    from datetime import date, datetime

SIZE, HEAD = 16, 6
"""Bytes of a digest, and those at its beginning that calls of one id and second share."""
A_MONTH = 1_000_000_000_000
"""Numbers of a month: the 17th event of a ledger, if it is of November 2026, is 202611_000000000017."""
FUNCTION = "usage_digest"
"""What connections to SQLite call it."""
_MICROSECONDS = 6
"""Digits of a time in microseconds that are less than a second."""


def digest(source: str, event_id: str) -> bytes:
    """The key of an event; events that may be two reports of one call have keys that begin alike."""
    whole = _hash(source, event_id)
    second = _of_second(event_id)
    return whole if second is event_id else _hash(source, second)[:HEAD] + whole[HEAD:]


def head(source: str, event_id: str) -> bytes:
    """What the digests of a call's reports begin with, that began in the same second."""
    return _hash(source, _of_second(event_id))[:HEAD]


def _hash(source: str, text: str) -> bytes:
    # With the length of the source no two pairs give one text.
    return sha256(f"{len(source)}:{source}{text}".encode()).digest()[:SIZE]


def _of_second(event_id: str) -> str:
    """`call@1764412345678901` up to the second, whatever else as it is."""
    began = event_id.rpartition("@")[2] if "@" in event_id else ""
    return event_id[:-_MICROSECONDS] if len(began) > _MICROSECONDS and began.isascii() and began.isdigit() else event_id


def month_of(instant: datetime) -> int:
    """The month in UTC of an instant, such as 202611."""
    at = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return at.year * 100 + at.month


def numbers_of(month: date) -> tuple[int, int]:
    """The numbers of a month: from, and up to the first one of a later month."""
    begin = (month.year * 100 + month.month) * A_MONTH
    return begin, begin + A_MONTH


class digest_of(sa.sql.functions.FunctionElement[bytes]):  # noqa: N801 - named as a function of SQL
    """The digest of a source and an id that stand in columns."""

    type = sa.LargeBinary()
    inherit_cache = True


@compiles(digest_of, "sqlite")
def _digest_of_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    return on_sqlite(*(compiler.process(clause, **more) for clause in element.clauses))


@compiles(digest_of, "postgresql")
def _digest_of_on_postgresql(element: Any, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    source, event_id = (compiler.process(clause, **more) for clause in element.clauses)
    return on_postgresql(source, event_id)


def on_sqlite(source: str, event_id: str) -> str:
    """The same of two expressions, in the words of SQLite, where each connection knows our function."""
    return f"{FUNCTION}({source}, {event_id})"


def on_postgresql(source: str, event_id: str) -> str:
    """The same in PostgreSQL's own words."""
    begun = rf"regexp_replace({event_id}, '(@[0-9]+)[0-9]{{{_MICROSECONDS}}}$', '\1')"
    named = f"length({source})::text || ':' || {source} || "
    first, rest = (f"sha256(convert_to({named}{text}, 'UTF8'))" for text in (begun, event_id))
    return f"(substring({first} FOR {HEAD}) || substring({rest} FROM {HEAD + 1} FOR {SIZE - HEAD}))"
