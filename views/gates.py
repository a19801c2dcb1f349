"""Gates between phases, as the board sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from policy.gates import EXTEND, GO_ON, STOP, Ballot

if TYPE_CHECKING:
    from datetime import datetime

    from policy.exceptions import Electorate
    from policy.gates import Criterion
    from policy.period import Month
    from views.people import PersonName
    from views.roi import FrozenReport

OPEN, PASSED, EXTENDED, STOPPED = "open", "passed", "extended", "stopped"
STATE_OF = {GO_ON: PASSED, EXTEND: EXTENDED, STOP: STOPPED}


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate before a phase that would begin with `month`; `through` is the last month of its evidence, if any."""

    id: str
    phase: int
    month: Month
    state: str
    revision: int
    asked_at: datetime
    through: Month | None
    criteria: tuple[Criterion, ...]
    panel: Electorate
    decided_at: datetime | None
    decided_by: str | None

    @property
    def is_waiting(self) -> bool:
        """Whether the board can still let the phase begin: what was stopped may go on."""
        return self.state in {OPEN, STOPPED}


class GateVote(NamedTuple):
    """A vote as it was cast; `reason` of one that extends or stops."""

    seat: str
    cast_by: str
    choice: str
    reason: str | None
    cast_at: datetime

    @property
    def ballot(self) -> Ballot:
        return Ballot(self.seat, self.choice)


@dataclass(frozen=True, slots=True)
class GateCard:
    """A gate with its evidence and how the votes stand, by choice."""

    gate: Gate
    shown: FrozenReport | None
    counts: dict[str, int]
    reasons: tuple[tuple[PersonName, str], ...]
    awaited: tuple[PersonName, ...]
    decided_by: PersonName | None
    begins: Month
    """With which the phase begins, as far as is known now."""
    is_late: bool
    """Whether the month has come with which it would have begun."""


@dataclass(frozen=True, slots=True)
class GateReceipt:
    """A vote that counts; `again` when it was the same before."""

    gate: Gate
    choice: str
    again: bool
