"""What the calendar does about gates: it asks the board, and lets the roll-out stand still until the board has said.

A board that is too small to decide is told so instead, and asked once it is large enough.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from typing import TYPE_CHECKING

from policy import gates
from policy.exceptions import MAJOR
from policy.parameters.grants import BOARD
from policy.period import Month, first_instant
from programme.gates import asking, deciding, notices
from programme.people import small_board
from store.audit import POLICY
from store.gates import records as store
from views.gates import OPEN, PASSED, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from policy.parameters.grants import RolloutRules
    from programme.moment import Moment
    from views.gates import Gate

ASK, PAUSE, LET_OPEN = "ask", "pause", "open"
MORNING_HOUR = 9
Step = tuple[str, str, datetime]
"""(what it is about, step, instant)"""


def owed(moment: Moment, granted: str | None, begins_on: date) -> list[Step]:
    """What is due about the gates of phases that have not begun.

    `granted` is the last month whose grants were run, and `begins_on` the day since which the calendar is at work: a
    phase that began before is behind no gate.
    """
    if moment.handbook.rollout.launched_on is None:
        return []
    kept = store.latest(moment.session)
    steps: list[Step] = []
    for phase in gates.PHASES:
        month = gates.begins(phase, moment.handbook.rollout)
        gate = kept.get(phase)
        if month is None or month.first_day <= begins_on or (gate and gate.state == PASSED):
            continue
        if granted is not None and Month.parse(granted).first_day >= month.first_day:
            continue
        steps += _of(moment, phase, month, gate)
        break
    return steps


def _of(moment: Moment, phase: int, month: Month, gate: Gate | None) -> Iterator[Step]:
    """Of one gate: the next phase is behind this one, so nothing is due about its own."""
    rules = moment.handbook
    ask_at = datetime.combine(gates.asks_on(month, rules.gates), time(MORNING_HOUR), tzinfo=moment.zone)
    waits = gate is not None and gate.is_waiting
    gate_id = asking.gate_id(phase, month)
    if not waits and ask_at <= moment.now and not small_board.waits(moment, notices.about(gate_id), MAJOR):
        yield gate_id, ASK, ask_at
    stopped = gate is not None and gate.state == STOPPED
    for still in gates.stands_still(month, Month.containing(moment.today)):
        at = first_instant(still.first_day, moment.zone)
        if stopped or rules.rollout.gates == BOARD:
            yield f"{phase}:{still}", PAUSE, at
        elif gate is not None and gate.state == OPEN:
            yield gate.id, LET_OPEN, at
            return


def unasked(moment: Moment) -> list[tuple[int, Month]]:
    """The phases, and their months, about which the board should be asked, and can't, because it is too small."""
    kept = store.latest(moment.session)
    planned = [(phase, gates.begins(phase, moment.handbook.rollout)) for phase in gates.PHASES]
    return [
        (phase, month)
        for phase, month in planned
        if month is not None
        and month.first_day > moment.today
        and not ((gate := kept.get(phase)) and (gate.is_waiting or gate.state == PASSED))
        and small_board.waits(moment, notices.about(asking.gate_id(phase, month)), MAJOR)
    ]


def standing_still(rules: RolloutRules, steps: Iterable[Step]) -> RolloutRules:
    """The roll-out as it is once the steps are done."""
    months = [Month.parse(about.partition(":")[2]).first_day for about, step, _ in steps if step == PAUSE]
    return replace(rules, paused=(*rules.paused, *months)) if months else rules


def advance(moment: Moment, step: str, about: str) -> None:
    """Do a step, if it is still due: someone may have decided meanwhile."""
    phase, month = int(about.partition(":")[0]), Month.parse(about.partition(":")[2])
    gate = store.latest(moment.session).get(phase)
    if step == ASK:
        if gate is None or not gate.is_waiting:
            _ask(moment, phase, month)
    elif step == LET_OPEN:
        if gate is not None and gate.state == OPEN:
            deciding.close(moment, gate, PASSED, POLICY)
    elif gate is None or gate.state != PASSED:
        deciding.stand_still(moment, phase, month, gate)


def _ask(moment: Moment, phase: int, month: Month) -> None:
    if small_board.can_decide(moment, MAJOR):
        asking.ask(moment, phase, month)
    else:
        notices.tell_unasked(moment, asking.gate_id(phase, month))
