"""What a button or a form carries went through somebody's hands: whatever it says, people do only what is theirs."""

from __future__ import annotations

import json
import shutil
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import App as Bolt
from slack_bolt import BoltRequest
from slack_bolt.authorization import AuthorizeResult

from handlers import slack_app
from handlers.exceptions import request_form
from handlers.rates import Rate
from handlers.slack.listeners import FORM, PRESS
from policy.reasons import Refusal
from programme.app import App
from programme.exceptions import questions
from programme.handbook import proposing
from store.engine import open_database
from store.handbook import reference
from store.tables import metadata
from store.tables.exceptions import request_votes
from tests.conftest import ZONE
from tests.support import appealed, books, cast, depth, proposed, slack_http
from tests.support import requests as asked
from tests.support.appealed import FEBRUARY_THIRD
from tests.support.clock import Clock
from tests.support.requests import IRIS, TESS
from tests.support.reviewed import IDLE, Q4

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

ADMIN, AUDITOR = "adam@example.com", "audrey@example.com"
WITHOUT_A_SAY = {
    "a colleague": "U0LENA",
    "an administrator with a seat": "U0ADAM",
    "an auditor with a seat": "U0AUDREY",
    "a member who left": "U0TESS",
}
ROLES = f"""\
email,name,slack_user_id,level,role_family,time_zone,hired_on,left_on,roles
{ADMIN},Adam Roth,U0ADAM,senior,engineering,Europe/Berlin,2022-01-01,,board;admin
{AUDITOR},Audrey Low,U0AUDREY,senior,engineering,Europe/Berlin,2022-01-01,,board;auditor
{TESS},,,,,,,2026-12-31,board
"""
THEIR_OWN = {
    "fast_track_request": "opens one's own form",
    "fast_track_form": "asks for oneself",
    "warnings_choose": "chooses one's own warnings",
    "home_why": "explains one's own balance",
}
"""What needs no one's leave, because it is about whoever does it."""
_triggers = count(1)


_LISTENERS = slack_app.listeners(None)  # type: ignore[arg-type]  # only registers
ACTIONS = [name for name in _LISTENERS.names(PRESS) if name not in request_form.LIVE_FIELDS]
FORMS = _LISTENERS.names(FORM)
CLICKS_OF_OTHERS, FORMS_OF_OTHERS = ([one for one in names if one not in THEIR_OWN] for names in (ACTIONS, FORMS))


