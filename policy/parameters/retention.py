"""For how long what is held about people is kept, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 3_650
Days = Annotated[int, Between(0, LONGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """After how many days each kind goes; 0 keeps it, and so does a handbook that says nothing of it.

    What was taken away does not come back, so no release of the bot begins with it by itself: two people do.
    """

    drafts_days: Days = 0
    messages_days: Days = 0
    calls_days: Days = 0
    names_days: Days = 0
    outcomes_days: Days = 0
    texts_days: Days = 0
    leavers_days: Days = 0

    def days(self, kind: str) -> int:
        found: int = getattr(self, f"{kind}_days")
        return found

    @property
    def shortest(self) -> int:
        """Days before which nothing goes; 0 where nothing ever does."""
        return min((self.days(kind) for kind in KINDS if self.days(kind)), default=0)


LEAST = {"drafts": 1, "messages": 30, "calls": 92, "names": 92, "outcomes": 183, "texts": 183, "leavers": 92}
"""What is younger is still needed: to correct and reconcile a quarter, for its review and the appeals that follow."""
KINDS = tuple(LEAST)


def retention_contradictions(rules: RetentionRules) -> Iterator[str]:
    for kind, least in LEAST.items():
        if 0 < (days := rules.days(kind)) < least:
            yield f"retention.{kind}_days = {days}: expected 0 (kept) or at least {least}"
