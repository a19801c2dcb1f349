"""Appeals against the annual review as people see them: cards, words to the person, forms."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from policy.period import Month
from policy.units import MicroTokens
from policy.weights import Annual
from programme.appeals import annual
from programme.appeals.annual import SILENCE
from programme.grants import monthly
from programme.reviews import annual as groups
from store.people import directory as people_store
from templates import appeals as shown
from templates import render
from tests.support import rollout
from tests.support.books import ADA, BEN
from tests.support.letters import ENDLESS, HOSTILE
from views.appeals import AnnualAppeal, AnnualCard, AnnualDuty
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from programme.moment import Moment
    from store.people.directory import Person
    from templates.render import Message

JANUARY = Month(2027, 1)
GROUPS = '[[sizing.annual]]\nname = "above"\nfactor = 1.05\n[[sizing.annual]]\nname = "below"\nfactor = 0.95\n'
TENTH = datetime(2027, 1, 10, 12, tzinfo=UTC)
IRIS_MAIL, OMAR_MAIL = "iris@example.com", "omar@example.com"


def person(moment: Moment, email: str) -> Person:
    found = people_store.by_email(moment.session, email)
    assert found is not None
    return found


def run(app: App, month: Month) -> None:
    with app.transaction(datetime(month.year, month.month, 1, 9, tzinfo=UTC)) as moment:
        monthly.run(moment, month)


def settle(app: App, *below: str) -> None:
    """Ben, or some people, are in the group below from January on, and Ada above; all have January's grant."""
    rollout.launch(app, changes={"[lots]\n": f"{GROUPS}[lots]\n"})
    rows = "".join(f"{email},below\n" for email in below or (BEN,))
    with app.transaction() as moment:
        file = io.StringIO(f"email,group\n{ADA},above\n{rows}")
        groups.import_csv(moment, file, year=2026, month=JANUARY, by=OMAR_MAIL)
    run(app, Month(2026, 12))
    run(app, JANUARY)


def appeal(app: App, who: str = BEN, at: datetime = TENTH) -> AnnualAppeal:
    with app.transaction(at) as moment:
        return annual.file(moment, person(moment, who), "I was on leave in May.")


# --- As people see them --------------------------------------------------------------------------------------------

FILED = TENTH
APPEAL = AnnualAppeal(
    year=2026,
    person_id="per_ben",
    revision=1,
    state="open",
    reason="I was on leave in May and June.",
    filed_at=FILED,
    decide_by=FILED + timedelta(days=14),
    remind_at=None,
    decided_at=None,
    decided_by=None,
    decision_reason=None,
    counts_from=None,
    entry_id=None,
)
SEEN = "The leave was not counted."
IRIS = PersonName("Iris Tan", "U0IRIS")
OPEN = AnnualCard(
    appeal=APPEAL,
    annual=Annual(2026, "below", Decimal("0.95")),
    holds_from=Month(2027, 1),
    person=PersonName("Ben Okafor", "U0BEN"),
    decided_by=None,
    deciders=(IRIS, PersonName("Tess Novak", "U0TESS")),
    credited=None,
)


def decided(
    state: str, *, by: str = "per_iris", reason: str = "The leave was not counted.", tokens: str = ""
) -> AnnualCard:
    counts_from = Month(2027, 2) if state == "rejected" else None
    ended = dataclasses.replace(
        APPEAL,
        state=state,
        decided_at=FILED + timedelta(days=2),
        decided_by=by,
        decision_reason=reason,
        counts_from=counts_from,
    )
    credited = MicroTokens.parse(tokens) if tokens else None
    return dataclasses.replace(
        OPEN, appeal=ended, deciders=(), decided_by=None if by == "policy" else IRIS, credited=credited
    )


def told(text: str) -> AnnualCard:
    """A card in which people wrote the same text wherever they can."""
    return dataclasses.replace(
        OPEN,
        appeal=dataclasses.replace(APPEAL, reason=text),
        annual=dataclasses.replace(OPEN.annual, group=text),
        person=PersonName(text, None),
        deciders=(PersonName(text, None),) * 20,
    )


def duty(card: AnnualCard) -> AnnualDuty:
    """The appeal of a card among what waits for a reader."""
    return AnnualDuty(card.appeal, card.annual, card.holds_from, card.person)


DUTY = duty(OPEN)
BY_SILENCE = decided("upheld", by="policy", reason=SILENCE, tokens="4700")
CASES: dict[str, Callable[[], Message]] = {
    "annual_card": lambda: shown.annual_card(OPEN),
    "annual_card_reminds": lambda: shown.annual_card(OPEN, "remind"),
    "annual_card_nobody": lambda: shown.annual_card(dataclasses.replace(OPEN, deciders=())),
    "annual_card_overdue": lambda: shown.annual_card(dataclasses.replace(OPEN, is_overdue=True)),
    "annual_card_upheld": lambda: shown.annual_card(decided("upheld")),
    "annual_card_rejected": lambda: shown.annual_card(decided("rejected")),
    "annual_card_by_silence": lambda: shown.annual_card(BY_SILENCE),
    "annual_card_hostile": lambda: shown.annual_card(told(HOSTILE)),
    "annual_mine": lambda: shown.annual_mine(OPEN),
    "annual_mine_rejected": lambda: shown.annual_mine(decided("rejected")),
    "annual_note_upheld": lambda: shown.annual_note(decided("upheld", tokens="4700")),
    "annual_note_by_silence": lambda: shown.annual_note(BY_SILENCE),
    "annual_note_rejected": lambda: shown.annual_note(decided("rejected")),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "annual_card": lambda: shown.annual_card(told(ENDLESS)),
    "annual_note": lambda: shown.annual_note(decided("rejected", reason=ENDLESS)),
}
MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    "annual_appeal": lambda: shown.appealing_annual(OPEN.annual, APPEAL.decide_by),
    "annual_uphold": lambda: shown.deciding_annual(OPEN, upheld=True, private=""),
    "annual_reject_hostile": lambda: shown.deciding_annual(told(HOSTILE), upheld=False, private=""),
    "annual_decided": lambda: render.modal("appeals/annual_decided", appeal=decided("rejected").appeal),
}
