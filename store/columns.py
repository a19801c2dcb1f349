"""Column types that hold what the design says of amounts and instants."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from policy.period import require_aware
from policy.units import Permille, as_permille

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Instant(sa.TypeDecorator[datetime]):
    """An instant: refuses naive datetimes, stores UTC, and returns aware UTC on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = require_aware(value).astimezone(UTC)
        # SQLite has no time zones: its text is UTC by this type's own convention.
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class PermilleColumn(sa.TypeDecorator[Permille]):
    """A share in thousandths with all its digits, which are kept as text: SQLite would make a float of them."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Permille | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else f"{Decimal(value):f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Permille | None:  # noqa: ARG002
        return None if value is None else as_permille(Decimal(value))


AmountColumn = sa.BigInteger
"""Micro-tokens or nano-USD."""

Identifier = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A number that the database hands out; SQLite does so only for columns spelled INTEGER."""

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
