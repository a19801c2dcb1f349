"""Reviews before their board, usual and unusual, as those who decide them see them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from policy.changes import Difference
from policy.exceptions import Tally
from policy.period import Month, Quarter
from policy.reasons import Reason
from policy.reviews.proposal import AMENDED, HELD, PROPOSED, Basis, Case, ChangeCounts, Resize
from policy.reviews.votes import Limits
from policy.units import MicroTokens, NanoUSD
from programme.handbook.thresholds import THRESHOLDS
from programme.reviews.single_cases import CaseDecision
from programme.reviews.voting import VoteReceipt
from programme.waiting import Waiting
from templates import handbook, render, review_shown, reviews
from tests.support import annual_appealed, appealed, cards, cash_cards, proposed, roi
from tests.support.letters import ENDLESS, HOSTILE
from views.handbook import Offered
from views.people import PersonName
from views.review_figures import (
    Appealed,
    BackTest,
    Billed,
    Exceptions,
    Fairness,
    Group,
    LargestProvider,
    LastReview,
    Money,
    QuarterFigures,
    Summary,
    Value,
)
from views.reviews import (
    ADOPTED,
    DRAFT,
    LAPSED,
    NOT_PROPOSED,
    Call,
    CaseFilter,
    CaseLine,
    OwnVote,
    Pack,
    Page,
    Review,
    ReviewedCase,
    ValueState,
    VoteLine,
)
from views.value import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.render import Message

Q4 = Quarter(2026, 4)
DRAFTED_AT = datetime(2027, 1, 4, 8, tzinfo=UTC)
DECIDED_AT = datetime(2027, 1, 12, 10, tzinfo=UTC)
IRIS, OMAR, TESS = (PersonName(name, f"U0{name[:4].upper()}") for name in ("Iris Tan", "Omar Haddad", "Tess Novak"))


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


BASIS = Basis(
    quarter=str(Q4),
    weeks=(date(2026, 10, 5),),
    month="2027-02",
    handbook="2026.1",
    sized_by="2026.1",
    value_version="2027-Q1.1",
    nano_usd_per_token=10_200_000,
    buffer_permille=150,
    on_top=False,
    budget=usd("78000"),
    weighted=True,
    team_output=None,
    read_up_to={},
)
REVIEW = Review(
    quarter=Q4,
    state=DRAFT,
    revision=3,
    drafted_at=DRAFTED_AT,
    drafted_by="policy",
    value_proposal="f00d",
    basis=BASIS,
    inputs_digest="cafe",
    summary={},
    vote_until=datetime(2027, 1, 18, 8, tzinfo=UTC),
    decided_at=None,
    decided_by=None,
    holds_from=None,
)
FIGURES = QuarterFigures(
    money=Money(usd("375000"), usd("234000"), usd("131250.40"), usd("54210"), usd("98200"), usd("31200")),
    value=Value(
        "2027-Q1.1",
        usd("0.0102"),
        Decimal("1.02"),
        150,
        usd("0.0104"),
        Decimal("1.04"),
        160,
        Decimal("0.031"),
        "",
        LargestProvider("anthropic", Decimal("0.4215"), Decimal("0.0153")),
    ),
    bounds={"cap": 3, "floor": 12},
    exceptions=(
        Exceptions("break_glass", 1, {"ratified": 1}, {"delivered": 1}, 410),
        Exceptions("fast", 21, {"approved": 18, "lapsed": 1, "rejected": 2}, {"delivered": 11, "not_told": 7}, 96),
        Exceptions("major", 1, {"open": 1}, {}, None),
        Exceptions("standard", 2, {"approved": 2}, {"partly": 2}, 5_760),
    ),
    quarantined_events=14,
    unknown_outcomes=3,
)
SUMMARY = Summary(
    quarter=str(Q4),
    state=DRAFT,
    month="2027-02",
    figures=FIGURES,
    counted=ChangeCounts(6, 2, 24),
    mean_percent=Decimal("0.9"),
    held=0,
    amended=0,
    states={"high": 2, "low": 3, "usual": 27},
    bounds={"floor": 1},
    grants_before=MicroTokens.parse("2410000"),
    grants_after=MicroTokens.parse("2409900"),
    utilisation=(None,) * 11,
    missing={"few_in_team": 3, "few_weeks": 1},
    unknown_use=1,
    fairness=(
        Fairness("level", (Group("senior", 32, Decimal("0.9"), 187, 62),), 0),
        Fairness("team", (Group("per_mara", 5, Decimal("8.4"), 800, 0), Group("", 6, Decimal("-1.7"), 0, 166)), 2),
        Fairness("wave", (Group("1", 20, Decimal("1.1"), 200, 50), Group("none", 12, Decimal("0.6"), 166, 83)), 0),
    ),
    backtests={"2027.2": BackTest(ChangeCounts(6, 2, 24), ChangeCounts(4, 1, 27), 3)},
    last=LastReview("2026-Q3", ADOPTED, ChangeCounts(4, 1, 25), 1, 1),
    appealed=Appealed("2026-Q3", 1, 1, 1, 0, 0, 0),
)
OPEN = Pack(
    review=REVIEW,
    summary=SUMMARY,
    package=1,
    tally=Tally(0, 0, 2, "open", lacks_finance=False, because=()),
    votes=(),
    awaited=(IRIS, OMAR, TESS),
    decided_by=None,
    cases=32,
    holds_from=Month(2027, 2),
    names={"per_mara": "Mara Quist"},
    value=ValueState("waits", Quarter(2027, 1)),
)
UNDER_WAY = dataclasses.replace(
    OPEN,
    summary=dataclasses.replace(
        SUMMARY,
        held=1,
        amended=1,
        backtests={
            **SUMMARY.backtests,
            "2027.3": BackTest(ChangeCounts(6, 2, 24), ChangeCounts(6, 0, 26), 2, "Omar Haddad"),
        },
    ),
    package=3,
    tally=Tally(2, 1, 2, "open", lacks_finance=True, because=()),
    votes=(
        VoteLine(IRIS, None, adopts=True, reason=None, counts=True),
        VoteLine(PersonName("Zoe Martin", "U0ZOE"), TESS, adopts=True, reason=None, counts=True),
        VoteLine(OMAR, None, adopts=False, reason="Two cuts are of people on leave", counts=False),
    ),
    awaited=(OMAR,),
)
DECIDED: dict[str, Any] = {"decided_at": DECIDED_AT, "decided_by": "per_omar"}
WAITS = ValueState("waits", Quarter(2027, 1))
LARGE = dataclasses.replace(WAITS, needs_two=True)
FIRST = dataclasses.replace(LARGE, state="first", by=(OMAR,))
VALUE_ADOPTED = ValueState("adopted", Quarter(2027, 1), version="2027-Q1.2", by=(OMAR, TESS))
ADOPTED_PACK = dataclasses.replace(
    UNDER_WAY,
    review=dataclasses.replace(REVIEW, state=ADOPTED, holds_from=Month(2027, 2), **DECIDED),
    decided_by=OMAR,
    awaited=(),
    value=dataclasses.replace(VALUE_ADOPTED, by=(OMAR,)),
)
WAITS_FOR_A_SECOND = dataclasses.replace(ADOPTED_PACK, value=FIRST)
LAPSED_PACK = dataclasses.replace(
    OPEN, review=dataclasses.replace(REVIEW, state=LAPSED, decided_at=DECIDED_AT, decided_by="policy")
)
SUPERSEDED = dataclasses.replace(LAPSED_PACK, superseded_by=Quarter(2027, 1))
NOTHING = dataclasses.replace(
    OPEN,
    summary=dataclasses.replace(
        SUMMARY,
        figures=dataclasses.replace(
            FIGURES,
            exceptions=(),
            bounds={},
            value=dataclasses.replace(FIGURES.value, proposed=None, note="The handbook fixes the value."),
        ),
        counted=ChangeCounts(0, 0, 0),
        mean_percent=Decimal("0.0"),
        states={},
        bounds={},
        missing={},
        unknown_use=0,
        fairness=(),
        backtests={},
        last=None,
        appealed=None,
    ),
    cases=0,
    awaited=(),
    value=NOT_PROPOSED,
)
SMALL = dataclasses.replace(
    OPEN,
    summary=dataclasses.replace(
        SUMMARY,
        figures=dataclasses.replace(FIGURES, quarantined_events=1, unknown_outcomes=0),
        counted=ChangeCounts(0, 0, 3),
        mean_percent=Decimal("0.0"),
        states={"usual": 3},
        missing={"few_in_team": 3},
        unknown_use=0,
        fairness=(Fairness("level", (), 2), Fairness("team", (), 1), Fairness("wave", (), 1)),
        last=LastReview("2026-Q3", ADOPTED, ChangeCounts(0, 0, 3), 0, 0),
        appealed=Appealed("2026-Q3", 0, 0, 0, 0, 0, 0),
    ),
    cases=3,
)
"""A company of three people."""
FEW_CHANGES = dataclasses.replace(OPEN, summary=dataclasses.replace(SUMMARY, grants_after=None))
RESIZED = dataclasses.replace(
    OPEN,
    summary=dataclasses.replace(
        SUMMARY,
        figures=dataclasses.replace(
            FIGURES,
            resize=Resize(
                30,
                14,
                Decimal("0.25"),
                Decimal("0.18"),
                MicroTokens.parse("2410000"),
                MicroTokens.parse("1735200"),
                usd("24582"),
                usd("17699.04"),
            ),
        ),
    ),
)
SAME = dataclasses.replace(
    OPEN,
    summary=dataclasses.replace(
        SUMMARY,
        figures=dataclasses.replace(FIGURES, value=dataclasses.replace(FIGURES.value, proposed=usd("0.0102"))),
        grants_after=SUMMARY.grants_before,
    ),
)
"""What is proposed changes neither the value nor the sum of the grants."""
UNUSUAL = dataclasses.replace(
    UNDER_WAY,
    votes=tuple(dataclasses.replace(vote, counts=True) for vote in UNDER_WAY.votes),
    summary=dataclasses.replace(
        UNDER_WAY.summary,
        figures=dataclasses.replace(
            FIGURES,
            money=dataclasses.replace(FIGURES.money, consumed=usd("240000")),
            exceptions=(Exceptions("break_glass", 2, {"not_ratified": 2}, {}, 410),),
        ),
        missing={"few_in_team": 20},
        unknown_use=9,
    ),
    value=LARGE,
)
"""Everything is unusual: only what matters most is told."""
CALL = Call(REVIEW, 1, Tally(1, 0, 2, "open", lacks_finance=False, because=()), vote=None, value=WAITS)
CALLED_AND_VOTED = dataclasses.replace(
    CALL, package=3, tally=UNDER_WAY.tally, vote=OwnVote(adopts=True, reason=None, counts=True), value=LARGE
)
AGAINST = OwnVote(adopts=False, reason="Two cuts are of people on leave", counts=True)
CALLED_AND_AGAINST = dataclasses.replace(CALLED_AND_VOTED, vote=AGAINST)
CALLED_ANEW = dataclasses.replace(CALLED_AND_VOTED, vote=dataclasses.replace(AGAINST, counts=False))
CALLED_AS_A_DELEGATE = dataclasses.replace(
    CALLED_AND_VOTED, vote=OwnVote(adopts=True, reason=None, counts=True, stands_for=TESS)
)
CALLED_BY_A_DELEGATE = dataclasses.replace(
    CALLED_AND_VOTED, vote=OwnVote(adopts=True, reason=None, counts=True, by=PersonName("Zoe Martin", "U0ZOE"))
)


def called(text: str) -> Call:
    """Someone's own vote, with a text wherever one may be."""
    who = PersonName(text, None)
    vote = OwnVote(adopts=False, reason=text, counts=False, by=who, stands_for=who)
    return dataclasses.replace(CALLED_AND_VOTED, vote=vote)


