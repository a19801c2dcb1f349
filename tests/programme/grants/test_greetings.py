"""The greeting of whoever joins the programme: once ever, with the first grant, true when it is read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from programme.grants import monthly
from programme.people import linking, terms
from programme.people.slack_accounts import SlackAccount
from scheduler.messages import compose
from store.tables.outbox import outbox
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN
from tests.support.cast import SONNET

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

NOVEMBER, DECEMBER = Month(2026, 11), Month(2026, 12)
FIRST = datetime(2026, 10, 31, 23, 5, tzinfo=UTC)
"""The first of November in Berlin, a Sunday."""
ZOE = "zoe@example.com"


def run(app: App, month: Month = NOVEMBER, at: datetime = FIRST) -> None:
    with app.transaction(at) as moment:
        assert monthly.run(moment, month) is not None


def letters(app: App, who: str) -> list[tuple[str, datetime]]:
    """(kind, due) of what someone is told about grants, in order."""
    query = sa.select(outbox.c.template, outbox.c.due_at).where(outbox.c.person_id == cast.person_id(app, who))
    rows = books.rows(app, query.where(outbox.c.template.like("grants/%")).order_by(outbox.c.id))
    return [(template.removeprefix("grants/"), due_at) for template, due_at in rows]


def kinds(app: App, who: str) -> list[str]:
    return [kind for kind, _ in letters(app, who)]


def said(app: App, who: str) -> str | None:
    """What the greeting says if it goes out now; None where nothing is left to say."""
    composed = compose("grants/greeting", {"person_id": cast.person_id(app, who)}, app=app)
    return None if composed is None else composed.message.blocks[0]["text"]["text"]


def test_the_first_grant_brings_a_greeting_and_the_next_a_statement(app: App) -> None:
    """Whoever joins is greeted in place of the month's statement; from the second month on there are statements."""
    rollout.launch(app)
    run(app)
    assert kinds(app, ADA) == ["greeting"]
    run(app, DECEMBER, datetime(2026, 11, 30, 23, 5, tzinfo=UTC))
    assert kinds(app, ADA) == ["greeting", "statement"]
    assert books.findings(app) == {}


def test_it_goes_out_in_the_reader_s_working_hours(app: App) -> None:
    """On a Sunday it waits for Monday morning where its reader is, as every notice does."""
    rollout.launch(app)
    cast.hire(app, f"email,time_zone\n{ADA},America/New_York\n")
    run(app)
    [(_, due_at)] = letters(app, ADA)
    assert due_at == datetime(2026, 11, 2, 14, tzinfo=UTC)


def test_whoever_had_grants_before_is_not_greeted(app: App) -> None:
    """People of a company that updates the bot in mid-programme know it already."""
    rollout.launch(app)
    run(app, Month(2026, 10), datetime(2026, 9, 30, 22, 5, tzinfo=UTC))
    with app.transaction() as moment:
        moment.session.execute(sa.delete(outbox).where(outbox.c.template == "grants/greeting"))
    run(app)
    assert kinds(app, ADA) == ["statement"]


def test_a_joiner_is_greeted_on_the_first_day(app: App, clock: Clock) -> None:
    """Someone hired in mid-month gets the greeting with the grant of the day they come, and no statement."""
    rollout.launch(app)
    run(app)
    joiner = f"{ZOE},Zoe Martin,mid,engineering,P2,Europe/Paris,2026-11-18,1\n"
    cast.hire(app, f"email,name,level,role_family,pay_band,time_zone,hired_on,wave\n{joiner}")
    clock.now = datetime(2026, 11, 16, 9, tzinfo=UTC)
    with app.transaction(clock.now) as moment:
        assert monthly.run_joiners(moment, date(2026, 11, 16)) is not None
    [(kind, due_at)] = letters(app, ZOE)
    assert kind == "greeting"
    assert due_at == datetime(2026, 11, 18, 8, tzinfo=UTC)


