"""Asking for tokens and deciding it, with the real bot in a workspace: forms, cards, threads, and what people read."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.units import MicroTokens
from store.tables.exceptions import requests
from store.tables.ledger import entries
from templates import formats
from tests.support import books, cast, slack
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.requests import LENA, TESS
from tests.support.seen import card, private, read, told

if TYPE_CHECKING:
    from programme.app import App
    from sandbox import Sandbox


def join_board(sandbox: Sandbox, user: str) -> None:
    """Let someone into the board's channel."""
    members = sandbox.workspace.channel(slack.BOARD).members
    sandbox.workspace.change_channel(slack.BOARD, members=members | {user})


def fill_in(sandbox: Sandbox, user: str, **fields: str) -> None:
    """Open the form and fill it in."""
    answer = sandbox.command(user, slack.GENERAL, "/tokens request")
    assert answer.error == "", answer
    sandbox.fill(user, {"purpose": "Finish the load test", **fields})


def send(sandbox: Sandbox, user: str, **fields: str) -> str:
    """Ask for tokens; what the receipt says."""
    fill_in(sandbox, user, **fields)
    assert sandbox.submit(user).error == ""
    receipt = sandbox.modal(user)
    assert receipt is not None
    assert receipt.errors == {}, receipt.errors
    sandbox.dismiss(user)
    return json.dumps(receipt.blocks, ensure_ascii=False)


@pytest.mark.usefixtures("_bot")
def test_from_the_form_to_the_wallet(sandbox: Sandbox, office: App) -> None:
    """Ben sees who decides by when while he types; Tess presses once; the tokens are there, and everyone is told."""
    before = books.wallet(office, BEN)
    fill_in(sandbox, slack.BEN, amount="USD 50")
    form = sandbox.modal(slack.BEN)
    assert form is not None
    preview = json.dumps(form.blocks, ensure_ascii=False)
    assert "*5,000 tokens, USD 50.00*" in preview
    assert "at most the monthly grant and USD 5,000. One of the three who may vote has to approve by" in preview
    assert sandbox.submit(slack.BEN).error == ""
    shown = card(sandbox, saying="0 of 1 approve")
    assert "<@U0BEN> asks for 5,000 tokens" in read(shown)
    assert "Asked: <@U0" in read(shown)
    mine = told(sandbox, slack.BEN, "You asked for 5,000 tokens")
    sandbox.press(slack.TESS, shown, "fast_track_approve")
    private(sandbox, slack.TESS, "Your vote decided it")
    assert books.wallet(office, BEN) == before + MicroTokens.parse("5000")
    decided = card(sandbox, saying="*Approved.* 5,000 tokens")
    assert decided.ts == shown.ts
    assert "fast_track_approve" not in read(decided)
    told(sandbox, slack.BEN, "Approved: you have 5,000 tokens")
    assert told(sandbox, slack.BEN, "tokens is approved*").ts == mine.ts
    # The button of a screen that has not changed yet.
    sandbox.press(slack.OMAR, shown, "fast_track_approve")
    private(sandbox, slack.OMAR, "This request was approved by Tess Novak, so your click changed nothing.")
    assert books.findings(office) == {}


def test_over_signed_http(sandbox: Sandbox, office: App) -> None:
    """The same forms and buttons where Slack sends signed requests."""
    with slack.bot(sandbox, office, slack.load(slack.signed_environment(sandbox, slack.NO_DATABASE))):
        assert "The board has your request for 5,000 tokens" in send(sandbox, slack.BEN, amount="5,000")
        shown = card(sandbox, saying="0 of 1 approve")
        sandbox.press(slack.TESS, shown, "fast_track_approve")
        card(sandbox, saying="*Approved.*")
    assert list(asking.states(office).values()) == ["approved"]


