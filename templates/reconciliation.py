"""A difference with a vendor's bill as finance sees it: the one rendering of each, for every place."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from policy.period import Month
from policy.units import NanoUSD
from templates import formats, render

if TYPE_CHECKING:
    from templates.blocks import Block
    from templates.render import Message
    from views.reconciliation import FindingCard, Found, Question

VENDORS = {"openai": "OpenAI", "anthropic": "Anthropic"}
CAUSES = {
    "lost_events": "calls are missing here",
    "double_reports": "calls were reported twice",
    "cache_as_input": "cached input was counted as new input",
    "wrong_tier": "calls ran at another service tier than was reported",
    "batch": "calls ran as a batch, and were reported as usual ones",
    "day_cut": "calls were dated by a clock or a time zone that is off",
    "free_use": "some use is free",
    "price_list": "our price list is out of date",
    "in_quarantine": "usage waits in quarantine",
    "not_billed": "some models are not on this bill at all",
    "unexplained": "no single cause explains it",
}
NEXT = {
    "price_list": "Put the price into the handbook, then run `tokens-bot usage reprice`.",
    "in_quarantine": "`tokens-bot quarantine list` shows what it waits for.",
    "day_cut": "Set the gateway's clock, so that it does not happen again.",
    "cache_as_input": "Update the gateway, so that it does not happen again.",
}
WAYS = {
    "calls": ("Correct the calls", "the calls that were reported wrongly are corrected, each for its person"),
    "persons": ("Post it to those who used it", "it is posted to those who used these models, in proportion"),
    "pool": ("Post it to the shared pool", "it is posted to the shared pool"),
    "company": ("Post it to the company", "it is posted to the company; no one's tokens change"),
    "accept": ("Accept it", "nothing is changed"),
}
MOST_MODELS = 4


def card(shown: FindingCard) -> Message:
    """A difference for those who decide it; once it is decided, without buttons."""
    return render.message("reconciliation/card", **_view(shown))


def question(asked: Question) -> Message:
    return render.message("reconciliation/question", asked=asked, **_view(asked.card))


def correct(shown: FindingCard, *, private: str) -> Block:
    """The form in which a way to correct a difference is chosen."""
    ways = [(way, words) for way, (words, _) in WAYS.items() if way != "accept" and (way != "calls" or shown.can_mend)]
    return render.modal("reconciliation/correct", ways=ways, private=private, **_view(shown))


def accept(shown: FindingCard, *, private: str) -> Block:
    return render.modal("reconciliation/accept", private=private, **_view(shown))


def ask(shown: FindingCard, *, private: str) -> Block:
    return render.modal("reconciliation/ask", private=private, **_view(shown))


def done(shown: FindingCard) -> Block:
    """What became of it, in the place of the form."""
    return render.modal("reconciliation/done", **_view(shown))


def _view(shown: FindingCard) -> dict[str, object]:
    found = shown.found
    models = [(one["model"] or "no model named", NanoUSD(one["amount"])) for one in found.models]
    models.sort(key=lambda one: -abs(int(one[1])))
    decision = found.decision or {}
    amount = found.open_amount if found.is_undecided else found.amount
    return {
        "card": shown,
        "vendor": VENDORS.get(found.vendor, found.vendor),
        "month": formats.month(Month.parse(found.month)),
        "cause": CAUSES[found.cause],
        "next_step": NEXT.get(found.cause, ""),
        "evidence": found.evidence,
        "models": models[:MOST_MODELS],
        "left_out": max(len(models) - MOST_MODELS, 0),
        "first": date.fromisoformat(found.first),
        "last": date.fromisoformat(found.last),
        "amount": NanoUSD(abs(int(amount))),
        "charges_more": amount >= 0,
        "moves_only": abs(int(amount)) * 10 < int(found.moved),
        "way": WAYS[decision["way"]][1] if decision else "",
        "reason": decision.get("reason", ""),
        "button_value": button_value(found),
    }


def button_value(found: Found) -> str:
    """What a button carries: which difference, and at which revision it was read."""
    return f"{found.revision}:{found.id}"
