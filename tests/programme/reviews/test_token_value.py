"""The token value that is proposed with a review: adopted with the package, or confirmed by a second person."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.reviews import board as reviews_board
from handlers.slack.interactions import Press
from policy.period import Quarter
from policy.reasons import Refusal
from programme import handbooks
from programme.handbook import applying
from programme.people import board
from programme.reviews import calendar, packs, token_value, voting
from programme.value import valuation
from scheduler import messages
from store.handbook import reference
from store.tables.audit import audit_log
from store.tables.outbox import outbox
from store.tables.reviews import reviews as reviews_table
from store.tables.value import usd_entries
from tests.support import books, cast, reviewed, voted
from tests.support.clock import Clock
from tests.support.requests import ALTERNATES, BOARD_CHANNEL, IRIS, LENA, OMAR, TESS, ZOE
from tests.support.reviewed import MORNING, Q4
from views.reviews import NOT_PROPOSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment
    from views.reviews import ValueState

Q1 = Quarter(2027, 1)
OVER = datetime(2027, 4, 1, 9, tzinfo=UTC)
DEARER, FAR_DEARER = "3.525", "7.05"
"""GPU hours are 15 % of the basket: half as dear again it costs 7.5 % more, three times as dear 30 %."""
PRICE = """
[[prices]]
provider = "gpu-cluster"
model = "H100"
per = "hour"
usd = {{ gpu_seconds = {usd} }}
from = 2027-01-01
"""


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company on the morning of its review, with a board of three; nothing is drafted yet."""
    assert isinstance(shared_app.clock, Clock)
    cast.hire(shared_app, ALTERNATES)
    reviewed.settle(shared_app, shared_app.clock)
    return dataclasses.replace(shared_app, governance_channel=BOARD_CHANNEL)


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    """A transaction that leaves nothing."""
    with books.rolled_back(company) as moment:
        yield moment


def apply(moment: Moment, version: str, *, old: str = "", new: str = "", more: str = "") -> None:
    """A version of the company's handbook that holds from 2027 on."""
    text = re.sub(
        r'(?m)^version = ".*"$', f'version = "{version}"', reference.handbook_bodies(moment.session)[-1], count=1
    )
    text = text.replace("effective_from = 2026-01-01", "effective_from = 2027-01-01").replace(old, new) + more
    applying.apply(moment.at(MORNING), text, actor=handbooks.SYSTEM)


def ask(moment: Moment, *, gpu: str = DEARER) -> None:
    """The review is drafted after GPU hours became dearer, and the board is asked."""
    apply(moment, "2027.gpu", more=PRICE.format(usd=gpu))
    reviewed.draft(moment)
    calendar.advance(moment.at(MORNING), Q4)


def adopt(moment: Moment, *, now: datetime = MORNING) -> voting.VoteReceipt:
    """Iris and then Omar adopt the package: his is the deciding vote."""
    voted.vote(moment, IRIS, now=now)
    return voted.vote(moment, OMAR, now=now)


def standing(moment: Moment, *, now: datetime = MORNING) -> ValueState:
    return token_value.standing(moment.at(now), voting.locked(moment, Q4))


def confirm(moment: Moment, who: str, *, now: datetime = MORNING) -> ValueState:
    return voting.confirm_value(moment.at(now), voted.person(moment.session, who), Q4)


def value_of(moment: Moment) -> int:
    value = reference.value_of(moment.session, Q1)
    assert value is not None
    return value.nano_usd_per_token


def told(moment: Moment, action: str) -> list[str]:
    """Who did something, as the audit log tells."""
    log = audit_log.c
    return list(moment.session.execute(sa.select(log.actor).where(log.action == action).order_by(log.seq)).scalars())


