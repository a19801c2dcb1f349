"""Modals: opened by a trigger, filled in, submitted and closed, as strictly as the platform does it."""

from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox import Sandbox, Workspace
from tests.sandbox.company import ADA, BEN, GENERAL, MARA, PLAN, TEAM, button, options, plain, section
from tests.sandbox.conftest import HandClock, TokensApp
from tests.sandbox.forms import Forms, refused
from tests.sandbox.test_signed_http import http_app
from tests.sandbox.views import DIALOGUE, FORM, field, view

__all__ = ["http_app"]


@pytest.fixture
def forms(app: TokensApp, sandbox: Sandbox, client: WebClient) -> Forms:
    """By Socket Mode."""
    made = Forms(client, sandbox)
    made.listen(app)
    return made


@pytest.fixture(params=["app", "http_app"])
def either(request: pytest.FixtureRequest, sandbox: Sandbox, client: WebClient) -> Forms:
    """By Socket Mode, and by signed HTTP."""
    made = Forms(client, sandbox)
    made.listen(request.getfixturevalue(request.param))
    return made


def test_a_command_opens_a_modal(sandbox: Sandbox, app: TokensApp, client: WebClient) -> None:
    """The trigger of a command opens one modal for whoever typed it, and for no one else."""

    def open_form(ack: Any, body: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - Bolt's own
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=FORM)

    app.reply = open_form
    sandbox.command(ADA, GENERAL, "/tokens ask")
    shown = sandbox.wait_for(lambda: sandbox.modal(ADA))
    assert (shown.title, shown.callback_id, shown.submit, shown.close) == ("Ask", "ask", "Send", "")
    assert (shown.private_metadata, shown.errors, shown.notice) == ("req_7", {}, "")
    assert sandbox.modal(BEN) is None


def test_triggers(forms: Forms, sandbox: Sandbox, client: WebClient, clock: HandClock) -> None:
    """A trigger opens once, within three seconds, and not after a view that was refused used it up."""
    first = forms.trigger()
    refused(client.views_open, trigger_id=first, view=view(title=plain("x" * 25)))
    client.views_open(trigger_id=first, view=FORM)
    assert refused(client.views_open, trigger_id=first, view=FORM)["error"] == "exchanged_trigger_id"
    assert refused(client.views_open, trigger_id="1.2.3", view=FORM)["error"] == "invalid_trigger_id"
    late = forms.trigger()
    clock.advance(seconds=3)
    client.views_open(trigger_id=late, view=FORM)
    late = forms.trigger()
    clock.advance(seconds=3.01)
    assert refused(client.views_open, trigger_id=late, view=FORM)["error"] == "expired_trigger_id"
    assert len(sandbox.modals(ADA)) == 1


