"""GitHub's webhooks: only what GitHub signed, only what tells an outcome, each once."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from handlers import http
from handlers.decoding import MalformedBodyError
from handlers.outcomes import github
from handlers.outcomes.github import Ignored
from policy.outcomes import OutcomeReport
from programme import handbooks
from programme.handbook import applying
from store.outcomes import records as outcome_store
from store.tables.outcomes import outcomes as table
from tests.support import books
from tests.support import outcomes as work
from tests.support.outcomes import MERGED, REPOSITORY, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from programme.app import App

PATH = "/v1/outcomes/github"
ZEN = {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "Repository", "active": True}}


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """GitHub's connection to the bot, on either database; people's names at GitHub are known."""
    work.map_logins(app)
    with TestClient(http.build(app, github_secret=SECRET)) as opened:
        yield opened


@pytest.fixture
def sqlite_client(sqlite_app: App) -> Iterator[TestClient]:
    """The same on SQLite alone."""
    work.map_logins(sqlite_app)
    with TestClient(http.build(sqlite_app, github_secret=SECRET)) as opened:
        yield opened


def deliver(client: TestClient, payload: dict[str, Any], event: str | None = None, **headers: str | None) -> Response:
    """A delivery with GitHub's headers; None leaves one out."""
    body = work.encoded(payload)
    sent = {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/044aadd",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-github-event": event or work.event_of(payload),
        "x-hub-signature-256": work.signature(body),
    } | headers
    return client.post(PATH, content=body, headers={name: value for name, value in sent.items() if value is not None})


def status(answer: Response) -> str:
    assert answer.status_code == 200, answer.text
    [result] = answer.json()["results"]
    assert answer.json()["summary"][result["status"]] == 1
    return str(result["status"])


# --- Signatures ----------------------------------------------------------------------------------------------------


def test_the_signature_is_the_one_that_github_documents() -> None:
    """GitHub's own example of secret, body and signature holds."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert github.is_signed(SECRET, b"Hello, World!", signature)
    assert not github.is_signed(SECRET, b"Hello, World", signature)


def test_only_what_github_signed_is_taken(client: TestClient, app: App) -> None:
    """No signature, another secret's, another body's, another algorithm's and nonsense are refused, nothing kept."""
    payload = work.pull_request(1)
    body = work.encoded(payload)
    good = work.signature(body)
    sha1 = "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    sha512 = "sha512=" + hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
    bad = (
        None,
        "",
        "sha256=",
        "sha256",
        good[:-1],
        good + "0",
        good.removeprefix("sha256="),
        good.upper(),
        sha1,
        sha512,
        "sha1=" + good.removeprefix("sha256="),
        work.signature(body, "another"),
        work.signature(body + b" "),
        work.signature(body, ""),
    )
    for signature in bad:
        answer = deliver(client, payload, **{"x-hub-signature-256": signature, "x-hub-signature": sha1})
        assert answer.status_code == 401, signature
        assert answer.json() == {"detail": "X-Hub-Signature-256 is missing, or is not that of this body."}
    odd = client.post(PATH, content=body, headers={b"x-hub-signature-256": "sha256=é".encode("latin-1")})
    assert odd.status_code == 401
    assert books.count(app, table) == 0
    assert status(deliver(client, payload)) == "accepted"


def test_without_a_secret_there_is_nothing_here(sqlite_app: App) -> None:
    """A bot that has no secret of GitHub's answers 404, also to what is signed with an empty one."""
    with TestClient(http.build(sqlite_app)) as client:
        body = work.encoded(work.pull_request(1))
        for signature in (work.signature(body), work.signature(body, "")):
            answer = deliver(client, work.pull_request(1), **{"x-hub-signature-256": signature})
            assert answer.status_code == 404
            assert "GITHUB_WEBHOOK_SECRET" in answer.json()["detail"]
    assert books.count(sqlite_app, table) == 0


def test_a_key_of_a_gateway_is_no_signature(sqlite_client: TestClient) -> None:
    """Whoever may report usage may not speak for GitHub."""
    answer = sqlite_client.post(PATH, content=b"{}", headers={"authorization": "Bearer x", "x-github-event": "ping"})
    assert answer.status_code == 401


# --- Deliveries ----------------------------------------------------------------------------------------------------


def test_a_ping_is_answered(client: TestClient, app: App) -> None:
    """GitHub's first delivery, when the webhook is made, is fine and tells nothing."""
    answer = deliver(client, ZEN, "ping")
    assert status(answer) == "ignored"
    assert answer.json()["results"][0]["detail"] == "ping tells no outcome"
    assert books.count(app, table) == 0


