"""The bot's own workspace: who belongs to it, and how old an answer of Slack's may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programme.moment import Moment
from programme.people import linking, slack_accounts
from programme.people.slack_accounts import OwnTeam, SlackAccount, Team, account_of, home_of
from store.tables.outbox import outbox
from tests.support import books, cast, slack

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
names = st.sampled_from([None, "", "T1", "T2", "E1", "E2"])


@given(st.builds(Team, names, names), st.builds(Team, names, names))
def test_belonging_is_mutual_and_needs_a_name(one: Team, other: Team) -> None:
    """Two belong together when they name the same workspace or organization; who names none belongs nowhere."""
    shared = {name for name in one if name} & {name for name in other if name}
    assert one.includes(other) == other.includes(one) == bool(shared)


class Workspace:
    """What `auth.test` answers, and how often it was asked."""

    def __init__(self, **answer: str) -> None:
        self.answer, self.asked, self.is_away = answer, 0, False

    def __call__(self) -> dict[str, str]:
        self.asked += 1
        if self.is_away:
            raise ConnectionError
        return self.answer


def test_slack_is_asked_once_an_hour() -> None:
    """Our own people cost no call; an answer that an hour has passed over, or a clock put back, is asked for again."""
    ask, own = Workspace(team_id="T1"), OwnTeam()
    for after in (0, 59, 61, -1):
        assert own.includes(Team("T1", None), ask, NOW + timedelta(minutes=after))
    assert ask.asked == 3


def test_a_workspace_that_joins_an_organization_is_noticed() -> None:
    """Somebody from elsewhere makes Slack be asked again, once a minute at most."""
    ask, own = Workspace(team_id="T1"), OwnTeam()
    sister = Team("T2", "E1")
    assert not own.includes(sister, ask, NOW)
    ask.answer = {"team_id": "T1", "enterprise_id": "E1"}
    assert not own.includes(sister, ask, NOW + timedelta(seconds=59))
    assert own.includes(sister, ask, NOW + timedelta(seconds=61))
    assert ask.asked == 2


def test_while_slack_is_away_the_last_answer_holds() -> None:
    """An answer of yesterday is better than none; without any, the failure is the caller's."""
    ask, own = Workspace(team_id="T1"), OwnTeam()
    ask.is_away = True
    with pytest.raises(ConnectionError):
        own.includes(Team("T1", None), ask, NOW)
    own.note(Team("T1", None), NOW)
    assert own.includes(Team("T1", None), ask, NOW + timedelta(days=1))
    assert not own.includes(Team("T2", None), ask, NOW + timedelta(days=1))


USER: dict[str, Any] = {"id": "U1", "team_id": "T1", "profile": {"email": "ada@example.com"}}
BARRED = {
    "is_stranger": slack_accounts.OUTSIDER,
    "is_bot": slack_accounts.BOT,
    "is_workflow_bot": slack_accounts.BOT,
    "deleted": slack_accounts.DELETED,
    "is_restricted": slack_accounts.GUEST,
    "is_ultra_restricted": slack_accounts.GUEST,
    "is_invited_user": slack_accounts.UNCONFIRMED,
}


@pytest.mark.parametrize("flag", BARRED)
def test_each_flag_of_slacks_bars(flag: str) -> None:
    """Each of Slack's own marks is enough; one that is left out or denied is not held against anyone."""
    assert account_of(USER | {flag: True}, is_ours=True).barred == BARRED[flag]
    assert account_of(USER | {flag: False}, is_ours=True) == SlackAccount("U1", "ada@example.com")


def test_an_e_mail_is_taken_as_confirmed_unless_slack_denies_it() -> None:
    """Tokens that are not shown the mark see nobody barred by it."""
    assert account_of(USER, is_ours=True).barred == ""
    denied = account_of(USER | {"is_email_confirmed": False}, is_ours=True)
    assert denied.barred == slack_accounts.UNCONFIRMED
    assert account_of(USER, is_ours=False).barred == slack_accounts.OUTSIDER


def test_where_a_user_belongs_is_read_from_either_place() -> None:
    """A workspace stands beside the user or in the profile; an organization in a part of its own."""
    assert home_of(USER) == Team("T1", None)
    assert home_of({"id": "U1", "profile": {"team": "T2"}}) == Team("T2", None)
    assert home_of(USER | {"enterprise_user": {"enterprise_id": "E1"}}) == Team("T1", "E1")


def test_a_leaver_is_not_linked(sqlite_app: App) -> None:
    """An address that is given to somebody new does not bring the tokens of the one who left."""
    left = slack.ZOE.replace("hired_on\n", "hired_on,left_on\n").replace("2024-01-01", "2024-01-01,2026-11-19")
    cast.hire(sqlite_app, left)
    with sqlite_app.transaction() as moment:
        met = linking.link(moment, SlackAccount("U0NEW", "zoe@example.com"))
    assert met.person is None
    assert met.refusal is not None
    assert met.refusal.code == "unknown_person"
    assert books.count(sqlite_app, outbox) == 0
    assert books.audited(sqlite_app, "people.link") == []


@pytest.mark.every_database
def test_the_first_of_two_accounts_is_linked(app: App) -> None:
    """Of two accounts with the same e-mail the first is the person's; the second changes nothing."""
    cast.hire(app, slack.ZOE)
    for account in ("U0FIRST", "U0SECOND", "U0FIRST"):
        with app.transaction() as moment:
            met = linking.link(moment, SlackAccount(account, "zoe@example.com"))
        assert (met.person is not None) == (account == "U0FIRST")
    assert [row["after"] for row in books.audited(app, "people.link")] == [{"slack_user_id": "U0FIRST"}]
    assert [row["after"] for row in books.audited(app, "people.other_account")] == [{"slack_user_id": "U0SECOND"}]


@pytest.mark.every_database
def test_many_presses_at_once_tell_once(database_url: str, app: App) -> None:
    """However many requests of an account with Ada's e-mail come at once, each reader is told once."""
    cast.hire(app, "email,roles\nmara@example.com,admin\n")

    def press(database: Database) -> None:
        with database.transaction() as session:
            linking.link(Moment(session, NOW, app.zone), SlackAccount("U0OTHER", "ada@example.com"))

    assert books.at_once(database_url, [press] * 6) == []
    assert len(books.audited(app, "people.other_account")) == 1
    assert books.count(app, outbox) == 2


@pytest.mark.every_database
def test_many_first_contacts_link_once(database_url: str, app: App) -> None:
    """A double click at first contact is one link, and every click is answered as that person's."""
    cast.hire(app, slack.ZOE)
    met: list[linking.Met] = []

    def press(database: Database) -> None:
        with database.transaction() as session:
            met.append(linking.link(Moment(session, NOW, app.zone), SlackAccount("U0ZOE", "zoe@example.com")))

    assert books.at_once(database_url, [press] * 6) == []
    assert [one.required().slack_user_id for one in met] == ["U0ZOE"] * 6
    assert len(books.audited(app, "people.link")) == 1
    assert books.count(app, outbox) == 1
