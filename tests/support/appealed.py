"""A company whose review is adopted, with a board of which some had a part in it; and appeals as people see them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from policy.period import Month, Quarter
from policy.reasons import Reason
from policy.reviews.ground import Ground
from policy.reviews.proposal import Case
from policy.units import MicroTokens, NanoUSD
from programme.appeals import deciding, filing
from programme.appeals.deciding import SILENCE
from programme.people import terms
from programme.reviews import effects
from store import audit
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews.votes import VOTED
from templates import appeals as shown
from templates import render, reviews
from tests.support import cast, played, reviewed
from tests.support import requests as asking
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from tests.support.reviewed import IDLE, Q4
from views.appeals import Appeal, Card, Duty
from views.people import PersonName
from views.reviews import Changed, ReviewedCase

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from templates.render import Message
    from tests.support.clock import Clock

FRIDAY = datetime(2027, 1, 15, 10, tzinfo=UTC)
"""Adopted then, it holds from February; appeals are possible until 5 February."""
FEBRUARY, MARCH = Month(2027, 2), Month(2027, 3)
FEBRUARY_FIRST, FEBRUARY_THIRD = datetime(2027, 2, 1, 9, tzinfo=UTC), datetime(2027, 2, 3, 9, tzinfo=UTC)


def settle(app: App, clock: Clock) -> None:
    """The company with its draft, and a board."""

    def play() -> None:
        reviewed.settle(app, clock)
        cast.hire(app, asking.ALTERNATES)
        with app.transaction(reviewed.MORNING) as moment:
            # Enough that no floor holds: a cut then takes something.
            terms.set_budget(moment, FEBRUARY, NanoUSD.parse("110000"), actor="test")
            reviewed.draft(moment)

    played.once(app, "appealed", play)
    clock.now = reviewed.MORNING


def adopt(moment: Moment, *, at: datetime = FRIDAY) -> Month:
    """As the board would; who is affected is told."""
    month = effects.effect_month(moment.at(at), Q4)
    reviewed.adopt(moment, Q4, month, now=at)
    effects.owe(moment.at(at), Q4)
    return month


def cut(session: Session) -> list[str]:
    """The e-mails of those whom the review cuts."""
    emails = {person["id"]: email for email, person in people_store.all_by_email(session).items()}
    return sorted(emails[one.case.person_id] for one in drafts.cases(session, Q4) if effects.is_cut(one))


def vote_on_package(session: Session, app: App, *members: str, at: datetime = FRIDAY) -> None:
    for member in members:
        id_ = cast.person_id(app, member)
        audit.append(session, audit.Record(at=at, actor=id_, action=VOTED, subject=str(Q4), after={"seat": id_}))


def file(
    moment: Moment, who: str = IDLE, *, at: datetime = FEBRUARY_THIRD, reason: str = "I was at a customer"
) -> Appeal:
    return filing.file(moment.at(at), asking.person(moment.session, who), Q4, reason)


def decide(moment: Moment, member: str, appeal: Appeal, *, upheld: bool, at: datetime = FEBRUARY_THIRD) -> Appeal:
    return deciding.decide(
        moment.at(at), asking.person(moment.session, member), appeal.id, upheld=upheld, reason="As it was"
    )


# --- As people see them --------------------------------------------------------------------------------------------

FILED_AT, DECIDED_AT = datetime(2027, 2, 3, 9, 30, tzinfo=UTC), datetime(2027, 2, 5, 14, 5, tzinfo=UTC)
BECAUSE = (
    Reason("peers", "compared with 6 teams of engineering", {"size": "6"}),
    Reason("use", "you used 25 % of your regular grants, which counts as LOW", {"state": "low"}),
    Reason("efficiency", "for efficiency", {"delta": "0.000"}),
    Reason("low", "for unused allowance", {"delta": "-0.100"}),
    Reason("delta", "your grant changes by −10.0 %", {"delta": "-0.100"}),
)
WOULD_CHANGE = (Reason("low", "use above 50 % of the regular grants ends LOW; it was 25 %"),)
GROUND = Ground(
    name="low",
    used=Decimal("0.25"),
    used_before=Decimal("0.3"),
    peers=Decimal("0.6"),
    peers_before=Decimal("0.58"),
    ends_low=Decimal("0.36"),
    raises=Decimal("0.9"),
    ends_high=Decimal("0.8"),
    high=Decimal("0.05"),
)
RAISED = dataclasses.replace(GROUND, name="efficiency", used=Decimal("0.7"), used_before=Decimal("0.66"))
USED_UP = dataclasses.replace(GROUND, name="high", used=Decimal("0.95"), used_before=Decimal("0.875"))
EVEN = dataclasses.replace(GROUND, name="", used=Decimal("0.7"), used_before=None)
UNKNOWN = dataclasses.replace(GROUND, name="", used=None, used_before=None)
SPARED = dataclasses.replace(GROUND, name="", is_spared=True)
CUT = Changed(
    quarter=Quarter(2026, 4),
    holds_from=FEBRUARY,
    delta_thousandths=-100,
    factor_before=Decimal("1.0000"),
    factor_after=Decimal("0.9000"),
    sized_for="2027-02",
    grant_before=MicroTokens.parse("93700"),
    grant_after=MicroTokens.parse("84300"),
    bound="",
    decision="proposed",
    decision_reason="",
    ground=GROUND,
    peers_size=6,
    unit="team",
    state="low",
    because=BECAUSE,
    would_change=WOULD_CHANGE,
    appeal_until=FEBRUARY_THIRD.date(),
    contact=CONTACT,
)
APPEAL = Appeal(
    Quarter(2026, 4),
    "per_ben",
    1,
    "open",
    "I was at a customer for half of the quarter",
    FILED_AT,
    datetime(2027, 2, 17, 9, 30, tzinfo=UTC),
    None,
    None,
    None,
    None,
    None,
    None,
    None,
)
CASE = Case(
    person_id="per_ben",
    unit="team",
    team="per_mara",
    peers="engineering",
    peers_size=6,
    utilisation_permille=250,
    state_before="usual",
    state_after="low",
    theta=None,
    lcb=None,
    missing="",
    delta_thousandths=-100,
    factor_before=Decimal("1.0000"),
    factor_after=Decimal("0.9000"),
    grant_before=None,
    grant_after=None,
    bound="",
    reasons=BECAUSE,
    would_change=WOULD_CHANGE,
)
GAINED = MicroTokens.parse("9400")
IRIS, OMAR = PersonName("Iris Tan", "U0IRIS"), PersonName("Omar Haddad", "U0OMAR")
OPEN = Card(
    APPEAL,
    ReviewedCase(CASE, "proposed", None, None, None, None, None),
    FEBRUARY,
    PersonName("Ben Okafor", "U0BEN"),
    None,
    (IRIS, OMAR),
    "escalates",
    None,
    GROUND,
)
ESCALATED = dataclasses.replace(
    OPEN,
    appeal=dataclasses.replace(
        APPEAL, escalated_at=APPEAL.decide_by, decide_by=datetime(2027, 3, 3, 9, 30, tzinfo=UTC), revision=2
    ),
    silence="favour",
)


def notice(*, today: date | None = None, has_appealed: bool = False, **changes: Any) -> Message:  # noqa: ANN401 - the fields of a notice
    """The letter, by default on the first day on which one can appeal."""
    changed = dataclasses.replace(CUT, **changes)
    return reviews.notice(changed, today or FRIDAY.date(), has_appealed=has_appealed)


def decided(state: str, **changes: Any) -> Card:  # noqa: ANN401 - the fields of a card
    appeal = dataclasses.replace(
        APPEAL,
        revision=2,
        state=state,
        decided_at=DECIDED_AT,
        decided_by="policy" if state == "lapsed" else "per_iris",
        decision_reason=None if state == "lapsed" else "The tickets show it",
        cut_from=None if state == "upheld" else MARCH,
    )
    by = None if state == "lapsed" else IRIS
    return dataclasses.replace(OPEN, **({"appeal": appeal, "decided_by": by, "deciders": ()} | changes))


BY_SILENCE = decided("upheld", credited=GAINED, decided_by=None)
BY_SILENCE = dataclasses.replace(
    BY_SILENCE, appeal=dataclasses.replace(BY_SILENCE.appeal, decided_by="policy", decision_reason=SILENCE)
)


def duty(card: Card) -> Duty:
    """The appeal of a card among what waits for a reader."""
    return Duty(card.appeal, card.delta_thousandths, card.holds_from, card.person)


DUTY = duty(OPEN)


def told(text: str) -> Card:
    """A card in which everything that someone can write is a text."""
    appeal = dataclasses.replace(decided("upheld").appeal, reason=text, decision_reason=text)
    return decided("upheld", appeal=appeal, person=PersonName(text, None), decided_by=PersonName(text, None))


def mine(card: Card | None = None, *, may_appeal: bool = False, **changes: Any) -> Message:  # noqa: ANN401 - the fields
    """`/tokens review`."""
    return reviews.mine(CUT.quarter, dataclasses.replace(CUT, **changes), card=card, may_appeal=may_appeal)


def worked(text: str) -> ReviewedCase:
    """A case with a text for each of many reasons."""
    case = dataclasses.replace(CASE, reasons=(Reason("use", text),) * 20, would_change=(Reason("low", text),) * 20)
    return OPEN.case._replace(case=case)


UNCHANGED: dict[str, Any] = {
    "delta_thousandths": 0,
    "factor_after": CUT.factor_before,
    "appeal_until": None,
    "grant_after": CUT.grant_before,
}
CASES: dict[str, Callable[[], Message]] = {
    "notice": notice,
    "notice_too_late_to_appeal": lambda: notice(today=FEBRUARY_THIRD.date() + timedelta(days=1)),
    "notice_after_an_appeal": lambda: notice(has_appealed=True),
    "notice_raise": lambda: notice(
        delta_thousandths=45,
        factor_after=Decimal("1.0450"),
        grant_after=MicroTokens.parse("97900"),
        appeal_until=None,
        ground=RAISED,
        state="usual",
    ),
    "notice_raise_for_use": lambda: notice(
        delta_thousandths=50,
        factor_after=Decimal("1.0500"),
        grant_after=MicroTokens.parse("95000"),
        bound="cap",
        appeal_until=None,
        ground=USED_UP,
        state="high",
    ),
    "notice_within_the_budget": lambda: notice(grant_after=MicroTokens.parse("86000")),
    "notice_without_a_grant": lambda: notice(grant_before=None, grant_after=None),
    "notice_amended": lambda: notice(
        decision="amended",
        decision_reason="Half of it: a new project",
        delta_thousandths=-50,
        grant_after=MicroTokens.parse("89000"),
    ),
    "notice_floor": lambda: notice(grant_after=CUT.grant_before, bound="floor"),
    "notice_hostile": lambda: notice(decision="amended", decision_reason=HOSTILE, contact=HOSTILE),
    "my_review": lambda: mine(may_appeal=True),
    "my_review_too_late": mine,
    "my_review_appealed": lambda: mine(OPEN),
    "my_review_rejected": lambda: mine(decided("rejected")),
    "my_review_lapsed": lambda: mine(decided("lapsed")),
    "my_review_amended_to_nothing": lambda: mine(
        decision="amended", decision_reason="A project of its own, which has no tracker", **UNCHANGED
    ),
    "my_review_upheld": lambda: mine(decided("upheld", credited=GAINED)),
    "my_review_unchanged": lambda: mine(ground=EVEN, state="usual", **UNCHANGED),
    "my_review_of_unknown_use": lambda: mine(ground=UNKNOWN, state="usual", **UNCHANGED),
    "my_review_spared": lambda: mine(ground=SPARED, state="low", **UNCHANGED),
    "working": lambda: reviews.working(CUT.quarter, OPEN.case),
    "working_for_the_board": lambda: reviews.working(CUT.quarter, OPEN.case, who="Ben Okafor"),
    "working_hostile": lambda: reviews.working(CUT.quarter, worked(HOSTILE), who=HOSTILE),
    "my_review_held": lambda: mine(decision="held", decision_reason="On leave", **UNCHANGED),
    "my_review_hostile": lambda: mine(
        told(HOSTILE), decision="held", decision_reason=HOSTILE, contact=HOSTILE, **UNCHANGED
    ),
    "my_review_of_none": lambda: reviews.mine(CUT.quarter, None, card=None, may_appeal=False),
    "my_review_before_any": lambda: reviews.mine(None, None, card=None, may_appeal=False),
    "appeal_card": lambda: shown.card(OPEN),
    "appeal_card_reminds": lambda: shown.card(OPEN, "remind"),
    "appeal_card_escalated": lambda: shown.card(ESCALATED, "escalate"),
    "appeal_card_lapsing": lambda: shown.card(dataclasses.replace(OPEN, silence="lapses")),
    "appeal_mine_escalated": lambda: shown.mine(ESCALATED),
    "appeal_card_by_silence": lambda: shown.card(BY_SILENCE),
    "appeal_note_by_silence": lambda: shown.note(BY_SILENCE),
    "nobody": lambda: shown.nobody(dataclasses.replace(OPEN, deciders=())),
    "nobody_hostile": lambda: shown.nobody(told(HOSTILE)),
    "appeal_card_nobody": lambda: shown.card(dataclasses.replace(OPEN, deciders=())),
    "appeal_card_upheld": lambda: shown.card(decided("upheld")),
    "appeal_card_rejected": lambda: shown.card(decided("rejected")),
    "appeal_card_lapsed": lambda: shown.card(decided("lapsed")),
    "appeal_card_overdue": lambda: shown.card(dataclasses.replace(OPEN, is_overdue=True)),
    "appeal_mine_overdue": lambda: shown.mine(dataclasses.replace(OPEN, is_overdue=True)),
    "appeal_card_hostile": lambda: shown.card(told(HOSTILE)),
    "appeal_mine": lambda: shown.mine(OPEN),
    "appeal_mine_hostile": lambda: shown.mine(told(HOSTILE)),
    "appeal_note_upheld": lambda: shown.note(decided("upheld", credited=GAINED)),
    "appeal_note_upheld_in_time": lambda: shown.note(decided("upheld")),
    "appeal_note_rejected": lambda: shown.note(decided("rejected")),
    "appeal_note_lapsed": lambda: shown.note(decided("lapsed")),
    "appeal_note_hostile": lambda: shown.note(told(HOSTILE)),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "notice": lambda: notice(
        decision="amended",
        decision_reason=ENDLESS,
        contact=ENDLESS,
    ),
    "my_review": lambda: mine(
        told(ENDLESS),
        decision="amended",
        decision_reason=ENDLESS,
        contact=ENDLESS,
    ),
    "working": lambda: reviews.working(CUT.quarter, worked(ENDLESS), who=ENDLESS),
    "nobody": lambda: shown.nobody(told(ENDLESS)),
    "appeal_card": lambda: shown.card(told(ENDLESS)),
    "appeal_mine": lambda: shown.mine(told(ENDLESS)),
    "appeal_note": lambda: shown.note(told(ENDLESS)),
}
MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    "appeal": lambda: shown.appealing(Quarter(2026, 4), -100, APPEAL.decide_by, lapses=False),
    "appeal_that_may_lapse": lambda: shown.appealing(Quarter(2026, 4), -100, APPEAL.decide_by, lapses=True),
    "appeal_uphold": lambda: shown.deciding(OPEN, upheld=True, private="{}"),
    "appeal_reject": lambda: shown.deciding(OPEN, upheld=False, private="{}"),
    "appeal_decided": lambda: render.modal("appeals/decided", appeal=decided("upheld").appeal),
    "appeal_decided_rejected": lambda: render.modal("appeals/decided", appeal=decided("rejected").appeal),
}
