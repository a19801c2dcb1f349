"""The token value of a quarter: adopted once, then frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.valuation import TokenValue, fixed_value
from store import reference

if TYPE_CHECKING:
    from datetime import datetime

    from policy.period import Quarter
    from programme.handbooks import Handbooks
    from store.engine import Session


def value_of(session: Session, quarter: Quarter, handbooks: Handbooks, *, now: datetime) -> TokenValue:
    """The quarter's value; the first to ask adopts the one that the handbook fixes."""
    adopted = reference.value_of(session, quarter)
    if adopted is None:
        book = handbooks.on(quarter.first_day)
        reference.adopt_value(session, fixed_value(quarter, book), handbook_version=book.version, now=now)
        adopted = reference.value_of(session, quarter)
    assert adopted is not None  # noqa: S101 - we have just adopted it, or another session has
    return adopted
