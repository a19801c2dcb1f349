"""Who somebody is in Slack: outsiders, guests and new accounts, with the real bot in both of its modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot import doctor
from bot.cli import main
from programme.people import linking
from programme.people.slack_accounts import SlackAccount
from store.tables.exceptions import request_votes
from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, cast, slack
from tests.support.books import ADA
from tests.support.seen import card, private, read, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from sandbox import Sandbox

ABROAD: dict[str, Any] = {"team_id": "T0ABROAD", "enterprise_id": "E0ABROAD", "is_stranger": True}
NEW = slack.GUEST
"""The account that Ada has when hers was made anew."""
NOT_OURS = "your Slack account is of another one."


@pytest.fixture(params=["sockets", "http"])
def bot(request: pytest.FixtureRequest, sandbox: Sandbox, office: App) -> Iterator[None]:
    """The bot in either mode."""
    environment = slack.environment if request.param == "sockets" else slack.signed_environment
    with slack.bot(sandbox, office, slack.load(environment(sandbox, slack.NO_DATABASE))):
        yield


@pytest.fixture
def remade(sandbox: Sandbox, office: App) -> App:
    """Ada's account was made anew, with her e-mail; Mara administers the programme."""
    cast.hire(office, "email,roles\nmara@example.com,admin\n")
    sandbox.workspace.change_member(slack.ADA, deleted=True)
    sandbox.workspace.change_member(NEW, email=ADA, is_restricted=False)
    return office


def account_of(app: App, email: str) -> str | None:
    [(found,)] = books.rows(app, sa.select(people.c.slack_user_id).where(people.c.email == email))
    return str(found) if found else None


def told_of(app: App) -> list[tuple[str, str | None]]:
    """What is owed about accounts: the template, and the channel where it is no person's."""
    owed = (
        sa.select(outbox.c.template, outbox.c.channel).where(outbox.c.template.like("people/%")).order_by(outbox.c.id)
    )
    return [(template, channel) for template, channel in books.rows(app, owed)]


def ask_for_tokens(sandbox: Sandbox, user: str) -> None:
    sandbox.command(user, slack.GENERAL, "/tokens request")
    sandbox.fill(user, {"purpose": "Finish the load test", "amount": "5000"})


# --- Outsiders -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
def test_an_outsider_has_no_command_no_button_and_no_form(sandbox: Sandbox, office: App) -> None:
    """Somebody of another company is answered kindly everywhere, though their id is one that we know."""
    ask_for_tokens(sandbox, slack.BEN)
    sandbox.submit(slack.BEN)
    sandbox.dismiss(slack.BEN)
    shown = card(sandbox, saying="0 of 1 approve")
    ask_for_tokens(sandbox, slack.LENA)
    for user in (slack.TESS, slack.LENA):
        sandbox.workspace.change_member(user, **ABROAD)
    answer = sandbox.command(slack.TESS, slack.GENERAL, "/tokens balance")
    assert NOT_OURS in read(answer.message)
    assert "please ask the AI programme team" in read(answer.message)
    sandbox.press(slack.TESS, shown, "fast_track_approve")
    private(sandbox, slack.TESS, NOT_OURS)
    assert sandbox.submit(slack.LENA).error == ""
    form = sandbox.modal(slack.LENA)
    assert form is not None
    assert NOT_OURS in read(form)
    assert books.count(office, request_votes) == 0


@pytest.mark.usefixtures("bot")
def test_an_outsider_at_home_is_nobodys_colleague(sandbox: Sandbox, office: App) -> None:
    """An outsider with the e-mail of somebody who was never linked is not linked by looking at the app."""
    cast.hire(office, "email,slack_user_id\nzoe@example.com,-\n")
    sandbox.workspace.change_member(slack.NEWCOMER, **ABROAD)
    sandbox.open_home(slack.NEWCOMER)
    assert NOT_OURS in read(sandbox.wait_for(lambda: sandbox.home(slack.NEWCOMER)))
    assert account_of(office, "zoe@example.com") is None


@pytest.mark.usefixtures("_bot")
def test_colleagues_of_the_same_organization_are_ours(sandbox: Sandbox) -> None:
    """In an organization of several workspaces, somebody whose own is another one takes part as ever."""
    sandbox.workspace.join_enterprise("E0WE")
    sandbox.workspace.change_member(slack.ADA, team_id="T0SISTER", enterprise_id="E0WE")
    assert "tokens left*" in read(sandbox.command(slack.ADA, slack.GENERAL, "/tokens balance").message)


