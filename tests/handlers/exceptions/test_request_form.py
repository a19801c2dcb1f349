"""What the form of a request says of what is filled in, and two people, or one, who press at once."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from handlers.exceptions import asking, choices, request_form
from handlers.exceptions.request_form import Fields
from handlers.slack.interactions import Form
from policy.reasons import FieldsRefused
from store.exceptions import drafts
from store.tables.exceptions import requests
from store.tables.people import projects
from templates import limits
from tests.support import books
from tests.support import requests as board
from tests.support.books import BEN

if TYPE_CHECKING:
    from programme.app import App

SOUND = Fields(amount="5,000", purpose="Finish the load test", last_day="2026-12-20")
WRONG: dict[str, Any] = {
    "amount": "1e3",
    "purpose": "\u2800",
    "last_day": "2031-01-01",
    "project": "atlantis",
    "service": "abacus",
    "beneficiaries": ["U0BEN"],
    "incident": "x" * 101,
}


@pytest.fixture
def office(sqlite_app: App) -> App:
    return board.convene(sqlite_app)


def drawn(app: App, fields: Fields) -> dict[str, Any]:
    with app.reading() as moment:
        return request_form.view(moment, board.person(moment.session, BEN), fields)


def wrong(view: dict[str, Any]) -> dict[str, str]:
    """What is said below each field."""
    below = zip(view["blocks"], view["blocks"][1:], strict=False)
    return {
        field["block_id"]: said["text"]["text"]
        for field, said in below
        if field["type"] == "input" and said["type"] == "alert"
    }


def with_a_project(app: App) -> App:
    with app.database.transaction() as session:
        session.execute(projects.insert().values(key="atlas", name="Atlas", complexity="usual"))
    return app


@pytest.mark.parametrize("field", WRONG)
def test_a_mistake_is_said_below_its_field(office: App, field: str) -> None:
    """Of each field alone, in a whole sentence that says what to do, and that Slack has room for."""
    view = drawn(with_a_project(office), dataclasses.replace(SOUND, **{field: WRONG[field]}))
    assert wrong(view).keys() == {field}
    said = wrong(view)[field]
    assert said.endswith(".")
    assert len(said) <= limits.LONGEST_ALERT
    assert any(f"{verb} " in said for verb in ("Write", "Choose", "Name"))


def test_all_mistakes_are_said_at_once(office: App) -> None:
    """None hides another, and sending the form refuses it with the same sentences."""
    everything = Fields(**WRONG)
    said = wrong(drawn(with_a_project(office), everything))
    assert said.keys() == WRONG.keys()
    with office.reading() as moment, pytest.raises(FieldsRefused) as refused:
        request_form.require_readable(moment, board.person(moment.session, BEN), everything)
    assert refused.value.problems == said


def test_every_field_that_redraws_the_form_has_a_place_for_what_is_wrong(office: App) -> None:
    """A field that dispatches would lose what Slack was told of it: the form shows that itself, right below."""
    live = [
        block["block_id"] for block in drawn(with_a_project(office), SOUND)["blocks"] if block.get("dispatch_action")
    ]
    assert sorted(live) == sorted(request_form.LIVE_FIELDS) == sorted(WRONG)


def test_what_is_empty_yet_is_no_mistake(office: App) -> None:
    """A form that was just opened, or emptied again, reproaches no one with anything."""
    assert wrong(drawn(office, Fields())) == {}
    assert wrong(drawn(office, Fields(last_day="2026-12-20", purpose="Finish"))) == {}


def test_a_missing_purpose_hides_no_preview(office: App) -> None:
    """Who decides follows from the amount, so it is shown before anything else is written."""
    shown = str(drawn(office, Fields(amount="5,000", last_day="2026-12-20")))
    assert "*5,000 tokens, USD 50.00*" in shown
    assert "who may vote" in shown


def test_a_day_that_is_over_is_said_and_not_replaced(office: App) -> None:
    """Slack goes on showing the day that was chosen, so another one in its place would be judged unseen."""
    view = drawn(office, dataclasses.replace(SOUND, last_day="2026-01-01"))
    assert "2026-01-01 is over. Choose a day from today to" in wrong(view)["last_day"]
    [day] = [block["element"] for block in view["blocks"] if block.get("block_id") == "last_day"]
    assert day["initial_date"] == "2026-01-01"


def test_a_draft_is_opened_without_what_is_gone(office: App) -> None:
    """Its day is over, and its project and service are no more: they are left out, not complained of."""
    with office.transaction() as moment:
        ben = board.person(moment.session, BEN)
        gone = {"amount": "5", "purpose": "Old", "last_day": "2026-01-01", "project": "atlantis", "service": "abacus"}
        drafts.save(moment.session, ben.id, gone, now=moment.now)
        fields, _ = request_form.draft(moment.session, ben)
        view = request_form.opened(moment, ben, fields)
    assert wrong(view) == {}
    assert "atlantis" not in str(view)
    assert "'initial_value': 'Old'" in str(view)


def test_the_same_form_sent_twice_at_once_is_one_request(office: App) -> None:
    """Two presses, or a submission that Slack delivers again: everyone is shown the receipt, of one request."""
    with office.reading() as moment:
        ben = board.person(moment.session, BEN)
    values = {"amount": "5,000", "purpose": "Finish the load test", "last_day": "2026-12-20", "beneficiaries": []}
    together = Barrier(6)

    def press(turn: int) -> dict[str, Any]:
        together.wait(books.WAIT_SECONDS)
        return asking.submit(office.once(f"trigger-{turn}"), Form(ben, "V1", values, "", office.clock()))

    with ThreadPoolExecutor(6) as pool:
        shown = list(pool.map(press, range(6)))
    assert {view["callback_id"] for view in shown} == {"fast_track_receipt"}
    assert books.count(office, requests) == 1
    assert books.findings(office) == {}


def test_a_search_finds_parts_of_names_and_keys() -> None:
    """Whatever the case, the accents or the spaces; what begins with the text comes first, and no more than fits."""
    options = [("k1", "The Größe"), ("k2", "größer"), ("grosse-3", "Other"), ("k4", "\uff21tlas  search")]
    assert [key for key, _ in choices.matching(options, "GRÖSSE")] == ["k2", "k1", "grosse-3"]
    assert [key for key, _ in choices.matching(options, "atlas search")] == ["k4"]
    assert choices.matching(options, "nothing") == []
    many = [(str(n), f"Project {n}") for n in range(1_000)]
    assert len(choices.matching(many, "")) == limits.MOST_OPTIONS
