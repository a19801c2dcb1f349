"""Reports come from a copy of the database where one is named, and say of when; whatever decides asks the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from slack_sdk import WebClient

from bot import wiring
from bot.checks import copies
from bot.cli import main
from handlers import slack_app
from programme.reports.team import team_report
from store import pulses
from store.engine import DatabaseUrlError, open_database
from store.people import teams as teams_store
from store.tables.audit import audit_log
from templates.render import Message
from tests.support import books, cast, postgres, slack, teams
from tests.support.teams import KIM, MARA, NED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from tests.support.clock import Clock
    from tests.support.postgres import Standby

pytestmark = [pytest.mark.postgresql, pytest.mark.every_database]

BEFORE, SINCE = 100, 700
"""Tokens that each of a team spent when the copy was made, and what they have spent since."""


@pytest.fixture
def database_url(cloned_postgres_url: str) -> str:
    return cloned_postgres_url


@pytest.fixture
def app(app: App, database_url: str, clock: Clock) -> Iterator[App]:
    """A company whose copy stands still from this minute on, while its team goes on spending."""
    teams.hire_team(app)
    teams.work(app, dict.fromkeys(teams.TEAM, BEFORE))
    with app.database.transaction() as session:
        pulses.tell(session, "here", {"http": None}, began_at=clock.now, now=clock.now)
    app.database.close()
    copied = postgres.cloned(database_url, Path())
    database = open_database(database_url, copied)
    yield replace(app, database=database)
    database.close()
    postgres.administer(database_url, f"DROP DATABASE {sa.make_url(copied).database} WITH (FORCE)")


def has_moved_on(app: App) -> None:
    teams.work(app, dict.fromkeys(teams.TEAM, SINCE), weeks=1, model=cast.GPT)


def is_read_from_copy(app: App, **how: object) -> bool:
    with app.reporting(**how) as moment:  # type: ignore[arg-type]
        return moment.is_copied


def asked(app: App, line: str) -> str:
    nobody = WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")
    answer = slack_app.COMMANDS.answer(app, text=line, slack_user_id=slack.MARA, client=nobody)
    assert isinstance(answer, Message)
    return str(answer.blocks)


def test_a_report_is_the_copys_and_says_of_when(app: App, clock: Clock) -> None:
    """A manager reads the figures of the copy, with its time in the programme's zone; the rest is of now."""
    has_moved_on(app)
    clock.move(minutes=3)
    told, mara = asked(app, "team"), cast.person_id(app, MARA)
    assert "As of 13:00. Only totals" in told
    with app.reporting() as copied, app.reading() as here:
        assert copied.now == clock.now - timedelta(minutes=3)
        assert here.now == clock.now
        assert spent(copied, mara) < spent(here, mara)


def spent(moment: Moment, manager: str) -> int:
    report = team_report(moment, manager)
    assert report is not None
    return sum(int(week.spent) for week in report.weeks)


def test_without_a_copy_nothing_is_said(app: App) -> None:
    """The same report of the database itself names no time."""
    alone = replace(app, database=replace(app.database, copy=None))
    assert "As of" not in asked(alone, "team")
    assert not is_read_from_copy(alone)


def test_whoever_may_not_see_it_any_more_does_not(app: App) -> None:
    """A team that changed since the copy was made is read from the database, at once."""
    unchanged = partial(teams_store.lines_below, manager_id=cast.person_id(app, MARA))
    assert is_read_from_copy(app, same=unchanged)
    teams.move(app, KIM, NED)
    assert not is_read_from_copy(app, same=unchanged)
    assert "As of" not in asked(app, "team")


