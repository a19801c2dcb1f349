"""What moves a grant's weight besides level and use: projects, and the group of the annual review."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from policy.reasons import Reason


@dataclass(frozen=True, slots=True)
class Assignment:
    """A project that someone works on, its complexity, and the share of their work in permille."""

    name: str
    complexity: str
    share_permille: int


@dataclass(frozen=True, slots=True)
class Annual:
    """What the annual review of a year says of someone: the group, and its factor in the handbook."""

    year: int
    group: str
    factor: Decimal

    @property
    def reason(self) -> Reason:
        figures = {"factor": f"{self.factor:f}", "group": self.group, "year": str(self.year)}
        return Reason("annual", f"your group in the annual review of {self.year}", figures)


def annual_factor(annual: Annual | None) -> Decimal:
    """A: the factor of someone's group; 1 where no annual review counts."""
    return Decimal(1) if annual is None else annual.factor
