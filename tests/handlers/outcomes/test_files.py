"""Outcomes from files and as JSON: every mistake told with its place, and a file with one imports nothing."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from handlers import http
from handlers.outcomes import files
from policy.outcomes import OutcomeReport
from policy.reasons import Refusal
from programme.usage import keys
from store.tables.outcomes import outcomes as table
from tests.support import books
from tests.support import outcomes as work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App

AT = "2026-10-07T11:30:00+02:00"
INSTANT = datetime(2026, 10, 7, 9, 30, tzinfo=UTC)
BUG = {"source": "jira", "outcome_id": "SHOP-1", "kind": "bug", "occurred_at": AT, "user": "ada@example.com"}
PULL = BUG | {"source": "gitlab", "outcome_id": "shop!1", "kind": "pull_request", "lines": "200"}
SCORE = {
    "source": "sonarqube",
    "outcome_id": "m1",
    "kind": "quality",
    "occurred_at": AT,
    "project": "shop",
    "metric": "reliability_rating",
    "score": "1.0",
}


def csv_of(*rows: dict[str, str]) -> io.StringIO:
    lines = [",".join(files.COLUMNS)]
    lines += [",".join(row.get(name, "") for name in files.COLUMNS) for row in rows]
    return io.StringIO("\n".join(lines) + "\n", newline="")


def read(*rows: dict[str, str]) -> list[OutcomeReport]:
    return files.read(csv_of(*rows))


def refused(file: io.StringIO) -> list[str]:
    with pytest.raises(Refusal) as refusal:
        files.read(file)
    first, *problems = refusal.value.text.splitlines()
    assert first == "Nothing was imported:"
    return problems


def test_each_kind_is_read() -> None:
    """A bug, a task with a weight, a pull request by its lines, a revert and a score come out as they were told."""
    task = BUG | {"outcome_id": "SHOP-2", "kind": "task", "weight": "2.5", "project": "shop", "updated_at": AT}
    back = PULL | {"outcome_id": "shop!2", "user": "", "lines": "", "reverts": "shop!1; shop!0"}
    assert read(BUG, task, PULL, back, SCORE) == [
        OutcomeReport("jira", "SHOP-1", "bug", INSTANT, "ada@example.com", ""),
        OutcomeReport("jira", "SHOP-2", "task", INSTANT, "ada@example.com", "shop", figure=2_500, as_of=INSTANT),
        OutcomeReport("gitlab", "shop!1", "pull_request", INSTANT, "ada@example.com", "", lines=200),
        OutcomeReport("gitlab", "shop!2", "pull_request", INSTANT, "", "", reverts=("shop!0", "shop!1")),
        OutcomeReport("sonarqube", "m1", "quality", INSTANT, "", "shop", figure=1_000, metric="reliability_rating"),
    ]


def test_only_the_columns_that_are_needed_have_to_be_there() -> None:
    """Columns may come in any order, those that do not apply may be left out, and a quoted cell may hold anything."""
    file = io.StringIO(f'kind,user,occurred_at,outcome_id,source\nbug,"Lovelace, Ada",{AT},"a\nb",jira\n', newline="")
    assert files.read(file) == [OutcomeReport("jira", "a\nb", "bug", INSTANT, "Lovelace, Ada", "")]
    assert files.read(io.StringIO(",".join(files.REQUIRED) + "\n")) == []


def test_who_does_not_count_is_not_kept() -> None:
    """A reopened or withdrawn outcome, and a revert, lose the name that came with them."""
    for state in ("reopened", "withdrawn"):
        assert read(BUG | {"state": state})[0].user == ""
    assert read(PULL | {"reverts": "shop!0"})[0].user == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": ""}, 'source: expected a text that is not empty, got ""'),
        ({"outcome_id": ""}, 'outcome_id: expected a text that is not empty, got ""'),
        ({"outcome_id": "x" * 257}, "outcome_id: expected at most 256 characters, got "),
        ({"kind": "story"}, 'kind: expected one of pull_request, bug, task, quality, got "story"'),
        ({"occurred_at": "yesterday"}, 'occurred_at: expected an ISO 8601 time with an offset, got "yesterday"'),
        ({"occurred_at": "2026-10-07"}, "occurred_at: expected an ISO 8601 time with an offset"),
        ({"occurred_at": "2026-10-07T09:30:00"}, "occurred_at: expected an ISO 8601 time with an offset"),
        ({"occurred_at": "1999-10-07T09:30:00Z"}, "occurred_at: expected a time in the years 2000 to 2100"),
        ({"updated_at": "soon"}, "updated_at: expected an ISO 8601 time with an offset"),
        ({"user": ""}, "user: required, but empty"),
        ({"user": "a\0"}, "user: expected text without NUL"),
        ({"state": "closed"}, 'state: expected one of done, reopened, withdrawn, got "closed"'),
        ({"weight": "-1"}, 'weight: expected a number from 0 to 1000000 with at most three decimals, got "-1"'),
        ({"weight": "1.0005"}, "weight: expected a number"),
        ({"weight": "NaN"}, "weight: expected a number"),
        ({"weight": "1e9"}, "weight: expected a number"),
        ({"weight": "two"}, "weight: expected a number"),
        ({"lines": "3"}, "lines: a bug has none"),
        ({"score": "3"}, "score: a bug has none"),
        ({"reverts": "SHOP-0"}, "reverts: a bug has none"),
        ({"kind": "pull_request"}, "lines: a pull request needs its changed lines, or a weight"),
        ({"kind": "pull_request", "lines": "1_000"}, "lines: expected an integer from 0 to 1000000000"),
        ({"kind": "pull_request", "lines": "-3"}, "lines: expected an integer"),
        ({"kind": "quality", "project": "shop", "metric": "debt"}, "score: required of quality, but empty"),
        ({"kind": "quality", "score": "1", "metric": "debt"}, "project: required of quality, but empty"),
        ({"kind": "quality", "score": "1", "project": "shop"}, "metric: required of quality, but empty"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, str], said: str) -> None:
    """A bad cell is told with its line, its column and its value, after good lines and before others."""
    [problem] = refused(csv_of(BUG | {"outcome_id": "good"}, BUG | changes, PULL))
    assert problem.startswith(f"line 3: {said}")


def test_every_bad_line_is_told() -> None:
    """All mistakes of a file come at once, in the order of its lines, those of its form among them."""
    text = csv_of(BUG | {"kind": "x"}, BUG, BUG | {"user": ""}).getvalue() + "jira,too,few\n" + "," * 19 + "x\n"
    assert [problem.partition(":")[0] for problem in refused(io.StringIO(text))] == [
        "line 2",
        "line 4",
        "line 5",
        "line 6",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no column 'source', no column 'outcome_id', no column 'kind', no column 'occurred_at'"),
        ("source,outcome_id,kind,occurred_at,points\n", "line 1: unknown column 'points'"),
        ("source,source,outcome_id,kind,occurred_at\n", "line 1: column 'source' stands there twice"),
        ('source,outcome_id,kind,occurred_at\n"a"b,1,bug,x\n', "line 2: "),
        ('source,outcome_id,kind,occurred_at\n"a,1,bug,x\n', "line 2: "),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, said: str) -> None:
    """A header that is not ours and broken quotes are told where they are."""
    [problem] = refused(io.StringIO(text, newline=""))
    assert problem.startswith(said)


def test_a_file_may_not_contradict_itself() -> None:
    """Two contents of one outcome need the time of each, or no one could say which holds; the same twice is fine."""
    reopened = BUG | {"state": "reopened"}
    assert refused(csv_of(BUG, BUG, reopened)) == [
        "line 4: 'SHOP-1' is told of differently in line 2: give each its updated_at"
    ]
    dated = [one | {"updated_at": f"2026-10-0{day}T00:00:00Z"} for day, one in ((7, BUG), (8, reopened))]
    assert len(read(*dated)) == 2


# --- JSON over HTTP ------------------------------------------------------------------------------------------------


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A tracker with a key for the source `jira`."""
    with TestClient(http.build(app)) as opened:
        opened.headers["authorization"] = f"Bearer {a_key(app, 'jira', 'outcomes:write')}"
        yield opened


