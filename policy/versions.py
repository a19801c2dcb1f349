"""Versions of a usage event: what was reported, what corrects it, what withdraws it; the highest revision holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.metering import UsageEvent

REPORTED = 0
"""The revision of an event as it was first reported."""
LARGEST_REVISION = 10**9
LONGEST_REASON = 500
WITHDRAWN = b"withdrawn"

Action = Literal["report", "correct", "withdraw"]


class Version(NamedTuple):
    """A later version of an event: another content under the same source and id, or None where it is withdrawn."""

    source: str
    event_id: str
    revision: int
    event: UsageEvent | None
    reason: str

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.event_id

    @property
    def action(self) -> Action:
        return "withdraw" if self.event is None else "correct"

    @property
    def fingerprint(self) -> bytes:
        """Equal for versions that say the same, whatever their reasons."""
        return WITHDRAWN if self.event is None else self.event.fingerprint


def latest(versions: Iterable[Version]) -> Version | None:
    """The version that holds: order of arrival decides nothing."""
    return max(versions, key=lambda version: version.revision, default=None)
