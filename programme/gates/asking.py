"""Asking the board whether the next phase may begin: with the report of the return, and the handbook's criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import gates
from policy.period import Month
from policy.reasons import Refusal
from policy.reviews import votes as reviews_votes
from programme.gates import notices
from programme.people import board
from programme.roi import reports
from store import audit
from store.audit import POLICY
from store.gates import records as store
from store.roi import reports as reports_store
from views.gates import OPEN, Gate

if TYPE_CHECKING:
    from programme.moment import Moment
    from views.roi import FrozenReport


def gate_id(phase: int, month: Month) -> str:
    return f"{phase}:{month}"


def ask(moment: Moment, phase: int, month: Month) -> Gate:
    """Ask about a phase that would begin with a month; a Refusal while the board is too small to decide."""
    book = moment.handbook
    panel = reviews_votes.panel_of(board.seats(moment), book.exceptions)
    shown = _evidence(moment)
    through = None if shown is None else Month.parse(shown.report.basis.through)
    kept = None if through is None else reports_store.get(moment.session, through)
    found = gates.criteria(phase, shown.report if shown else None, kept.rows if kept else (), book.gates)
    gate = Gate(gate_id(phase, month), phase, month, OPEN, 1, moment.now, through, found, panel, None, None)
    store.insert(moment.session, gate, handbook_version=book.version)
    after: dict[str, object] = {
        "seats": store.plain_seats(panel),
        "needed": panel.needed,
        "through": None if through is None else str(through),
    }
    audit.note(moment.session, POLICY, store.ASKED, gate.id, at=moment.now, after=after, handbook_version=book.version)
    notices.tell_of_card(moment, gate)
    return gate


def _evidence(moment: Moment) -> FrozenReport | None:
    """The report through the last month that is over; None where there is nothing to report of."""
    try:
        return reports.make(moment, None, actor=POLICY)
    except Refusal:
        return None
