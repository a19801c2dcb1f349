"""What follows when Slack does not take a gate's card in the board's channel: each who is called gets a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from programme.gates import notices
from store.gates import records

if TYPE_CHECKING:
    from programme.moment import Moment


def note_parked(moment: Moment, gate_id: str) -> None:
    gate = records.get(moment.session, gate_id)
    if gate is not None and gate.is_waiting:
        notices.tell_in_private(moment, gate)
