"""Thresholds proposed from a review: who may, what becomes of the handbook's text, and what the pack then tells."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy import handbook
from policy.changes import Difference, differences
from policy.reasons import FieldsRefused, Refusal
from programme.handbook import cards, deciding, proposing, thresholds
from programme.handbook.thresholds import ThresholdForm
from programme.reviews import calendar, drafting, packs
from scheduler import messages
from store.handbook import proposals as store
from store.handbook import reference
from store.proof import reviews
from store.tables.outbox import outbox
from tests.support import books, cast, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import ALTERNATES, IRIS, OMAR, TESS, ZOE
from tests.support.reviewed import IDLE, MORNING, Q4

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment
    from views.handbook import Proposal

LOW, LEAVE, CUT = "adjustment.use.low_enter", "adjustment.use.low_leave", "adjustment.change.low"
APRIL = date(2027, 4, 1)


@pytest.fixture(scope="module")
def office(shared_app: App) -> App:
    """The company on the morning of its review, and its board of three is asked."""
    assert isinstance(shared_app.clock, Clock)
    cast.hire(shared_app, ALTERNATES)
    reviewed.settle(shared_app, shared_app.clock)
    with shared_app.transaction(MORNING) as moment:
        reviewed.draft(moment)
        assert calendar.advance(moment, Q4) == "convene"
    return shared_app


@pytest.fixture
def moment(office: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(office) as moment:
        yield moment


def asked(moment: Moment, who: str = TESS, /, **changes: str) -> ThresholdForm:
    """The form as it opens, with some of its fields written over; `__` stands for a dot."""
    found = thresholds.offered(moment.at(MORNING), voted.person(moment.session, who), Q4)
    usual = {**found.percents, "effective_from": found.days[0].isoformat(), "version": found.version}
    return ThresholdForm(found.base, usual | {key.replace("__", "."): text for key, text in changes.items()})


def propose(moment: Moment, form: ThresholdForm, who: str = TESS) -> Proposal:
    return thresholds.propose(moment.at(MORNING), voted.person(moment.session, who), Q4, form)


def problems(moment: Moment, **changes: str) -> dict[str, str]:
    """What is wrong with a form, by field."""
    form = asked(moment, **changes)
    with pytest.raises(FieldsRefused) as refused:
        propose(moment, form)
    assert store.all_open(moment.session) == []
    return refused.value.problems


# --- The form and the proposal -------------------------------------------------------------------------------------


def test_the_form_begins_with_what_the_last_version_says(moment: Moment) -> None:
    """Every value in per cent, the first days of the next quarters, and a name that no version has."""
    found = thresholds.offered(moment.at(MORNING), voted.person(moment.session, TESS), Q4)
    assert list(found.percents.values()) == ["40", "50", "90", "80", "5", "10", "5"]
    assert found.days == (APRIL, date(2027, 7, 1), date(2027, 10, 1), date(2028, 1, 1))
    assert found.version == "2027.1"


def test_exactly_the_wanted_values_change(moment: Moment) -> None:
    """The proposed text is the last version's, remarks and all, but for three lines, its name and its date."""
    made = propose(moment, asked(moment, adjustment__use__low_enter="35", adjustment__change__low="7.5 %"))
    old = reference.handbook_bodies(moment.session)[-1]
    assert differences(old, made.body) == (Difference(LOW, "0.40", "0.35"), Difference(CUT, "0.10", "0.075"))
    lines = [line for line in made.body.splitlines() if line not in old.splitlines()]
    assert lines == ['version = "2027.1"', "effective_from = 2027-04-01", "low_enter = 0.35", "low = 0.075"]
    assert len(made.body.splitlines()) == len(old.splitlines())
    assert (made.version, made.effective_from, made.proposed_by) == (
        "2027.1",
        APRIL,
        voted.person(moment.session, TESS).id,
    )


def test_another_person_confirms_it(moment: Moment) -> None:
    """It is a proposal like any other: not its proposer but another member confirms it, and the books agree."""
    made = propose(moment, asked(moment, adjustment__change__low="5"))
    card = cards.of(moment, made.id)
    tess, iris = (voted.person(moment.session, who) for who in (TESS, IRIS))
    with pytest.raises(Refusal, match="two people"):
        deciding.confirm(moment.at(MORNING), tess, made.id, card.mark)
    applied = deciding.confirm(moment.at(MORNING), iris, made.id, card.mark)
    assert str(applied.adjustment.change.low) == "0.05"
    assert list(reviews.differences(moment.session, drafting.require(moment, Q4))) == []