def a_key(app: App, name: str, scope: str) -> str:
    with app.transaction() as moment:
        return keys.create(moment, name=name, source=name, scopes=[scope], actor="test").secret


def test_a_batch_is_answered_outcome_by_outcome(client: TestClient, app: App) -> None:
    """Each gets its own answer in its order; the bad ones cost the others nothing, and a replay changes nothing."""
    batch: list[Any] = [
        BUG,
        BUG | {"outcome_id": "SHOP-2", "kind": "task", "weight": 2.5},
        BUG | {"outcome_id": "SHOP-3", "user": "nobody@example.com"},
        BUG | {"state": "reopened"},
        BUG,
        BUG | {"outcome_id": "SHOP-4", "source": "github"},
        BUG | {"outcome_id": "SHOP-5", "weight": -1},
        BUG | {"outcome_id": "SHOP-6", "lines": True},
        {"outcome_id": "SHOP-7"},
        SCORE | {"source": "jira/sonar", "score": 1},
    ]
    answer = client.post("/v1/outcomes", content=json.dumps(batch))
    assert [(one["id"], one["status"]) for one in answer.json()["results"]] == [
        ("SHOP-1", "accepted"),
        ("SHOP-2", "accepted"),
        ("SHOP-3", "waiting"),
        ("SHOP-1", "corrected"),
        ("SHOP-1", "duplicate"),
        ("SHOP-4", "rejected"),
        ("SHOP-5", "rejected"),
        ("SHOP-6", "rejected"),
        ("SHOP-7", "rejected"),
        ("m1", "accepted"),
    ]
    details = [one["detail"] for one in answer.json()["results"]]
    assert details[5] == 'source: expected "jira" or a path below it, got "github"'
    assert details[8] == "source: required, but missing"
    assert answer.json()["summary"] == {
        "accepted": 3,
        "corrected": 1,
        "duplicate": 1,
        "waiting": 1,
        "ignored": 0,
        "rejected": 4,
    }
    assert work.outputs(app) == {"task": 2_500}
    again = client.post("/v1/outcomes", content=json.dumps(batch[0]))
    assert again.json()["results"][0]["status"] == "duplicate"
    assert books.count(app, table) == 5