def stuffed(text: str, *, most: int = 1) -> Pack:
    """Someone's text wherever one may be."""
    who = PersonName(text, None)
    groups = tuple(Group(f"per_{i}", 123_456, Decimal("-10.0"), 1_000, 1_000) for i in range(most))
    levels = tuple(dataclasses.replace(group, name=f"{text}{i}") for i, group in enumerate(groups))
    value = dataclasses.replace(FIGURES.value, proposed=None, note=text)
    return dataclasses.replace(
        UNDER_WAY,
        summary=dataclasses.replace(
            SUMMARY,
            figures=dataclasses.replace(FIGURES, value=value),
            fairness=(Fairness("level", levels, 99), Fairness("team", groups, 99), Fairness("wave", groups, 99)),
            backtests={
                f"{i}{text}": dataclasses.replace(SUMMARY.backtests["2027.2"], proposed_by=text) for i in range(most)
            },
        ),
        votes=(VoteLine(who, who, adopts=False, reason=text, counts=False),) * most,
        awaited=(who,) * most,
        names={f"per_{i}": text for i in range(most)},
        value=dataclasses.replace(FIRST, by=(who,)),
    )


USE = Histogram(
    people=30,
    bins=tuple((i * 10, i * 10 + 10 if i < 10 else None, 6 if i in {4, 5, 6} else None) for i in range(11)),
    median_permille=600,
    p95_permille=900,
    months="October to December 2026",
)
CASE = Case(
    person_id="per_ben",
    unit="team",
    team="per_mara",
    peers="engineering/senior",
    peers_size=30,
    utilisation_permille=225,
    state_before="usual",
    state_after="low",
    theta=Decimal("-0.120000"),
    lcb=Decimal("-0.400000"),
    missing="",
    delta_thousandths=-100,
    factor_before=Decimal(1),
    factor_after=Decimal("0.9000"),
    grant_before=MicroTokens.parse("93700"),
    grant_after=MicroTokens.parse("84300"),
    bound="",
    reasons=(
        Reason("use", "you used 22.5 % of your regular grants, which counts as LOW", {"state": "low"}),
        Reason("delta", "your grant changes by −10.0 %", {"delta": "-0.100"}),
    ),
    would_change=(Reason("leave_low", "above 50 % in the next quarter ends LOW"),),
)
KEPT = ReviewedCase(CASE, PROPOSED, None, None, None, None, None)
NOT_LOW = KEPT._replace(
    case=dataclasses.replace(
        CASE,
        state_after="usual",
        delta_thousandths=25,
        factor_after=Decimal("1.0250"),
        reasons=(Reason("delta", "your grant changes by +2.5 %", {"delta": "0.025"}),),
    )
)
HELD_CASE = KEPT._replace(
    decision=HELD, decided_by="per_tess", decided_at=DECIDED_AT, decision_reason="On parental leave since October"
)
AMENDED_CASE = KEPT._replace(
    decision=AMENDED,
    amended_thousandths=-25,
    amended_factor=Decimal("0.9750"),
    decided_by="per_tess",
    decided_at=DECIDED_AT,
    decision_reason="A quarter of it",
)