def test_sent_twice_it_is_one_proposal(moment: Moment) -> None:
    """The same form again gives the same proposal, and no second card."""
    form = asked(moment, adjustment__change__low="5")
    made = propose(moment, form)
    cards = sa.select(sa.func.count()).select_from(outbox).where(outbox.c.about == made.id)
    before = moment.session.execute(cards).scalar_one()
    assert propose(moment, form) == made
    assert moment.session.execute(cards).scalar_one() == before
    assert len(store.all_open(moment.session)) == 1


@pytest.mark.parametrize("who", [ZOE, IDLE, "m1@example.com"])
def test_nobody_else_proposes_from_a_review(moment: Moment, who: str) -> None:
    """Alternates who were not called, and people without a seat, neither see the form nor send it."""
    form = asked(moment, adjustment__change__low="5")
    with pytest.raises(Refusal) as refused:
        asked(moment, who)
    assert refused.value.code == "not_on_panel"
    with pytest.raises(Refusal) as refused:
        propose(moment, form, who)
    assert refused.value.code == "not_on_panel"
    assert store.all_open(moment.session) == []


def test_a_form_about_an_older_version_is_refused(moment: Moment) -> None:
    """What someone else confirmed meanwhile is not undone by a form that was open: it has to be read again."""
    form = asked(moment, adjustment__change__low="5")
    made = propose(moment, asked(moment, OMAR, adjustment__change__high="4"), OMAR)
    mark = cards.of(moment, made.id).mark
    deciding.confirm(moment.at(MORNING), voted.person(moment.session, IRIS), made.id, mark)
    with pytest.raises(Refusal) as refused:
        propose(moment, form)
    assert refused.value.code == "handbook_moved"
    assert asked(moment).fields["adjustment.change.high"] == "4"


# --- Mistakes ------------------------------------------------------------------------------------------------------


def test_a_mistake_is_told_at_its_field_with_its_value(moment: Moment) -> None:
    """What is no per cent, what contradicts another value, and a form in which nothing changes."""
    found = problems(moment, adjustment__use__low_enter="lots", adjustment__change__low="-5")
    assert set(found) == {LOW, CUT}
    assert found[LOW].startswith("'lots' does not fit. Write a percentage")
    above = problems(moment, adjustment__use__low_enter="60") | problems(moment, adjustment__use__low_leave="85")
    assert above == {
        LOW: '60 %: has to be at most "No longer LOW above"',
        LEAVE: '85 %: has to be at most "No longer HIGH below"',
    }
    assert problems(moment, adjustment__change__low="101")[CUT].startswith(
        "'101' does not fit. Write a percentage up to 100, such as"
    )
    assert "Change at least one" in problems(moment)[LOW]


@pytest.mark.parametrize(
    "text", ["", "NaN", "1e1", "Infinity", "٤٠", "40.123", "4000", "40\nversion = 'x'", "<!channel>", "0x10", "40,5"]
)
def test_hostile_values_are_mistakes(moment: Moment, text: str) -> None:
    """Nothing but plain per cent with two decimals is a value."""
    assert set(problems(moment, adjustment__use__low_enter=text)) == {LOW}


@pytest.mark.parametrize("text", ["", "2026.1", "<!channel>", 'x"\nlow = 1', "a" * 41, "²027", "[x]", "-"])
def test_hostile_names_are_mistakes(moment: Moment, text: str) -> None:
    """A version's name is short and plain, and no one else's."""
    assert set(problems(moment, adjustment__change__low="5", version=text)) == {"version"}


@pytest.mark.parametrize("text", ["", "2027-01-01", "2027-04-02", "2031-01-01", "x"])
def test_it_holds_from_the_first_day_of_a_quarter_to_come(moment: Moment, text: str) -> None:
    """No other day is taken, whatever a form sends."""
    assert set(problems(moment, adjustment__change__low="5", effective_from=text)) == {"effective_from"}


def test_a_name_that_waits_already_is_told_at_its_field(moment: Moment) -> None:
    """Someone else's open proposal of the same name; the next form suggests another."""
    propose(moment, asked(moment, OMAR, adjustment__change__high="4"), OMAR)
    assert asked(moment).fields["version"] == "2027.2"
    with pytest.raises(FieldsRefused) as refused:
        propose(moment, asked(moment, adjustment__change__low="5", version="2027.1"))
    assert set(refused.value.problems) == {"version"}


