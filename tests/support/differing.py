"""Differences with vendors' bills, as cards and forms."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from policy.units import NanoUSD
from templates import reconciliation
from tests.support.letters import ENDLESS, HOSTILE
from views.people import PersonName
from views.reconciliation import FindingCard, Found, Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.blocks import Block
    from templates.render import Message

NOW = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)
OMAR, FAY = PersonName("Omar Haddad", "U0OMAR"), PersonName("Fay Ito", "U0FAY")


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


def _model(name: str, amount: str, *days: str, **counts: int) -> dict[str, Any]:
    return {"model": name, "on": list(days), "counts": counts, "amount": int(usd(amount))}


def _content(code: str, text: str, *models: dict[str, Any]) -> dict[str, Any]:
    return {"models": list(models), "evidence": [{"code": code, "text": text, "figures": {"notes": ""}}]}


LOST = FindingCard(
    found=Found(
        id="anthropic:2026-10:lost_events:litellm-eu",
        vendor="anthropic",
        month="2026-10",
        cause="lost_events",
        source="litellm-eu",
        revision=1,
        state="open",
        amount=usd("812.4"),
        moved=usd("812.4"),
        settled=usd("0"),
        content=_content(
            "lost_events",
            "The vendor counted more than litellm-eu reported, in every count alike.",
            _model("claude-sonnet-4-5", "700.4", "2026-10-12", "2026-10-13", output=44_000_000),
            _model("claude-haiku-4-5", "112", "2026-10-12", output=20_000_000),
        ),
        found_at=NOW,
    ),
    chosen_by=None,
    confirmed_by=None,
    can_mend=False,
    needs_two=True,
    is_closed=False,
)


def _with(card: FindingCard, **changes: Any) -> FindingCard:  # noqa: ANN401 - fields of what was found
    return dataclasses.replace(card, found=dataclasses.replace(card.found, **changes))


def _decided(card: FindingCard, state: str, way: str, **changes: Any) -> FindingCard:  # noqa: ANN401 - as above
    decision = {"way": way, "reason": "The gateway was down for a night"}
    done = dataclasses.replace(card, chosen_by=OMAR)
    return _with(done, state=state, decision=decision, decided_at=NOW, **changes)


CACHED = _with(
    dataclasses.replace(LOST, can_mend=True, needs_two=False),
    id="openai:2026-11:cache_as_input:litellm-eu",
    vendor="openai",
    month="2026-11",
    cause="cache_as_input",
    amount=usd("-41.05"),
    moved=usd("41.05"),
    content=_content(
        "cache_as_input",
        "Input is too high by what was read from the cache; everything else agrees.",
        _model("gpt-5", "-41.05", "2026-11-02", input_uncached=-33_000_000),
    ),
)
CLOCK = _with(
    CACHED,
    id="openai:2026-11:day_cut:litellm-us",
    cause="day_cut",
    source="litellm-us",
    amount=usd("-0.8"),
    moved=usd("96.2"),
    content=_content(
        "day_cut",
        "The days agree once the calls of litellm-us are put -1 h; the month nearly does as it is.",
        _model("gpt-5", "-0.8", "2026-11-01", "2026-11-02", output=0),
    ),
)
_MANY = [_model(f"model-{n}", f"{n}.5", "2026-10-02") for n in range(1, 9)]


def hostile(said: str) -> FindingCard:
    return _with(
        _decided(LOST, "accepted", "accept"),
        id=f"anthropic:2026-10:lost_events:{said}",
        source=said,
        content=_content("lost_events", said, *_MANY, _model(said, "1", "2026-10-02")),
        decision={"way": "accept", "reason": said},
    )


CASES: dict[str, Callable[[], Message]] = {
    "finding_lost": partial(reconciliation.card, LOST),
    "finding_cache": partial(reconciliation.card, CACHED),
    "finding_clock": partial(reconciliation.card, CLOCK),
    "finding_waiting": partial(reconciliation.card, _decided(LOST, "waiting", "persons")),
    "finding_accepted": partial(reconciliation.card, _decided(LOST, "accepted", "accept")),
    "finding_corrected": partial(
        reconciliation.card,
        dataclasses.replace(
            _decided(LOST, "corrected", "company", settled=usd("812.4")), confirmed_by=FAY, is_closed=True
        ),
    ),
    "finding_gone": partial(reconciliation.card, _with(LOST, state="gone", decided_at=NOW)),
    "finding_hostile": partial(reconciliation.card, hostile(HOSTILE)),
    "finding_question": partial(
        reconciliation.question,
        Question(card=LOST, asked_by=OMAR, text="Was litellm-eu down in the night of the twelfth?"),
    ),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "finding": partial(reconciliation.card, hostile(ENDLESS)),
    "finding_question": partial(
        reconciliation.question, Question(card=hostile(ENDLESS), asked_by=PersonName(ENDLESS, None), text=ENDLESS)
    ),
}
MODALS: dict[str, Callable[[], Block]] = {
    "finding_accept": partial(reconciliation.accept, LOST, private="{}"),
    "finding_correct": partial(reconciliation.correct, CACHED, private="{}"),
    "finding_ask": partial(reconciliation.ask, LOST, private="{}"),
    "finding_done": partial(reconciliation.done, _decided(LOST, "waiting", "persons")),
}