DUTIES = Waiting((appealed.DUTY,), (proposed.OPEN,), cash=(cash_cards.VOTED,), annual_appeals=(annual_appealed.DUTY,))


def stands_in(who: str = "Tess Vance", *, requests: int = 0, quarter: Quarter | None = None) -> Message:
    return render.message("board/stands_in", who=who, last_day=date(2026, 12, 24), requests=requests, quarter=quarter)


def duties(text: str) -> Waiting:
    """As many appeals and proposals as are listed, in which everything that someone wrote is a text."""
    return Waiting(
        (appealed.duty(appealed.told(text)),) * 2,
        (proposed.hostile(proposed.OPEN, text),) * 3,
        7,
        (cash_cards.hostile(text),),
        (annual_appealed.duty(annual_appealed.told(text)),),
    )


OFFERED = Offered(
    base="2026.1",
    percents={one.key: f"{10 * place}.5" for place, one in enumerate(THRESHOLDS)},
    days=(date(2027, 4, 1), date(2027, 7, 1)),
    version="2027.1",
    low_quarters=2,
)
PROPOSED_THRESHOLDS = dataclasses.replace(
    proposed.OPEN, changes=(Difference("adjustment.use.low_enter", "0.40", "0.35"),)
)


def thresholds_form(base: str = OFFERED.base) -> dict[str, Any]:
    return handbook.thresholds(dataclasses.replace(OFFERED, base=base), THRESHOLDS, private="{}")


