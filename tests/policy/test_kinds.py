"""What the kinds of entries and lots mean, as the database has always named them."""

from __future__ import annotations

from policy.kinds import LotKind


def test_only_what_is_left_of_an_exception_returns_to_the_pool() -> None:
    """An exception was drawn from the pool; grants, gifts and what an appeal gave back expire."""
    assert {kind.value for kind in LotKind if kind.returns_to_pool} == {"exception"}
    assert {kind.value for kind in LotKind} == {"grant", "manual", "exception", "appeal", "returned"}
