"""What columns hold comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from store import bulk
from store.columns import Instant
from store.tables.people import people
from tests.support.books import ADA

if TYPE_CHECKING:
    from policy.units import Permille
    from programme.app import App


@pytest.mark.every_database
@pytest.mark.parametrize(
    "share", [1, 1000, Decimal("962.5"), Decimal("333.333333333333333"), Decimal("0.000000000000001")]
)
def test_a_share_of_a_post_keeps_all_its_digits(app: App, share: Permille) -> None:
    """No database makes a float of it, and a whole number is one again."""
    with app.database.transaction() as session:
        session.execute(sa.update(people).where(people.c.email == ADA).values(fte_permille=share))
    with app.database.reading() as session:
        found = session.execute(sa.select(people.c.fte_permille).where(people.c.email == ADA)).scalar_one()
    assert (found, type(found)) == (share, type(share))


@pytest.mark.every_database
@pytest.mark.parametrize("share", [0, -1, 1001, Decimal("1000.0001")])
def test_a_share_is_part_of_one_post(app: App, share: Permille) -> None:
    """The database itself refuses nothing, less than that, and more than a whole post."""
    with pytest.raises(IntegrityError), app.database.transaction() as session:
        session.execute(sa.update(people).where(people.c.email == ADA).values(fte_permille=share))


@pytest.mark.every_database
@pytest.mark.parametrize("microsecond", [0, 1, 100_000, 999_999])
def test_rows_in_bulk_have_instants_as_columns_write_them(app: App, microsecond: int) -> None:
    """Both say an instant alike, to the microsecond: SQLite compares texts."""
    instant = datetime(2026, 9, 1, 2, 3, 4, microsecond, tzinfo=UTC)
    with app.database.reading() as session:
        by_column = sa.cast(sa.literal(instant, Instant), sa.Text if session.dialect.name == "sqlite" else Instant)
        said = session.execute(sa.select(by_column)).scalar_one()
        assert bulk.instant_codec(session)(instant) == said
