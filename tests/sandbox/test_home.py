"""The Home tab: published for one person, opened and pressed by them, as strictly as the platform does it."""

from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox import Home, Sandbox, WorkspaceError
from tests.sandbox.company import ADA, BEN, BOT, GONE, TEAM, button, section
from tests.sandbox.conftest import TokensApp
from tests.sandbox.forms import Forms, refused
from tests.sandbox.homes import REQUESTS, START, data_table, home, in_cell, pie, plot, text
from tests.sandbox.test_events import listen
from tests.sandbox.test_signed_http import http_app
from tests.sandbox.views import FORM, field

__all__ = ["http_app"]


@pytest.fixture(params=["app", "http_app"])
def either(request: pytest.FixtureRequest, sandbox: Sandbox, client: WebClient) -> Forms:
    """By Socket Mode, and by signed HTTP."""
    made = Forms(client, sandbox)
    made.listen(request.getfixturevalue(request.param))
    return made


@pytest.fixture
def forms(app: TokensApp, sandbox: Sandbox, client: WebClient) -> Forms:
    made = Forms(client, sandbox)
    made.listen(app)
    return made


def published(client: WebClient, sandbox: Sandbox, shown: dict[str, Any] = START) -> Home:
    client.views_publish(user_id=ADA, view=shown)
    seen = sandbox.home(ADA)
    assert seen is not None
    return seen


def test_what_is_published(sandbox: Sandbox, client: WebClient) -> None:
    """The answer is the view as it is kept, with ids; only the person that it is for has it."""
    view = client.views_publish(user_id=ADA, view=home(section("Hello"), private_metadata="v1"))["view"]
    seen = sandbox.home(ADA)
    assert seen is not None
    assert (seen.id, seen.hash, seen.private_metadata, seen.callback_id) == (view["id"], view["hash"], "v1", "start")
    assert (view["type"], view["team_id"], view["root_view_id"]) == ("home", "T0NORTH", view["id"])
    assert (view["state"], view["previous_view_id"], view["submit"]) == ({"values": {}}, None, None)
    assert view["blocks"][0]["block_id"]
    assert tuple(view["blocks"]) == seen.blocks
    assert sandbox.home(BEN) is None


def test_the_next_version(sandbox: Sandbox, client: WebClient) -> None:
    """A person's view keeps its id and gets a new hash; a hash that is not the newest one's publishes nothing."""
    first = client.views_publish(user_id=ADA, view=home(section("One")))["view"]
    second = client.views_publish(user_id=ADA, view=home(section("Two")), hash=first["hash"])["view"]
    assert second["id"] == first["id"]
    assert second["hash"] != first["hash"]
    late = refused(client.views_publish, user_id=ADA, view=home(section("Late")), hash=first["hash"])
    nothing = refused(client.views_publish, user_id=BEN, view=home(section("x")), hash=first["hash"])
    assert (late["error"], nothing["error"]) == ("hash_conflict", "hash_conflict")
    seen = sandbox.home(ADA)
    assert seen is not None
    assert seen.blocks[0]["text"]["text"] == "Two"
    assert sandbox.home(BEN) is None


