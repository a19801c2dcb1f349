"""Who comes, goes and changes roles while a request is open, and what happens at its edges."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.exceptions import amounts
from handlers.exceptions import asking as handler
from handlers.slack.commands import Request as Command
from handlers.slack.interactions import Press
from policy.period import Month, Quarter
from policy.reasons import Refusal
from policy.units import MicroTokens
from policy.value.valuation import TokenValue
from programme.exceptions import cards, questions
from programme.grants import monthly
from programme.people import board
from programme.value import valuation
from scheduler import courier, slack_delivery
from scheduler.composers import exceptions
from store import runs
from store.engine import open_database
from store.exceptions import drafts as drafts_store
from store.outbox import messages as outbox_store
from store.tables.exceptions import requests
from store.tables.outbox import outbox, run_failures
from templates import formats
from tests.support import books, cast, rollout, slack
from tests.support import requests as asking
from tests.support.books import BEN, MARA
from tests.support.requests import LENA, OMAR, TESS, ZOE, ask, convene, refused, vote

if TYPE_CHECKING:
    from datetime import datetime

    from programme.app import App
    from store.engine import Database, Session
    from store.exceptions.requests import Request

VALUE = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_200_000)


@pytest.fixture
def office(sqlite_app: App) -> App:
    return convene(sqlite_app)


def delegate(office: App, member: str, to: str, *, days: int = 7) -> None:
    now = office.clock()
    with office.transaction(now) as moment:
        people = asking.person(moment.session, member), asking.person(moment.session, to)
        board.delegate(moment, *people, now.date() + timedelta(days=days))


def leave(office: App, email: str) -> None:
    cast.hire(office, f"email,left_on\n{email},2026-11-01\n")


# --- People come and go --------------------------------------------------------------------------------------------


def test_who_left_decides_nothing(office: App) -> None:
    """Neither a member who left, nor their delegate, nor a delegate who left; and no one waits for them."""
    request = ask(office, BEN, "5000")
    delegate(office, TESS, LENA)
    leave(office, TESS)
    assert refused(office, TESS, request) == "left"
    assert refused(office, LENA, request) == "not_on_board"
    delegate(office, OMAR, LENA)
    leave(office, LENA)
    assert refused(office, LENA, request) == "left"
    with office.reading() as moment:
        card = cards.of(moment, request.id)
    assert sorted(one.name for one in card.awaited) == ["Iris Tan", "Omar Haddad"]
    assert vote(office, OMAR, request).request.state == "approved"


def test_nothing_is_granted_to_who_left(office: App) -> None:
    """Anyone who has left asks for nothing, also not in an incident, and what they asked for before is not granted."""
    request = ask(office, BEN, "5000")
    leave(office, BEN)
    assert refused(office, TESS, request) == "requester_left"
    for incident in (None, "INC-1"):
        with pytest.raises(Refusal) as refusal:
            ask(office, BEN, "5000", incident=incident)
        assert refusal.value.code == "left"
    assert books.count(office, requests) == 1


def test_administrators_and_auditors_do_not_decide(office: App) -> None:
    """Anyone who administers or audits has no seat, loses the one they had, and stands in for no one."""
    request = ask(office, BEN, "5000")
    delegate(office, OMAR, LENA)
    cast.hire(office, "email,roles\ntess@example.com,board;admin\nlena@example.com,auditor\n")
    assert refused(office, TESS, request) == "bystander"
    assert refused(office, LENA, request) == "bystander"
    assert refused(office, TESS, ask(office, BEN, "50")) in {"bystander", "not_on_board"}
    assert vote(office, OMAR, request).request.state == "approved"


def test_whoever_becomes_the_manager_is_recused(office: App) -> None:
    """Concern is judged when a vote is counted: by what was so when it was asked, and by what is so now."""
    request = ask(office, BEN, "5000")
    cast.hire(office, f"email,manager_email\n{BEN},tess@example.com\n")
    assert refused(office, TESS, request) == "recused_manager"
    cast.hire(office, f"email,manager_email\n{BEN},omar@example.com\n")
    assert vote(office, TESS, request).request.state == "approved"


def test_a_delegate_who_becomes_an_alternate_changes_the_vote_they_cast(office: App) -> None:
    """A vote is changeable until it is decided, also when one's own seat is called in meanwhile."""
    grant = rollout.granted(office, "2026-11")[BEN]
    request = ask(office, BEN, f"{grant.decimal * 2:f}")
    delegate(office, TESS, ZOE)
    assert vote(office, ZOE, request).seat == cast.person_id(office, TESS)
    asking.until(office, request, "escalate_at")
    again = vote(office, ZOE, request, approves=False)
    assert (again.seat, again.tally.rejections) == (cast.person_id(office, TESS), 1)
    assert books.findings(office) == {}