def test_deliveries_become_output(client: TestClient, app: App) -> None:
    """A merged pull request and a closed bug count for the team; a revert and a reopening take them back."""
    assert status(deliver(client, work.pull_request(1))) == "accepted"
    assert status(deliver(client, work.pull_request(1))) == "duplicate"
    assert status(deliver(client, work.issue(2))) == "accepted"
    assert work.outputs(app) == {"pull_request": 2_000, "bug": 1_000}
    assert status(deliver(client, work.revert(3, 1, at=MERGED + timedelta(days=1)))) == "accepted"
    assert status(deliver(client, work.issue(2, "reopened", at=MERGED + timedelta(days=1)))) == "corrected"
    assert work.outputs(app) == {}


def test_a_stranger_waits(client: TestClient, app: App) -> None:
    """A pull request of a name that no one has is taken in and told to wait."""
    answer = deliver(client, work.pull_request(1, by="stranger"))
    assert status(answer) == "waiting"
    detail = "no person is known for user 'stranger'"
    assert answer.json()["results"] == [
        {"source": "github", "id": "acme/shop#1", "status": "waiting", "detail": detail}
    ]
    with app.database.reading() as session:
        assert outcome_store.count_waiting(session) == 1


def test_a_pull_request_is_read_whole() -> None:
    """Its id and project are the repository's, in small letters; its size is what was added and deleted."""
    told = work.reported(work.pull_request(12, lines=(7, 3), updated_at=MERGED + timedelta(seconds=5)))
    assert told.merge is not None
    assert told._replace(merge=None) == OutcomeReport(
        source="github",
        outcome_id="acme/shop#12",
        kind="pull_request",
        occurred_at=MERGED,
        user="Ada-L",
        project="acme/shop",
        lines=10,
        as_of=MERGED + timedelta(seconds=5),
    )


@pytest.mark.parametrize(
    ("body", "reverts"),
    [
        (f"Reverts {REPOSITORY}#12", ("acme/shop#12",)),
        ("Reverts acme/shop#12\r\n\r\nIt broke the baskets.\r\n", ("acme/shop#12",)),
        ("It broke.\n\nReverts #12.", ("acme/shop#12",)),
        ("Reverts #12\nReverts ACME/SHOP#7\nReverts #12", ("acme/shop#7", "acme/shop#12")),
        ("Reverts acme/till#12", ("acme/till#12",)),
        ("Reverts https://github.com/acme/till/pull/12", ("acme/till#12",)),
        ("This reverts PR #12", ("acme/shop#12",)),
        ("revert pull request #12.", ("acme/shop#12",)),
        ("This partly Reverts #12", ()),
        ("Reverts #12 for now, and adds a basket", ()),
        ("Reverts 12", ()),
        ("Reverts #", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_a_revert_names_what_it_reverts(body: str | None, reverts: tuple[str, ...]) -> None:
    """A line of its own, as GitHub's button writes it or people do; anything else is work like any other."""
    told = work.reported(work.pull_request(20, body=body))
    assert told.reverts == reverts
    assert told.user == ("" if reverts else "Ada-L")


def test_bots_are_no_people() -> None:
    """What a bot merges is nobody's, unless it takes something back; so is what no one is named for."""
    for payload in (
        work.pull_request(1, by="dependabot[bot]", kind="Bot"),
        work.pull_request(1, by="renovate", kind="Bot"),
        work.pull_request(1, by="odd[bot]"),
        work.pull_request(1, by=""),
    ):
        told = work.reported(payload)
        assert (told.is_nobodys, told.counts, told.user) == (True, False, "")
    assert work.reported(work.revert(2, 1, at=MERGED, by="revert[bot]", kind="Bot")).reverts == ("acme/shop#1",)
    closed_by_bot = work.issue(3, assignee=None, sender="stale[bot]", sender_kind="Bot")
    assert work.read(closed_by_bot) == Ignored("acme/shop#3", "no person resolved it")


def test_what_is_not_merged_is_no_outcome() -> None:
    """A pull request that was closed without a merge, opened or edited tells nothing."""
    assert work.read(work.pull_request(1, merged=False)) == Ignored("acme/shop#1", "closed without being merged")
    for action in ("opened", "edited", "reopened", "synchronize", "labeled"):
        told = work.read(work.pull_request(1) | {"action": action})
        assert told == Ignored("", f"pull_request {action} tells no outcome")


def test_a_bug_is_whose_it_is_assigned_to() -> None:
    """A resolved bug is the assignee's, without one the closer's, at the time of its closing."""
    assert work.reported(work.issue(7)) == OutcomeReport(
        source="github",
        outcome_id="acme/shop#7",
        kind="bug",
        occurred_at=MERGED,
        user="Ada-L",
        project="acme/shop",
        as_of=MERGED,
    )
    assert work.reported(work.issue(7, assignee=None)).user == "maraq"
    assert work.reported(work.issue(7, reason=None)).state == "done"


def test_labels_say_what_is_a_bug() -> None:
    """The labels are the handbook's of the day, in any case; an issue without one of them is no bug."""
    asked: list[datetime] = []

    def labels_on(at: datetime) -> frozenset[str]:
        asked.append(at)
        return frozenset({"type: bug"})

    def read(*labels: str) -> object:
        return github.parse("issues", work.encoded(work.issue(7, labels=labels)), labels_on)

    assert isinstance(read("help wanted", "Type: BUG"), OutcomeReport)
    assert read("bug") == Ignored("acme/shop#7", "no label or type says that it is a bug")
    assert read() == Ignored("acme/shop#7", "no label or type says that it is a bug")
    assert set(asked) == {MERGED}


def test_the_handbook_of_the_day_has_the_labels(sqlite_client: TestClient, sqlite_app: App) -> None:
    """A closed issue is judged by the labels that held when it was closed."""
    text = books.handbook_text("2026.labels", MERGED.date()).replace('["bug"]', '["defect"]')
    with sqlite_app.transaction() as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)
    before = MERGED - timedelta(days=1)
    assert status(deliver(sqlite_client, work.issue(1, labels=["bug"], at=before))) == "accepted"
    assert status(deliver(sqlite_client, work.issue(2, labels=["bug"]))) == "ignored"
    assert status(deliver(sqlite_client, work.issue(3, labels=["defect"]))) == "accepted"


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
def test_what_nobody_fixed_counts_nothing(reason: str) -> None:
    """A bug that is closed as not planned or as a duplicate is withdrawn, and is no one's."""
    told = work.reported(work.issue(7, reason=reason))
    assert (told.state, told.user) == ("withdrawn", "")


def test_a_reopened_bug_needs_no_label() -> None:
    """Taking the label off before reopening does not keep a bug counted."""
    told = work.reported(work.issue(7, "reopened", labels=[]))
    assert (told.state, told.user) == ("reopened", "")


# --- What does not fit ---------------------------------------------------------------------------------------------


def without(payload: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(payload))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copy


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (without(work.pull_request(1), "repository"), "repository"),
        (without(work.pull_request(1), "pull_request", "merged_at"), "merged_at"),
        (without(work.pull_request(1), "pull_request", "updated_at"), "updated_at"),
        (without(work.issue(1), "issue", "number"), "number"),
        (work.pull_request(1, repository="acme/" + "x" * 300), "full_name"),
        (work.pull_request(1, repository="acme/x\0"), "full_name"),
        (work.pull_request(1, by="ada l"), "login"),
        (work.pull_request(1, at=datetime(1999, 1, 1, tzinfo=UTC)), "merged_at"),
        (work.pull_request(1, lines=(-1, 0)), "additions"),
    ],
)
def test_a_payload_of_another_shape_is_refused(payload: dict[str, Any], named: str) -> None:
    """GitHub's list of deliveries shows in red what cannot be read, with the field."""
    with pytest.raises(MalformedBodyError, match=named):
        work.read(payload)


