"""(h) Opening Home, a signed event dispatched in process, over a handler that publishes an empty Home likewise."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from slack_bolt import App as Bolt
from slack_bolt import BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from benchmarks import balance, traffic
from handlers import slack_app
from handlers.slack import homes
from policy.period import day_of
from policy.units import MicroTokens
from programme.exceptions import asking
from programme.exceptions.asking import NewRequest
from store.people import directory as people_store
from store.tables.outbox import homes as homes_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from programme.app import App

WARM_UP, ROUNDS = 30, 300
MEMBER = 20
"""The number of a member of the board."""
BOARD = ("board", "board", "board", "chair", "finance")
EMPTY = {"type": "home", "blocks": [{"type": "divider"}]}


class Measured(NamedTuple):
    """Medians in seconds, taken in turn, and the blocks of the Home."""

    ours: float
    floor: float
    blocks: int


class _Slack(ThreadingHTTPServer):
    """Takes what is published and answers with a hash, as Slack does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.views: list[dict[str, Any]] = []


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert isinstance(self.server, _Slack)
        self.server.views.append(asked["view"])
        body = json.dumps({"ok": True, "view": {"id": "V1", "hash": f"{len(self.server.views)}.1"}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line for every request would be measured with it."""


@contextmanager
def _slack() -> Iterator[_Slack]:
    server = _Slack()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def measure(app: App, number: int = balance.SOMEBODY) -> Measured:
    """Opening the Home of a person, over publishing an empty one; that it was theirs is asserted."""
    user = f"U{number:06}"
    with _slack() as slack:
        api_url = f"http://127.0.0.1:{slack.server_port}/api/"
        bolt = slack_app.build(
            app, signing_secret=balance.SECRET, api_url=api_url, authorize=balance.authorize, rate=balance.AT_ANY_RATE
        )
        bare = _empty_app(api_url)
        ours: list[float] = []
        floor: list[float] = []
        for turn in range(WARM_UP + ROUNDS):
            spent = _dispatch(bolt, user), _dispatch(bare, user)
            if turn >= WARM_UP:
                ours.append(spent[0])
                floor.append(spent[1])
        [view] = [view for view in slack.views[-2:] if view != EMPTY]
    assert len(slack.views) == 2 * (WARM_UP + ROUNDS)
    assert "Your tokens" in json.dumps(view)
    with app.database.reading() as session:
        assert session.execute(sa.select(sa.func.count()).select_from(homes_table)).scalar_one() >= 1
    return Measured(median(ours), median(floor), len(view["blocks"]))


def _empty_app(api_url: str) -> Bolt:
    """An app whose only handler publishes an empty Home, with the same client and patience as ours."""
    bolt = Bolt(
        client=WebClient(base_url=api_url),
        signing_secret=balance.SECRET,
        process_before_response=True,
        authorize=balance.authorize,
        token_verification_enabled=False,
    )

    def empty(event: dict[str, Any], client: WebClient) -> None:
        homes.put(client, event["user"], EMPTY, over=None)

    bolt.event("app_home_opened")(empty)
    return bolt


def _dispatch(bolt: Bolt, user: str) -> float:
    event = {"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": f"{time.time():.6f}"}
    body = json.dumps({"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event": event})
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(balance.SECRET).generate_signature(timestamp=timestamp, body=body)
    headers: dict[str, str | Sequence[str]] = {
        "content-type": ["application/json"],
        "x-slack-request-timestamp": [timestamp],
        "x-slack-signature": [str(signature)],
    }
    request = BoltRequest(body=body, headers=headers)
    begin = time.perf_counter()
    answer = bolt.dispatch(request)
    spent = time.perf_counter() - begin
    assert answer.status == 200
    return spent


def convene(app: App, waiting: int) -> None:
    """Make a board, and have so many people ask it for tokens."""
    last_day = day_of(app.clock(), app.zone) + timedelta(days=20)
    with app.database.transaction() as session:
        people = [people_store.by_email(session, traffic.email(number)) for number in range(MEMBER, MEMBER + 80)]
        for person, role in zip(people, BOARD, strict=False):
            assert person is not None
            people_store.set_roles(session, person.id, [role])
    for number, person in enumerate(people[len(BOARD) : len(BOARD) + waiting]):
        assert person is not None
        asked = NewRequest(
            MicroTokens.parse("1000"), "Trying the new model on the release's migration scripts", last_day
        )
        with app.transaction() as moment:
            asking.submit(moment, person, asked, key=f"bench{number}")
