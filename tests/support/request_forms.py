"""The forms about requests, as they are opened and with everything that may be wrong in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from handlers.exceptions.choices import Choice
from policy.exceptions import MEMBER, Electorate, Seat
from policy.kinds import LotKind
from policy.period import Month
from policy.units import NanoUSD
from programme.exceptions.asking import Preview
from programme.exceptions.questions import OUTCOMES
from programme.exceptions.voting import VoteReceipt
from store.exceptions.questions import Question
from templates import render
from tests.support.cards import (
    APPROVED,
    ASKED_AT,
    CREDITED,
    OPEN,
    REQUEST,
    SITUATION,
    STEPS,
    UNDER_WAY,
    hostile,
    tokens,
)
from tests.support.letters import HOSTILE, VALUE
from tests.support.requests import BOOK
from views.balance import BalanceCard, LotLine

if TYPE_CHECKING:
    from collections.abc import Callable


def lot(remaining: str, *, ends: datetime) -> LotLine:
    begins = ends - timedelta(days=92)
    return LotLine(LotKind.MONTHLY, "Grant", tokens("5000"), tokens(remaining), begins, ends)


FIRST_END, LAST_END = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)


def wallet(*lots: LotLine, debt: str = "0", used_before: bool = True) -> BalanceCard:
    """What someone has left."""
    left = sum((lot.remaining for lot in lots), tokens("0")) - tokens(debt)
    return BalanceCard(
        person_id="per_ben",
        name="Ben Okafor",
        zone=ZoneInfo("UTC"),
        value=VALUE,
        available=left,
        granted=tokens("5000") if lots else tokens("0"),
        debt=tokens(debt),
        lots=lots,
        coming=(),
        month=Month(2026, 11),
        spent_this_month=tokens("0"),
        services=(),
        outlook=None,
        used_before=used_before,
        now=ASKED_AT,
    )


WALLET = wallet(lot("120.35", ends=FIRST_END), lot("4000", ends=LAST_END))

WRONG = {
    "amount": "'5.000' can be read in two ways. Write 5,000 or 5.",
    "last_day": "2027-12-31 is too late. Choose a day from today to 2027-01-31.",
    "beneficiaries": "You named yourself. Name only others who will use the tokens, or no one.",
}


def form(
    text: str = "",
    *,
    amount: str = "150,000",
    problems: dict[str, str] | None = None,
    judged: bool = True,
    drafted: bool = False,
    balance: BalanceCard = WALLET,
) -> dict[str, Any]:
    """The form of a request, filled in with a text."""
    fields = {
        "amount": amount,
        "purpose": text or "Fine-tune the support model",
        "last_day": "2026-12-23",
        "project": "atlas",
        "service": "",
        "beneficiaries": ["U0ADA"],
        "incident": "",
    }
    panel = Electorate(tuple(Seat(f"per_{n}", MEMBER) for n in range(3)), 2, needs_finance=False, stage=0)
    return render.modal(
        "exceptions/form",
        form=fields,
        value=VALUE,
        balance=balance,
        has_projects=True,
        project=("atlas", (text or "Atlas")[:75]),
        services=Choice([("gpu-cluster", "GPU cluster")], None),
        break_glass=tokens("46850"),
        judged=Preview("standard", NanoUSD.parse("1530"), panel, STEPS, SITUATION, BOOK) if judged else None,
        preview_amount=tokens("150000") if judged else None,
        problems=problems or {},
        drafted_at=ASKED_AT if drafted else None,
    )


def asked() -> Question:
    return Question(12, REQUEST.id, "per_tess", "Why now?", ASKED_AT, None, None)


MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    "form": form,
    "form_begun": lambda: form(amount="", judged=False),
    "form_with_problems": lambda: form(amount="5.000", judged=False, problems=WRONG),
    "form_of_a_newcomer": lambda: form(amount="", judged=False, balance=wallet(used_before=False)),
    "form_of_someone_in_debt": lambda: form(balance=wallet(debt="52.5")),
    "form_of_someone_with_one_grant": lambda: form(balance=wallet(lot("4000", ends=LAST_END))),
    "form_with_hostile_problems": lambda: form(problems=dict.fromkeys(WRONG, HOSTILE)),
    "form_drafted": lambda: form(drafted=True),
    "form_hostile": lambda: form(HOSTILE),
    "receipt": lambda: render.modal("exceptions/receipt", card=UNDER_WAY),
    "receipt_of_a_break_glass": lambda: render.modal("exceptions/receipt", card=CREDITED),
    "less": lambda: render.modal("exceptions/less", card=OPEN, amount="150,000", private="{}"),
    "reject": lambda: render.modal("exceptions/reject", card=OPEN, private="{}"),
    "reject_a_break_glass": lambda: render.modal("exceptions/reject", card=CREDITED, private="{}"),
    "reject_hostile": lambda: render.modal("exceptions/reject", card=hostile(OPEN, HOSTILE), private="{}"),
    "ask": lambda: render.modal("exceptions/ask", card=OPEN, private="{}"),
    "answer": lambda: render.modal("exceptions/answer", question=asked(), private="12"),
    "outcome_form": lambda: render.modal(
        "exceptions/outcome_form", card=APPROVED, outcomes=list(OUTCOMES.items()), private="xr_1"
    ),
    "voted_form": lambda: render.modal(
        "exceptions/voted", voted=VoteReceipt(APPROVED.request, APPROVED.tally, "p", again=False)
    ),
    "closed": lambda: render.modal("exceptions/closed", title="Not done", text="Only the board decides."),
}