def page(*lines: CaseLine, number: int = 0, pages: int = 1, is_open: bool = True) -> dict[str, Any]:
    shown = Page(Q4, lines, number, pages, ChangeCounts(6, 2, 24), 32, is_open)
    return reviews.page(
        shown, [(line, f"{Q4}:{line.person_id}:{number}") for line in lines], turns=list(reviews.pages(number, pages))
    )


def narrowed(chosen: CaseFilter) -> dict[str, Any]:
    """A list of one case of all."""
    shown = Page(Q4, (line(KEPT),), 0, 1, ChangeCounts(6, 2, 24), 32, is_open=True, narrowed=chosen, found=1)
    return reviews.page(shown, [(shown.lines[0], f"{Q4}:per_ben:0")], turns=[], private="{}")


def line(case: ReviewedCase | None, name: str = "Ben Okafor", conflict: str = "") -> CaseLine:
    return CaseLine("per_ben", name, case, conflict)


def voted(*, again: bool = False, pack: Pack = OPEN, approvals: int = 1) -> VoteReceipt:
    return VoteReceipt(pack.review, dataclasses.replace(pack.tally, approvals=approvals), "per_iris", again)


def deciding(value: str) -> Message:
    return render.message("reviews/voted", voted=dataclasses.replace(voted(pack=ADOPTED_PACK), value=value))


