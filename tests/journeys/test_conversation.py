"""The bot's own conversation with people: their words are answered there, once, and nothing else is."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from slack_sdk import WebClient

from policy.reasons import Refusal
from programme.people import terms
from store.people import projects as projects_store
from store.tables.exceptions import requests
from store.tables.people import projects
from tests.support import books, cast, slack, slack_http
from tests.support.seen import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from sandbox import Message, Sandbox

MANY = "project,name,complexity,director_email,sponsor_email,email,share\n" + "".join(
    f"key-{n:03},Project {n:03},usual,,,,\n" for n in range(140)
)


@pytest.fixture(params=["sockets", "http"])
def _either(request: pytest.FixtureRequest, sandbox: Sandbox, office: App) -> Iterator[None]:
    """The bot, reached by Socket Mode, and by signed HTTP."""
    environ = slack.environment if request.param == "sockets" else slack.signed_environment
    with slack.bot(sandbox, office, slack.load(environ(sandbox, slack.NO_DATABASE))):
        yield


def answers(sandbox: Sandbox, user: str) -> list[Message]:
    return [
        message for message in sandbox.messages(sandbox.dm(user), user) if message.from_app and not message.metadata
    ]


def ask(sandbox: Sandbox, user: str, text: str) -> Message:
    """Write to the bot; its one answer."""
    before = len(answers(sandbox, user))
    sandbox.say(user, sandbox.dm(user), text)
    [answer] = sandbox.wait_for(lambda: answers(sandbox, user)[before:])
    return answer


@pytest.mark.usefixtures("_either")
def test_words_are_answered_as_the_command(sandbox: Sandbox, office: App) -> None:
    """With and without `/tokens`, in any case and with a full stop, in threads too; what is unknown gets the help."""
    cast.give(office, "zoe@example.com", "77")
    assert "tokens left*" in read(ask(sandbox, slack.NEWCOMER, "Balance."))
    assert "tokens left*" in read(ask(sandbox, slack.NEWCOMER, "@tokens `/tokens\u00a0balance`?"))
    assert "I don't know `/tokens blance`. Did you mean `/tokens balance`?" in read(ask(sandbox, slack.ADA, "blance"))
    helped = ask(sandbox, slack.ADA, "hello there!")
    assert "• `/tokens help` this list" in read(helped)
    sandbox.say(slack.ADA, sandbox.dm(slack.ADA), "help", thread_ts=helped.ts)
    in_thread = sandbox.wait_for(lambda: sandbox.thread(sandbox.dm(slack.ADA), helped.ts, slack.ADA)[2:])
    assert "• `/tokens help` this list" in read(in_thread[0])


@pytest.mark.deep  # The library waits up to a second longer than it is told to.
@pytest.mark.usefixtures("_bot")
def test_whoever_writes_fast_is_answered_all_the_same(sandbox: Sandbox) -> None:
    """Slack takes a message a second for a conversation: an answer that it does not take yet is sent a moment later."""
    sandbox.faults.add("chat.postMessage", status=429, retry_after=0)
    assert "• `/tokens help` this list" in read(ask(sandbox, slack.ADA, "help"))


@pytest.mark.usefixtures("_either")
def test_a_form_opens_with_a_click(sandbox: Sandbox) -> None:
    """Slack opens forms for clicks alone: the answer has the button, and the form the amount that was written."""
    answer = ask(sandbox, slack.BEN, "request 20k")
    assert sandbox.modal(slack.BEN) is None
    sandbox.press(slack.BEN, answer, "fast_track_request")
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert form.values["amount"] == "20k"
    assert "*20,000 tokens" in json.dumps(form.blocks)


@pytest.mark.usefixtures("_bot")
def test_nothing_but_a_persons_new_words_is_answered(sandbox: Sandbox, office: App) -> None:
    """Not its own messages, nor edits, nor those of others, nor what is said elsewhere; an outsider is told kindly."""
    client = WebClient(sandbox.workspace.app.bot_token, base_url=sandbox.api_url)
    dm = sandbox.dm(slack.ADA)
    posted = client.chat_postMessage(channel=dm, text="balance")
    client.chat_update(channel=dm, ts=str(posted["ts"]), text="help")
    sandbox.say(slack.ADA, slack.GENERAL, "balance")
    asked = sandbox.say(slack.ADA, dm, "why")
    sandbox.edit(slack.ADA, asked, "balance")
    assert "have no part in the token programme" in read(ask(sandbox, slack.GUEST, "balance"))
    assert answers(sandbox, slack.ADA)[0].text == "help"
    assert len(answers(sandbox, slack.ADA)) == 2
    assert books.findings(office) == {}


def test_an_event_that_comes_again_is_answered_once(sqlite_app: App) -> None:
    """Slack tells of an event up to four times, and anyone may send a recorded one again: the answer is posted once."""
    with slack.workspace() as sandbox, slack_http.listening(sqlite_app, sandbox=sandbox) as bot:
        event = {"type": "message", "channel_type": "im", "user": slack.ADA, "text": "balance", "ts": "1.1"}
        content = slack_http.event(event | {"channel": sandbox.dm(slack.ADA)}, event_id="Ev77")
        for _ in range(4):
            assert bot.event(content).status_code == 200
        assert len(answers(sandbox, slack.ADA)) == 1


NOT_ANSWERED: dict[str, dict[str, Any]] = {
    "its own": {"bot_id": "B1"},
    "of a bot": {"subtype": "bot_message", "bot_id": "B7"},
    "edited": {"subtype": "message_changed", "hidden": True},
    "edited, told plainly": {"edited": {"user": slack.ADA, "ts": "1.2"}},
    "deleted": {"subtype": "message_deleted", "hidden": True},
    "in a channel": {"channel_type": "channel"},
    "by no one": {"user": None},
    "of an app": {"app_id": "A7"},
}


@pytest.mark.parametrize("what", NOT_ANSWERED)
def test_what_is_no_word_to_the_bot_is_passed_over(
    sqlite_app: App, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """It is acknowledged, so that Slack does not send it again, and neither answered nor written to a log."""
    with slack.workspace() as sandbox, slack_http.listening(sqlite_app, sandbox=sandbox) as bot:
        event = {"type": "message", "channel_type": "im", "user": slack.ADA, "text": "secret words", "ts": "1.1"}
        content = slack_http.event(event | {"channel": sandbox.dm(slack.ADA)} | NOT_ANSWERED[what])
        assert bot.event(content).status_code == 200
        assert answers(sandbox, slack.ADA) == []
    assert "secret words" not in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# --- Forms that search ---------------------------------------------------------------------------------------------


def import_projects(app: App, text: str) -> None:
    with app.transaction() as moment:
        terms.import_projects(moment, io.StringIO(text), today=moment.today, actor="test")


@pytest.mark.usefixtures("_either")
def test_more_projects_than_a_menu_holds_are_searched(sandbox: Sandbox, office: App) -> None:
    """All of 140 projects can be chosen: by a part of the name or the key, in any case; the request has the choice."""
    import_projects(office, MANY)
    sandbox.command(slack.BEN, slack.GENERAL, "/tokens request")
    assert len(sandbox.search(slack.BEN, "project", "")) == 100
    assert sandbox.search(slack.BEN, "project", "project 13") == {f"key-{n}": f"Project {n}" for n in range(130, 140)}
    assert sandbox.search(slack.BEN, "project", "KEY-139") == {"key-139": "Project 139"}
    assert sandbox.search(slack.BEN, "project", "nothing of the kind") == {}
    sandbox.fill(slack.BEN, {"amount": "USD 50", "purpose": "Finish the load test", "project": "key-139"})
    form = sandbox.modal(slack.BEN)
    assert form is not None
    assert form.values["project"] == "key-139"
    assert sandbox.submit(slack.BEN).error == ""
    with office.database.reading() as session:
        assert session.execute(sa.select(requests.c.project_key)).scalars().all() == ["key-139"]


def test_a_key_that_no_menu_could_carry_is_not_imported(sqlite_app: App) -> None:
    """The file is refused with the line, the column and both lengths, before it closes a form to anyone."""
    with pytest.raises(Refusal, match=r"line 3: project = 'k+'… \(160 characters\): expected at most 150 characters"):
        import_projects(
            sqlite_app, f"{MANY.partition(chr(10))[0]}\natlas,Atlas,usual,,,,\n{'k' * 160},Long,usual,,,,\n"
        )


@pytest.mark.usefixtures("_bot")
def test_a_key_from_before_lengths_were_checked_closes_no_form(sandbox: Sandbox, office: App) -> None:
    """A project whose key no menu could carry is not offered; the form opens, with the others."""
    with office.database.transaction() as session:
        for key in ("k" * 160, "atlas"):
            session.execute(projects.insert().values(key=key, name=f"Project {key}", complexity="usual"))
        assert len(projects_store.by_name(session)) == 2
    assert sandbox.command(slack.BEN, slack.GENERAL, "/tokens request").error == ""
    assert sandbox.search(slack.BEN, "project", "") == {"atlas": "Project atlas"}
