"""A time zone that `tzdata` has no longer stops nobody: its people go by the programme's, and the doctor names them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from bot import doctor
from programme.balance import balance
from scheduler import courier, messages, slack_delivery
from store.tables.outbox import outbox
from store.tables.people import people
from tests.conftest import ZONE
from tests.support import books, cast, rollout, slack
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

LOST = "Europe/Atlantis"
MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    slack.without_proxies(monkeypatch)


def lose(app: App, *emails: str) -> None:
    with app.database.transaction() as session:
        session.execute(sa.update(people).where(people.c.email.in_(emails)).values(time_zone=LOST))


def test_a_lost_zone_stops_nobodys_month(sqlite_app: App) -> None:
    """Grants, statements, notices, weekly reports and expiry go on, for the person and for everybody else."""
    rollout.launch(sqlite_app)
    lose(sqlite_app, ADA, "mara@example.com")
    rollout.run_calendar(sqlite_app, datetime(2026, 11, 20, 12, tzinfo=UTC))
    done = rollout.run_calendar(sqlite_app, datetime(2026, 12, 7, 12, tzinfo=UTC)).done
    assert {"grants", "expiry", "weekly"} <= {run.job for run in done}
    assert {ADA, BEN} <= rollout.granted(sqlite_app, "2026-12").keys()
    assert books.findings(sqlite_app) == {}


def test_a_lost_zone_is_the_programmes(sqlite_app: App) -> None:
    """A balance is told in the programme's time where its reader's own zone is gone."""
    lose(sqlite_app, ADA)
    with sqlite_app.reading() as moment:
        ada, ben = balance.of_email(moment, ADA), balance.of_email(moment, BEN)
    assert ada is not None
    assert ben is not None
    assert (ada.zone, ben.zone.key) == (ZONE, "America/New_York")


def test_messages_to_a_lost_zone_go_out_in_the_programmes_hours(sqlite_app: App, clock: Clock) -> None:
    """The message of someone in a lost zone is sent, and so are those behind it."""
    rollout.launch(sqlite_app)
    lose(sqlite_app, ADA)
    rollout.run_calendar(sqlite_app, MONDAY)
    clock.now = MONDAY

    def compose(template: str, view: Any) -> messages.Composed | None:  # noqa: ANN401 - any JSON
        return messages.compose(template, view, app=sqlite_app)

    with slack.workspace(clock=clock, post_burst=100) as sandbox:
        client = slack_delivery.client(sandbox.workspace.app.bot_token, sandbox.api_url)
        courier.deliver(sqlite_app, client, courier="me", compose=compose, most=100)
        assert len(sandbox.messages(sandbox.dm(slack.ADA), slack.ADA)) == 1
    ada = cast.person_id(sqlite_app, ADA)
    assert books.rows(sqlite_app, sa.select(outbox.c.state).where(outbox.c.person_id == ada)) == [("sent",)]


def test_the_doctor_names_lost_zones(sqlite_app: App) -> None:
    """The doctor says who is in a zone that is gone, what holds for them meanwhile, and how to mend it."""
    lose(sqlite_app, ADA, BEN)
    with slack.workspace() as sandbox:
        loaded = slack.load(slack.environment(sandbox, slack.NO_DATABASE))
        found = {finding.what: finding for finding in doctor.examine(loaded, sqlite_app)}
    told = found[f"There is no time zone '{LOST}'; {ADA}, {BEN} are treated as in Europe/Berlin."]
    assert (told.level, told.remedy) == ("warning", "Correct their time_zone with `tokens-bot people import`.")