def told(of: Pack, state: str) -> Message:
    """What the pack says where the value was not adopted with it."""
    return reviews.pack(dataclasses.replace(of, value=ValueState(state, Quarter(2027, 1))))


def on_case(name: str, **more: object) -> dict[str, Any]:
    """A form or an answer about a single case."""
    usual: dict[str, Any] = {"case": KEPT, "who": "Ben Okafor", "change": reviews.change, "private": "{}"} | more
    return {"hold": _hold, "amend": _amend, "why": _why, "decided": _decided}[name](usual)


def _hold(view: dict[str, Any]) -> dict[str, Any]:
    return render.modal("reviews/hold", **view)


def _amend(view: dict[str, Any]) -> dict[str, Any]:
    limits = Limits(-100, 75, may_cut=True) if view["case"].case.state_after == "low" else Limits(0, 75, may_cut=False)
    return render.modal("reviews/amend", limits=limits, **view)


def _why(view: dict[str, Any]) -> dict[str, Any]:
    return render.modal("reviews/why", lines=reviews.lines, ground=appealed.GROUND, **view)


def _decided(view: dict[str, Any]) -> dict[str, Any]:
    return render.modal("reviews/decided", decided=CaseDecision(REVIEW, view.pop("case"), 2), **view)


def milestone(step: str, appealed: Appealed) -> Message:
    return reviews.milestone(ADOPTED_PACK.review, step, appealed)


