"""Several workspaces and organizations: whose account each is, as the Web API and payloads tell it."""

from typing import Any

from slack_sdk import WebClient

from sandbox import Sandbox
from tests.sandbox.company import ADA, BEN, GENERAL, TEAM, button
from tests.sandbox.conftest import TokensApp

ABROAD: dict[str, Any] = {"team_id": "T0ABROAD", "enterprise_id": "E0ABROAD", "is_stranger": True}


def test_a_stranger_is_of_another_workspace(sandbox: Sandbox, client: WebClient) -> None:
    """Somebody from a shared channel is described with their own workspace and organization; ours with this one."""
    sandbox.workspace.change_member(BEN, **ABROAD)
    ben, ada = client.users_info(user=BEN)["user"], client.users_info(user=ADA)["user"]
    assert (ben["team_id"], ben["profile"]["team"], ben["is_stranger"]) == ("T0ABROAD", "T0ABROAD", True)
    assert ben["enterprise_user"]["enterprise_id"] == "E0ABROAD"
    assert (ada["team_id"], ada["is_stranger"], ada["is_email_confirmed"]) == ("T0NORTH", False, True)
    assert "enterprise_user" not in ada
    assert client.users_lookupByEmail(email="ben@northwind.example")["user"]["team_id"] == "T0ABROAD"


def test_a_workspace_joins_an_organization(sandbox: Sandbox, client: WebClient) -> None:
    """From then on the app and everybody who is here are part of it."""
    assert "enterprise_id" not in client.auth_test().data
    sandbox.workspace.join_enterprise("E0NORTH")
    assert client.auth_test()["enterprise_id"] == "E0NORTH"
    assert client.users_info(user=ADA)["user"]["enterprise_user"]["enterprise_id"] == "E0NORTH"


def test_guests_of_one_channel_and_unconfirmed_e_mails_are_marked(sandbox: Sandbox, client: WebClient) -> None:
    """Both kinds of guests, and whoever did not confirm an e-mail, carry their mark."""
    sandbox.workspace.change_member(BEN, is_ultra_restricted=True, is_email_confirmed=False)
    ben = client.users_info(user=BEN)["user"]
    assert (ben["is_restricted"], ben["is_ultra_restricted"], ben["is_email_confirmed"]) == (False, True, False)


def test_what_a_stranger_does_names_their_workspace(sandbox: Sandbox, app: TokensApp) -> None:
    """Commands and clicks of a stranger come with the ids of theirs, as those of our people come with ours."""
    sandbox.workspace.change_member(BEN, **ABROAD)
    seen: list[dict[str, Any]] = []

    def pressed(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        seen.append(body)
        ack()

    app.bolt.action("yes")(pressed)
    block = {"type": "actions", "elements": [button(action_id="yes", value="1")]}
    app.reply = lambda ack, **_: ack(response_type="in_channel", text="Well?", blocks=[block])
    for user in (ADA, BEN):
        answer = sandbox.command(user, GENERAL, "/tokens")
        sandbox.press(user, answer.message, "yes")
    assert [(one["team_id"], one.get("enterprise_id")) for one in app.bodies] == [
        ("T0NORTH", None),
        ("T0ABROAD", "E0ABROAD"),
    ]
    assert [(one["user"]["team_id"], one["team"]["id"]) for one in seen] == [
        ("T0NORTH", "T0NORTH"),
        ("T0ABROAD", "T0ABROAD"),
    ]
    assert [one["enterprise"] and one["enterprise"]["id"] for one in seen] == [None, "E0ABROAD"]


def test_a_shared_channel_is_marked(sandbox: Sandbox, client: WebClient) -> None:
    """A channel that another organization shares says so."""
    sandbox.workspace.change_app(scopes=frozenset({"channels:read", "groups:read"}))
    assert client.conversations_info(channel=GENERAL)["channel"]["is_ext_shared"] is False
    sandbox.workspace.change_channel(TEAM, is_ext_shared=True)
    assert client.conversations_info(channel=TEAM)["channel"]["is_ext_shared"] is True