def test_a_copy_that_is_not_fit_is_not_read(app: App, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Far behind, at another revision, or away: the database itself is read, and the log and doctor say why."""

    def why() -> str:
        assert not is_read_from_copy(app, throughout=True)
        [finding] = copies.examine(app)
        assert finding.level == "warning"
        assert caplog.messages.pop().startswith("reports are read from the database itself: ")
        return finding.what.partition("the copy ")[2]

    [finding] = copies.examine(app)
    assert finding.what == "Reports are read from the copy of the database, as of 12:00:00 UTC."
    clock.move(minutes=6)
    assert why() == "is of 2026-11-20 12:00:00 UTC."
    assert app.database.copy is not None
    with app.database.copy.connect() as session:
        session.exec_driver_sql("DELETE FROM processes")
    assert why() == "does not tell of when it is."
    with app.database.copy.connect() as session:
        session.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert why() == "is at revision 0001."
    gone = open_database("postgresql://127.0.0.1:1/x", "postgresql://127.0.0.1:1/x").copy
    app = replace(app, database=replace(app.database, copy=gone))
    assert why().startswith("does not answer: ")


def test_a_mistake_in_a_report_is_no_reason_to_read_elsewhere(app: App) -> None:
    """What the caller's own reading raises is raised."""

    def mistaken(_session: Session) -> object:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        is_read_from_copy(app, same=mistaken)


def test_exports_are_of_the_copy_and_on_record(
    app: App, database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`export` and `chart` read the copy and tell its time beside the file; the audit log of the database has it."""
    assert app.database.copy is not None
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=clock))
    env = {
        "TOKENS_DATABASE_URL": database_url,
        "TOKENS_DATABASE_READ_URL": app.database.copy.url.render_as_string(hide_password=False),
        "TOKENS_TIME_ZONE": "Europe/Berlin",
    }
    before = CliRunner().invoke(main, ["export", "spend"], env=env)
    has_moved_on(app)
    after = CliRunner().invoke(main, ["export", "spend"], env=env)
    assert after.stdout == before.stdout != ""
    assert after.stderr.startswith("Read from the copy of the database, as of 2026-11-20 13:00 Europe/Berlin.\n")
    exported = books.rows(app, sa.select(audit_log.c.seq).where(audit_log.c.action == "spend.export"))
    assert len(exported) == 2
    for command in (["export", "focus", "--month", "2026-11"], ["export", "chargeback", "--month", "2026-11"]):
        result = CliRunner().invoke(main, command, env=env)
        assert (result.exit_code, "as of 2026-11-20 13:00" in result.stderr) == (0, True), result.output


@pytest.fixture
def standby(database_url: str) -> Iterator[Standby]:
    with postgres.standby(database_url) as following:
        yield following


@pytest.fixture
def followed(app: App, database_url: str, standby: Standby) -> Iterator[App]:
    """The same company, whose reports are read from a standby that streams."""
    database = open_database(database_url, standby.url)
    yield replace(app, database=database)
    database.close()


def test_a_standby_says_its_own_time_and_survives_what_befalls_it(
    followed: App, database_url: str, standby: Standby, clock: Clock
) -> None:
    """A streaming standby is read as of its last replay, promoted as of the last pulse it has, dead not at all.

    Neither is read once that is five minutes old. The very question that meets a dead one is answered.
    """
    clock.now = datetime.now(UTC)
    has_moved_on(followed)
    with followed.database.transaction() as session:
        pulses.tell(session, "here", {"http": None}, began_at=clock.now, now=clock.now)
    standby.catch_up(database_url)
    mara = cast.person_id(followed, MARA)
    with followed.reporting() as copied, followed.reading() as here:
        assert copied.is_copied
        assert spent(copied, mara) == spent(here, mara)
    standby.stand_still()
    teams.work(followed, dict.fromkeys(teams.TEAM, SINCE), weeks=1)
    assert is_stale_after_five_minutes(followed, clock)
    standby.promote()
    assert is_stale_after_five_minutes(followed, clock)
    assert "As of" in asked(followed, "team")
    standby.die()
    assert "As of" not in asked(followed, "team")
    [finding] = copies.examine(followed)
    assert "the copy does not answer" in finding.what


def is_stale_after_five_minutes(app: App, clock: Clock) -> bool:
    """Whether the copy is read now, and would not be in six minutes."""
    read_now = is_read_from_copy(app)
    clock.move(minutes=6)
    read_later = is_read_from_copy(app)
    clock.move(minutes=-6)
    return read_now and not read_later


@pytest.mark.parametrize(
    ("url", "copy"),
    [("sqlite:///x.db", "postgresql:///x"), ("postgresql:///x", "sqlite:///x.db"), ("sqlite:///x", "-")],
)
def test_only_a_postgresql_has_a_copy(url: str, copy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other is refused by the setting's name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatabaseUrlError, match="TOKENS_DATABASE_READ_URL"):
        open_database(url, copy)