# --- The text ------------------------------------------------------------------------------------------------------


def edit(old: str, **values: Decimal) -> str:
    return thresholds.edited(old, {LOW: Decimal("0.45")} | values, version="x", effective_from=APRIL)


def test_remarks_stay_where_they_are() -> None:
    """A remark behind a value, blanks around it and the order of keys are the author's, and stay."""
    old = handbook.packaged().replace("low_enter = 0.40", "low_enter   =  0.40   # since the pilot")
    assert "low_enter   =  0.45   # since the pilot\n" in edit(old)


def test_other_layouts_are_edited_as_well() -> None:
    """Inline tables are changed in place; a handbook from before the reviews gets the table that it means."""
    packaged = handbook.packaged()
    start, end = packaged.index("[adjustment.use]"), packaged.index("# per_score x score")
    use = "low_enter = 0.40, low_quarters = 2, low_leave = 0.50, high_enter = 0.90, high_leave = 0.80"
    inline = packaged[:start] + packaged[end:]
    inline = inline.replace("least_team = 5\n", f"least_team = 5\nuse = {{ {use} }} # kept\n")
    assert "use = { low_enter = 0.45, low_quarters = 2" in edit(inline)
    older = packaged[: packaged.index("[adjustment]")] + packaged[packaged.index("[reviews]") :]
    assert "[adjustment]" not in older
    assert handbook.parse(edit(older)).adjustment.use.low_enter == Decimal("0.45")
    assert differences(older, edit(older)) == (Difference(LOW, "0.40", "0.45"),)


# --- What the pack and the card tell -------------------------------------------------------------------------------


def test_pack_and_card_tell_what_it_would_have_made_of_the_quarter(moment: Moment) -> None:
    """As long as it waits: labelled with who proposed it; the same counts on its card; not for other changes."""
    made = propose(moment, asked(moment, adjustment__change__low="0"))
    test = drafting.summary(moment, Q4).backtests["2027.1"]
    assert (test.proposed_by, test.now.cut, test.then.cut, test.differ) == ("Tess Novak", 9, 0, 9)
    tried = cards.of(moment, made.id).tried
    assert tried is not None
    assert (tried.quarter, tried.test.then) == (Q4, test.then)
    deciding.withdraw(moment.at(MORNING), voted.person(moment.session, TESS), made.id)
    assert drafting.summary(moment, Q4).backtests == {}
    assert cards.of(moment, made.id).tried is None


def test_a_proposal_of_something_else_is_not_tried(moment: Moment) -> None:
    """Without other thresholds there is nothing to try, and the pack stays as it is."""
    last = reference.handbook_bodies(moment.session)[-1]
    body = last.replace("notice_days = 10", "notice_days = 12")
    body = body.replace(f'version = "{handbook.parse(last).version}"', 'version = "2027.9"')
    body = body.replace(f"effective_from = {handbook.parse(last).effective_from}", f"effective_from = {APRIL}")
    before = faces(moment)
    made = proposing.propose(moment.at(MORNING), body, voted.person(moment.session, TESS), actor="test")
    assert cards.of(moment, made.id).tried is None
    assert drafting.summary(moment, Q4).backtests == {}
    assert faces(moment) == before


def faces(moment: Moment) -> list[str]:
    return list(moment.session.execute(sa.select(outbox.c.key).where(outbox.c.template == "reviews/face")).scalars())


def test_copies_of_the_pack_get_a_new_face_when_it_comes_and_goes(office: App) -> None:
    """The pack has what the proposal would have made, and after it is withdrawn no more; its card tells it, too."""
    with office.transaction() as moment:
        made = propose(moment, asked(moment, adjustment__change__low="0"))
        owed = faces(moment)
        assert set(packs.of(moment, Q4).summary.backtests) == {"2027.1"}
    assert owed
    assert all(key.endswith(f"@{made.id}:open") for key in owed)

    def said(template: str, view: dict[str, object]) -> str:
        composed = messages.compose(template, view, app=office)
        assert composed is not None
        return json.dumps(composed.message.blocks, ensure_ascii=False)

    assert "Tried on the review of 2026-Q4" in said("handbook/face", {"proposal_id": made.id})
    with office.transaction(MORNING) as moment:
        deciding.withdraw(moment, voted.person(moment.session, TESS), made.id)
        assert len(faces(moment)) == 2 * len(owed)
        assert packs.of(moment, Q4).summary.backtests == {}
    assert books.findings(office) == {}
