"""Corrections and withdrawals as gateways and files send them: what is read, what is refused, who may."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from handlers import http
from handlers.usage import files
from policy.units import MicroTokens
from programme.balance import balance, history
from programme.usage import keys
from tests.support import books, cast
from tests.support.books import BEN
from tests.support.data import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from programme.app import App
    from tests.support.clock import Clock

    Send = Callable[..., list[dict[str, Any]]]

MISTAKE: dict[str, Any] = json.loads((DATA / "corrections" / "unit-mistake.json").read_text("utf-8"))
"""100 M output tokens where it were 100 k."""
HEADER = (
    "source,event_id,occurred_at,user,provider,model,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens,"
    "project"
)


@pytest.fixture(autouse=True)
def days_later(clock: Clock) -> None:
    """What is reported here was used on the 23rd."""
    clock.move(days=4)


@pytest.fixture
def send(app: App) -> Send:
    """Posts events with a key of the source `gw`; what is answered for each of them."""
    client = TestClient(http.build(app))

    def post(*events: dict[str, Any], scopes: Sequence[str] = ("usage:write", "usage:correct")) -> list[dict[str, Any]]:
        name = "+".join(scopes)
        if name not in secrets:
            with app.transaction() as moment:
                made = keys.create(moment, name=name, source="gw", scopes=scopes, actor="test")
            secrets[name] = made.secret
        answer = client.post(
            "/v1/usage",
            content=json.dumps(events),
            headers={"authorization": f"Bearer {secrets[name]}", "content-type": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    secrets: dict[str, str] = {}
    return post


def corrected(event: dict[str, Any], revision: object = 1, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    said = event["data"] | {"revision": revision, "reason": "unit mistake"} | data
    return event | {"type": "gen_ai.usage.corrected", "data": said}


def withdrawn(event: dict[str, Any], revision: int = 1) -> dict[str, Any]:
    return event | {"type": "gen_ai.usage.withdrawn", "data": {"revision": revision, "reason": "a test call"}}


TRUE = {"gen_ai.usage.output_tokens": 100_000}


def test_a_mistake_of_units_is_corrected_in_every_place(app: App, send: Send) -> None:
    """A thousand times too much is put right by a second event: balance, history and ledger tell the true figure."""
    cast.give(app, BEN, "1000")
    assert [one["status"] for one in send(MISTAKE)] == ["accepted"]
    assert books.wallet(app, BEN) == MicroTokens.parse("-149000")
    assert [one["status"] for one in send(corrected(MISTAKE, **TRUE))] == ["accepted"]
    with app.reading() as moment:
        card = balance.of_email(moment, BEN)
        assert card is not None
        month = history.of_month(moment, card.person_id, card.month)
    assert (card.available, card.debt, card.spent_this_month) == (MicroTokens.parse("850"), 0, MicroTokens.parse("150"))
    assert (month.calls, month.debit, month.lines[0].output_tokens) == (1, MicroTokens.parse("150"), 100_000)
    assert books.findings(app) == {}


def test_all_of_it_in_one_batch_and_again(app: App, send: Send) -> None:
    """Usage and later versions of it may arrive together, and be repeated; each is answered in its place."""
    batch = [corrected(MISTAKE, **TRUE), MISTAKE, withdrawn(MISTAKE, 2), MISTAKE | {"id": "other"}]
    assert [one["status"] for one in send(*batch)] == ["accepted"] * 4
    assert [one["status"] for one in send(*batch)] == ["duplicate"] * 4
    assert books.wallet(app, BEN) == MicroTokens.parse("-150000")
    assert books.findings(app) == {}


@pytest.mark.parametrize(
    ("scopes", "event", "lacking"),
    [
        (("usage:write",), corrected(MISTAKE, **TRUE), "usage:correct"),
        (("usage:write",), withdrawn(MISTAKE), "usage:correct"),
        (("usage:correct",), MISTAKE, "usage:write"),
    ],
)
def test_reporting_and_correcting_need_scopes_of_their_own(
    app: App, send: Send, scopes: tuple[str, ...], event: dict[str, Any], lacking: str
) -> None:
    """What the key may not do is rejected event by event, and says which scope it lacks."""
    [answer] = send(event, scopes=scopes)
    assert (answer["status"], answer["id"]) == ("rejected", "big-1")
    assert repr(lacking) in answer["detail"]
    assert books.wallet(app, BEN) == 0


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (corrected(MISTAKE, revision=None), "data.revision: required for gen_ai.usage.corrected, but missing"),
        (corrected(MISTAKE, revision=0), "data.revision: expected an integer ≥ 0, got 0"),
        (corrected(MISTAKE, revision="2"), 'data.revision: expected an integer ≥ 0, got "2"'),
        (corrected(MISTAKE, reason=""), "data.reason: required for gen_ai.usage.corrected, but missing or empty"),
        (corrected(MISTAKE, reason="x" * 501), "data.reason: expected at most 500 characters"),
        (corrected(MISTAKE, **{"gen_ai.usage.output_tokens": None}), "data: no usage figure"),
        (
            MISTAKE | {"type": "gen_ai.usage.withdrawn"},
            "data.revision: required for gen_ai.usage.withdrawn, but missing",
        ),
    ],
)
def test_what_a_later_version_lacks_is_named(send: Send, event: dict[str, Any], detail: str) -> None:
    """A revision and a reason belong to it, and to a correction all that is right."""
    [answer] = send(event)
    assert answer["status"] == "rejected"
    assert answer["detail"].startswith(detail)


def of_file(app: App, *lines: str, more: str = ",revision,action,reason", name: str = "csv") -> files.UsageImport:
    text = "\n".join((HEADER + more, *lines)) + "\n"
    return files.import_file(app, io.BytesIO(text.encode()), "csv" if name == "csv" else "jsonl", actor="test")


LINE = "x,1,2026-11-23T09:30:00Z,ben@example.com,anthropic,claude-sonnet-4-5,1000,0,0,100,a"
RIGHT = LINE.replace(",1000,", ",900,")


def test_a_line_that_says_so_corrects(sqlite_app: App) -> None:
    """With revision, action and reason the second line takes the place of the first; the file may come again."""
    lines = (f"{LINE},,,", f"{RIGHT},1,correct,cache was counted")
    assert of_file(sqlite_app, *lines).counts["accepted"] == 2
    assert books.wallet(sqlite_app, BEN) == MicroTokens.parse("-0.42")
    assert of_file(sqlite_app, *lines).counts["duplicate"] == 2
    assert of_file(sqlite_app, "x,1,,,,,,,,,,2,withdraw,a test call").counts["accepted"] == 1
    assert books.wallet(sqlite_app, BEN) == 0
    assert books.findings(sqlite_app) == {}


def test_a_line_that_does_not_say_so_is_a_conflict(sqlite_app: App) -> None:
    """The same id with other content, and no word of a correction: the first stays."""
    path = DATA / "corrections" / "same-id-twice.csv"
    with path.open("rb") as file:
        counts = files.import_file(sqlite_app, file, "csv").counts
    assert (counts["accepted"], counts["conflict"]) == (1, 1)
    assert books.wallet(sqlite_app, BEN) == MicroTokens.parse("-0.45")


@pytest.mark.parametrize(
    ("tail", "detail"),
    [
        (",1,,", "action: expected"),
        (",1,replace,so", "action: expected"),
        (",0,correct,so", "revision: expected an integer from 1"),
        (",,withdraw,so", "revision: expected an integer from 1"),
        (",1,correct,", "reason: expected a text"),
    ],
)
def test_a_line_that_says_half_of_it_is_refused(sqlite_app: App, tail: str, detail: str) -> None:
    """Nothing is guessed: the line is told with its column, and nothing is imported."""
    done = of_file(sqlite_app, f"{LINE}{tail}")
    assert [(bad.number, bad.detail.startswith(detail)) for bad in done.bad.first] == [(2, True)]


def test_every_mistake_of_a_line_with_versions_is_told_at_once(sqlite_app: App) -> None:
    """Of a correction all cells, of a withdrawal those that it has: whoever mends the file mends it once."""
    wrong = "gw,{},2026-11-20 09:30,ada @example.com,anthropic,,x,,,-1,,{},{},{}\n"
    lines = (("a", "", "", ""), ("b", "0", "correct", ""), ("", "x", "withdraw", ""))
    text = f"{HEADER},revision,action,reason\n" + "".join(wrong.format(*line) for line in lines)
    file = io.BytesIO(text.encode())
    done = files.import_file(sqlite_app, file, "csv")
    told = [[said.partition(":")[0] for said in line.detail.split("; ")] for line in done.bad.first]
    content = ["occurred_at", "user", "model", "input_tokens", "output_tokens"]
    assert told == [content, [*content, "revision", "reason"], ["event_id", "revision", "reason"]]


def test_lines_of_json_correct_too(sqlite_app: App) -> None:
    """A CloudEvent a line: later versions stand among the others."""
    text = "\n".join(json.dumps(one) for one in (MISTAKE, corrected(MISTAKE, **TRUE)))
    done = files.import_file(sqlite_app, io.BytesIO(text.encode()), "jsonl", actor="test")
    assert done.counts["accepted"] == 2
    assert books.wallet(sqlite_app, BEN) == MicroTokens.parse("-150")
