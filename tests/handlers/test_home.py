"""Publishing Homes: for whoever opens one, never over anything newer, only where someone looks, within all limits."""

from __future__ import annotations

import dataclasses
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers import home
from handlers.slack import homes
from handlers.slack.users import quick
from programme.home import Requests
from programme.waiting import NOTHING
from sandbox import block_kit
from scheduler import courier, slack_delivery
from store.outbox import homes as store
from store.tables.outbox import homes as homes_table
from store.tables.outbox import outbox
from templates import homes as shown
from tests.support import books, cards, cast, depth, packs, pages, slack
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.requests import TESS, convene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from sandbox import Sandbox
    from store.people.directory import Person
    from tests.support.clock import Clock


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    slack.without_proxies(monkeypatch)


@pytest.fixture
def workspace() -> Iterator[Sandbox]:
    with slack.workspace() as running:
        yield running


@pytest.fixture
def client(workspace: Sandbox) -> WebClient:
    return WebClient(workspace.workspace.app.bot_token, base_url=workspace.api_url)


def person(app: App, email: str) -> Person:
    with app.database.reading() as session:
        return asking.person(session, email)


def open_home(app: App, client: WebClient, user: str, tab: str = "home") -> None:
    home.opened({"type": "app_home_opened", "user": user, "tab": tab}, {}, client, app=app)


def reads(workspace: Sandbox, user: str) -> str:
    """What stands on someone's Home."""
    seen = workspace.home(user)
    return json.dumps(seen.blocks, ensure_ascii=False) if seen else ""


def published(workspace: Sandbox) -> int:
    return sum(call.method == "views.publish" for call in workspace.calls)


def kept(app: App, email: str) -> store.HomeState | None:
    with app.database.reading() as session:
        return store.of(session, cast.person_id(app, email))


def test_opening_shows_ones_own(app: App, workspace: Sandbox, client: WebClient) -> None:
    """Opening the tab shows one's own tokens; when, and the view's hash, are kept; the other tab shows nothing."""
    cast.give(app, ADA, "4120.35")
    open_home(app, client, slack.ADA, tab="messages")
    assert (reads(workspace, slack.ADA), kept(app, ADA)) == ("", None)
    open_home(app, client, slack.ADA)
    assert "*4,120 tokens left*" in reads(workspace, slack.ADA)
    seen, row = workspace.home(slack.ADA), kept(app, ADA)
    assert seen is not None
    assert row == (app.clock(), seen.hash)
    assert workspace.home(slack.BEN) is None


def test_a_newcomer_is_linked_and_a_stranger_is_told_what_to_do(
    app: App, workspace: Sandbox, client: WebClient
) -> None:
    """Someone on record is recognised by e-mail; a stranger and a guest are told whom to ask, and nothing is kept."""
    cast.hire(app, slack.ZOE)
    open_home(app, client, slack.NEWCOMER)
    assert "You have no tokens yet." in reads(workspace, slack.NEWCOMER)
    open_home(app, client, slack.GUEST)
    assert "Guests of the workspace have no part in the token programme." in reads(workspace, slack.GUEST)
    assert "please ask the AI programme team" in reads(workspace, slack.GUEST)
    assert books.count(app, homes_table) == 1