@pytest.mark.usefixtures("_bot")
def test_mistakes_stand_beside_their_fields(sandbox: Sandbox, office: App) -> None:
    """What cannot be is told where it was typed, and the form stays as it is; nothing was asked for."""
    fill_in(sandbox, slack.BEN, amount="5.000", last_day="2027-12-31")
    assert sandbox.submit(slack.BEN).error == ""
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert "can be read in two ways. Write 5,000" in form.errors["amount"]
    sandbox.fill(slack.BEN, {"amount": "5000"})
    sandbox.submit(slack.BEN)
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert set(form.errors) == {"last_day"}
    assert form.values["purpose"] == "Finish the load test"
    assert books.count(office, requests) == 0


@pytest.mark.usefixtures("_bot")
def test_a_closed_form_is_a_draft(sandbox: Sandbox) -> None:
    """What was typed is there again when the form is opened, until it is sent."""
    fill_in(sandbox, slack.BEN, amount="5000", beneficiaries=(slack.LENA,))  # type: ignore[arg-type]  # several people
    sandbox.dismiss(slack.BEN)
    sandbox.command(slack.BEN, slack.GENERAL, "/tokens request")
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert (form.values["amount"], form.values["purpose"]) == ("5000", "Finish the load test")
    assert form.values["beneficiaries"] == (slack.LENA,)
    assert "This is what you wrote" in json.dumps(form.blocks)
    sandbox.submit(slack.BEN)
    sandbox.dismiss(slack.BEN)
    sandbox.command(slack.BEN, slack.GENERAL, "/tokens request 70")
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert (form.values["amount"], form.values["purpose"]) == ("70", None)


@pytest.mark.usefixtures("_bot")
def test_rejected_with_a_reason_and_asked_again(sandbox: Sandbox, office: App) -> None:
    """The reason is required, goes to the person who asked, and *Ask again* begins with what they had written."""
    send(sandbox, slack.BEN, amount="5000")
    sandbox.press(slack.TESS, card(sandbox), "fast_track_reject")
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert "reason" in form.errors
    sandbox.fill(slack.TESS, {"reason": "Use the small model & tell us"})
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert "*Rejected.*" in json.dumps(form.blocks)
    note = told(sandbox, slack.BEN, "is rejected")
    assert "> Tess Novak: Use the small model &amp; tell us" in read(note)
    card(sandbox, saying="*Rejected*")
    sandbox.press(slack.BEN, note, "fast_track_again")
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert (form.values["amount"], form.values["purpose"]) == ("5,000", "Finish the load test")
    assert books.findings(office) == {}


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_less_until_an_earlier_day(sandbox: Sandbox, office: App) -> None:
    """An approver lowers the amount and the end; the person who asked reads both, and what they had asked for."""
    send(sandbox, slack.BEN, amount="5000")
    sandbox.press(slack.TESS, card(sandbox), "fast_track_less")
    sandbox.fill(slack.TESS, {"amount": "6000"})
    sandbox.submit(slack.TESS)
    form = sandbox.modal(slack.TESS)
    assert form is not None
    assert form.errors["amount"] == "Write more than 0 and at most 5,000, which is what was asked for."
    sandbox.fill(slack.TESS, {"amount": "4,000", "last_day": "2026-12-01"})
    sandbox.submit(slack.TESS)
    first = formats.slack_day(date(2026, 12, 1))
    note = told(sandbox, slack.BEN, f"Approved: you have 4,000 tokens (USD 40.00) until the end of {first}")
    assert "You had asked for 5,000" in read(note)
    card(sandbox, saying=f"Tess Novak approved 4,000 tokens until the end of {first}")
    assert books.findings(office) == {}


