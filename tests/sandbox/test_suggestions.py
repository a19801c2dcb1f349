"""Menus whose options the app keeps: what is typed goes there, and only what comes back can be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.sandbox.company import ADA
from tests.sandbox.forms import Forms
from tests.sandbox.test_signed_http import http_app
from tests.sandbox.views import field, view

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from slack_sdk import WebClient

    from sandbox import Sandbox
    from tests.sandbox.conftest import TokensApp

__all__ = ["http_app"]

SEARCH = view(field("project", "external_select", min_query_length=2), field("note", optional=True))


def offer(words: str, value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": words}, "value": value}


@pytest.fixture(params=["app", "http_app"])
def asked(request: pytest.FixtureRequest, sandbox: Sandbox, client: WebClient) -> dict[str, Any]:
    """What the app was asked last; it offers what stands under `offers`. By Socket Mode, and by signed HTTP."""
    app: TokensApp = request.getfixturevalue(request.param)
    kept: dict[str, Any] = {"offers": [offer("Atlas", "p1"), offer("Atoll", "p2")]}

    def suggest(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        kept["body"] = body
        ack(options=kept["offers"])

    app.bolt.options("project_value")(suggest)
    forms = Forms(client, sandbox)
    forms.listen(app)
    forms.open(SEARCH)
    kept["forms"] = forms
    return kept


def test_what_is_typed_goes_to_the_app(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    """The app is told who types what into which menu of which view, and what it offers is shown."""
    assert sandbox.search(ADA, "project", "at") == {"p1": "Atlas", "p2": "Atoll"}
    body = asked["body"]
    assert (body["type"], body["user"]["id"], body["value"]) == ("block_suggestion", ADA, "at")
    assert (body["block_id"], body["action_id"]) == ("project", "project_value")
    assert body["view"]["callback_id"] == "ask"
    assert body["container"] == {"type": "view", "view_id": body["view"]["id"]}
    assert "trigger_id" not in body


def test_too_little_is_not_looked_for(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    """Below the length that the app asks for, nothing is sent."""
    assert sandbox.search(ADA, "project", "a") == {}
    assert "body" not in asked


def test_only_what_was_offered_can_be_chosen(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    """A choice is told with its words; it stays when the view is updated, and another search adds to what there is."""
    with pytest.raises(LookupError, match="not among the options"):
        sandbox.fill(ADA, project="p1")
    sandbox.search(ADA, "project", "atl")
    asked["offers"] = [offer("Zebra", "p9")]
    sandbox.search(ADA, "project", "ze")
    sandbox.fill(ADA, project="p1")
    shown = sandbox.modal(ADA)
    assert shown is not None
    asked["forms"].client.views_update(view_id=shown.id, view=SEARCH)
    assert sandbox.submit(ADA).error == ""
    [body] = asked["forms"].submitted
    chosen = body["view"]["state"]["values"]["project"]["project_value"]
    assert chosen == {"type": "external_select", "selected_option": offer("Atlas", "p1")}
    assert "options" not in body["view"]["blocks"][0]["element"]


@pytest.mark.parametrize(
    "wrong",
    [
        [offer("x" * 76, "p1")],
        [offer("Atlas", "p" * 151)],
        [offer("Atlas", "")],
        [offer(str(n), str(n)) for n in range(101)],
    ],
)
def test_what_the_platform_would_not_show_is_refused(
    sandbox: Sandbox, asked: dict[str, Any], wrong: list[dict[str, Any]]
) -> None:
    """Options are as strictly measured as those of any menu: their words, their values, and how many there are."""
    asked["offers"] = wrong
    with pytest.raises(LookupError, match="invalid_options"):
        sandbox.search(ADA, "project", "at")
    assert sandbox.warnings


def test_nothing_found_is_an_answer(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    """An empty list is what an app says when it found nothing."""
    asked["offers"] = []
    assert sandbox.search(ADA, "project", "xyz") == {}
    assert sandbox.warnings == ()


def test_a_search_in_the_browser(sandbox: Sandbox, app: TokensApp, client: WebClient, page: Page) -> None:
    """What is typed brings options to choose from; other words are no choice, and an emptied field is none."""
    offered = [offer("Atlas", "p1"), offer("Atoll", "p2")]

    def suggest(ack: Any, body: dict[str, Any]) -> None:  # noqa: ANN401 - Bolt's own
        ack(options=[one for one in offered if body["value"] in one["text"]["text"].lower()])

    app.bolt.options("project_value")(suggest)
    forms = Forms(client, sandbox)
    forms.listen(app)
    forms.open(SEARCH)
    page.goto(sandbox.page_url(ADA))
    project = page.get_by_role("dialog", name="Ask").get_by_label("Project")
    project.fill("at")
    expect(page.locator("datalist option")).to_have_count(2)
    project.fill("Atlantis")
    project.press("Tab")
    expect(project).to_have_value("")
    project.fill("atl")
    expect(page.locator("datalist option")).to_have_count(1)
    project.fill("Atlas")
    project.press("Tab")
    expect(project).to_have_value("Atlas")
    page.get_by_label("Note (optional)").fill("Soon")
    page.get_by_role("dialog", name="Ask").get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog", name="Ask")).to_be_hidden()
    [body] = forms.submitted
    assert body["view"]["state"]["values"]["project"]["project_value"]["selected_option"] == offer("Atlas", "p1")
