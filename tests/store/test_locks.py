"""Locks are taken in one order. Whatever tests do at once is watched for it; these show that the watch sees."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from store import locks
from store.exceptions import requests
from store.handbook import proposals
from store.ledger import ledger
from store.locks import ORDER, Lock
from store.usage import versions
from tests.support import lock_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from store.engine import Session

TAKEN: dict[str, Callable[[Session], object]] = {
    "sources": lambda session: locks.hold_sources(session, "usage", ["litellm-eu"]),
    "quarantine": lambda session: versions.waiting(session, [("litellm-eu", "1")]),
    "requests": lambda session: requests.lock(session, "xr_0"),
    "handbooks": lambda session: locks.hold(session, Lock.HANDBOOKS),
    "handbook_proposals": lambda session: proposals.lock(session, "hp_0"),
    "grants": lambda session: locks.hold(session, Lock.GRANTS),
    "values": lambda session: locks.hold(session, Lock.VALUES),
    "accounts": lambda session: ledger.lock(session, [1]),
    "audit": lambda session: locks.hold(session, Lock.AUDIT),
}


def test_every_lock_has_its_place_in_the_order() -> None:
    """No one adds a lock without saying what comes before it."""
    assert {lock.name.lower() for lock in Lock} <= set(ORDER)
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize(("first", "second"), list(itertools.pairwise(sorted(TAKEN, key=ORDER.index))))
def test_locks_out_of_order_are_seen(app_on_postgres: App, first: str, second: str) -> None:
    """Each lock can follow the one before it, also again, and never the other way round."""
    lock_order.watch(app_on_postgres.database)
    with app_on_postgres.database.transaction() as session:
        TAKEN[first](session)
        TAKEN[second](session)
        TAKEN[first](session)
    with app_on_postgres.database.transaction() as session:
        TAKEN[second](session)
        with pytest.raises(AssertionError, match=f"{first} is taken after .*{second}"):
            TAKEN[first](session)


def test_a_lock_is_held_until_the_transaction_ends(app_on_postgres: App) -> None:
    """Whoever comes second waits for the first, and no longer than that."""
    with app_on_postgres.database.transaction() as session:
        locks.hold(session, Lock.GRANTS)
        with app_on_postgres.database.transaction() as other:
            free = other.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (int(Lock.GRANTS),)).scalar_one()
        assert free is False
    with app_on_postgres.database.transaction() as other:
        assert other.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (int(Lock.GRANTS),)).scalar_one() is True