@pytest.mark.usefixtures("_bot")
def test_a_question_and_its_answer(sandbox: Sandbox) -> None:
    """The question reaches Ben and the card's thread; his answer comes back to both, and to the card."""
    send(sandbox, slack.BEN, amount="5000")
    shown = card(sandbox)
    sandbox.press(slack.TESS, shown, "fast_track_ask")
    sandbox.fill(slack.TESS, {"question": "Why now?"})
    sandbox.submit(slack.TESS)
    assert sandbox.modal(slack.TESS) is None
    asked = told(sandbox, slack.BEN, "Tess Novak asks about your request")
    sandbox.press(slack.BEN, asked, "fast_track_answer")
    sandbox.fill(slack.BEN, {"answer": "The release"})
    sandbox.submit(slack.BEN)
    told(sandbox, slack.TESS, "Ben Okafor answers your question")
    sandbox.wait_for(lambda: len(sandbox.thread(slack.BOARD, shown.ts, slack.IRIS)) == 3)
    _, question, answer = sandbox.thread(slack.BOARD, shown.ts, slack.IRIS)
    assert "Tess Novak asks Ben Okafor:*\\n> Why now?" in read(question)
    assert "answers* <@U0TESS>*:*\\n> The release" in read(answer)
    card(sandbox, saying="*Ben Okafor:* The release")
    told(sandbox, slack.BEN, "*You answered:* The release")
    sandbox.press(slack.BEN, asked, "fast_track_answer")
    private(sandbox, slack.BEN, "You have already answered this.", sandbox.dm(slack.BEN))


@pytest.mark.usefixtures("_bot")
def test_everybody_who_may_not_is_told_why(sandbox: Sandbox, office: App) -> None:
    """The person who asked, a stranger, an alternate before their time and a guest each get their own answer."""
    send(sandbox, slack.BEN, amount="5000")
    shown = card(sandbox)
    for user, saying in (
        (slack.NEWCOMER, "You are an alternate"),
        (slack.KOFI, "You are an alternate"),
    ):
        join_board(sandbox, user)
        sandbox.press(user, shown, "fast_track_approve")
        private(sandbox, user, saying)
    for user, saying in (
        (slack.BEN, "because you asked for it"),
        (slack.LENA, "Only the members of the board"),
        (slack.GUEST, "Guests of the workspace have no part in the token programme."),
    ):
        join_board(sandbox, user)
        for action in ("fast_track_approve", "fast_track_reject", "fast_track_less", "fast_track_ask"):
            sandbox.press(user, shown, action)
            private(sandbox, user, saying)
            assert sandbox.modal(user) is None
    assert list(asking.states(office).values()) == ["open"]


@pytest.mark.usefixtures("_bot")
def test_one_sees_and_withdraws_ones_own(sandbox: Sandbox, office: App) -> None:
    """`/tokens requests` lists them with their state, and takes one back."""
    assert "You have not asked for tokens yet" in read(
        sandbox.command(slack.BEN, slack.GENERAL, "/tokens requests").message
    )
    send(sandbox, slack.BEN, amount="5000")
    own = sandbox.command(slack.BEN, slack.GENERAL, "/tokens requests").message
    assert "*5,000 tokens* (USD 50.00)" in read(own)
    sandbox.press(slack.BEN, own, "fast_track_withdraw")
    private(sandbox, slack.BEN, "is withdrawn", slack.GENERAL)
    card(sandbox, saying="*Withdrawn*")
    assert list(asking.states(office).values()) == ["withdrawn"]
    sandbox.press(slack.BEN, own, "fast_track_withdraw")
    private(sandbox, slack.BEN, "there is nothing to withdraw", slack.GENERAL)