@pytest.fixture(scope="module")
def office(settled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A drafted review that the board votes on; nothing of what these tests send may change it."""
    path = shutil.copy(settled_sqlite, tmp_path_factory.mktemp("forged"))
    clock = Clock()
    app = App(open_database(f"sqlite:///{path}"), ZONE, clock)
    appealed.settle(app, clock)
    cast.hire(app, ROLES)
    yield app
    app.database.close()


@pytest.fixture(scope="module")
def bolt(office: App) -> Bolt:
    return bolt_of(office)


@pytest.fixture(scope="module")
def ids(office: App) -> list[str]:
    """Every kind of id that there is here, as buttons carry them: also of a request, its question, and a proposal."""
    waiting, small = asked.ask(office, IDLE, "50000"), asked.ask(office, IDLE, "40")
    with office.reading() as moment:
        body = reference.handbook_bodies(moment.session)[-1]
    proposal = proposed.propose(office, proposed.text("2027.9", date(2027, 6, 1), base=body), by=IRIS)
    with office.transaction() as moment:
        iris = asked.person(moment.session, IRIS)
        question = questions.ask(moment, iris, waiting.id, "What for?", key="question:V0")
    idle = cast.person_id(office, IDLE)
    return [
        f"{waiting.id}:{waiting.revision}",
        f"{small.id}:{small.revision}",
        str(question.id),
        f"{Q4}",
        f"{Q4}:1",
        f"{Q4}:{idle}:0",
        f"{Q4}/{idle}",
        f"{proposal.id}:{proposed.seen(office, proposal).mark}",
    ]


FORGED = ["", "nonsense", "xr_none:1", "0", "-1", "9" * 30, "2031-Q1:1", "null", "[]", "{}", '{"request_id": 7}', "\0"]


def everything(app: App) -> dict[str, Sequence[Any]]:
    """All rows as the driver gives them: some hundred comparisons of them are made here."""
    with app.database.reading() as session:
        return {
            table.name: session.exec_driver_sql(f'SELECT * FROM "{table.name}"').fetchall()  # noqa: S608 - our own names
            for table in metadata.sorted_tables
        }


def carried(ids: list[str]) -> Iterator[str]:
    """What forms keep, with the ids of others in it."""
    yield from FORGED
    for one in ids:
        yield one
        first = one.partition(":")[0]
        keys: dict[str, Any] = {"request_id": first, "appeal_id": first, "proposal_id": first, "quarter": str(Q4)}
        for about in (one, first):
            told = keys | {"package": 1, "about": about, "seen": "", "mark": one.rpartition(":")[2], "base": "2026.1"}
            yield json.dumps(told)


FILLED: dict[str, dict[str, Any]] = {
    "reason": {"type": "plain_text_input", "value": "Because"},
    "question": {"type": "plain_text_input", "value": "Why?"},
    "answer": {"type": "plain_text_input", "value": "So"},
    "note": {"type": "plain_text_input", "value": "Done"},
    "amount": {"type": "plain_text_input", "value": "10"},
    "change": {"type": "static_select", "selected_option": {"value": "0"}},
    "outcome": {"type": "static_select", "selected_option": {"value": "delivered"}},
}


def trigger() -> str:
    return f"9.{next(_triggers)}"


def bolt_of(app: App) -> Bolt:
    """Where more come at once than anyone clicks: what is refused for its pace would show nothing."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_id="B1", bot_user_id="U0BOT")

    return slack_app.build(app, authorize=authorize, api_url=slack_http.AWAY, rate=Rate(100_000, 1))


def answered(bolt: Bolt, content: dict[str, Any]) -> int:
    """The status of the answer to what Slack delivered: signatures and HTTP are tested elsewhere."""
    return bolt.dispatch(BoltRequest(body=json.dumps(content), mode="socket_mode")).status


def change_nothing(app: App, bolt: Bolt, requests: Iterable[dict[str, Any]]) -> None:
    """Whatever was sent has been answered, and every table is as it was."""
    before = everything(app)
    answers = {answered(bolt, one) for one in requests}
    assert answers == {200}
    assert everything(app) == before


def presses(action: str, who: str, values: Iterable[str]) -> Iterator[dict[str, Any]]:
    for value in values:
        yield slack_http.press(action, who, value, trigger_id=trigger())


def submissions(form: str, who: str, values: Iterable[str]) -> Iterator[dict[str, Any]]:
    for private in values:
        yield slack_http.submission(form, who, FILLED, private_metadata=private, trigger_id=trigger())


@pytest.mark.parametrize(("action", "kind"), depth.crossed(CLICKS_OF_OTHERS, WITHOUT_A_SAY))
def test_no_button_does_what_is_not_ones_own(office: App, bolt: Bolt, ids: list[str], action: str, kind: str) -> None:
    """With ids of others' requests, reviews, cases and proposals, and with forged ones, a click changes nothing."""
    change_nothing(office, bolt, presses(action, WITHOUT_A_SAY[kind], [*ids, *FORGED]))


@pytest.mark.parametrize(("form", "kind"), depth.crossed(FORMS_OF_OTHERS, WITHOUT_A_SAY))
def test_no_form_does_what_is_not_ones_own(office: App, bolt: Bolt, ids: list[str], form: str, kind: str) -> None:
    """Whatever `private_metadata` says, a form that someone was never shown changes nothing."""
    change_nothing(office, bolt, submissions(form, WITHOUT_A_SAY[kind], carried(ids)))


@pytest.mark.parametrize("who", WITHOUT_A_SAY.values(), ids=WITHOUT_A_SAY)
def test_no_one_decides_an_appeal_but_its_deciders(sqlite_app: App, clock: Clock, who: str) -> None:
    """An appeal that is filed is neither decided nor filed again by clicks and forms of others."""
    appealed.settle(sqlite_app, clock)
    cast.hire(sqlite_app, ROLES)
    with sqlite_app.transaction() as moment:
        appealed.adopt(moment)
        appeal = appealed.file(moment)
    clock.now = FEBRUARY_THIRD
    bolt = bolt_of(sqlite_app)
    for name in [one for one in ACTIONS if one.startswith("appeals_")]:
        change_nothing(sqlite_app, bolt, presses(name, who, [appeal.id, str(Q4), *FORGED]))
    for name in [one for one in FORMS if one.startswith("appeals_")]:
        change_nothing(sqlite_app, bolt, submissions(name, who, carried([appeal.id])))


def test_whoever_has_a_say_can_use_it(sqlite_app: App, clock: Clock) -> None:
    """The same click of a member is done: those above fail for who sent them, not for how they were sent."""
    appealed.settle(sqlite_app, clock)
    request = asked.ask(sqlite_app, IDLE, "50000")
    pressed = slack_http.press("fast_track_approve", "U0IRIS", f"{request.id}:1", trigger_id=trigger())
    with slack_http.listening(sqlite_app) as slack:
        assert slack.interaction(pressed).status_code == 200
    assert books.count(sqlite_app, request_votes) == 1


def test_an_auditor_proposes_nothing(office: App) -> None:
    """At the command line as well, whoever audits only reads."""
    with office.reading() as moment, pytest.raises(Refusal, match="they can only read"):
        proposing.proposer(moment, AUDITOR, "nobody")