@pytest.mark.parametrize("body", [b"", b"{", b"payload=%7B%7D", b"\xff", b"[1]", b"17", b"[" * 100_000])
def test_what_is_not_json_is_refused(sqlite_client: TestClient, sqlite_app: App, body: bytes) -> None:
    """A signed body that is no JSON object, such as a form's, is a 400 that says what to choose."""
    headers = {"x-github-event": "pull_request", "x-hub-signature-256": work.signature(body)}
    answer = sqlite_client.post(PATH, content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the body is n")
    assert books.count(sqlite_app, table) == 0


def test_large_bodies_are_refused(sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of bodies holds here as well, before anything is reckoned."""
    monkeypatch.setattr("handlers.bodies.LARGEST", 100)
    assert deliver(sqlite_client, work.pull_request(1)).status_code == 413
    assert deliver(sqlite_client, ZEN, "ping", **{"content-encoding": "br"}).status_code == 415


def test_nothing_of_titles_and_texts_is_kept_or_logged(
    client: TestClient, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a delivery only ids, times and sizes stay; the log has no name."""
    caplog.set_level(logging.DEBUG)
    deliver(client, work.pull_request(1, body="Zanzibar-4711"))
    deliver(client, work.pull_request(2, by="Stranger-Danger"))
    kept = str(books.rows(app, table))
    logged = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    for word in ("Zanzibar", "currency", "avatars", "Ada-L"):
        assert word not in kept
        assert word not in logged
    assert "Stranger-Danger" not in logged


def test_operators_see_counts(sqlite_client: TestClient) -> None:
    """Prometheus counts deliveries by what became of them."""

    def counted(status: str) -> float:
        return REGISTRY.get_sample_value("tokens_bot_outcomes_total", {"status": status}) or 0.0

    before = {status: counted(status) for status in ("accepted", "duplicate", "ignored")}
    for payload in (work.pull_request(1), work.pull_request(1), work.pull_request(2, merged=False)):
        deliver(sqlite_client, payload)
    assert {status: counted(status) - count for status, count in before.items()} == dict.fromkeys(before, 1.0)
