"""What columns hold comes back as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

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
