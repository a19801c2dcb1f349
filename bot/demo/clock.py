"""The demo's time: the real one and an offset that the calendar's buttons enlarge, kept beside the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class DemoClock:
    """Runs with the real time; while the company lives through days in a moment, it is held at each of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = timedelta(seconds=float(path.read_text())) if path.exists() else timedelta(0)
        self._held: datetime | None = None

    def __call__(self) -> datetime:
        return self._held or datetime.now(UTC) + self._offset

    def hold(self, instant: datetime) -> None:
        """Stand at an instant. Time never goes back: an earlier one than now changes nothing."""
        self._held = max(instant, self._held or instant)

    def go_on(self) -> None:
        """Run again from where it was held; the next start of the demo goes on from there."""
        if self._held is not None:
            self._offset = max(self._held - datetime.now(UTC), self._offset)
            self._path.write_text(str(self._offset.total_seconds()))
            self._held = None
