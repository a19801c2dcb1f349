"""A gate between phases as its board sees it: one rendering of its card, and words for its criteria."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from policy.counting import many
from policy.gates import EXTEND, GO_ON, QUARANTINED, STOP, USING
from templates import formats, render, roi

if TYPE_CHECKING:
    from policy.gates import Criterion
    from policy.period import Month
    from templates.render import Message
    from views.gates import GateCard

LINES_OF_EVIDENCE = 3
SAID = {GO_ON: "to go on", EXTEND: "to extend", STOP: "to stop"}
WANTED = {
    "anything": "a report of the return",
    "not_against": "the return is not established to be negative",
    "pays": "it pays, with both ends of the interval",
}
FOUND = {"pays": "it pays", "does_not_pay": "it does not pay", "not_established": "not established whether it pays"}


def card(shown: GateCard) -> Message:
    return render.message("gates/card", **_shown(shown))


def note(shown: GateCard, occasion: str) -> Message:
    """A word in the thread about what became of it."""
    return render.message("gates/note", occasion=occasion.partition(":")[0], **_shown(shown))


def unasked(phase: int, month: Month, needed: int, *, stands_still: bool) -> Message:
    """That a phase is to begin, and the board is too small to be asked: so many would have to agree."""
    return render.message("gates/unasked", phase=phase, month=month, needed=needed, stands_still=stands_still)


def _shown(shown: GateCard) -> dict[str, object]:
    return {
        "card": shown,
        "gate": shown.gate,
        "evidence": roi.lines(shown.shown.report)[:LINES_OF_EVIDENCE] if shown.shown else [],
        "criteria": [words(one) for one in shown.gate.criteria if shown.shown],
        "met": sum(one.met is True for one in shown.gate.criteria),
        "votes": votes(shown),
        "needed": shown.gate.panel.needed,
    }


def words(one: Criterion) -> str:
    """`met: at least 50 % of teams used tokens in the last month (7 of 8)`."""
    return f"{'met' if one.met else 'not known' if one.met is None else 'not met'}: {_asked(one)}"


def _asked(one: Criterion) -> str:
    if one.code == USING:
        using, _, teams = one.found.partition("/")
        share = formats.percent(Decimal(one.wanted))
        return f"at least {share} of teams in the programme used tokens ({using} of {teams})"
    if one.code == QUARANTINED:
        return f"at most {int(one.wanted):,} usage events in quarantine ({many(int(one.found), 'event')})"
    return f"{WANTED[one.wanted]} ({FOUND[one.found]})"


def votes(shown: GateCard) -> str:
    """`2 to go on, 1 to stop`."""
    cast = [f"{shown.counts[choice]} {SAID[choice]}" for choice in (GO_ON, EXTEND, STOP) if shown.counts.get(choice)]
    return ", ".join(cast) or "0 votes so far"
