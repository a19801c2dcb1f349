"""The form of a request with mistakes in it, over Socket Mode and over HTTP: what is shown, until it is mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from policy.units import MicroTokens
from store.tables.exceptions import requests
from tests.support import books, slack
from tests.support.books import BEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from sandbox import Sandbox, View

TWO_WAYS = "'5.000' can be read in two ways. Write 5,000 or 5."


@pytest.fixture(params=["sockets", "http"])
def _either(request: pytest.FixtureRequest, sandbox: Sandbox, office: App) -> Iterator[None]:
    """The bot, reached by Socket Mode, and by signed HTTP."""
    environ = slack.environment if request.param == "sockets" else slack.signed_environment
    with slack.bot(sandbox, office, slack.load(environ(sandbox, slack.NO_DATABASE))):
        yield


def shown(sandbox: Sandbox, user: str = slack.BEN) -> View:
    form = sandbox.modal(user)
    assert form is not None
    return form


def alerts(form: View) -> dict[str, str]:
    """What is said to be wrong, by the field that it stands below."""
    found: dict[str, str] = {}
    field = ""
    for block in form.blocks:
        field = block["block_id"] if block["type"] == "input" else field
        if block["type"] == "alert":
            found[field] = block["text"]["text"]
    return found


def begin(sandbox: Sandbox, **fields: Any) -> None:  # noqa: ANN401 - texts, and several people
    assert sandbox.command(slack.BEN, slack.GENERAL, "/tokens request").error == ""
    sandbox.fill(slack.BEN, {"purpose": "Finish the load test", **fields})


@pytest.mark.usefixtures("_either")
def test_mistakes_stay_until_they_are_mended(sandbox: Sandbox, office: App) -> None:
    """Slack forgets what it was told once a form is drawn anew; the form still says it, and what was typed is there."""
    begin(sandbox, amount="5.000", last_day="2027-12-31")
    sandbox.submit(slack.BEN)
    told = dict(shown(sandbox).errors)
    assert told.keys() == {"amount", "last_day"}
    assert told["amount"] == TWO_WAYS
    sandbox.fill(slack.BEN, {"beneficiaries": (slack.LENA,)})
    assert (shown(sandbox).errors, alerts(shown(sandbox))) == ({}, told)
    sandbox.fill(slack.BEN, {"purpose": "Finish the load test, and write it down"})
    assert alerts(shown(sandbox)) == told
    sandbox.fill(slack.BEN, {"amount": "5,000"})
    assert alerts(shown(sandbox)) == {"last_day": told["last_day"]}
    sandbox.fill(slack.BEN, {"last_day": "2026-12-31"})
    form = shown(sandbox)
    assert alerts(form) == {}
    assert (form.values["amount"], form.values["last_day"]) == ("5,000", "2026-12-31")
    assert form.values["purpose"] == "Finish the load test, and write it down"
    assert form.values["beneficiaries"] == (slack.LENA,)
    assert "*5,000 tokens, USD 50.00*" in json.dumps(form.blocks)
    sandbox.submit(slack.BEN)
    assert "The board has your request for 5,000 tokens" in json.dumps(shown(sandbox).blocks)
    assert books.count(office, requests) == 1


@pytest.mark.usefixtures("_bot")
def test_one_mistake_hides_no_other(sandbox: Sandbox) -> None:
    """All that is wrong is said at once, while it is filled in and when it is sent; what is empty yet is no mistake."""
    begin(sandbox, purpose="", amount="")
    assert alerts(shown(sandbox)) == {}
    sandbox.fill(slack.BEN, {"last_day": "2026-01-01", "beneficiaries": (slack.BEN, slack.GUEST), "purpose": "\u2003"})
    wrong = {"last_day", "beneficiaries", "purpose"}
    assert alerts(shown(sandbox)).keys() == wrong
    sandbox.fill(slack.BEN, {"amount": "lots"})
    assert alerts(shown(sandbox)).keys() == wrong | {"amount"}
    sandbox.submit(slack.BEN)
    assert shown(sandbox).errors.keys() == wrong | {"amount"}


@pytest.mark.usefixtures("_bot")
def test_an_incident_beyond_its_limit_says_the_limit(sandbox: Sandbox) -> None:
    """More than an incident gets is refused with the amount that it gets; without the incident the board is asked."""
    begin(sandbox, amount="60000", incident="INC-7")
    limit = "In an incident you get at most 46,850 tokens at once."
    assert alerts(shown(sandbox))["amount"].startswith(limit)
    sandbox.submit(slack.BEN)
    sandbox.fill(slack.BEN, {"last_day": "2026-12-31"})
    assert alerts(shown(sandbox))["amount"].startswith(limit)
    sandbox.fill(slack.BEN, {"amount": "46,850"})
    assert alerts(shown(sandbox)) == {}
    sandbox.submit(slack.BEN)
    assert "46,850 tokens are in your wallet" in json.dumps(shown(sandbox).blocks)


@pytest.mark.usefixtures("_bot")
def test_the_form_says_what_is_left(sandbox: Sandbox, office: App) -> None:
    """Whoever asks for more sees above all what they have, and until when in their own time zone."""
    left = books.wallet(office, BEN)
    assert left == MicroTokens.parse("93700")
    begin(sandbox, amount="5000")
    first = shown(sandbox).blocks[0]["text"]["text"]
    assert first == "*You have 93,700 tokens left*, until 31 Jan 2027 at 18:00."
