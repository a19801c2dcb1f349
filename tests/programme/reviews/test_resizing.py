"""A quarter in which most used little: another share of compensation is proposed, and next to nobody is cut."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.changes import Difference, differences
from policy.kinds import LotKind
from policy.period import Month
from policy.reasons import FieldsRefused, Refusal
from programme.handbook import cards, deciding, thresholds
from programme.reviews import annual_export, calendar, drafting, packs, single_cases
from store.handbook import reference
from store.people import teams as teams_store
from store.proof import reviews
from store.reviews import drafts as store
from store.tables.ledger import lots
from store.tables.reviews import review_inputs
from store.tables.reviews import reviews as reviews_table
from templates import reviews as words
from tests.support import books, cast, reviewed, rollout, voted
from tests.support.clock import Clock
from tests.support.requests import ALTERNATES, IRIS, TESS, ZOE
from tests.support.reviewed import IDLE, MORNING, Q4
from views import codec
from views.review_figures import QuarterFigures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.reviews.proposal import Resize
    from programme.app import App
    from programme.moment import Moment

TIMES = 8
FINA = "fina@example.com"
SHARE = "sizing.share_of_compensation"


@pytest.fixture(scope="module")
def office(shared_app: App) -> App:
    """The company on the morning of its review, which is not drafted yet."""
    assert isinstance(shared_app.clock, Clock)
    cast.hire(shared_app, ALTERNATES)
    heading = "email,name,level,role_family,time_zone,hired_on,roles"
    cast.hire(shared_app, f"{heading}\n{FINA},Fina,senior,management,UTC,2022-01-01,finance\n")
    reviewed.settle(shared_app, shared_app.clock)
    return shared_app


@pytest.fixture
def drafted(office: App) -> Iterator[Moment]:
    """Everyone had eight times the grant for what they used; a transaction that leaves nothing."""
    with books.rolled_back(office) as moment:
        larger = sa.update(lots).where(lots.c.kind == LotKind.MONTHLY).values(amount=lots.c.amount * TIMES)
        moment.session.execute(larger)
        reviewed.draft(moment)
        yield moment


@pytest.fixture
def moment(drafted: Moment) -> Moment:
    """The same, and the board is asked."""
    assert calendar.advance(drafted.at(MORNING), Q4) == "convene"
    return drafted


def resize(moment: Moment) -> Resize:
    found = codec.read(QuarterFigures, drafting.require(moment, Q4).summary).resize
    assert found is not None
    return found


def test_nobody_is_cut_for_using_a_ceiling_as_people_do(office: App, moment: Moment) -> None:
    """Most used 7.5 %; who used 3 % is LOW beside them and is told why that cuts nobody. Only use of nothing is cut."""
    of = reviewed.cases(moment.session, office)
    cases = [of(who).case for who in reviewed.everybody()]
    assert [one.person_id for one in cases if one.state_after == "low"] == [cast.person_id(office, IDLE)]
    assert all(one.delta_thousandths >= 0 for one in cases)
    cut = [one.case for one in store.cases(moment.session, Q4) if one.case.delta_thousandths < 0]
    assert {one.utilisation_permille for one in cut} == {0}
    assert "spared" in {reason.code for reason in of(IDLE).case.reasons}
    assert drafting.recompute(moment, Q4) == []


def test_another_share_is_proposed_in_tokens_and_usd(moment: Moment) -> None:
    """40 % of a quarter of compensation is a tenth of it; the pack says what a month comes to, and the books agree."""
    found = resize(moment)
    assert (found.share, found.proposed) == (Decimal("0.25"), Decimal("0.100"))
    assert found.below == found.people
    assert 0 < int(found.grants_after) < int(found.grants_before)
    assert 0 < int(found.usd_after) < int(found.usd_before)
    message = str(words.pack(packs.of(moment, Q4)))
    assert "the grants are too large for many" in message
    assert "proposed are 10 % of compensation instead of 25 %" in message
    assert "review_resize" in message


def test_two_people_change_the_share(moment: Moment) -> None:
    """One member proposes it, once however often it is pressed; another confirms it; then nothing is left to do."""
    tess, iris = (voted.person(moment.session, who) for who in (TESS, IRIS))
    before = reference.handbook_bodies(moment.session)[-1]
    made = thresholds.propose_share(moment.at(MORNING), tess, Q4)
    assert differences(before, made.body) == (Difference(SHARE, "0.25", "0.100"),)
    assert made.effective_from == date(2027, 4, 1)
    assert thresholds.propose_share(moment.at(MORNING), iris, Q4) == made
    mark = cards.of(moment, made.id).mark
    with pytest.raises(Refusal, match="two people"):
        deciding.confirm(moment.at(MORNING), tess, made.id, mark)
    assert deciding.confirm(moment.at(MORNING), iris, made.id, mark).sizing.share_of_compensation == Decimal("0.1")
    moment.forget_handbooks()
    with pytest.raises(Refusal) as refused:
        thresholds.propose_share(moment.at(MORNING), tess, Q4)
    assert refused.value.code == "no_share"
    assert reviews_agree(moment)


def reviews_agree(moment: Moment) -> bool:
    return not list(reviews.differences(moment.session, drafting.require(moment, Q4)))


def test_who_is_not_on_the_panel_proposes_no_share(moment: Moment) -> None:
    """Alternates who were not called are refused, as with thresholds."""
    with pytest.raises(Refusal) as refused:
        thresholds.propose_share(moment.at(MORNING), voted.person(moment.session, ZOE), Q4)
    assert refused.value.code == "not_on_panel"


def test_the_board_cannot_cut_whom_the_review_spares(office: App, moment: Moment) -> None:
    """LOW alone is no reason in such a review, whoever proposes the cut."""
    id_, iris = cast.person_id(office, IDLE), voted.person(moment.session, IRIS)
    case = single_cases.case_for(moment, iris, Q4, id_)
    seen = single_cases.mark(case)
    with pytest.raises(FieldsRefused) as refused:
        single_cases.amend(moment.at(MORNING), iris, Q4, id_, change="-5", reason="Idle.", seen=seen)
    assert "Only people marked LOW who used next to nothing can be cut" in refused.value.problems["change"]


def test_low_does_not_count_against_stewardship(office: App, drafted: Moment) -> None:
    """The compensation review reads that stewardship is met, LOW or not."""
    reviewed.adopt(drafted, Q4, Month(2027, 2))
    lines = annual_export.export(drafted.at(MORNING), 2026, by=FINA).lines
    [idle] = [one for one in lines if one.person_id == cast.person_id(office, IDLE)]
    assert (idle.state, idle.stewardship_met) == ("low", True)


def test_a_share_that_was_changed_is_found(moment: Moment) -> None:
    """What is kept beside the inputs is worked out from them again."""
    kept = drafting.require(moment, Q4)
    summary = dict(kept.summary) | {"resize": {**kept.summary["resize"], "proposed": "0.200"}}
    moment.session.execute(sa.update(reviews_table).values(summary=summary))
    [found] = reviews.differences(moment.session, drafting.require(moment, Q4))
    assert "the share of compensation that it proposes does not follow" in found


# --- As it was at first --------------------------------------------------------------------------------------------

FIRST_EDITION = {
    'small_teams = "parent"\n': "",
    "low_of_peers = 0.50\n": "",
    "low_leave_of_peers = 0.60\n": "",
    'counts = "everything"\n': "",
    'high_without_score = "yes"\n': "",
    "[adjustment.resize]\none_in = 3\npercentile = 0.90\nheadroom = 0.10\nleast = 0.40\nidle_below = 0.02\n": "",
}


def test_a_handbook_of_before_judges_as_before(sqlite_app: App, clock: Clock) -> None:
    """Under a handbook without the new keys the same quarter cuts everyone, and `verify` agrees a year later, too."""
    rollout.launch(sqlite_app, changes=FIRST_EDITION)
    reviewed.settle_people(sqlite_app, clock)
    with books.rolled_back(sqlite_app) as moment:
        larger = sa.update(lots).where(lots.c.kind == LotKind.MONTHLY).values(amount=lots.c.amount * TIMES)
        moment.session.execute(larger)
        reviewed.draft(moment)
        cut = [one.case for one in store.cases(moment.session, Q4) if one.case.delta_thousandths < 0]
        assert len(cut) > 20
        assert drafting.require(moment, Q4).summary["resize"] is None
        assert drafting.recompute(moment, Q4) == []


def test_a_draft_of_before_keeps_its_digest_and_its_rules(moment: Moment) -> None:
    """What an earlier release kept has neither managers nor share, nor a proposal of one: its digest is the same."""
    kept = drafting.require(moment, Q4)
    before = {name: one for name, one in codec.plain(kept.basis).items() if name not in {"above", "share"}}
    moment.session.execute(sa.update(reviews_table).values(inputs=before))
    older = drafting.require(moment, Q4)
    assert (older.basis.above, older.basis.share) == (None, None)
    assert '"above"' not in store.dumped(older.basis)
    inputs = store.inputs(moment.session, Q4)
    assert store.digest(older.basis, inputs) != kept.inputs_digest
    found = list(reviews.differences(moment.session, older))
    # The cases were drafted by today's rules: by those of then everyone is cut.
    assert any("delta_thousandths does not follow" in one for one in found)


def test_a_small_team_has_the_score_of_the_wider_one(office: App) -> None:
    """Three people whose manager reports to somebody with ten more below have a score: that of all thirteen."""
    with books.rolled_back(office) as moment:
        head = cast.person_id(office, "m0@example.com")
        for lead in ("m5@example.com", "m6@example.com"):
            day = date(2026, 6, 1)
            teams_store.record(moment.session, cast.person_id(office, lead), day, [(day, head)])
        reviewed.draft(moment)
        kept = drafting.require(moment, Q4)
        small = reviewed.cases(moment.session, office)(reviewed.members(6)[0]).case
        own = reviewed.cases(moment.session, office)(reviewed.members(5)[0]).case
        assert kept.basis.above == {cast.person_id(office, f"m{i}@example.com"): head for i in (5, 6)}
        assert (small.unit, small.missing, own.unit) == ("wider", "", "team")
        assert small.theta is not None
        [told] = [one for one in small.reasons if one.code == "wider_team"]
        assert told.figures == {"team_size": "3", "unit_size": "13"}
        assert drafting.recompute(moment, Q4) == []
        assert moment.session.execute(sa.select(sa.func.count()).select_from(review_inputs)).scalar_one() > 0