@pytest.mark.usefixtures("_bot")
def test_the_boards_queue(sandbox: Sandbox) -> None:
    """Members see what waits, the nearest deadline first, and can decide it there; it is not for others."""
    assert "The queue is for members" in read(sandbox.command(slack.BEN, slack.GENERAL, "/tokens board").message)
    shown = sandbox.command(slack.TESS, slack.GENERAL, "/tokens board").message
    assert "Nothing is waiting for the board" in read(shown)
    send(sandbox, slack.BEN, amount="150000")
    send(sandbox, slack.ADA, amount="4000")
    queue = sandbox.command(slack.TESS, slack.GENERAL, "/tokens board").message
    text = read(queue)
    assert "2 requests are waiting for the board" in text
    assert text.index("Ada Lovelace: 4,000 tokens") < text.index("Ben Okafor: 150,000 tokens")
    sandbox.press(slack.TESS, queue, "fast_track_show")
    private(sandbox, slack.TESS, "<@U0ADA> asks for 4,000 tokens", slack.GENERAL)
    sandbox.press(slack.TESS, queue, "fast_track_approve")
    private(sandbox, slack.TESS, "Your vote decided it", slack.GENERAL)
    assert "1 request is waiting" in read(sandbox.command(slack.TESS, slack.GENERAL, "/tokens board").message)


@pytest.mark.usefixtures("_bot")
def test_handing_a_vote_over(sandbox: Sandbox, office: App) -> None:
    """`/tokens delegate @who until …` and `off`, with an answer to every way of getting it wrong."""

    def say(line: str) -> str:
        return read(sandbox.command(slack.TESS, slack.GENERAL, f"/tokens delegate{line}").message)

    assert "No one stands in for you" in say("")
    assert "'@lena' lacks the last day" in say(" @lena")
    assert "'@lena next week' lacks the last day" in say(" @lena\u00a0next week")
    assert "I don't recognise" in say(" Lena until 2026-12-01")
    assert "a day from today to" in say(" @lena until 2026-01-01")
    assert "Lena Vogt votes in your place until the end of 1 Dec 2026" in say("\u2003@lena UNTIL 2026-12-01.")
    assert "Lena Vogt votes in your place" in say("")
    send(sandbox, slack.BEN, amount="5000")
    shown = card(sandbox, saying="<@U0LENA>")
    sandbox.press(slack.TESS, shown, "fast_track_approve")
    private(sandbox, slack.TESS, "You have handed your vote to someone else")
    join_board(sandbox, slack.LENA)
    sandbox.press(slack.LENA, shown, "fast_track_approve")
    card(sandbox, saying="Lena Vogt for Tess Novak approved")
    assert "Your vote is yours again" in say(" off")
    assert "You hadn't handed" in say(" off")
    assert books.findings(office) == {}


@pytest.mark.usefixtures("_bot")
def test_an_incident(sandbox: Sandbox, office: App) -> None:
    """The tokens are there at once, the board is told, and ratifies."""
    before = books.wallet(office, BEN)
    receipt = send(sandbox, slack.BEN, amount="20000", incident="INC-7")
    assert "20,000 tokens are in your wallet" in receipt
    assert books.wallet(office, BEN) == before + MicroTokens.parse("20000")
    shown = card(sandbox, saying="<@U0BEN> took 20,000 tokens")
    sandbox.press(slack.TESS, shown, "fast_track_approve")
    card(sandbox, saying="*Ratified* by Tess Novak")
    told(sandbox, slack.BEN, "The board ratified what you took for INC-7")


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_an_incident_that_is_not_ratified(sandbox: Sandbox, office: App) -> None:
    """The reason goes to the person who took the tokens, and the card says what follows."""
    send(sandbox, slack.BEN, amount="20000", incident="INC-7")
    sandbox.press(slack.TESS, card(sandbox), "fast_track_reject")
    sandbox.fill(slack.TESS, {"reason": "No incident of ours"})
    sandbox.submit(slack.TESS)
    card(sandbox, saying="*Not ratified* by Tess Novak")
    note = told(sandbox, slack.BEN, "did not ratify what you took for INC-7")
    assert "> Tess Novak: No incident of ours" in read(note)
    assert books.findings(office) == {}