def test_who_is_rehired_is_not_greeted_again(app: App) -> None:
    """Someone who left and came back had their greeting: their next grant brings a statement."""
    rollout.launch(app)
    run(app)
    cast.hire(app, f"email,left_on\n{ADA},2026-11-10\n")
    run(app, DECEMBER, datetime(2026, 11, 30, 23, 5, tzinfo=UTC))
    cast.hire(app, f"email,hired_on,left_on\n{ADA},2026-12-20,-\n")
    run(app, DECEMBER.next(), datetime(2026, 12, 31, 23, 5, tzinfo=UTC))
    assert kinds(app, ADA)[0] == "greeting"
    assert kinds(app, ADA).count("greeting") == 1


def test_who_is_on_leave_is_greeted_when_they_are_back(app: App) -> None:
    """A week away at the start: the greeting waits for the first working morning after it."""
    rollout.launch(app)
    with app.transaction(FIRST - timedelta(days=9)) as moment:
        terms.set_leave(moment, ADA, date(2026, 10, 30), date(2026, 11, 6), actor="test")
    run(app)
    [(kind, due_at)] = letters(app, ADA)
    # The 7th is a Saturday.
    assert (kind, due_at.date()) == ("greeting", date(2026, 11, 9))


def test_it_tells_what_is_so_when_it_is_read(app: App, clock: Clock) -> None:
    """What was used between the grant and the morning is off, and who has left by then is told nothing."""
    rollout.launch(app)
    run(app)
    clock.now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    before = said(app, ADA)
    assert before is not None
    first = before.split("\n")[0]
    granted = rollout.granted(app, "2026-11")[ADA]
    assert first.startswith(f"*You have {granted.decimal:,.0f} tokens for AI services, worth USD ")
    # Midnight in Berlin, where the programme is, for Ada in London.
    assert first.endswith(", until 31 Jan 2027 at 23:00.*")
    books.take_in(app, cast.event("e1", at=clock.now, who=ADA, meters={"output": 1_000_000}, model=SONNET))
    after = said(app, ADA)
    assert after is not None
    assert after.split("\n")[0] != first
    cast.hire(app, f"email,left_on\n{ADA},2026-11-01\n")
    assert said(app, ADA) is None


def test_it_has_at_most_five_lines_and_three_ways_on(app: App) -> None:
    """The first line has what, worth what, until when; the buttons lead to the balance, a request and the rules."""
    rollout.launch(app)
    run(app)
    composed = compose("grants/greeting", {"person_id": cast.person_id(app, BEN)}, app=app)
    assert composed is not None
    text, actions = composed.message.blocks
    assert len(text["text"]["text"].strip().split("\n")) <= 5
    buttons = [one["action_id"] for one in actions["elements"]]
    assert buttons == ["balance_show", "fast_track_request", "policy_show"]


@pytest.mark.parametrize("by_relinking", [False, True])
def test_who_has_no_account_yet_is_greeted_once_linked(app: App, *, by_relinking: bool) -> None:
    """The greeting was set aside because nobody knew the account; the first contact, or an administrator, frees it."""
    rollout.launch(app)
    newcomer = f"{ZOE},Zoe Martin,mid,engineering,P2,Europe/Paris,2024-01-01,1\n"
    cast.hire(app, f"email,name,level,role_family,pay_band,time_zone,hired_on,wave\n{newcomer}")
    run(app)
    key = f"greeting:{cast.person_id(app, ZOE)}"
    with app.transaction() as moment:
        parked = sa.update(outbox).where(outbox.c.key == key)
        moment.session.execute(parked.values(state="parked", problem="no_slack_user"))
    account = SlackAccount("U0ZOE", email=ZOE)
    with app.transaction() as moment:
        if by_relinking:
            linking.relink(moment, ZOE, account, actor="test")
        else:
            linking.link(moment, account)
    assert books.rows(app, sa.select(outbox.c.state).where(outbox.c.key == key)) == [("waiting",)]