BILLED = dataclasses.replace(
    OPEN,
    summary=dataclasses.replace(
        OPEN.summary,
        figures=dataclasses.replace(
            OPEN.summary.figures, billed=Billed(NanoUSD.parse("61250"), NanoUSD.parse("60410"), open=2)
        ),
    ),
)
CASES: dict[str, Callable[[], Message]] = {
    "pack": lambda: reviews.pack(OPEN),
    "review_unasked": lambda: reviews.unasked(Quarter(2026, 4), 2),
    "pack_with_a_bill_that_differs": lambda: reviews.pack(BILLED),
    "pack_under_way": lambda: reviews.pack(UNDER_WAY),
    "pack_adopted": lambda: reviews.pack(ADOPTED_PACK),
    "pack_lapsed": lambda: reviews.pack(LAPSED_PACK),
    "pack_of_the_same_value": lambda: reviews.pack(SAME),
    "pack_of_few_changes": lambda: reviews.pack(FEW_CHANGES),
    "pack_of_grants_too_large": lambda: reviews.pack(RESIZED),
    "pack_with_much_that_is_unusual": lambda: reviews.pack(UNUSUAL),
    "pack_of_three_people": lambda: reviews.pack(SMALL),
    "pack_of_nothing": lambda: reviews.pack(NOTHING),
    "pack_superseded": lambda: reviews.pack(SUPERSEDED),
    "pack_of_a_large_change": lambda: reviews.pack(dataclasses.replace(OPEN, value=LARGE)),
    "pack_of_a_large_change_with_a_first": lambda: reviews.pack(dataclasses.replace(OPEN, value=FIRST)),
    "pack_adopted_by_a_first": lambda: reviews.pack(WAITS_FOR_A_SECOND),
    "pack_adopted_without_another_value": lambda: told(ADOPTED_PACK, "another"),
    "pack_adopted_without_a_value_too_late": lambda: told(ADOPTED_PACK, "over"),
    "pack_adopted_without_a_fixed_value": lambda: told(ADOPTED_PACK, "fixed"),
    "pack_with_what_it_brings": lambda: reviews.pack(dataclasses.replace(OPEN, brings=roi.shown(roi.SPANS))),
    "pack_hostile": lambda: reviews.pack(stuffed(HOSTILE)),
    "milestone_effect": lambda: milestone("effect", Appealed("2026-Q4", 3, 1, 0, 0, 0, 1)),
    "milestone_effect_with_two_appeals": lambda: milestone("effect", Appealed("2026-Q4", 3, 2, 0, 0, 0, 2)),
    "milestone_close_of_one": lambda: milestone("close", Appealed("2026-Q4", 1, 1, 0, 0, 1, 0)),
    "milestone_effect_without_appeals": lambda: milestone("effect", Appealed("2026-Q4", 3, 0, 0, 0, 0, 0)),
    "milestone_close": lambda: milestone("close", Appealed("2026-Q4", 12, 3, 1, 1, 0, 1)),
    "milestone_close_without_appeals": lambda: milestone("close", Appealed("2026-Q4", 1, 0, 0, 0, 0, 0)),
    "outcome_of_a_review": lambda: reviews.outcome(ADOPTED_PACK),
    "outcome_of_a_review_by_a_first": lambda: reviews.outcome(WAITS_FOR_A_SECOND),
    "outcome_of_a_review_without_a_value": lambda: reviews.outcome(
        dataclasses.replace(ADOPTED_PACK, value=ValueState("another", Quarter(2027, 1)))
    ),
    "outcome_of_a_review_lapsed": lambda: reviews.outcome(LAPSED_PACK),
    "outcome_of_a_review_superseded": lambda: reviews.outcome(SUPERSEDED),
    "outcome_of_a_review_hostile": lambda: reviews.outcome(
        dataclasses.replace(WAITS_FOR_A_SECOND, decided_by=PersonName(HOSTILE, None))
    ),
    "confirmed_value": lambda: render.message("reviews/confirmed", value=VALUE_ADOPTED),
    "stands_in": lambda: stands_in(requests=2),
    "stands_in_for_a_review": lambda: stands_in(quarter=Quarter(2026, 4)),
    "stands_in_for_both": lambda: stands_in(requests=1, quarter=Quarter(2026, 4)),
    "stands_in_for_nothing": stands_in,
    "stands_in_hostile": lambda: stands_in(HOSTILE),
    "stood_in": lambda: render.message("board/stood_in", who="Tess Vance"),
    "stood_in_hostile": lambda: render.message("board/stood_in", who=HOSTILE),
    "queue_with_an_appeal_and_a_proposal": lambda: cards.queue(duties=DUTIES),
    "queue_with_everything": lambda: cards.queue(cards.OPEN, call_=CALL, duties=dataclasses.replace(DUTIES, more=2)),
    "queue_with_duties_hostile": lambda: cards.queue(duties=duties(HOSTILE)),
    "queue_with_a_review": lambda: cards.queue(call_=CALL),
    "queue_with_a_review_voted_against": lambda: cards.queue(call_=CALLED_AND_AGAINST),
    "queue_with_a_review_to_vote_on_anew": lambda: cards.queue(call_=CALLED_ANEW),
    "queue_with_a_review_voted_on_as_a_delegate": lambda: cards.queue(call_=CALLED_AS_A_DELEGATE),
    "queue_with_a_review_voted_on_by_a_delegate": lambda: cards.queue(call_=CALLED_BY_A_DELEGATE),
    "queue_with_a_review_and_requests": lambda: cards.queue(cards.OPEN, call_=CALLED_AND_VOTED),
    "money": lambda: render.message("reviews/money", quarter=str(Q4)),
    "use": lambda: render.message("reviews/use", use=USE, quarter=str(Q4)),
    "page": lambda: render.message("reviews/page", review=REVIEW),
    "page_of_a_review_adopted": lambda: render.message("reviews/page", review=ADOPTED_PACK.review),
    "page_of_a_review_lapsed": lambda: render.message("reviews/page", review=LAPSED_PACK.review),
    "page_with_cases": lambda: render.message("reviews/page_with_cases", review=REVIEW, cases=32),
    "sending": lambda: render.message("reviews/sending", is_new=True),
    "sending_again": lambda: render.message("reviews/sending", is_new=False),
    "voted_on_a_review": lambda: render.message("reviews/voted", voted=voted()),
    "voted_on_a_review_again": lambda: render.message("reviews/voted", voted=voted(again=True)),
    "voted_on_a_review_without_finance": lambda: render.message("reviews/voted", voted=voted(pack=UNDER_WAY)),
    "voted_on_a_review_and_adopted": lambda: render.message("reviews/voted", voted=voted(pack=ADOPTED_PACK)),
    "voted_on_a_review_and_adopted_its_value": lambda: deciding("adopted"),
    "voted_on_a_review_as_the_first_of_two": lambda: deciding("first"),
    "voted_on_a_review_without_its_value": lambda: deciding("another"),
}
ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "pack": lambda: reviews.pack(stuffed(ENDLESS, most=40)),
    "stands_in": lambda: stands_in(ENDLESS),
    "stood_in": lambda: render.message("board/stood_in", who=ENDLESS),
    "queue_with_duties": lambda: cards.queue(
        *[cards.hostile(cards.OPEN, ENDLESS)] * 10, call_=called(ENDLESS), duties=duties(ENDLESS)
    ),
    "queue_with_a_review": lambda: cards.queue(call_=called(ENDLESS)),
}


