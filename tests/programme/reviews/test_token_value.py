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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import Desk
    from programme.reviews.token_value import Standing
    from store.engine import Session

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
def company(shared_desk: Desk) -> Desk:
    """The company on the morning of its review, with a board of three; nothing is drafted yet."""
    assert isinstance(shared_desk.clock, Clock)
    cast.hire(shared_desk, ALTERNATES)
    reviewed.settle(shared_desk, shared_desk.clock)
    return dataclasses.replace(shared_desk, governance_channel=BOARD_CHANNEL)


@pytest.fixture
def session(company: Desk) -> Iterator[Session]:
    """A transaction that leaves nothing."""
    with books.rolled_back(company) as session:
        yield session


def apply(session: Session, version: str, *, old: str = "", new: str = "", more: str = "") -> None:
    """A version of the company's handbook that holds from 2027 on."""
    text = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', reference.handbook_bodies(session)[-1], count=1)
    text = text.replace("effective_from = 2026-01-01", "effective_from = 2027-01-01").replace(old, new) + more
    handbooks.apply(session, text, actor=handbooks.SYSTEM, now=MORNING)


def ask(session: Session, desk: Desk, *, gpu: str = DEARER) -> None:
    """The review is drafted after GPU hours became dearer, and the board is asked."""
    apply(session, "2027.gpu", more=PRICE.format(usd=gpu))
    reviewed.draft(session, desk)
    calendar.advance(session, Q4, desk=desk, now=MORNING)


def adopt(session: Session, desk: Desk, *, now: datetime = MORNING) -> voting.Voted:
    """Iris and then Omar adopt the package: his is the deciding vote."""
    voted.vote(session, desk, IRIS, now=now)
    return voted.vote(session, desk, OMAR, now=now)


def standing(session: Session, desk: Desk, *, now: datetime = MORNING) -> Standing:
    return token_value.standing(session, voting.locked(session, Q4), desk=desk, now=now)


def confirm(session: Session, desk: Desk, who: str, *, now: datetime = MORNING) -> Standing:
    return voting.confirm_value(session, voted.person(session, who), Q4, desk=desk, now=now)


def value_of(session: Session) -> int:
    value = reference.value_of(session, Q1)
    assert value is not None
    return value.nano_usd_per_token


def told(session: Session, action: str) -> list[str]:
    """Who did something, as the audit log tells."""
    log = audit_log.c
    return list(session.execute(sa.select(log.actor).where(log.action == action).order_by(log.seq)).scalars())


def test_adopting_the_package_adopts_its_value(company: Desk, session: Session) -> None:
    """In one transaction the quarter has the new value, by whoever had the deciding vote, booked against the buffer."""
    ask(session, company)
    before = value_of(session)
    assert standing(session, company).state == token_value.WAITS
    voted.vote(session, company, IRIS)
    assert value_of(session) == before
    decided = voted.vote(session, company, OMAR)
    assert (decided.review.state, decided.value) == ("adopted", token_value.ADOPTED)
    assert value_of(session) == 10_750_000
    assert told(session, "value.adopt") == [voted.person(session, OMAR).id]
    found = standing(session, company)
    assert (found.version, [one.name for one in found.by]) == ("2027-Q1.2", ["Omar Haddad"])
    revalued = sa.select(sa.func.count()).where(usd_entries.c.kind == "revaluation")
    assert session.execute(revalued).scalar_one() == 1
    assert books.findings_in(session, company) == {}


def test_a_large_change_waits_for_another_member(company: Desk, session: Session) -> None:
    """The deciding vote is the first of two people: who cast it is refused, others of the panel confirm, once."""
    ask(session, company, gpu=FAR_DEARER)
    before = value_of(session)
    assert standing(session, company).needs_two
    assert adopt(session, company).value == token_value.FIRST
    assert value_of(session) == before
    codes = {who: voted.code(partial(confirm, session, company, who)) for who in (OMAR, LENA, ZOE)}
    assert codes == {OMAR: "second_person", LENA: "not_on_board", ZOE: "not_called_yet"}
    assert confirm(session, company, TESS).state == token_value.ADOPTED
    assert value_of(session) == 13_000_000
    assert [one.name for one in standing(session, company).by] == ["Omar Haddad", "Tess Novak"]
    assert told(session, "review.value") == [voted.person(session, TESS).id]
    with pytest.raises(Refusal, match=r"already adopted as 2027-Q1.2 by Omar Haddad and Tess Novak"):
        confirm(session, company, IRIS)
    assert books.findings_in(session, company) == {}


def test_nobody_confirms_for_the_same_seat(company: Desk, session: Session) -> None:
    """Whoever stands in for the member with the deciding vote is no second person."""
    ask(session, company, gpu=FAR_DEARER)
    adopt(session, company)
    omar, lena = (voted.person(session, who) for who in (OMAR, LENA))
    board.delegate(session, omar, lena, datetime(2027, 1, 20, tzinfo=UTC).date(), desk=company, now=MORNING)
    assert voted.code(lambda: confirm(session, company, LENA)) == "same_seat"


def test_who_was_the_first_elsewhere_is_followed_by_the_deciding_vote(company: Desk, session: Session) -> None:
    """Where an administrator adopted a large change already, the board is the second."""
    ask(session, company, gpu=FAR_DEARER)
    assert valuation.adopt(session, Q1, desk=company, actor="root", now=MORNING).value is None
    assert standing(session, company).state == token_value.FIRST
    assert adopt(session, company).value == token_value.ADOPTED
    assert value_of(session) == 13_000_000


