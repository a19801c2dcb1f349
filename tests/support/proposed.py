"""Proposed handbooks: short ways to propose and decide them, and their cards in every state."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from handlers.handbook.proposals import Line
from policy import handbook
from policy.changes import Difference
from policy.period import Quarter
from policy.reasons import Refusal
from policy.reviews.proposal import ChangeCounts
from programme.handbook import cards, deciding, proposing
from scheduler import tick
from store.tables.handbook import handbook_proposals
from store.tables.outbox import outbox
from templates import handbook as handbook_templates
from templates import render
from tests.support import books, rollout
from tests.support.letters import ENDLESS, HOSTILE
from tests.support.requests import person
from views import handbook as views
from views.handbook import Card, Proposal, Trial
from views.people import PersonName
from views.review_figures import BackTest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from policy.handbook import Handbook
    from programme.app import App
    from templates.render import Message

DECEMBER = date(2026, 12, 1)
ADMIN = "lena@example.com"
ADMINS = "email,name,level,role_family,time_zone,hired_on,roles\nlena@example.com,,,,,,admin\n"
"""Lena administers the programme."""
LONGER = {
    "months = 3\ncarry_over = 1.0": "months = 4\ncarry_over = 0.5",
    "# launched_on = 2027-01-01": f"launched_on = {rollout.LAUNCH}",
}


def text(
    version: str = "2026.9",
    effective_from: date = DECEMBER,
    *,
    base: str = "",
    changes: Mapping[str, str] = rollout.NONE,
) -> str:
    """The packaged handbook, launched and with grants that last longer, or another text with changes of its own."""
    changed = base or handbook.packaged()
    for old, new in (changes if base else LONGER | dict(changes)).items():
        assert old in changed
        changed = changed.replace(old, new)
    lines = changed.splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith("version = "))
    lines[number] = f'version = "{version}"'
    number = next(i for i, line in enumerate(lines) if line.startswith("effective_from = "))
    lines[number] = f"effective_from = {effective_from}"
    return "\n".join(lines) + "\n"


def propose(app: App, body: str, by: str = ADMIN) -> Proposal:
    with app.transaction() as moment:
        who = proposing.proposer(moment, by, "nobody")
        return proposing.propose(moment, body, who, actor="cli:test")


def seen(app: App, proposal: Proposal) -> Card:
    with app.reading() as moment:
        return cards.of(moment, proposal.id)


def confirm(app: App, who: str, proposal: Proposal, *, mark: str | None = None) -> Handbook:
    mark = seen(app, proposal).mark if mark is None else mark
    with app.transaction() as moment:
        return deciding.confirm(moment, person(moment.session, who), proposal.id, mark)


def decline(app: App, who: str, proposal: Proposal, reason: str = "Not this year") -> Proposal:
    with app.transaction() as moment:
        return deciding.decline(moment, person(moment.session, who), proposal.id, reason)


def withdraw(app: App, who: str, proposal: Proposal) -> Proposal:
    with app.transaction() as moment:
        return deciding.withdraw(moment, person(moment.session, who), proposal.id)


def code(what: Callable[..., object], *arguments: object, **more: object) -> str:
    """The code with which something is refused."""
    try:
        what(*arguments, **more)
    except Refusal as refusal:
        return refusal.code
    raise AssertionError("it was not refused")


def states(app: App) -> dict[str, str]:
    """The state of each proposal, by its version."""
    return dict(books.rows(app, sa.select(handbook_proposals.c.version, handbook_proposals.c.state)))


def owed(app: App, proposal: Proposal) -> list[str]:
    """The keys of the messages about a proposal, without its id, in the order in which they were owed."""
    query = sa.select(outbox.c.key).where(outbox.c.about == proposal.id).order_by(outbox.c.id)
    return [key.replace(f":{proposal.id}", "") for (key,) in books.rows(app, query)]


def let_time_pass(app: App, **by: float) -> list[str]:
    """Go forward, and do what the calendar owes; the steps of proposals that were done."""
    app.clock.move(**by)  # type: ignore[attr-defined]  # the tests' clock
    ticked = tick.tick(app, now=app.clock())
    assert ticked.failed == ()
    return [run.job for run in ticked.done if run.job.startswith("proposal.")]


# --- Cards ---------------------------------------------------------------------------------------------------------

PROPOSED_AT = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
LENA, TESS = PersonName("Lena Vogt", "U0LENA"), PersonName("Tess Novak", "U0TESS")
OPEN = Card(
    proposal=Proposal(
        "hp_0123456789abcdef",
        "2027.1",
        date(2027, 1, 1),
        "",
        "d",
        "per_lena",
        PROPOSED_AT,
        views.OPEN,
        None,
        None,
        None,
    ),
    base="2026.1",
    changes=(
        Difference("lots.months", "3", "4"),
        Difference("rollout.launched_on", "", "2027-01-01"),
        Difference("messages.holidays", "none", "2026-12-25, 2026-12-26"),
        Difference("services.aws.name", "AWS Bedrock", ""),
    ),
    proposer=LENA,
    decided_by=None,
    lapse_at=PROPOSED_AT + timedelta(days=30),
)


def decided(state: str, by: PersonName | None = TESS, reason: str | None = None) -> Card:
    closed = OPEN.proposal._replace(
        state=state, decided_by="per_tess", decided_at=PROPOSED_AT + timedelta(hours=3), reason=reason
    )
    return dataclasses.replace(OPEN, proposal=closed, decided_by=by)


CONFIRMED, DECLINED = decided("confirmed"), decided("declined", reason="Three months are enough")
WITHDRAWN, LAPSED = decided("withdrawn", LENA), decided("lapsed", None)


OF_THRESHOLDS = dataclasses.replace(
    OPEN,
    changes=(Difference("adjustment.change.low", "0.10", "0.05"),),
    tried=Trial(Quarter(2026, 4), BackTest(ChangeCounts(6, 2, 24), ChangeCounts(6, 0, 26), 2)),
)


def hostile(card: Card, said: str) -> Card:
    """A card in which everything that someone wrote is a certain text."""
    named = PersonName(said, None)
    proposal = card.proposal._replace(version=said, reason=said if card.proposal.reason else None)
    return dataclasses.replace(
        card,
        proposal=proposal,
        base=said,
        changes=(Difference(said, said, said),) * 80,
        proposer=named,
        decided_by=named if card.decided_by else None,
    )


NOW = handbook.parse(handbook.packaged())
NEXT = handbook.parse(
    text(
        "2027.1",
        date(2027, 1, 1),
        changes={
            'method = "basket"': 'method = "fixed"',
            "share_of_compensation = 0.25": "share_of_compensation = 0.2",
            "percent = [50, 70, 85, 95, 100]": "percent = [80, 100]",
            "from_hour = 9\nuntil_hour = 18": "from_hour = 8\nuntil_hour = 16",
            "low_quarters = 2": "low_quarters = 1",
            'unit = "team"': 'unit = "person"',
            "members = 2": "members = 3",
        },
    )
)
CHANGES = OPEN.changes


def rules(
    coming: Handbook | None = None,
    changes: Sequence[Difference] = (),
    later: Sequence[Handbook] = (),
    proposed: Sequence[Line] = (),
    now: Handbook = NOW,
) -> Message:
    return render.message("handbook/rules", now=now, next=coming, next_changes=changes, later=later, proposed=proposed)


def all_rules(now: Handbook) -> Message:
    return render.message("handbook/all_rules", now=now)


def hostile_rules(said: str) -> Message:
    now, coming = (dataclasses.replace(book, version=said, contact=said) for book in (NOW, NEXT))
    card = hostile(OPEN, said)
    line = Line(card, handbook_templates.button_value(card), may_decide=True, is_own=False)
    return rules(coming, card.changes, [coming] * 9, [line] * 5, now=now)


def line(card: Card, *, may_decide: bool = False, is_own: bool = False) -> Line:
    return Line(card, handbook_templates.button_value(card), may_decide, is_own)


CASES: dict[str, Callable[[], Message]] = {
    "rules": rules,
    "all_rules": lambda: all_rules(NOW),
    "all_rules_hostile": lambda: all_rules(dataclasses.replace(NOW, version=HOSTILE, contact=HOSTILE)),
    "rules_with_more_to_come": lambda: rules(NEXT, CHANGES, [dataclasses.replace(NEXT, version="2027.2")]),
    "rules_proposed_for_the_board": lambda: rules(proposed=[line(OPEN, may_decide=True)] * 4),
    "rules_proposed_by_oneself": lambda: rules(proposed=[line(OPEN, is_own=True)]),
    "rules_hostile": lambda: hostile_rules(HOSTILE),
    "proposal_open": lambda: handbook_templates.card(OPEN),
    "proposal_of_nothing": lambda: handbook_templates.card(dataclasses.replace(OPEN, changes=())),
    "proposal_confirmed": lambda: handbook_templates.card(CONFIRMED),
    "proposal_declined": lambda: handbook_templates.card(DECLINED),
    "proposal_withdrawn": lambda: handbook_templates.card(WITHDRAWN),
    "proposal_lapsed": lambda: handbook_templates.card(LAPSED),
    "proposal_overdue": lambda: handbook_templates.card(dataclasses.replace(OPEN, is_overdue=True)),
    "proposal_hostile": lambda: handbook_templates.card(hostile(DECLINED, HOSTILE)),
    "proposal_of_thresholds": lambda: handbook_templates.card(OF_THRESHOLDS),
    "proposal_mine": lambda: handbook_templates.mine(OPEN),
    "proposal_mine_confirmed": lambda: handbook_templates.mine(CONFIRMED),
    "proposal_mine_hostile": lambda: handbook_templates.mine(hostile(DECLINED, HOSTILE)),
    "proposal_note_confirmed": lambda: handbook_templates.note(CONFIRMED),
    "proposal_note_declined": lambda: handbook_templates.note(DECLINED),
    "proposal_note_lapsed": lambda: handbook_templates.note(LAPSED),
    "proposal_note_hostile": lambda: handbook_templates.note(hostile(DECLINED, HOSTILE)),
    "proposal_done_confirmed": lambda: done("confirmed"),
    "proposal_done_withdrawn": lambda: done("withdrawn"),
}


def done(state: str, version: str = "2027.1") -> Message:
    return render.message("handbook/done", state=state, version=version, effective_from=date(2027, 1, 1))


ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "rules": lambda: hostile_rules(ENDLESS),
    "proposal": lambda: handbook_templates.card(hostile(DECLINED, ENDLESS)),
    "proposal_open": lambda: handbook_templates.card(hostile(OPEN, ENDLESS)),
    "proposal_mine": lambda: handbook_templates.mine(hostile(OPEN, ENDLESS)),
    "proposal_note": lambda: handbook_templates.note(hostile(DECLINED, ENDLESS)),
    "proposal_done": lambda: done("confirmed", ENDLESS),
}
MODALS: dict[str, Callable[[], dict[str, Any]]] = {
    "decline_proposal": lambda: render.modal("handbook/decline", card=OPEN, private="{}"),
    "decline_proposal_hostile": lambda: render.modal("handbook/decline", card=hostile(OPEN, HOSTILE), private="{}"),
    "declined_proposal": lambda: render.modal("handbook/declined", card=DECLINED),
}
