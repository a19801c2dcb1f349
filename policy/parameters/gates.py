"""What has to be so before phases 2 and 3 of the roll-out begin, and when the board is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from policy.declared import Between, OneOf, Share

ANYTHING, NOT_AGAINST, PAYS = "anything", "not_against", "pays"
VERDICTS = (ANYTHING, NOT_AGAINST, PAYS)


@dataclass(frozen=True, slots=True)
class GateRules:
    """When the board is asked, and the criteria that it is shown beside the evidence."""

    days_before: Annotated[int, Between(1, 28)]
    teams_using: Share
    most_quarantined: Annotated[int, Between(0, 1_000_000_000)]
    verdict_before_phase_2: Annotated[str, OneOf(VERDICTS)]
    verdict_before_phase_3: Annotated[str, OneOf(VERDICTS)]

    def verdict_before(self, phase: int) -> str:
        return self.verdict_before_phase_2 if phase == 2 else self.verdict_before_phase_3  # noqa: PLR2004 - the phase