def test_who_was_the_first_elsewhere_is_not_the_second(company: Desk, session: Session) -> None:
    """Somebody who was the first already cannot be the second by their vote: the value goes on waiting."""
    ask(session, company, gpu=FAR_DEARER)
    valuation.adopt(session, Q1, desk=company, actor=voted.person(session, OMAR).id, now=MORNING)
    decided = adopt(session, company)
    assert (decided.review.state, decided.value) == ("adopted", token_value.FIRST)


def test_another_value_is_not_adopted_unseen(company: Desk, session: Session) -> None:
    """What was proposed after the draft is nothing that the board has read: the grants are adopted without it."""
    ask(session, company)
    before = value_of(session)
    calculation = {"nano_usd_per_token": 10_800_000}
    reference.keep_proposal(session, Q1, digest="other", calculation=calculation, actor="root", now=MORNING)
    decided = adopt(session, company)
    assert (decided.review.state, decided.value) == ("adopted", token_value.ANOTHER)
    assert value_of(session) == before
    assert voted.code(lambda: confirm(session, company, TESS)) == "value_another"


def test_a_value_that_was_adopted_before_stays_as_it_is(company: Desk, session: Session) -> None:
    """The board's adoption makes no second version of what an administrator adopted."""
    ask(session, company)
    valuation.adopt(session, Q1, desk=company, actor="root", now=MORNING)
    assert adopt(session, company).value == token_value.ADOPTED
    assert reference.count_values(session, Q1) == 2
    assert books.findings_in(session, company) == {}


def test_a_handbook_that_fixes_the_value_since(company: Desk, session: Session) -> None:
    """What was proposed before is not adopted against the handbook."""
    ask(session, company)
    before = value_of(session)
    apply(session, "2027.fixed", old='method = "basket"', new='method = "fixed"')
    assert adopt(session, company).value == token_value.FIXED
    assert value_of(session) == before


def test_a_handbook_that_fixes_the_value_proposes_none(company: Desk, session: Session) -> None:
    """There is nothing to adopt with the package, and nothing is said of it."""
    apply(session, "2027.fixed", old='method = "basket"', new='method = "fixed"')
    reviewed.draft(session, company)
    calendar.advance(session, Q4, desk=company, now=MORNING)
    assert adopt(session, company).value == token_value.NONE
    assert standing(session, company) == token_value.NOT_PROPOSED
    assert voted.code(lambda: confirm(session, company, TESS)) == "value_none"


def test_a_quarter_that_is_over_keeps_its_value(company: Desk, session: Session) -> None:
    """A vote that was given longer than the quarter adopts the grants; what was debited in it stays."""
    ask(session, company)
    before = value_of(session)
    session.execute(sa.update(reviews_table).values(vote_until=OVER.replace(day=9)))
    assert adopt(session, company, now=OVER).value == token_value.OVER
    assert value_of(session) == before


def test_nothing_is_confirmed_before_the_board_adopts(company: Desk, session: Session) -> None:
    """An open review has no value that waits for a second person."""
    ask(session, company, gpu=FAR_DEARER)
    assert voted.code(lambda: confirm(session, company, TESS)) == "not_adopted"


def test_every_copy_says_what_became_of_the_value(company: Desk, session: Session) -> None:
    """The pack has the button as long as a second person is missing; a confirmation owes new faces."""
    ask(session, company, gpu=FAR_DEARER)
    adopt(session, company)
    pack = packs.of(session, Q4, desk=company, now=MORNING)
    assert (pack.value.state, [one.name for one in pack.value.by]) == ("first", ["Omar Haddad"])
    query = sa.select(sa.func.count()).where(outbox.c.template == "review/face")
    before = session.execute(query).scalar_one()
    confirm(session, company, TESS)
    assert session.execute(query).scalar_one() == before + 1


def test_people_learn_that_it_is_adopted(desk: Desk, clock: Clock) -> None:
    """Besides new faces one new message is owed, at once, which says what holds; its notification has no figures."""
    cast.hire(desk, ALTERNATES)
    reviewed.settle(desk, clock)
    office = dataclasses.replace(desk, governance_channel=BOARD_CHANNEL)
    with office.transaction() as session:
        ask(session, office, gpu=FAR_DEARER)
        adopt(session, office)
        o = outbox.c
        query = sa.select(o.key, o.channel, o.due_at, o.at_once).where(o.template == "review/outcome")
        assert [tuple(row) for row in session.execute(query)] == [
            (f"pack:{Q4}:adopted", BOARD_CHANNEL, MORNING, True)
        ]  # fmt: skip
    composed = messages.compose("review/outcome", {"quarter": str(Q4)}, desk=office)
    assert composed is not None
    said = str(composed.message.blocks)
    assert "Omar Haddad had the deciding vote" in said
    assert "review_value" in said
    assert not any(letter.isdigit() for letter in composed.message.text)
    with office.reading() as session:
        tess = voted.person(session, TESS)
    answer = reviews_board.press_value(office, Press(tess, f"{Q4}:1", MORNING, None, None))
    assert "adopted for 2027-Q1 as 2027-Q1.2" in str(answer.blocks)
    composed = messages.compose("review/outcome", {"quarter": str(Q4)}, desk=office)
    assert composed is not None
    assert "review_value" not in str(composed.message.blocks)
    assert books.findings(office) == {}
