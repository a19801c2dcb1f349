"""A gate as the board sees it: the evidence, the criteria, and how the votes stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from policy import gates
from programme import decisions
from programme.gates.deciding import GATE
from programme.roi import reports
from store.gates import records as store
from store.people import directory as people_store
from views.gates import GateCard
from views.people import PersonName

if TYPE_CHECKING:
    from programme.moment import Moment


def of(moment: Moment, gate_id: str) -> GateCard:
    gate = decisions.require_known(store.get(moment.session, gate_id), GATE, gate_id)
    votes = store.votes(moment.session, gate.id)
    voted = {one.seat for one in votes}
    awaited = [seat.person_id for seat in gate.panel.voting(gate.panel.stage) if seat.person_id not in voted]
    named = people_store.names(moment.session, {*voted, *awaited, gate.decided_by or ""})
    names = {person: PersonName(*name) for person, name in named.items()}
    return GateCard(
        gate=gate,
        shown=None if gate.through is None else reports.look(moment, gate.through, actor=""),
        counts=dict(Counter(one.choice for one in votes)),
        reasons=tuple((names[one.seat], one.reason) for one in votes if one.reason),
        awaited=tuple(names[person] for person in awaited),
        decided_by=names.get(gate.decided_by or ""),
        begins=gates.begins(gate.phase, moment.handbook.rollout) or gate.month,
        is_late=gate.month.first_day <= moment.today,
    )