def test_adopting_the_package_adopts_its_value(moment: Moment) -> None:
    """In one transaction the quarter has the new value, by whoever had the deciding vote, booked against the buffer."""
    ask(moment)
    before = value_of(moment)
    assert standing(moment).state == token_value.WAITS
    voted.vote(moment, IRIS)
    assert value_of(moment) == before
    decided = voted.vote(moment, OMAR)
    assert (decided.review.state, decided.value) == ("adopted", token_value.ADOPTED)
    assert value_of(moment) == 10_750_000
    assert told(moment, "value.adopt") == [voted.person(moment.session, OMAR).id]
    found = standing(moment)
    assert (found.version, [one.name for one in found.by]) == ("2027-Q1.2", ["Omar Haddad"])
    revalued = sa.select(sa.func.count()).where(usd_entries.c.kind == "revaluation")
    assert moment.session.execute(revalued).scalar_one() == 1
    assert books.findings_in(moment) == {}


def test_a_large_change_waits_for_another_member(moment: Moment) -> None:
    """The deciding vote is the first of two people: who cast it is refused, others of the panel confirm, once."""
    ask(moment, gpu=FAR_DEARER)
    before = value_of(moment)
    assert standing(moment).needs_two
    assert adopt(moment).value == token_value.FIRST
    assert value_of(moment) == before
    codes = {who: voted.code(partial(confirm, moment, who)) for who in (OMAR, LENA, ZOE)}
    assert codes == {OMAR: "second_person", LENA: "not_on_board", ZOE: "not_called_yet"}
    assert confirm(moment, TESS).state == token_value.ADOPTED
    assert value_of(moment) == 13_000_000
    assert [one.name for one in standing(moment).by] == ["Omar Haddad", "Tess Novak"]
    assert told(moment, "review.value") == [voted.person(moment.session, TESS).id]
    with pytest.raises(Refusal, match=r"already adopted as 2027-Q1.2 by Omar Haddad and Tess Novak"):
        confirm(moment, IRIS)
    assert books.findings_in(moment) == {}


def test_nobody_confirms_for_the_same_seat(moment: Moment) -> None:
    """Whoever stands in for the member with the deciding vote is no second person."""
    ask(moment, gpu=FAR_DEARER)
    adopt(moment)
    omar, lena = (voted.person(moment.session, who) for who in (OMAR, LENA))
    board.delegate(moment.at(MORNING), omar, lena, datetime(2027, 1, 20, tzinfo=UTC).date())
    assert voted.code(lambda: confirm(moment, LENA)) == "same_seat"


def test_who_was_the_first_elsewhere_is_followed_by_the_deciding_vote(moment: Moment) -> None:
    """Where an administrator adopted a large change already, the board is the second."""
    ask(moment, gpu=FAR_DEARER)
    assert valuation.adopt(moment.at(MORNING), Q1, actor="root").value is None
    assert standing(moment).state == token_value.FIRST
    assert adopt(moment).value == token_value.ADOPTED
    assert value_of(moment) == 13_000_000


def test_who_was_the_first_elsewhere_is_not_the_second(moment: Moment) -> None:
    """Someone who was the first already cannot be the second by their vote: the value goes on waiting."""
    ask(moment, gpu=FAR_DEARER)
    valuation.adopt(moment.at(MORNING), Q1, actor=voted.person(moment.session, OMAR).id)
    decided = adopt(moment)
    assert (decided.review.state, decided.value) == ("adopted", token_value.FIRST)


def test_another_value_is_not_adopted_unseen(moment: Moment) -> None:
    """What was proposed after the draft is nothing that the board has read: the grants are adopted without it."""
    ask(moment)
    before = value_of(moment)
    calculation = {"nano_usd_per_token": 10_800_000}
    reference.keep_proposal(moment.session, Q1, digest="other", calculation=calculation, actor="root", now=MORNING)
    decided = adopt(moment)
    assert (decided.review.state, decided.value) == ("adopted", token_value.ANOTHER)
    assert value_of(moment) == before
    assert voted.code(lambda: confirm(moment, TESS)) == "value_another"