# --- First links ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
def test_a_first_link_is_told(sandbox: Sandbox, sqlite_app: App, office: App) -> None:
    """Somebody who is recognised by e-mail reads in their own conversation that they are, and whom to tell if not."""
    cast.hire(office, slack.ZOE.replace("zoe@", "gus@").replace("Zoe Martin", "Gus"))
    sandbox.workspace.change_member(slack.GUEST, email="gus@example.com", is_restricted=False)
    sandbox.command(slack.GUEST, slack.GENERAL, "/tokens balance")
    message = told(sandbox, slack.GUEST, "I know you by this Slack account now")
    assert "linked to gus@example.com" in read(message)
    assert "Please tell the AI programme team in #ai-tokens at once" in read(message)
    assert account_of(sqlite_app, "gus@example.com") == slack.GUEST


@pytest.mark.usefixtures("_bot")
def test_who_had_an_account_is_not_linked_by_e_mail_again(sandbox: Sandbox, office: App) -> None:
    """An administrator took Ada's account away: the next one with her e-mail needs an administrator, too."""
    cast.hire(office, f"email,slack_user_id\n{ADA},-\n")
    sandbox.workspace.change_member(NEW, email=ADA, is_restricted=False)
    answer = sandbox.command(NEW, slack.GENERAL, "/tokens balance")
    assert "by another Slack account than this one" in read(answer.message)
    assert account_of(office, ADA) is None


# --- New accounts --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
def test_a_new_account_is_told_what_mends_it_and_so_are_administrators(sandbox: Sandbox, remade: App) -> None:
    """Ada reads why nothing is shown, and Mara the command, once; an account that is deactivated gets nothing."""
    for _ in range(3):
        answer = sandbox.command(NEW, slack.GENERAL, "/tokens balance")
    said = read(answer.message)
    assert f"I know {ADA} by another Slack account than this one" in said
    assert f"`tokens-bot people relink {ADA} {NEW}`. They are told now" in said
    told(sandbox, slack.MARA, f"`tokens-bot people relink {ADA} {NEW}`")
    assert told_of(remade) == [("people/relink_wanted", None)]
    assert account_of(remade, ADA) == slack.ADA
    [row] = books.audited(remade, "people.other_account")
    assert (row["actor"], row["after"]) == (f"slack:{NEW}", {"slack_user_id": NEW})


@pytest.mark.usefixtures("_bot")
def test_nobody_takes_a_wallet_over_by_their_e_mail(sandbox: Sandbox, remade: App) -> None:
    """While Ada's own account is in use, it is warned that another one has her e-mail."""
    sandbox.workspace.change_member(slack.ADA, deleted=False)
    sandbox.command(NEW, slack.GENERAL, "/tokens balance")
    warning = read(told(sandbox, slack.ADA, "Another Slack account has your e-mail address"))
    assert f"<@{NEW}> wrote to me with {ADA}. It was shown nothing of yours" in warning
    assert account_of(remade, ADA) == slack.ADA


def relink(sandbox: Sandbox, url: str, *arguments: str) -> tuple[int, str]:
    env = slack.environment(sandbox, url)
    result = CliRunner().invoke(main, ["people", "relink", *arguments], env=env)
    return result.exit_code, result.output


@pytest.mark.usefixtures("_bot")
def test_relinking_gives_everything_back(sandbox: Sandbox, remade: App) -> None:
    """The new account is known, both accounts are told, and Home is shown anew although the other one had it."""
    sandbox.workspace.change_member(slack.ADA, deleted=False)
    sandbox.open_home(slack.ADA)
    sandbox.wait_for(lambda: sandbox.home(slack.ADA))
    with remade.transaction() as moment:
        linking.relink(moment, ADA, SlackAccount(NEW, ADA), actor="cli:test")
    told(sandbox, NEW, "I know you by this Slack account now")
    assert f"linked {ADA} to <@{NEW}>" in read(told(sandbox, slack.ADA, "I know you by another Slack account now"))
    assert "tokens left*" in read(sandbox.command(NEW, slack.GENERAL, "/tokens balance").message)
    sandbox.open_home(NEW)
    assert "tokens left*" in read(sandbox.wait_for(lambda: sandbox.home(NEW)))
    assert "tokens left" not in read(sandbox.command(slack.ADA, slack.GENERAL, "/tokens balance").message)
    assert books.findings(remade) == {}