def test_update_by_id(sandbox: Sandbox, client: WebClient) -> None:
    """`views.update` changes a Home that it names, takes only a Home for it, and minds the hash."""
    before = published(client, sandbox)
    client.views_update(view_id=before.id, view=home(section("Changed")), hash=before.hash)
    after = sandbox.home(ADA)
    assert after is not None
    assert after.blocks[0]["text"]["text"] == "Changed"
    assert refused(client.views_update, view_id=before.id, view=FORM)["error"] == "invalid_arguments"
    late = refused(client.views_update, view_id=before.id, view=home(section("Late")), hash=before.hash)
    assert late["error"] == "hash_conflict"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (home(*[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (home(colour="red"), "invalid additional property: colour [json-pointer:/view]"),
        (home(submit={"type": "plain_text", "text": "Go"}), "invalid additional property: submit [json-pointer:/view]"),
        (home(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (home(field("a"), field("a")), "block_id already exists: a [json-pointer:/view/blocks/1/block_id]"),
        (
            home({"type": "alert", "text": {"type": "plain_text", "text": "x"}}),
            "alert is not allowed in a home [json-pointer:/view/blocks/0/type]",
        ),
        (FORM, "unsupported type: modal [json-pointer:/view/type]"),
        ({"type": "home"}, "missing required field: blocks [json-pointer:/view]"),
    ],
)
def test_refused_views(sandbox: Sandbox, client: WebClient, wrong: dict[str, Any], problem: str) -> None:
    """What is wrong with a Home is said with its place, and what was there stays."""
    before = published(client, sandbox)
    answer = refused(client.views_publish, user_id=ADA, view=wrong)
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {problem}"]
    assert sandbox.home(ADA) == before


def test_all_that_a_home_may_hold(sandbox: Sandbox, client: WebClient) -> None:
    """Inputs, tables, charts (more than a message may have) and a hundred blocks."""
    rich: list[dict[str, Any]] = [
        field("why"),
        REQUESTS,
        {"type": "table", "rows": [[text("x")]]},
        *(plot(kind, ("Used", (1, 2))) for kind in ("line", "bar", "area")),
        pie(1, 2),
    ]
    shown = published(client, sandbox, home(*rich, *[section()] * (100 - len(rich))))
    assert len(shown.blocks) == 100


def test_for_whom(client: WebClient, sandbox: Sandbox) -> None:
    """No one is published to who is not there, and an app without a Home tab cannot publish at all."""
    for user in ("U0NOBODY", GONE, BOT):
        assert refused(client.views_publish, user_id=user, view=START)["error"] == "user_not_found"
    assert refused(client.views_publish, user_id=TEAM, view=START)["error"] == "invalid_arguments"
    assert refused(client.views_publish, user_id=ADA, view=None)["error"] == "invalid_arguments"
    huge = home(*[section("x" * 3000)] * 90)
    assert refused(client.views_publish, user_id=ADA, view=huge)["error"] == "view_too_large"
    sandbox.workspace.change_app(home_tab=False)
    assert refused(client.views_publish, user_id=ADA, view=START)["error"] == "not_enabled"
    with pytest.raises(WorkspaceError, match="no 'home' tab"):
        sandbox.open_home(ADA)


def test_one_name_for_one_view(client: WebClient) -> None:
    """An external_id names one person's view, which may be published again under it."""
    client.views_publish(user_id=ADA, view=home(section(), external_id="hers"))
    client.views_publish(user_id=ADA, view=home(section("again"), external_id="hers"))
    answer = refused(client.views_publish, user_id=BEN, view=home(section(), external_id="hers"))
    assert answer["error"] == "duplicate_external_id"


def test_the_app_hears_who_comes(either: Forms, sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    """Each visit is told, with the view if there is one; visits to the messages are told without it."""
    sandbox.workspace.change_app(events=frozenset({"app_home_opened"}), scopes=frozenset({"chat:write"}))
    app = request.getfixturevalue("app" if not sandbox.workspace.app.request_url else "http_app")
    heard = listen(app, "app_home_opened")["app_home_opened"]
    assert sandbox.open_home(ADA) is None
    shown = published(either.client, sandbox)
    assert sandbox.open_home(ADA) == shown
    sandbox.open_home(ADA, tab="messages")
    sandbox.wait_for(lambda: len(heard) == 3)
    first, second, third = (body["event"] for body in heard)
    assert first.pop("event_ts")
    assert first == {"type": "app_home_opened", "user": ADA, "channel": sandbox.dm(ADA), "tab": "home"}
    assert (second["view"]["id"], second["view"]["hash"]) == (shown.id, shown.hash)
    assert second["view"]["private_metadata"] == "v7"
    assert (third["tab"], "view" in third) == ("messages", False)


@pytest.mark.usefixtures("app")
def test_unsubscribed_apps_hear_nothing(sandbox: Sandbox) -> None:
    """Someone comes, and an app that did not ask to know is told nothing."""
    before = sandbox.deliveries()
    sandbox.open_home(ADA)
    assert sandbox.deliveries() == before
    assert len(before) == 1


def test_a_press(either: Forms, sandbox: Sandbox) -> None:
    """A button by its action_id or its words: the app is told where, in what state, and gets a trigger."""
    shown = published(either.client, sandbox)
    assert sandbox.press(ADA, shown, "ask").error == ""
    assert sandbox.press(ADA, shown, "Ask for more").error == ""
    first, second = either.acted
    assert first["container"] == {"type": "view", "view_id": shown.id}
    assert (first["view"]["hash"], first["view"]["private_metadata"]) == (shown.hash, "v7")
    assert (first["view"]["type"], first["view"]["callback_id"]) == ("home", "start")
    assert first["user"]["id"] == ADA
    assert first["trigger_id"]
    assert not {"response_url", "channel", "message"} & first.keys()
    (action,) = first["actions"]
    assert (action["block_id"], action["action_id"], action["value"]) == ("acts", "ask", "500")
    assert second["actions"][0]["action_id"] == "ask"


def test_only_ones_own(forms: Forms, sandbox: Sandbox) -> None:
    """Another's Home cannot be pressed, nor what is not on it."""
    shown = published(forms.client, sandbox)
    with pytest.raises(LookupError, match="not the one"):
        sandbox.press(BEN, shown, "ask")
    with pytest.raises(LookupError, match="no 'sell'"):
        sandbox.press(ADA, shown, "sell")
    assert forms.acted == []


def test_a_press_opens_a_modal(forms: Forms, sandbox: Sandbox) -> None:
    """The trigger of a press opens a modal, but pushes none onto the Home."""

    def push_then_open(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        answer = refused(forms.client.views_push, trigger_id=body["trigger_id"], view=FORM)
        assert answer["error"] == "invalid_trigger_id"
        forms.client.views_open(trigger_id=body["trigger_id"], view=FORM)

    forms.on_action = push_then_open
    sandbox.press(ADA, published(forms.client, sandbox), "ask")
    assert sandbox.wait_for(lambda: sandbox.modal(ADA)).callback_id == "ask"


def test_what_is_filled_in(forms: Forms, sandbox: Sandbox) -> None:
    """Choices and fields that dispatch are told at once, others with the next press; a new version keeps them."""
    shown = published(forms.client, sandbox)
    sandbox.press(ADA, shown, "reminder_value", value="2026-12-24")
    assert forms.acted == []
    sandbox.press(ADA, shown, "period", value="v2")
    sandbox.press(ADA, shown, "note_value", value="Soon")
    period, note = (body["actions"][0] for body in forms.acted)
    assert period["selected_option"]["value"] == "v2"
    assert note["value"] == "Soon"
    state = forms.acted[-1]["view"]["state"]["values"]
    assert state["acts"]["period"]["selected_option"]["value"] == "v2"
    assert state["reminder"]["reminder_value"]["selected_date"] == "2026-12-24"
    again = published(forms.client, sandbox)
    assert again.values == {"acts": "v2", "note": "Soon", "reminder": "2026-12-24"}


def test_an_app_that_does_not_answer(sandbox: Sandbox, client: WebClient) -> None:
    """A press that no one takes ends with the reason, and leaves no message anywhere."""
    shown = published(client, sandbox)
    assert sandbox.press(ADA, shown, "ask").error == "dispatch_failed"
    assert sandbox.messages(sandbox.dm(ADA), ADA) == ()


def test_buttons_in_data_tables(forms: Forms, sandbox: Sandbox) -> None:
    """The button of a cell is pressed like any other, on a Home and in a message, also one without an action_id."""
    shown = published(forms.client, sandbox, home(REQUESTS))
    sandbox.press(ADA, shown, "Open 12")
    table = data_table([text("Request")], [in_cell("Open", action_id="open", value="req_7")], block_id="inbox")
    forms.client.chat_postMessage(channel=TEAM, text="x", blocks=[table])
    sandbox.press(ADA, sandbox.messages(TEAM, ADA)[-1], "open")
    on_home, in_message = (body["actions"][0] for body in forms.acted)
    assert (on_home["block_id"], on_home["value"]) == ("requests", "req_12")
    assert (in_message["block_id"], in_message["action_id"], in_message["value"]) == ("inbox", "open", "req_7")


def test_two_buttons_with_one_name(sandbox: Sandbox, client: WebClient) -> None:
    """Within a table an action_id is taken once."""
    twice = data_table([text("Request")], *[[in_cell("Open", action_id="open")]] * 2)
    answer = refused(client.views_publish, user_id=ADA, view=home(twice, section(accessory=button(action_id="open"))))
    place = "/view/blocks/0/rows/2/0/element/action_id"
    assert answer["response_metadata"]["messages"] == [f"[ERROR] action_id already exists: open [json-pointer:{place}]"]
    assert sandbox.home(ADA) is None