def test_a_value_that_was_adopted_before_stays_as_it_is(moment: Moment) -> None:
    """The board's adoption makes no second version of what an administrator adopted."""
    ask(moment)
    valuation.adopt(moment.at(MORNING), Q1, actor="root")
    assert adopt(moment).value == token_value.ADOPTED
    assert reference.count_values(moment.session, Q1) == 2
    assert books.findings_in(moment) == {}


def test_a_handbook_that_fixes_the_value_since(moment: Moment) -> None:
    """What was proposed before is not adopted against the handbook."""
    ask(moment)
    before = value_of(moment)
    apply(moment, "2027.fixed", old='method = "basket"', new='method = "fixed"')
    assert adopt(moment).value == token_value.FIXED
    assert value_of(moment) == before


def test_a_handbook_that_fixes_the_value_proposes_none(moment: Moment) -> None:
    """There is nothing to adopt with the package, and nothing is said of it."""
    apply(moment, "2027.fixed", old='method = "basket"', new='method = "fixed"')
    reviewed.draft(moment)
    calendar.advance(moment.at(MORNING), Q4)
    assert adopt(moment).value == token_value.NONE
    assert standing(moment) == NOT_PROPOSED
    assert voted.code(lambda: confirm(moment, TESS)) == "value_none"


def test_a_quarter_that_is_over_keeps_its_value(moment: Moment) -> None:
    """A vote that was given longer than the quarter adopts the grants; what was debited in it stays."""
    ask(moment)
    before = value_of(moment)
    moment.session.execute(sa.update(reviews_table).values(vote_until=OVER.replace(day=9)))
    assert adopt(moment, now=OVER).value == token_value.OVER
    assert value_of(moment) == before


def test_nothing_is_confirmed_before_the_board_adopts(moment: Moment) -> None:
    """An open review has no value that waits for a second person."""
    ask(moment, gpu=FAR_DEARER)
    assert voted.code(lambda: confirm(moment, TESS)) == "not_adopted"


def test_every_copy_says_what_became_of_the_value(moment: Moment) -> None:
    """The pack has the button as long as a second person is missing; a confirmation owes new faces."""
    ask(moment, gpu=FAR_DEARER)
    adopt(moment)
    pack = packs.of(moment.at(MORNING), Q4)
    assert (pack.value.state, [one.name for one in pack.value.by]) == ("first", ["Omar Haddad"])
    query = sa.select(sa.func.count()).where(outbox.c.template == "reviews/face")
    before = moment.session.execute(query).scalar_one()
    confirm(moment, TESS)
    assert moment.session.execute(query).scalar_one() == before + 1


def test_people_learn_that_it_is_adopted(app: App, clock: Clock) -> None:
    """Besides new faces one new message is owed, at once, which says what holds; its notification has no figures."""
    cast.hire(app, ALTERNATES)
    reviewed.settle(app, clock)
    office = dataclasses.replace(app, governance_channel=BOARD_CHANNEL)
    with office.transaction() as moment:
        ask(moment, gpu=FAR_DEARER)
        adopt(moment)
        o = outbox.c
        query = sa.select(o.key, o.channel, o.due_at, o.at_once).where(o.template == "reviews/outcome")
        assert [tuple(row) for row in moment.session.execute(query)] == [
            (f"pack:{Q4}:adopted", BOARD_CHANNEL, MORNING, True)
        ]
    composed = messages.compose("reviews/outcome", {"quarter": str(Q4)}, app=office)
    assert composed is not None
    said = str(composed.message.blocks)
    assert "Omar Haddad had the deciding vote" in said
    assert "review_value" in said
    assert not any(letter.isdigit() for letter in composed.message.text)
    with office.database.reading() as session:
        tess = voted.person(session, TESS)
    answer = reviews_board.press_value(office, Press(tess, f"{Q4}:1", MORNING, None, None))
    assert "adopted for 2027-Q1 as 2027-Q1.2" in str(answer.blocks)
    composed = messages.compose("reviews/outcome", {"quarter": str(Q4)}, app=office)
    assert composed is not None
    assert "review_value" not in str(composed.message.blocks)
    assert books.findings(office) == {}