def test_triggers_of_a_patient_workspace(clock: HandClock) -> None:
    """Where the app has longer than three seconds for an answer, it has as long to open a modal."""
    with Sandbox(Workspace.from_dict(PLAN), clock=clock, deadline=30) as patient:
        client = WebClient(patient.workspace.app.bot_token, base_url=patient.api_url)
        slow = patient._platform.new_trigger(ADA)
        clock.advance(seconds=30)
        client.views_open(trigger_id=slow, view=FORM)
        late = patient._platform.new_trigger(BEN)
        clock.advance(seconds=30.01)
        assert refused(client.views_open, trigger_id=late, view=FORM)["error"] == "expired_trigger_id"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (view(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (view(submit=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/submit/text]"),
        (view(close=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/close/text]"),
        (view(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (view(field("a"), field("a")), "block_id already exists: a [json-pointer:/view/blocks/1/block_id]"),
        (view(*[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (view(colour="red"), "invalid additional property: colour [json-pointer:/view]"),
        ({**view(), "type": "home"}, "unsupported type: home [json-pointer:/view/type]"),
        ({key: FORM[key] for key in FORM if key != "title"}, "missing required field: title [json-pointer:/view]"),
        ({key: FORM[key] for key in FORM if key != "submit"}, "missing required field: submit [json-pointer:/view]"),
        (
            view(field("a", "static_select", options=options(2), initial_option=options(3)[2])),
            "the initial option must be one of the options [json-pointer:/view/blocks/0]",
        ),
        (
            view(field("a", "datepicker", initial_date="30.11.2026")),
            r"input must match regex pattern: ^\d{4}-\d\d-\d\d$ [json-pointer:/view/blocks/0/element/initial_date]",
        ),
    ],
)
def test_refused_views(forms: Forms, client: WebClient, wrong: dict[str, Any], problem: str) -> None:
    """What is wrong with a view is said with its place, and nothing opens."""
    answer = refused(client.views_open, trigger_id=forms.trigger(), view=wrong)
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {problem}"]
    assert forms.sandbox.modal(ADA) is None


def test_a_submission_says_everything(either: Forms, sandbox: Sandbox) -> None:
    """What was filled in, and what stood there before, reaches the app as the platform writes it."""
    opened = either.open(FORM)
    assert opened.values == {
        "reason": "Training",
        "amount": None,
        "until": "2026-11-30",
        "service": "v1",
        "lead": None,
        "voters": (MARA,),
        "urgency": None,
        "terms": None,
    }
    sandbox.fill(
        ADA, {"until": "2026-12-24"}, amount="500", voters=(ADA, BEN), urgency="v1", terms=["v0"], service=None
    )
    assert sandbox.submit(ADA).error == ""
    assert sandbox.modal(ADA) is None
    (body,) = either.submitted
    state = {block: next(iter(entry.values())) for block, entry in body["view"]["state"]["values"].items()}
    assert state == {
        "reason": {"type": "plain_text_input", "value": "Training"},
        "amount": {"type": "number_input", "value": "500"},
        "until": {"type": "datepicker", "selected_date": "2026-12-24"},
        "service": {"type": "static_select", "selected_option": None},
        "lead": {"type": "users_select", "selected_user": None},
        "voters": {"type": "multi_users_select", "selected_users": [ADA, BEN]},
        "urgency": {"type": "radio_buttons", "selected_option": options(2)[1]},
        "terms": {"type": "checkboxes", "selected_options": options(2)[:1]},
    }
    assert list(body["view"]["state"]["values"]["reason"]) == ["reason_value"]


def test_the_payload_of_a_submission(forms: Forms, sandbox: Sandbox) -> None:
    """A submission has the fields that the platform sends, and no others."""
    opened = forms.open(view(section(), external_id="ext", private_metadata="kept"))
    sandbox.submit(ADA)
    (body,) = forms.submitted
    app = sandbox.workspace.app
    assert set(body["view"].pop("blocks")[0]) == {"type", "text", "block_id"}
    assert body.pop("trigger_id").count(".") == 2
    assert body.pop("token") == app.verification_token
    assert body == {
        "type": "view_submission",
        "team": {"id": "T0NORTH", "domain": "northwind"},
        "user": {"id": ADA, "username": "ada", "name": "ada", "team_id": "T0NORTH"},
        "api_app_id": app.id,
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
        "view": {
            "id": opened.id,
            "team_id": "T0NORTH",
            "type": "modal",
            "private_metadata": "kept",
            "callback_id": "ask",
            "state": {"values": {}},
            "hash": opened.hash,
            "title": plain("Ask"),
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": plain("Send"),
            "previous_view_id": None,
            "root_view_id": opened.id,
            "app_id": app.id,
            "external_id": "ext",
            "app_installed_team_id": "T0NORTH",
            "bot_id": app.bot_id,
        },
    }


@pytest.mark.parametrize(
    ("filled", "errors"),
    [
        ({"amount": None}, {"amount": "Please fill this in."}),
        ({"amount": "many"}, {"amount": "Enter a number."}),
        ({"amount": "NaN"}, {"amount": "Enter a number."}),
        ({"amount": "1.5"}, {"amount": "Enter a whole number."}),
        ({"amount": "0"}, {"amount": "Enter 1 or more."}),
        ({"amount": "5001"}, {"amount": "Enter 5000 or less."}),
        ({"reason": "x" * 41}, {"reason": "Write at most 40 characters."}),
        ({"reason": "", "until": None}, {"reason": "Please fill this in.", "until": "Please fill this in."}),
    ],
)
def test_the_client_checks_first(
    forms: Forms, sandbox: Sandbox, filled: dict[str, str | None], errors: dict[str, str]
) -> None:
    """What a person's own client can see to be wrong stands beside the field, and nothing is sent."""
    forms.open(FORM)
    sandbox.fill(ADA, {"amount": "7", **filled})
    assert sandbox.submit(ADA).error == "invalid_input"
    assert (forms.top().errors, forms.submitted) == (errors, [])
    sandbox.fill(ADA, reason="Training", amount="7", until="2026-12-01")
    assert forms.top().errors == {}
    assert sandbox.submit(ADA).error == ""


def test_what_cannot_be_filled_in(forms: Forms, sandbox: Sandbox) -> None:
    """Blocks, choices and people that are not there, and dates that are none, are refused."""
    with pytest.raises(LookupError, match="no modal is open"):
        sandbox.fill(ADA, reason="x")
    forms.open(FORM)
    for wrong in (
        {"reason": "kept?", "nowhere": "x"},
        {"service": "v9"},
        {"lead": "U0NOBODY"},
        {"voters": ("U0GONE",)},
    ):
        with pytest.raises(LookupError):
            sandbox.fill(ADA, wrong)
    with pytest.raises(ValueError, match="isoformat"):
        sandbox.fill(ADA, until="soon")
    assert forms.top().values["reason"] == "Training"


def test_an_update_forgets_what_was_wrong(either: Forms, sandbox: Sandbox) -> None:
    """Errors stand until the view is updated: from then on only the view itself can say what is still wrong."""
    first = either.open(view(field("a", initial_value="1"), field("b", optional=True)))
    either.on_submit = lambda ack, **_: ack(response_action="errors", errors={"a": "Not that one."})
    sandbox.submit(ADA)
    sandbox.fill(ADA, b="2")
    assert either.top().errors == {"a": "Not that one."}
    either.client.views_update(view_id=first.id, view=view(field("a", initial_value="1"), field("b", optional=True)))
    assert (either.top().errors, either.top().values) == ({}, {"a": "1", "b": "2"})


def test_answers_to_a_submission(either: Forms, sandbox: Sandbox) -> None:
    """Errors stand beside their fields, another view takes its place or comes on top, and all can go at once."""
    first = either.open(view(field("a", initial_value="1")))
    either.on_submit = lambda ack, **_: ack(response_action="errors", errors={"a": "Not that one."})
    sandbox.submit(ADA)
    assert either.top().errors == {"a": "Not that one."}
    either.on_submit = lambda ack, **_: ack(response_action="push", view=view(section("above")))
    sandbox.submit(ADA)
    assert [len(sandbox.modals(ADA)), either.top().title] == [2, "Ask"]
    assert sandbox.modals(ADA)[0].errors == {}
    either.on_submit = lambda ack, **_: ack(response_action="update", view=view(section("now"), title=plain("New")))
    sandbox.submit(ADA)
    above = either.top()
    assert [above.title, len(sandbox.modals(ADA))] == ["New", 2]
    either.on_submit = lambda ack, **_: ack()
    sandbox.submit(ADA)
    assert either.top().id == first.id
    assert either.submitted[-1]["view"]["previous_view_id"] == first.id
    assert either.submitted[-1]["view"]["root_view_id"] == first.id
    either.on_submit = lambda ack, **_: ack(response_action="clear")
    sandbox.submit(ADA)
    assert sandbox.modals(ADA) == ()


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        ({"response_action": "errors", "errors": {"b": "x"}}, "b is not the block_id of an input"),
        ({"response_action": "errors", "errors": {"words": "x"}}, "words is not the block_id of an input"),
        ({"response_action": "errors", "errors": {"a": ""}}, "must provide a string"),
        ({"response_action": "update", "view": view(title=plain(""))}, "must be more than 0 characters"),
        ({"response_action": "push"}, "must provide an object"),
        ({"response_action": "close"}, "must be a valid response_action"),
    ],
)
def test_wrong_answers(either: Forms, sandbox: Sandbox, answer: dict[str, Any], warning: str) -> None:
    """An answer that the platform does not take leaves the modal as it was, with a notice, and warns."""
    opened = either.open(view(section("x", block_id="words"), field("a", initial_value="1")))
    either.on_submit = lambda ack, **_: ack(**answer)
    assert sandbox.submit(ADA).error == "invalid_view_response"
    assert either.top().values == opened.values
    assert either.top().notice == "Tokens answered with something that cannot be shown. Try again."
    assert warning in sandbox.warnings[-1]


def test_no_answer(either: Forms, sandbox: Sandbox) -> None:
    """Without an answer the modal stays with what was filled in, says so, and can be submitted again."""
    sandbox._platform.deadline = 0.1
    either.open(view(field("a")))
    sandbox.fill(ADA, a="typed")
    either.on_submit = lambda **_: None
    assert sandbox.submit(ADA).error in ("operation_timeout", "dispatch_failed")
    assert either.top().notice.startswith("We had some trouble connecting. Try again? (Tokens ")
    assert either.top().values == {"a": "typed"}
    sandbox._platform.deadline = 3.0
    either.on_submit = lambda ack, **_: ack()
    assert sandbox.submit(ADA).error == ""
    assert sandbox.modal(ADA) is None


def test_an_answer_about_a_form_that_was_closed(either: Forms, sandbox: Sandbox) -> None:
    """Whoever closes a form while the app thinks about it sees no more of it, and the app did nothing wrong."""

    def close_first(ack: Any, **_: object) -> None:  # noqa: ANN401 - Bolt's own
        sandbox.dismiss(ADA)
        ack(response_action="update", view=view(section("Too late")))

    either.open(view(field("a", initial_value="1")))
    either.on_submit = close_first
    assert sandbox.submit(ADA).error == ""
    assert (sandbox.modals(ADA), sandbox.warnings) == ((), ())


def test_what_is_told_at_once(either: Forms, sandbox: Sandbox) -> None:
    """Buttons, menus and dispatching inputs send what was done with the state of the view, and no channel."""
    opened = either.open(DIALOGUE)
    sandbox.press(ADA, opened, "more")
    sandbox.fill(ADA, note="typed", acts="v2")
    sandbox.press(ADA, either.top(), "period", value="v0")
    more, note, period, again = either.acted
    assert more["container"] == {"type": "view", "view_id": opened.id}
    assert {"channel", "message", "response_url", "state"}.isdisjoint(more)
    assert [more["actions"][0][key] for key in ("type", "action_id", "block_id", "value")] == [
        "button",
        "more",
        "look",
        "7",
    ]
    assert [note["actions"][0][key] for key in ("type", "action_id", "block_id", "value")] == [
        "plain_text_input",
        "note_value",
        "note",
        "typed",
    ]
    assert period["actions"][0]["selected_option"]["value"] == "v2"
    assert again["view"]["state"]["values"] == {
        "note": {"note_value": {"type": "plain_text_input", "value": "typed"}},
        "acts": {"period": {"type": "static_select", "selected_option": options(3)[0]}},
    }


def test_typed_text_that_is_told_to_nobody(forms: Forms, sandbox: Sandbox) -> None:
    """An input that does not dispatch is heard of with the submission only."""
    forms.open(FORM)
    sandbox.fill(ADA, amount="5", lead=BEN)
    assert forms.acted == []


def test_an_update_keeps_what_keeps_its_ids(forms: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """Typed values stay where block_id and action_id do; a new id, type or list of options loses them."""
    menu = {"options": options(3)}
    before = forms.open(view(field("a"), field("b"), field("c"), field("d", "static_select", **menu), section("x")))
    sandbox.fill(ADA, a="one", b="two", c="three", d="v2")
    after = view(
        field("a", initial_value="not this"),
        field("b", action_id="another"),
        field("c", "number_input", is_decimal_allowed=True, initial_value="9"),
        field("d", "static_select", options=options(2)),
        field("e", initial_value="new"),
    )
    answer = client.views_update(view_id=before.id, hash=before.hash, view=after)
    assert forms.top().values == {"a": "one", "b": None, "c": "9", "d": None, "e": "new"}
    assert forms.top().hash == answer["view"]["hash"] != before.hash


def test_nameless_blocks_are_new_with_every_update(forms: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """What was typed into a block to which the app gave no id does not survive an update."""
    nameless = field("a")
    del nameless["block_id"]
    opened = forms.open(view(nameless))
    (block_id,) = opened.values
    sandbox.fill(ADA, {block_id: "typed"})
    client.views_update(view_id=opened.id, view=view(nameless))
    assert list(forms.top().values.values()) == [None]


def test_updates_that_are_refused(forms: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """A stale hash, a closed view and two views of one external id are refused."""
    opened = forms.open(view(external_id="one"))
    client.views_update(external_id="one", view=view(external_id="one", title=plain("Found")))
    assert forms.top().title == "Found"
    stale = refused(client.views_update, view_id=opened.id, hash=opened.hash, view=FORM)
    assert stale["error"] == "hash_conflict"
    double = refused(client.views_open, trigger_id=forms.trigger(BEN), view=view(external_id="one"))
    assert double["error"] == "duplicate_external_id"
    sandbox.dismiss(ADA)
    assert refused(client.views_update, view_id=opened.id, view=FORM)["error"] == "not_found"
    assert refused(client.views_update, external_id="one", view=FORM)["error"] == "not_found"
    assert refused(client.api_call, api_method="views.update", json={"view": FORM})["error"] == "invalid_arguments"


def test_a_stack_of_three(forms: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """What is done in a modal lets another be put on top, three at most; a command's trigger does not."""
    pushed: list[Any] = []

    def push(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        pushed.append(refused(client.views_push, trigger_id=body["trigger_id"], view=DIALOGUE)["error"])
        ack()

    forms.open(DIALOGUE)
    assert refused(client.views_push, trigger_id=forms.trigger(), view=DIALOGUE)["error"] == "invalid_trigger_id"
    for _ in range(2):
        sandbox.press(ADA, forms.top(), "go")
        client.views_push(trigger_id=forms.acted[-1]["trigger_id"], view=DIALOGUE)
    first, second, third = sandbox.modals(ADA)
    forms.on_action = push
    sandbox.press(ADA, third, "go")
    assert pushed == ["push_limit_reached"]
    with pytest.raises(LookupError, match="not the one on top"):
        sandbox.press(ADA, second, "go")
    sandbox.dismiss(ADA)
    assert [shown.id for shown in sandbox.modals(ADA)] == [first.id, second.id]


def test_closing(either: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """Apps hear of a closed view only if they asked to, and a view may take those below it with it."""
    either.open(DIALOGUE | {"notify_on_close": True})
    sandbox.press(ADA, either.top(), "go")
    client.views_push(trigger_id=either.acted[-1]["trigger_id"], view=view(section()))
    sandbox.dismiss(ADA)
    assert (len(sandbox.modals(ADA)), either.closed) == (1, [])
    sandbox.press(ADA, either.top(), "go")
    client.views_push(trigger_id=either.acted[-1]["trigger_id"], view=view(section(), clear_on_close=True))
    sandbox.dismiss(ADA)
    assert sandbox.modals(ADA) == ()
    (body,) = either.closed
    assert (body["type"], body["is_cleared"], body["view"]["callback_id"]) == ("view_closed", True, "ask")
    either.open(FORM)
    sandbox.fill(ADA, reason="Changed my mind")
    sandbox.dismiss(ADA)
    assert either.closed[-1]["is_cleared"] is False
    reason = either.closed[-1]["view"]["state"]["values"]["reason"]["reason_value"]
    assert reason["value"] == "Changed my mind"


def test_opening_over_an_open_modal(forms: Forms, sandbox: Sandbox) -> None:
    """The platform promises nothing of a second `views.open`: here the newer modal stays, and a warning says so."""
    forms.open(FORM)
    second = forms.open(DIALOGUE)
    assert [shown.id for shown in sandbox.modals(ADA)] == [second.id]
    assert "views.open was called while a modal was open" in sandbox.warnings[-1]


def test_a_view_may_change_while_the_app_thinks(forms: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """The app may fill a placeholder by `views.update` after its acknowledgement, by the id of the view."""
    forms.open(view(field("a", initial_value="1")))
    forms.on_submit = lambda ack, **_: ack(
        response_action="update", view=view(section("Saving…"), submit=plain("Wait"))
    )
    sandbox.submit(ADA)
    waiting = forms.top()
    client.views_update(view_id=waiting.id, hash=waiting.hash, view=view(section("Saved")))
    assert forms.top().blocks[0]["text"]["text"] == "Saved"


def test_menus_of_messages_have_a_state(forms: Forms, sandbox: Sandbox, client: WebClient) -> None:
    """A click in a message says what stands in its menus: what the app chose, until the person chose otherwise."""
    menu = {"type": "static_select", "action_id": "period", "options": options(3), "initial_option": options(3)[1]}
    date = {"type": "datepicker", "action_id": "day"}
    ticks = {"type": "checkboxes", "action_id": "terms", "options": options(3)}
    acts = {"type": "actions", "block_id": "acts", "elements": [menu, date, ticks, button(action_id="go")]}
    client.chat_postMessage(channel=TEAM, text="x", blocks=[acts])
    (message,) = sandbox.messages(TEAM, ADA)
    sandbox.press(ADA, message, "terms", value=["v0", "v2"])
    sandbox.press(ADA, message, "go")
    sandbox.press(BEN, message, "go")
    ticked, by_ada, by_ben = forms.acted
    assert ticked["actions"][0]["selected_options"] == [options(3)[0], options(3)[2]]
    assert by_ada["state"]["values"]["acts"] == {
        "period": {"type": "static_select", "selected_option": options(3)[1]},
        "day": {"type": "datepicker", "selected_date": None},
        "terms": {"type": "checkboxes", "selected_options": [options(3)[0], options(3)[2]]},
    }
    assert by_ben["state"]["values"]["acts"]["terms"]["selected_options"] == []