def test_a_key_needs_the_scope_of_outcomes(client: TestClient, app: App) -> None:
    """A gateway's key may not report outcomes, nor a tracker's usage; without a key no one may."""
    gateway = f"Bearer {a_key(app, 'gateway', 'usage:write')}"
    answer = client.post("/v1/outcomes", content=json.dumps(BUG), headers={"authorization": gateway})
    assert (answer.status_code, answer.json()["detail"]) == (403, "Key 'gateway' lacks the scope 'outcomes:write'.")
    assert client.post("/v1/usage", content=b"[]").status_code == 403
    assert client.post("/v1/outcomes", content=b"[]", headers={"authorization": ""}).status_code == 401
    assert books.count(app, table) == 0


def test_bodies_without_outcomes_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no JSON and what is too much is refused whole."""
    assert client.post("/v1/outcomes", content=b"{").status_code == 400
    assert client.post("/v1/outcomes", content=b"17").status_code == 400
    monkeypatch.setattr("handlers.batches.MOST_ITEMS", 1)
    assert client.post("/v1/outcomes", content=json.dumps([BUG, BUG])).status_code == 413


def test_the_example_of_the_documentation_is_taken(client: TestClient) -> None:
    """What OpenAPI shows as an example is an outcome that the bot takes in."""
    schema = client.get("/openapi.json").json()["paths"]["/v1/outcomes"]["post"]["requestBody"]["content"]
    example = schema["application/json"]["schema"]["oneOf"][0]["example"]
    assert client.post("/v1/outcomes", json=example).json()["results"][0]["status"] == "accepted"
    github = client.get("/openapi.json").json()["paths"]["/v1/outcomes/github"]["post"]
    assert {one["name"] for one in github["parameters"]} == {"X-Hub-Signature-256", "X-GitHub-Event"}