@pytest.mark.usefixtures("_bot")
def test_time_goes_by(sandbox: Sandbox, office: App) -> None:
    """Members are reminded in their own conversation, alternates called in, and at the end it lapses everywhere."""
    request = asking.ask(office, BEN, "5000")
    card(sandbox, saying="0 of 1 approve")
    asking.until(office, request, "remind_at")
    reminded = told(sandbox, slack.TESS, "<@U0BEN> asks for 5,000 tokens")
    assert "fast_track_approve" in read(reminded)
    asking.until(office, request, "escalate_at")
    told(sandbox, slack.NEWCOMER, "<@U0BEN> asks for 5,000 tokens")
    # It is five in the morning where Ben is.
    asking.let_time_pass(office, hours=5)
    told(sandbox, slack.BEN, "was passed on")
    asking.until(office, request, "lapse_at")
    asking.let_time_pass(office, hours=5)
    card(sandbox, saying="*Lapsed*")
    told(sandbox, slack.TESS, "*Lapsed*")
    lapsed = told(sandbox, slack.BEN, "has lapsed*")
    assert "That is not a no" in read(lapsed)
    sandbox.press(slack.TESS, reminded, "fast_track_approve")
    private(sandbox, slack.TESS, "has lapsed, so your click changed nothing", sandbox.dm(slack.TESS))
    query = sa.select(sa.func.count()).where(entries.c.kind == "exception")
    assert books.rows(office, query) == [(0,)]


@pytest.mark.deep
@pytest.mark.usefixtures("_bot")
def test_what_is_left_and_what_came_of_it(sandbox: Sandbox, office: App) -> None:
    """Before the end *Ask for more time* opens the form with what is left; afterwards one question is answered."""
    request = asking.vote(office, TESS, asking.ask(office, BEN, "5000", days=4)).request
    asking.let_time_pass(office, days=3, hours=3)
    notice = told(sandbox, slack.BEN, "5,000 of the 5,000 tokens from your exception lapse")
    sandbox.press(slack.BEN, notice, "fast_track_more_time")
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert (form.values["amount"], form.values["purpose"]) == ("5,000", "More time for: Finish the load test")
    sandbox.dismiss(slack.BEN)
    asking.let_time_pass(office, days=35)
    question = told(sandbox, slack.BEN, "What came of the 5,000 tokens")
    sandbox.press(slack.BEN, question, "fast_track_outcome")
    sandbox.fill(slack.BEN, {"outcome": "partly", "note": "The first half"})
    sandbox.submit(slack.BEN)
    assert "The first half" in read(told(sandbox, slack.BEN, "You said: it achieved part of it."))
    assert asking.now_of(office, request).outcome == "partly"


def test_the_board_is_a_user_group(sandbox: Sandbox, office: App) -> None:
    """Members are read from Slack when the bot starts, and again when Slack tells of a change."""
    cast.hire(office, "email,roles\nomar@example.com,finance\niris@example.com,chair\ntess@example.com,-\n")
    grouped = dataclasses.replace(office, board_usergroup=slack.GROUP)
    environment = slack.environment(sandbox, slack.NO_DATABASE, TOKENS_BOARD_USERGROUP=slack.GROUP)
    sandbox.workspace.change_group(slack.GROUP, members=(slack.TESS, slack.IRIS))
    with slack.bot(sandbox, grouped, slack.load(environment)):
        sandbox.wait_for(lambda: any(call.method == "usergroups.users.list" for call in sandbox.calls))
        sandbox.wait_for(lambda: books.audited(grouped, "board.read"))
        first = asking.ask(grouped, BEN, "5000")
        assert asking.refused(grouped, LENA, first) == "not_on_board"
        sandbox.set_user_group(slack.GROUP, [slack.LENA, slack.IRIS])
        sandbox.wait_for(lambda: len(books.audited(grouped, "board.read")) == 2)
        second = asking.ask(grouped, BEN, "50")
        assert asking.refused(grouped, TESS, second) == "not_on_board"
        assert asking.vote(grouped, LENA, second).request.state == "approved"
        assert asking.vote(grouped, TESS, first).request.state == "approved"