def test_a_delegate_hears_of_a_request_at_once(office: App) -> None:
    """The delegate of a member need not be in the board's channel: they get a card of their own."""
    delegate(office, TESS, LENA)
    told = asking.owed(office, ask(office, BEN, "5000"))
    assert f"card:new:{cast.person_id(office, LENA)}" in told


# --- Who may see what ----------------------------------------------------------------------------------------------


def test_the_concerned_do_not_see_a_request_in_the_queue(office: App) -> None:
    """A manager who stands in for a member does not get to read their people's grants."""
    delegate(office, TESS, MARA)
    request = ask(office, BEN, "5000")
    ask(office, "iris@example.com", "100")
    with office.reading() as moment:
        mara = asking.person(moment.session, MARA)
        queue = cards.queue(moment, mara.id, most=10)
        assert not cards.may_see(moment, request, mara.id)
    assert ([line.card.requester.name for line in queue.lines], queue.hidden) == (["Iris Tan"], 1)


def test_a_question_is_shown_to_the_person_who_asked_alone(office: App) -> None:
    """A number that someone made up opens no one else's question."""
    request = ask(office, BEN, "5000")
    with office.transaction() as moment:
        tess, ada = asking.person(moment.session, TESS), asking.person(moment.session, books.ADA)
        number = questions.ask(moment, tess, request.id, "?", key="q").id
    for value in (str(number), "9" * 30, "", "x"):
        with pytest.raises(Refusal, match="for the person who asked"):
            handler.press_answer(office, Press(ada, value, office.clock(), None, None))


def test_nothing_is_answered_after_the_decision(office: App) -> None:
    """The question's button goes with the decision, and an answer that comes after it is refused."""
    request, now = ask(office, BEN, "5000"), office.clock()
    with office.transaction(now) as moment:
        question = questions.ask(moment, asking.person(moment.session, TESS), request.id, "?", key="q")
    vote(office, TESS, request)
    assert any(key.startswith(f"question:{question.id}@") for key in asking.owed(office, request))
    with pytest.raises(Refusal, match="was approved"), office.transaction(now) as moment:
        questions.answer(moment, asking.person(moment.session, BEN), question.id, "Late")


# --- Amounts and drafts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("5000", "5000"),
        ("5,000", "5000"),
        ("1,234,567.5", "1234567.5"),
        ("5 000", "5000"),
        ("0.5", "0.5"),
        ("5000 tokens", "5000"),
        ("USD 10.20", "1000"),
        ("$10.2", "1000"),
        ("10.2 usd", "1000"),
        (" usd 1,020 ", "100000"),
    ],
)
def test_amounts_as_people_write_them(text: str, tokens: str) -> None:
    """Tokens or USD, with thousands set apart or not."""
    assert amounts.parse(text, VALUE) == MicroTokens.parse(tokens)


@pytest.mark.parametrize(
    "text", ["", "x", "-5", "1,5", "USD 50,00", "5.000", "1.234.567", "USD 5 USD", "0.0000001", "5kk"]
)
def test_amounts_that_could_mean_something_else_are_refused(text: str) -> None:
    """What is five thousand here and five there is asked for again, never guessed."""
    with pytest.raises(ValueError, match=r"'.*'"):
        amounts.parse(text, VALUE)


def test_what_approve_less_begins_with_is_the_whole(office: App) -> None:
    """Anyone who changes only the end approves the whole amount, to its last decimal."""
    request = ask(office, BEN, "3323.529412")
    assert amounts.parse(formats.exact_tokens(request.amount), VALUE) == request.amount


