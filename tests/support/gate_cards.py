"""Cards of gates between phases, as goldens show them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from policy import gates as rules
from policy import handbook
from policy.exceptions import Electorate, Seat
from policy.gates import EXTEND, GO_ON, STOP
from policy.period import Month
from templates import gates, render
from tests.support import roi
from tests.support.letters import ENDLESS, HOSTILE
from views.gates import EXTENDED, OPEN, PASSED, STOPPED, Gate, GateCard, GateReceipt
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from templates.render import Message
    from tests.support.roi import Planted

SEATS = (Seat("per_1", "member"), Seat("per_2", "member"), Seat("per_3", "reserve", is_finance=True))
IRIS, OMAR, TESS = PersonName("Iris Tan", "U0IRIS"), PersonName("Omar Haddad", "U0OMAR"), PersonName("Tess Roy", None)
BOOK = handbook.parse(handbook.packaged())
MAY = Month(2028, 5)


def shown(planted: Planted, **more: object) -> GateCard:
    """Before phase 3, with the votes of one."""
    report = roi.shown(planted)
    found = rules.criteria(3, report.report, roi.rows(planted), BOOK.gates)
    panel = Electorate(SEATS, 2, needs_finance=True, stage=0)
    asked = datetime(2028, 4, 16, 7, tzinfo=UTC)
    gate = Gate("3:2028-05", 3, MAY, OPEN, 1, asked, Month(2028, 3), found, panel, None, None)
    return dataclasses.replace(
        GateCard(gate, report, {GO_ON: 1}, (), (OMAR, TESS), None, begins=MAY, is_late=False),
        **more,  # type: ignore[arg-type]
    )


def decided(state: str, **more: object) -> GateCard:
    card = shown(roi.PAYS, awaited=(TESS,), decided_by=OMAR, **more)
    at = datetime(2028, 4, 20, 9, 30, tzinfo=UTC)
    return dataclasses.replace(
        card, gate=dataclasses.replace(card.gate, state=state, decided_at=at, decided_by="per_2")
    )


def said_by(words: str) -> GateCard:
    """Whoever may write anything has written this."""
    who = PersonName(words, None)
    return shown(roi.PAYS, reasons=((who, words), (who, words), (who, words)), awaited=(who,) * 9)


BECAUSE = ((IRIS, "June is missing in the figures"),)
WAITED = {"is_late": True, "begins": Month(2028, 6)}
CASES: dict[str, Callable[[], Message]] = {
    "gate": lambda: gates.card(shown(roi.PAYS)),
    "gate_against": lambda: gates.card(shown(roi.COSTS_MORE, counts={GO_ON: 1, STOP: 1}, reasons=BECAUSE)),
    "gate_of_few_teams": lambda: gates.card(shown(roi.FEW_TEAMS)),
    "gate_without_a_report": lambda: gates.card(dataclasses.replace(shown(roi.PAYS, counts={}), shown=None)),
    "gate_waits": lambda: gates.card(shown(roi.SPANS, **WAITED)),
    "gate_passed": lambda: gates.card(decided(PASSED)),
    "gate_extended": lambda: gates.card(decided(EXTENDED, reasons=BECAUSE, counts={EXTEND: 2})),
    "gate_stopped": lambda: gates.card(decided(STOPPED, reasons=BECAUSE, counts={STOP: 2})),
    "gate_hostile": lambda: gates.card(said_by(HOSTILE)),
    "gate_note_passed": lambda: gates.note(decided(PASSED), "passed"),
    "gate_note_extended": lambda: gates.note(decided(EXTENDED, begins=Month(2028, 6)), "extended"),
    "gate_note_stopped": lambda: gates.note(decided(STOPPED), "stopped"),
    "gate_note_waits": lambda: gates.note(shown(roi.PAYS, **WAITED), "waits:2028-05"),
    "gate_unasked": lambda: gates.unasked(3, MAY, 2, stands_still=True),
    "gate_unasked_by_the_calendar": lambda: gates.unasked(3, MAY, 2, stands_still=False),
    "gate_voted": lambda: voted(decided(PASSED)),
    "gate_voted_again": lambda: voted(shown(roi.PAYS), again=True),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {"gate": lambda: gates.card(said_by(ENDLESS))}


def voted(card: GateCard, *, again: bool = False) -> Message:
    return render.message("gates/voted", voted=GateReceipt(card.gate, GO_ON, again=again))


MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    f"gate_{choice}": lambda choice=choice: render.modal(
        "gates/reason", gate=shown(roi.PAYS).gate, choice=choice, private="{}"
    )
    for choice in (EXTEND, STOP)
} | {"gate_voted": lambda: render.modal("gates/voted", voted=GateReceipt(decided(PASSED).gate, STOP, again=False))}
