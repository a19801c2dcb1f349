"""The ledger posts balanced entries, burns lots in order and settles debt first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import MicroTokens
from programme import balance
from tests.support import cast

if TYPE_CHECKING:
    from programme.desk import Desk


def test_a_given_lot_is_the_balance(desk: Desk) -> None:
    """What was given is what is left, to the token."""
    cast.give(desk, "ada@example.com", "1500.25")
    with desk.reading() as session:
        card = balance.of_email(session, "ada@example.com", desk=desk, now=desk.clock())
    assert card is not None
    assert card.available == MicroTokens.parse("1500.25")