def test_a_failure_of_ours_is_shown(
    sqlite_app: App,
    workspace: Sandbox,
    client: WebClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What no one foresaw becomes a page with a number, which the log has too."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(shown, "person", fails)
    open_home(sqlite_app, client, slack.ADA)
    page = reads(workspace, slack.ADA)
    assert "This page could not be shown" in page
    [record] = caplog.records
    number = record.getMessage().partition("(")[2].partition(")")[0]
    assert len(number) == 8
    assert number in page


def test_slack_away_is_logged_and_no_failure(
    sqlite_app: App, workspace: Sandbox, client: WebClient, caplog: pytest.LogCaptureFixture
) -> None:
    """When Slack refuses, the log has the person's id and Slack's code, and nothing of what the page says."""
    cast.give(sqlite_app, ADA, "4120.35")
    open_home(sqlite_app, client, slack.ADA)
    workspace.faults.add("views.publish", error="internal_error", times=2)
    open_home(sqlite_app, client, slack.ADA)
    assert homes.refresh(sqlite_app, client, cast.person_id(sqlite_app, ADA)) is False
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert text.count("was not published: ") == 2
    assert "internal_error" in text
    assert "4,120" not in text


# --- Never over anything newer -------------------------------------------------------------------------------------


def test_a_newer_view_is_read_anew(app: App, workspace: Sandbox, client: WebClient) -> None:
    """Anyone who composed before someone else published composes again, and shows what holds by then."""
    cast.give(app, ADA, "100")
    open_home(app, client, slack.ADA)
    ada, overtaken = person(app, ADA), _Overtaken(client)

    def meanwhile() -> None:
        cast.give(app, ADA, "11")
        homes.publish(app, client, ada)

    overtaken.before = [meanwhile]
    homes.publish(app, overtaken, ada)
    assert "*111 tokens left*" in reads(workspace, slack.ADA)
    assert overtaken.refused == 1
    seen, row = workspace.home(slack.ADA), kept(app, ADA)
    assert seen is not None
    assert row is not None
    assert row.hash == seen.hash


def test_after_three_conflicts_it_is_forced(app: App, workspace: Sandbox, client: WebClient) -> None:
    """Where others publish again and again, the fourth time goes without a hash, with what holds then."""
    cast.give(app, ADA, "100")
    open_home(app, client, slack.ADA)
    ada, overtaken = person(app, ADA), _Overtaken(client)

    def meanwhile() -> None:
        cast.give(app, ADA, "1")
        homes.publish(app, client, ada)

    overtaken.before = [meanwhile] * 3
    homes.publish(app, overtaken, ada)
    assert overtaken.refused == 3
    assert "*103 tokens left*" in reads(workspace, slack.ADA)
    seen, row = workspace.home(slack.ADA), kept(app, ADA)
    assert seen is not None
    assert row is not None
    assert row.hash == seen.hash


def test_two_who_publish_first(app: App, workspace: Sandbox, client: WebClient) -> None:
    """Before there is a hash two may publish at once: the one that was overtaken shows the newer state again."""
    cast.give(app, ADA, "100")
    ada, overtaken = person(app, ADA), _Overtaken(client)
    with app.database.transaction() as session:
        store.opened(session, ada.id, now=app.clock())

    def meanwhile() -> None:
        cast.give(app, ADA, "11")
        homes.publish(app, client, ada)

    overtaken.before = [meanwhile]
    homes.publish(app, overtaken, ada)
    assert "*111 tokens left*" in reads(workspace, slack.ADA)


class _Overtaken(WebClient):
    """A client of whose publications each is preceded by something that someone else does."""

    def __init__(self, client: WebClient) -> None:
        super().__init__(client.token, base_url=client.base_url)
        self.before: list[Any] = []
        self.refused = 0

    def views_publish(self, **arguments: Any) -> Any:  # noqa: ANN401 - the library's
        if self.before:
            self.before.pop(0)()
        try:
            return super().views_publish(**arguments)
        except SlackApiError:
            self.refused += 1
            raise


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stands for itself, so that tests can look at what it is asked."""
    monkeypatch.setattr(homes, "quick", lambda client: client if isinstance(client, _Overtaken) else quick(client))


def test_publishers_at_once_leave_the_newest(app: App, workspace: Sandbox, client: WebClient) -> None:
    """Eight threads give tokens and publish: at the end the Home shows them all, whoever was the slowest."""
    cast.give(app, ADA, "100")
    open_home(app, client, slack.ADA)
    ada, raised = person(app, ADA), []

    def one() -> None:
        try:
            cast.give(app, ADA, "1")
            homes.publish(app, client, ada)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert raised == []
    assert "*108 tokens left*" in reads(workspace, slack.ADA)


# --- Only where someone looks -------------------------------------------------------------------------------------


def test_only_recent_openings_are_refreshed(app: App, workspace: Sandbox, client: WebClient, clock: Clock) -> None:
    """A Home opened a quarter of an hour ago is refreshed with what changed; one opened earlier, or never, is not."""
    ada, ben = cast.person_id(app, ADA), cast.person_id(app, BEN)
    assert homes.refresh(app, client, ben) is False
    open_home(app, client, slack.ADA)
    cast.give(app, ADA, "7")
    clock.move(minutes=15)
    assert homes.refresh(app, client, ada) is True
    assert "*7 tokens left*" in reads(workspace, slack.ADA)
    clock.move(seconds=1)
    assert homes.refresh(app, client, ada) is False
    assert homes.refresh(app, client, "per_nobody") is False
    assert published(workspace) == 2


def test_delivering_a_message_refreshes_its_reader(
    sqlite_app: App, workspace: Sandbox, client: WebClient, clock: Clock
) -> None:
    """After a message to someone was delivered, their Home is shown anew, and no one else's."""
    app = convene(sqlite_app)
    for user in (slack.ADA, slack.BEN):
        open_home(app, client, user)
    told: list[str] = []
    app = dataclasses.replace(app, refresh_home=told.append)
    asking.ask(app, BEN, "1000")
    clock.move(hours=1)
    bot = slack_delivery.client(client.token, workspace.api_url)
    while courier.deliver(app, bot, courier="c").leased:
        clock.move(seconds=1)
    assert cast.person_id(app, BEN) in told
    sent = sa.select(outbox.c.person_id).where(outbox.c.state == "sent", outbox.c.person_id.is_not(None))
    assert sorted(told) == sorted(person_id for (person_id,) in books.rows(app, sent))


def test_a_bot_that_stops_finishes_what_is_under_way(
    sqlite_app: App, workspace: Sandbox, client: WebClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What was begun before the stop is shown; what comes after it is left to the next opening, without an error."""
    open_home(sqlite_app, client, slack.ADA)
    cast.give(sqlite_app, ADA, "7")
    office = homes.Homes(sqlite_app, client)
    office.refresh(cast.person_id(sqlite_app, ADA))
    office.close()
    assert "*7 tokens left*" in reads(workspace, slack.ADA)
    office.refresh(cast.person_id(sqlite_app, ADA))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert published(workspace) == 2


# --- Limits --------------------------------------------------------------------------------------------------------


def test_a_workspace_that_cannot_draw_gets_the_words(
    sqlite_app: App, workspace: Sandbox, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Slack refuses charts and tables of its own, the same page is published without them."""
    everything = shown.person(pages.EVERYTHING)
    monkeypatch.setattr(shown, "person", lambda _: everything)
    workspace.faults.add("views.publish", error="invalid_blocks", times=1)
    open_home(sqlite_app, client, slack.ADA)
    seen = workspace.home(slack.ADA)
    assert seen is not None
    assert not {block["type"] for block in seen.blocks} & set(shown.NATIVE)
    assert "The programme in November 2026" in reads(workspace, slack.ADA)


def test_forty_requests_and_sixty_lots(sqlite_app: App, workspace: Sandbox, client: WebClient) -> None:
    """However much waits and however many lots there are, the page is one that Slack takes, and names commands."""
    app = convene(sqlite_app)
    for number in range(40):
        asking.ask(app, BEN, "100", key=f"k{number}", purpose="<&>" * 300)
    for number in range(60):
        cast.give(app, TESS, "5", days=number + 1, reason="<&>" * 100)
        cast.give(app, BEN, "5", days=number + 1)
    for user in (slack.TESS, slack.BEN):
        open_home(app, client, user)
    page = reads(workspace, slack.TESS)
    assert "40 requests are waiting for the board" in page
    assert "35 more are due later: `/tokens board`." in page
    assert "and 55 more" in page
    assert "37 more. `/tokens requests` shows the latest." in reads(workspace, slack.BEN)
    assert workspace.warnings == ()


_texts = st.sampled_from(["", "x", "<&>" * 1_000, "Ünïcode 🚀" * 100, "`*_~\n• <!here>"]).map(lambda text: text or "-")


@given(
    text=_texts,
    lots=st.integers(0, 200),
    own=st.integers(0, 3),
    waiting=st.integers(0, 5),
    questions=st.integers(0, 6),
    votes=st.integers(0, 20),
    teams=st.integers(0, 300),
    debt=st.booleans(),
    sees=st.booleans(),
)
@settings(max_examples=depth.examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_home_is_within_the_limits(  # noqa: PLR0917 - hypothesis gives them by name
    text: str,
    lots: int,
    own: int,
    waiting: int,
    questions: int,
    votes: int,
    teams: int,
    debt: bool,  # noqa: FBT001
    sees: bool,  # noqa: FBT001
) -> None:
    """Whatever a company is like, and whatever people write: 100 blocks, 250 kB, nothing that Slack refuses."""
    some = pages.hostile(text)
    card = cards.hostile(cards.UNDER_WAY, text)
    card = dataclasses.replace(card, votes=card.votes[:1] * votes, questions=card.questions[:1] * questions)
    board = some.board
    assert board is not None
    assert some.team is not None
    below = (some.team.teams * 3)[:teams]
    built = dataclasses.replace(
        some,
        card=dataclasses.replace(pages.IN_DEBT.card if debt else some.card, lots=some.card.lots[:1] * lots),
        requests=Requests(some.requests.cards[:own], 40),
        board=dataclasses.replace(
            board,
            queue=pages.queue(*[card] * waiting, waiting=sees, more=40, hidden=1),
            waiting=packs.duties(text) if sees else NOTHING,
        ),
        team=dataclasses.replace(some.team, teams=below),
    )
    view = shown.person(built)
    assert block_kit.view_problems(view, "home") == ()
    assert len(json.dumps(view).encode()) <= 250_000
