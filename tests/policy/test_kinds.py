"""What the kinds of entries and lots mean, as the database has always named them."""

from __future__ import annotations

from policy.kinds import EntryKind, LotKind, Meaning


def test_every_kind_of_entry_has_a_meaning() -> None:
    """What came into a wallet was granted; the rest was used, lapsed, taken back, or debt written off."""
    assert {kind.value: kind.meaning for kind in EntryKind} == {
        "grant": Meaning.GRANTED,
        "exception": Meaning.GRANTED,
        "appeal": Meaning.GRANTED,
        "usage": Meaning.USED,
        "reversal": Meaning.USED,
        "expiry": Meaning.LAPSED,
        "lapse": Meaning.LAPSED,
        "return": Meaning.TAKEN_BACK,
        "netting": Meaning.TAKEN_BACK,
        "write_off": Meaning.WRITTEN_OFF,
    }


def test_only_what_is_left_of_an_exception_returns_to_the_pool() -> None:
    """An exception was drawn from the pool; grants, gifts and what an appeal gave back expire."""
    assert {kind.value for kind in LotKind if kind.returns_to_pool} == {"exception"}
    assert {kind.value for kind in LotKind} == {"grant", "manual", "exception", "appeal", "returned"}