@pytest.mark.every_database
def test_a_draft_keeps_what_was_typed_last(app: App, database_url: str) -> None:
    """Two pieces of typing at once leave a draft, and one that arrives late does not bring back what was."""
    office, now = convene(app), app.clock()
    ben = cast.person_id(office, BEN)

    def save(text: str, at: datetime) -> None:
        with office.database.transaction() as session:
            drafts_store.save(session, ben, {"amount": text}, now=at)

    def at_the_same_time(database: Database) -> None:
        with database.transaction() as session:
            drafts_store.save(session, ben, {"amount": "5"}, now=now)

    assert books.at_once(database_url, [at_the_same_time] * 6) == []
    save("50", now + timedelta(seconds=2))
    save("5", now + timedelta(seconds=1))
    with office.database.reading() as session:
        assert drafts_store.of_person(session, ben) == ({"amount": "50"}, now + timedelta(seconds=2))


def test_a_draft_that_nobody_typed_does_no_harm(office: App) -> None:
    """The form opens whatever is kept, with a usual day where the kept one is none."""
    with office.database.transaction() as session:
        ben = asking.person(session, BEN)
        drafts_store.save(session, ben.id, {"last_day": "zzz", "amount": "5", "other": 1}, now=office.clock())
    assert ben.slack_user_id is not None
    modal = handler.open_request(office, Command(ben.slack_user_id, "", office.clock()))
    assert modal is not None
    assert "2026-12-19" in json.dumps(modal.view)


# --- Time, channels, messages --------------------------------------------------------------------------------------


def test_an_incident_of_a_friday_evening_is_reminded_of(office: App) -> None:
    """Its two days run over the weekend, and so do its reminders: to members, to alternates, to chair and finance."""
    office.clock.move(hours=7)  # type: ignore[attr-defined]  # the tests' clock
    request = ask(office, BEN, "20000", incident="INC-1", days=0)
    assert request.lapse_at == office.clock() + timedelta(days=2)
    steps = [step for _ in range(60) for step in asking.let_time_pass(office, hours=1)]
    assert steps == ["remind", "escalate", "last_call", "lapse"]
    query = sa.select(outbox.c.at_once).where(outbox.c.key.like(f"card:{request.id}:%"), outbox.c.replaces.is_(None))
    assert {at_once for (at_once,) in books.rows(office, query)} == {True}


def test_a_question_needs_no_channel_and_stays_in_the_cards(office: App, sqlite_app: App) -> None:
    """A board that gets another channel, or its first, meanwhile: replies go where the card is, or nowhere."""
    request = ask(office, BEN, "5000")
    silent = dataclasses.replace(office, governance_channel=None)
    without = ask(silent, BEN, "50")
    moved = dataclasses.replace(office, governance_channel="C0OTHER")
    for number, one in enumerate((request, without)):
        with moved.transaction() as moment:
            tess = asking.person(moment.session, TESS)
            questions.ask(moment, tess, one.id, "?", key=f"q{number}")
    threads = sa.select(outbox.c.channel, outbox.c.thread).where(outbox.c.thread.is_not(None))
    assert books.rows(sqlite_app, threads) == [("C0BOARD", f"card:{request.id}:board")]


def test_what_goes_out_at_once_overtakes_a_mailing(office: App) -> None:
    """A card does not wait behind ten thousand statements that are due as well."""
    now = office.clock()
    many = [
        outbox_store.NewMessage(f"x:{n}", "x", "{}", cast.person_id(office, BEN), None, now - timedelta(hours=1))
        for n in range(20)
    ]
    with office.database.transaction() as session:
        outbox_store.owe(session, many, now=now)
    request = ask(office, BEN, "20000", incident="INC-9")
    with office.database.transaction() as session:
        leased = outbox_store.lease(session, courier="c", now=now, until=now + timedelta(minutes=5), limit=4)
    assert [row.key for row in leased][:2] == [f"mine:{request.id}", f"card:{request.id}:board"]
    assert len(leased) == 4


