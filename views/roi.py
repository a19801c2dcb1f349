"""What people are shown of the return."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - read again by its annotation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policy.parameters.roi import RoiRules
    from policy.roi.report import Report


@dataclass(frozen=True, slots=True)
class FrozenReport:
    """A report with the handbook's assumptions, and the digest of all that it follows from."""

    report: Report
    rules: RoiRules
    made_at: datetime
    made_by: str
    digest: str
    is_kept: bool
    """Not, where it was only looked at."""
