"""Why a difference is thought to have its cause: the steps that a person would check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.reconciliation.books import Affected, Cause

SAID: dict[Cause, str] = {
    "lost_events": "The vendor counted more than {gateway} reported, in every count alike.",
    "double_reports": "{Gateway} reported more than the vendor counted, in every count alike.",
    "cache_as_input": "Input is too high by what was read from the cache; everything else agrees.",
    "wrong_tier": "All tiers together agree; they are spread otherwise ({note}).",
    "batch": "All tiers together agree; part of it ran as a batch ({note}).",
    "day_cut": "The days agree once the calls of {gateway} are put {note} h; the month nearly does as it is.",
    "free_use": "The counts agree, and the vendor charges nothing for them.",
    "price_list": "The counts agree; the vendor charges {note} times our price.",
    "in_quarantine": "The calls arrived and wait in quarantine: they are counted, and not posted yet.",
    "not_billed": "The vendor has no such model on its report: another organisation may pay for it.",
    "unexplained": "Some counts are higher and others lower, and no single cause makes both sides agree.",
}

DOUBLED = {
    "twice": "Half of it agrees exactly: each call seems to be reported twice.",
    "another": "Without {gateway} the days agree: another gateway reports the same calls.",
}
CACHED = {
    "overlap": "Input less what was read from the cache agrees exactly: the gateway counts cached input twice.",
    "uncounted": "Cached input is missing by as much: the gateway counts it as new input.",
}


def evidence(cause: Cause, source: str, models: Sequence[Affected], notes: Sequence[str]) -> tuple[Reason, ...]:
    """The reasons of a finding, the most telling first."""
    gateway = source or "the gateways"
    figures = {"source": source, "notes": ", ".join(notes), "days": str(max(len(one.on) for one in models))}

    def said(text: str) -> str:
        capital = gateway[0].upper() + gateway[1:]
        return text.format(gateway=gateway, Gateway=source or capital, note=_between(notes))

    reasons = [Reason(cause, said(SAID[cause]), figures)]
    more = {"double_reports": DOUBLED, "cache_as_input": CACHED}.get(cause, {})
    reasons += [Reason(f"{cause}.{note}", said(more[note])) for note in notes if note in more]
    return tuple(reasons)


def _between(notes: Sequence[str]) -> str:
    return notes[0] if len(notes) == 1 else f"{notes[0]} to {notes[-1]}" if notes else ""