def test_a_step_that_failed_is_forgotten_with_the_request(office: App) -> None:
    """What was decided needs no reminder, and `doctor` does not ask for one."""
    request = ask(office, BEN, "5000")
    with office.database.transaction() as session:
        runs.note_failure(session, "request.remind", request.id, reason="X", now=office.clock())
    vote(office, TESS, request)
    assert books.count(office, run_failures) == 0


def test_a_netted_break_glass_says_so_to_its_owner(office: App) -> None:
    """Afterwards it is not said any more that the next grant will be smaller."""
    request = ask(office, BEN, "20000", incident="INC-7")
    used = cast.event("spent", at=office.clock(), who=BEN, meters={"output": 5_000_000})
    assert books.take_in(office, used) == ["accepted"]
    vote(office, TESS, request, approves=False)
    assert "will be taken off your next grant" in what_it_says(office, request)
    asking.let_time_pass(office, days=14)
    said = what_it_says(office, request)
    assert "of the 7,500 tokens that were used were taken off the grant for 2026-12" in said
    assert "next grant" not in said


def what_it_says(office: App, request: Request) -> str:
    return json.dumps(exceptions.compose_mine(office, {"request_id": request.id}).blocks)


def test_a_card_of_which_nobody_knows_whether_it_arrived(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its post was taken, the answer lost, and then it was decided: the card that is found shows the decision."""
    slack.without_proxies(monkeypatch)
    office = convene(sqlite_app, channel=slack.BOARD)
    with office.database.transaction() as session:
        session.execute(sa.delete(outbox))
    with slack.workspace(clock=office.clock, post_burst=100) as sandbox:
        client = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
        request = ask(office, BEN, "5000")
        sandbox.faults.add("chat.postMessage", status=500, performed=True)
        sandbox.faults.add("chat.postMessage", status=500, performed=True)
        for _ in range(2):
            courier.deliver(office, client, courier="c")
            office.clock.move(seconds=1)  # type: ignore[attr-defined]  # the tests' clock
        vote(office, TESS, request)
        for _ in range(30):
            courier.deliver(office, client, courier="c")
            office.clock.move(seconds=2)  # type: ignore[attr-defined]  # the tests' clock
        [card] = sandbox.messages(slack.BOARD, slack.IRIS)
        owned = [m for m in sandbox.messages(sandbox.dm(slack.BEN), slack.BEN) if "is approved*" in str(m.blocks)]
    assert "*Approved.* 5,000 tokens" in str(card.blocks)
    assert len(owned) == 1


# --- Locks ---------------------------------------------------------------------------------------------------------


@pytest.mark.every_database
def test_a_vote_and_a_monthly_run_do_not_wait_for_each_other(
    app: App, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the beginning of a quarter both adopt its value: before they hold any account, so neither is killed."""
    office = convene(app)
    office.clock.move(days=(date(2027, 1, 1) - office.clock().date()).days)  # type: ignore[attr-defined]
    request, original = ask(office, BEN, "50"), valuation.value_of
    adopted, voting = threading.Event(), threading.Event()

    def value_of(session: Session, *arguments: object, **named: object) -> TokenValue:
        value = original(session, *arguments, **named)  # type: ignore[arg-type]  # handed on
        if threading.current_thread() is monthly_run:
            adopted.set()
            # Long enough for the vote to come as far as it can.
            voting.wait(5)
            threading.Event().wait(0.3)
        return value

    monkeypatch.setattr(valuation, "value_of", value_of)
    raised: list[BaseException] = []

    def attempt(work: str) -> None:
        replica = dataclasses.replace(office, database=open_database(database_url))
        try:
            if work == "monthly":
                with replica.transaction() as moment:
                    monthly.run(moment, Month(2027, 1))
            else:
                assert adopted.wait(20)
                voting.set()
                vote(replica, TESS, request)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)
        finally:
            replica.database.close()

    monthly_run = threading.Thread(target=attempt, args=("monthly",), daemon=True)
    pressing = threading.Thread(target=attempt, args=("vote",), daemon=True)
    for thread in (monthly_run, pressing):
        thread.start()
    for thread in (monthly_run, pressing):
        thread.join(30)
    assert raised == []
    assert asking.now_of(office, request).state == "approved"
    assert rollout.granted(office, "2027-01")[BEN] > 0
    assert books.findings(office) == {}