def test_one_command_relinks(sandbox: Sandbox, remade: App, sqlite_url: str) -> None:
    """`people relink EMAIL @new`: tried dry first, by handle or id, audited, and done once however often it is run."""
    name = sandbox.workspace.member(NEW).name
    code, said = relink(sandbox, sqlite_url, ADA, f"@{name}", "--dry-run")
    assert (code, account_of(remade, ADA), told_of(remade)) == (0, slack.ADA, [])
    assert "is known by U0GUEST from now on, and no longer by U0ADA." in said
    code, said = relink(sandbox, sqlite_url, ADA, f"@{name}")
    assert (code, account_of(remade, ADA)) == (0, NEW), said
    for account in (NEW, f"<@{NEW}|{name}>"):
        code, said = relink(sandbox, sqlite_url, ADA, account)
        assert (code, "already" in said) == (0, True)
    # The account of before is deactivated: nobody would read it there.
    assert told_of(remade) == [("people/linked", None)]
    [row] = books.audited(remade, "people.relink")
    assert (row["before"], row["after"]) == ({"slack_user_id": slack.ADA}, {"slack_user_id": NEW})


REFUSED = {
    "a guest": (NEW, {"is_restricted": True}, "it is a guest's"),
    "an outsider": (NEW, ABROAD, "it is of another workspace"),
    "a bot": (slack.BOT, {}, "it is a bot"),
    "an unconfirmed e-mail": (NEW, {"is_email_confirmed": False}, "its e-mail address is not confirmed"),
    "somebody's": (slack.BEN, {}, "is the Slack account of Ben Okafor (ben@example.com)"),
    "nobody's": ("U0NOBODY", {}, "Slack knows of no account U0NOBODY"),
    "an unknown handle": ("@nobody", {}, "No account is called '@nobody'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_who_cannot_be_somebody_is_refused(sandbox: Sandbox, remade: App, sqlite_url: str, case: str) -> None:
    """An administrator's mistake is named with its reason, and changes nothing."""
    account, changes, why = REFUSED[case]
    if changes:
        sandbox.workspace.change_member(account, **changes)
    code, said = relink(sandbox, sqlite_url, ADA, account)
    assert code == 1
    assert why in said
    assert account_of(remade, ADA) == slack.ADA


# --- The board's group ---------------------------------------------------------------------------------------------


def test_the_doctor_names_members_of_the_board_whom_nobody_is(sandbox: Sandbox, remade: App) -> None:
    """A new account, a guest and a stranger in the board's group have no vote: each is named with what mends it."""
    sandbox.workspace.change_member(slack.LENA, email="gus@elsewhere.example")
    cast.hire(remade, "email,slack_user_id\nlena@example.com,-\n")
    group = [NEW, slack.LENA, slack.IRIS, slack.OMAR, slack.TESS]
    sandbox.workspace.change_group(slack.GROUP, members=tuple(group))
    environ = slack.environment(sandbox, slack.NO_DATABASE, TOKENS_BOARD_USERGROUP=slack.GROUP)
    found = {one.what: one.remedy for one in doctor.examine(slack.load(environ), remade)}
    where = "is in the board's group and known by nobody"
    new = f"{NEW} ({ADA}) {where}: their e-mail is Ada Lovelace's, whom we know by U0ADA."
    assert found[new] == f"If it is them, `tokens-bot people relink {ADA} {NEW}`."
    stranger = f"U0LENA (gus@elsewhere.example) {where}: no one in the programme has their e-mail."
    assert found[stranger] == "Add them with `tokens-bot people import`, or take them out of the group."


def test_the_doctor_warns_of_shared_channels(sandbox: Sandbox, office: App) -> None:
    """A channel that people of another company read is no place for the board's cards."""
    sandbox.workspace.change_channel(slack.BOARD, is_ext_shared=True)
    environ = slack.environment(sandbox, slack.NO_DATABASE, TOKENS_GOVERNANCE_CHANNEL=slack.BOARD)
    found = [one.what for one in doctor.examine(slack.load(environ), office)]
    assert f"TOKENS_GOVERNANCE_CHANNEL = {slack.BOARD} is shared with another organization." in found
