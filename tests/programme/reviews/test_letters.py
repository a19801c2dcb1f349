"""What the letter of a review says of a person's grant: the amounts that the grants' run then gives, and the ground."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from policy.reviews.proposal import AMENDED, HELD
from programme.reviews import drafting, effects, grounds
from store.reviews import drafts
from tests.support import appealed, books, cast, reviewed
from tests.support import requests as asking
from tests.support.appealed import FEBRUARY, FEBRUARY_FIRST, FRIDAY
from tests.support.clock import Clock
from tests.support.requests import TESS
from tests.support.reviewed import BUSY, IDLE, Q4

if TYPE_CHECKING:
    from programme.app import App
    from programme.moment import Moment


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company with its draft and its board, and a budget that binds."""
    assert isinstance(shared_app.clock, Clock)
    appealed.settle(shared_app, shared_app.clock)
    return dataclasses.replace(shared_app, governance_channel=asking.BOARD_CHANNEL)


def decide(moment: Moment, who: str, decision: str, **more: object) -> None:
    by = cast.id_of(moment.session, TESS)
    decided = {"decision": decision, "decided_at": FRIDAY, "decided_by": by, "decision_reason": "A new project"}
    assert drafts.decide(moment.session, Q4, cast.id_of(moment.session, who), **decided, **more)


def test_the_letter_tells_what_the_run_gives(company: App) -> None:
    """After floor, cap, budget and rounding: everyone whose factor changes is granted what their letter says."""
    with books.rolled_back(company) as moment:
        appealed.adopt(moment)
        granted = reviewed.granted_with(moment.at(FEBRUARY_FIRST), FEBRUARY)
        changed = [one.case for one in drafts.cases(moment.session, Q4) if one.factor != one.case.factor_before]
        letters = {case.person_id: effects.notice(moment, Q4, case.person_id) for case in changed}
        assert letters
        assert {who: one.grant_after for who, one in letters.items()} == {who: granted[who][1] for who in letters}
        assert any(one.grant_before != one.grant_after for one in letters.values())


def test_an_amended_case_is_told_what_was_decided(company: App) -> None:
    """Not the draft's amount: that of the amended change, with every other decision in the budget's share."""
    with books.rolled_back(company) as moment:
        drafted = drafts.case(moment.session, Q4, cast.id_of(moment.session, IDLE))
        assert drafted is not None
        decide(moment, IDLE, AMENDED, amended_thousandths=-20, amended_factor="0.9800")
        decide(moment, BUSY, HELD)
        appealed.adopt(moment)
        idle, busy = (cast.id_of(moment.session, who) for who in (IDLE, BUSY))
        letter = effects.notice(moment, Q4, idle)
        granted = reviewed.granted_with(moment.at(FEBRUARY_FIRST), FEBRUARY)
        assert letter.grant_after == granted[idle][1] != drafted.case.grant_after
        kept = drafts.get(moment.session, Q4)
        assert kept is not None
        as_decided = grounds.grants_as_decided(moment, kept)
        assert {idle: granted[idle][1], busy: granted[busy][1]} == {who: as_decided[who].amount for who in (idle, busy)}


def test_the_ground_has_both_quarters(company: App) -> None:
    """Who is cut reads what they and their peers used in both quarters; who is raised reads what raised them."""
    with books.rolled_back(company) as moment:
        appealed.adopt(moment)
        cut = effects.notice(moment, Q4, cast.id_of(moment.session, IDLE)).ground
        assert cut.name == "low"
        assert cut.used is not None
        assert cut.used_before is not None
        assert cut.peers is not None
        assert cut.used < cut.ends_low <= cut.peers * Decimal("0.6")
        assert effects.notice(moment, Q4, cast.id_of(moment.session, BUSY)).ground.name in {"high", "efficiency"}


@pytest.mark.parametrize("otherwise", [0, 1, 5])
def test_the_pack_tells_what_was_decided(company: App, otherwise: int) -> None:
    """As proposed until the vote, then as decided; where few were decided otherwise, the total would tell theirs."""
    with books.rolled_back(company) as moment:
        proposed = drafting.summary(moment, Q4).grants_after
        raised = [one.case.person_id for one in drafts.cases(moment.session, Q4) if one.case.delta_thousandths > 0]
        by = {"decided_at": FRIDAY, "decided_by": cast.id_of(moment.session, TESS), "decision_reason": "Later"}
        for person_id in raised[:otherwise]:
            assert drafts.decide(moment.session, Q4, person_id, decision=HELD, **by)
        assert drafting.summary(moment, Q4).grants_after == proposed
        appealed.adopt(moment)
        found = drafting.summary(moment, Q4)
        kept = drafts.get(moment.session, Q4)
        assert kept is not None
        decided = sum(int(one.amount or 0) for one in grounds.grants_as_decided(moment, kept).values())
        assert found.grants_after == (None if otherwise == 1 else decided)
