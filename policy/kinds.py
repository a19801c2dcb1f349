"""The kinds of entries and lots, in the words of the database."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class EntryKind(StrEnum):
    """What an entry of the ledger records."""

    GRANT = "grant"
    """A lot from the treasury: the monthly one, or one that an administrator gave."""
    EXCEPTION = "exception"
    APPEAL = "appeal"
    """What a cut took, given back because the appeal was upheld."""
    USAGE = "usage"
    REVERSAL = "reversal"
    """Usage that was posted wrongly, undone; what is right is posted anew, or nothing where it was withdrawn."""
    EXPIRY = "expiry"
    """What was left of lots when they ended, or when their owner left."""
    LAPSE = "lapse"
    """What was over the carry limit."""
    RETURN = "return"
    """What was unused of a break-glass when it was not ratified, into the pool."""
    NETTING = "netting"
    """What was used of it, taken off the next grant."""
    WRITE_OFF = "write_off"
    """What a leaver owed, which nobody will pay; and the same taken back where its usage was corrected since."""
    REVOCATION = "revocation"
    """What was unused of a lot that was given by hand and by mistake, back into the treasury."""


class LotKind(StrEnum):
    """Where a lot comes from."""

    MONTHLY = "grant"
    """The grant that the policy sizes."""
    MANUAL = "manual"
    EXCEPTION = "exception"
    APPEAL = "appeal"
    RETURNED = "returned"
    """What a reversal gives back where the lots that were burnt have ended."""

    @property
    def returns_to_pool(self) -> bool:
        """Whether what is left at its end goes into the shared pool, for others to ask for; else it expires."""
        match self:
            case LotKind.EXCEPTION:
                return True
            case LotKind.MONTHLY | LotKind.MANUAL | LotKind.APPEAL | LotKind.RETURNED:
                return False
            case _:
                assert_never(self)