def shown(what: str, pack: Pack = UNDER_WAY) -> dict[str, Any]:
    """What a button of the pack shows."""
    return review_shown.part(pack, what)


MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    **{f"review_shown_{what}": partial(shown, what) for what in review_shown.TITLES},
    **{f"review_shown_{what}_hostile": partial(shown, what, stuffed(HOSTILE)) for what in review_shown.TITLES},
    "review_shown_votes_adopted": lambda: shown("votes", ADOPTED_PACK),
    "review_shown_groups_of_three": lambda: shown("groups", SMALL),
    "review_shown_figures_of_few_changes": lambda: shown("figures", FEW_CHANGES),
    "review_shown_figures_of_nothing": lambda: shown("figures", NOTHING),
    "review_shown_figures_resized": lambda: shown("figures", RESIZED),
    "review_shown_background_of_nothing": lambda: shown("background", NOTHING),
    "review_cases": lambda: page(line(KEPT), line(HELD_CASE), line(AMENDED_CASE), line(None, "Mara Quist", "report")),
    "review_cases_between": lambda: page(line(KEPT), number=1, pages=3),
    "review_cases_decided": lambda: page(line(AMENDED_CASE), line(None, "Iris Tan", "own"), is_open=False),
    "review_cases_narrowed": lambda: narrowed(CaseFilter("ada", "Mara", "senior", "cut")),
    "review_cases_narrowed_hostile": lambda: narrowed(CaseFilter(HOSTILE, HOSTILE)),
    "review_filter": lambda: reviews.case_filter(Q4, CaseFilter(), private="{}"),
    "review_filter_chosen": lambda: reviews.case_filter(Q4, CaseFilter("ada", "Mara", "senior", "cut"), private="{}"),
    "review_cases_hostile": lambda: page(*[line(HELD_CASE._replace(decision_reason=HOSTILE), HOSTILE)] * 8),
    "review_thresholds": thresholds_form,
    "review_thresholds_hostile": lambda: thresholds_form(HOSTILE),
    "review_thresholds_proposed": lambda: handbook.thresholds_proposed(PROPOSED_THRESHOLDS, THRESHOLDS),
    "review_hold": lambda: on_case("hold"),
    "review_hold_hostile": lambda: on_case("hold", who=HOSTILE),
    "review_amend": lambda: on_case("amend"),
    "review_amend_of_who_is_not_low": lambda: on_case("amend", case=NOT_LOW),
    "review_why": lambda: on_case("why"),
    "review_why_held": lambda: on_case("why", case=HELD_CASE),
    "review_decided_held": lambda: on_case("decided", case=HELD_CASE),
    "review_decided_amended": lambda: on_case("decided", case=AMENDED_CASE),
    "review_decided_as_proposed": lambda: on_case("decided"),
    "review_against": lambda: render.modal("reviews/against", quarter=Q4, private="{}"),
    "review_voted": lambda: render.modal("reviews/voted", voted=voted()),
}
