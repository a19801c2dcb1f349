"""What monitoring reads: the page in both of its forms, and alerts and a dashboard that ask for what is on it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_classic

from handlers import http, metrics
from policy.metering import Remarks
from programme.usage import intake, refusals
from programme.vitals import BOT, COURIER, PATIENCE, TICK, Vitals
from tests.support import cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric

    from programme.app import App

FILES = Path(__file__).parents[2] / "docs/operators/monitoring"
NAME = re.compile(r"\btokens_bot_\w+")
LABEL = re.compile(r'(\w+)="([^"]*)"')
OPEN = {"accept": "application/openmetrics-text; version=1.0.0"}


class Hand:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def vitals(hand: Hand) -> Vitals:
    """Everything that a process can run, half a minute after Slack last told something."""
    kept = Vitals(hand)
    for part in (COURIER, TICK):
        kept.expect(part)
    kept.expect_link(lambda: hand.now < 31)
    kept.hello()
    kept.envelope()
    hand.now += 30
    return kept


@pytest.fixture
def client(sqlite_app: App, vitals: Vitals) -> Iterator[TestClient]:
    """A bot in which something of every kind happened."""
    app = replace(sqlite_app, vitals=vitals)
    vitals.ailing(COURIER, "certificate")
    waiting = cast.event("e1", at=app.clock(), who="nobody@example.com")
    odd = cast.event("e2", at=app.clock())._replace(remarks=Remarks(quoted=6_000_000))
    with app.transaction() as moment:
        intake.take_in(moment, [waiting, odd])
        refusals.note_rejected(moment, "gw", [("a", "time: expected a time, got 7")])
    metrics.USAGE_EVENTS.labels("accepted").inc(0)
    metrics.OUTCOMES.labels("accepted").inc(0)
    metrics.COMMAND_SECONDS.labels("balance").observe(0.1)
    with TestClient(http.build(app, parts=["http", "bot", "courier", "tick"])) as running:
        yield running


def samples(families: Iterable[Metric]) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def expressions() -> list[str]:
    rules = (FILES / "alerts.yml").read_text("utf-8")
    panels = json.loads((FILES / "dashboard.json").read_text("utf-8"))["panels"]
    return re.findall(r"^ {8}expr: '(.*)'$", rules, re.MULTILINE) + [
        target["expr"] for panel in panels for target in panel["targets"]
    ]


@pytest.mark.parametrize("accept", [{}, OPEN])
def test_alerts_and_dashboard_ask_for_what_there_is(client: TestClient, accept: dict[str, str]) -> None:
    """Every metric that an operator's file names is on the page, in either form, and every label has such a value."""
    text = client.get("/metrics", headers=accept).text
    there = samples(read_open(text) if accept else read_classic(text))  # type: ignore[no-untyped-call]
    asked = expressions()
    assert len(asked) > 20
    assert {name for expression in asked for name in NAME.findall(expression)} <= there.keys()
    values = {label: {row[0].get(label) for rows in there.values() for row in rows} for label in ("part", "state")}
    values["part"] |= set(PATIENCE)
    values["problem"] = {"certificate"}
    for expression in asked:
        for label, value in LABEL.findall(expression):
            assert value in values[label]


def test_every_metric_of_ours_is_documented(client: TestClient) -> None:
    """Who reads the page finds each name in the guide."""
    guide = (FILES.parent / "monitoring.md").read_text("utf-8")
    names = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in NAME.findall(client.get("/metrics").text)}
    documented = set(NAME.findall(guide))
    assert {name for name in names if f"{name}_total" not in names} <= documented


def test_each_alert_is_whole() -> None:
    """An alert has its expression, its patience, how bad it is, what it is and what to do; no name comes twice."""
    head, *alerts = (FILES / "alerts.yml").read_text("utf-8").split("      - alert: ")
    assert head.endswith("groups:\n  - name: tokens-bot\n    rules:\n")
    whole = re.compile(
        r"TokensBot\w+\n {8}expr: '[^'\n]+'\n {8}for: \d+[mh]\n {8}labels:\n {10}severity: (critical|warning)\n"
        r' {8}annotations:\n {10}summary: "[^"\n]+"\n {10}description: "[^"\n]+"\n'
    )
    assert alerts
    assert [alert for alert in alerts if not whole.fullmatch(alert)] == []
    assert len({alert.partition("\n")[0] for alert in alerts}) == len(alerts)


def test_the_page_is_openmetrics_for_whoever_asks(client: TestClient) -> None:
    """Prometheus asks for OpenMetrics and gets one whole document of it; a browser gets the older form."""
    answer = client.get("/metrics", headers=OPEN)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert answer.text.count("# EOF") == 1
    assert client.get("/metrics").headers["content-type"].startswith("text/plain")


def test_ages_go_by_a_clock_that_nobody_sets(client: TestClient, hand: Hand) -> None:
    """A part is well until its patience ends; what was told last, and what it met, is on the page."""

    def told() -> dict[str, Any]:
        there = samples(read_classic(client.get("/metrics").text))
        by_part = {
            name: {labels["part"]: value for labels, value in there[f"tokens_bot_part_{name}"]}
            for name in ("up", "last_success_seconds")
        }
        return by_part | {
            "connected": there["tokens_bot_socket_mode_connected"][0][1],
            "envelope": there["tokens_bot_socket_mode_last_envelope_seconds"][0][1],
        }

    assert told() == {
        "up": {BOT: 1, COURIER: 1, TICK: 1},
        "last_success_seconds": {BOT: 0, COURIER: 30, TICK: 30},
        "connected": 1,
        "envelope": 30,
    }
    hand.now += 61
    assert told() == {
        "up": {BOT: 0, COURIER: 0, TICK: 1},
        "last_success_seconds": {BOT: 61, COURIER: 91, TICK: 91},
        "connected": 0,
        "envelope": 91,
    }


def test_what_ails_keeps_no_usage_out(client: TestClient, hand: Hand) -> None:
    """Deaf and without a courier the process is ready for gateways, and says what ails the rest."""
    hand.now += 61
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    parts = ready.json()["parts"]
    assert {part: (told["well"], told["problem"]) for part, told in parts.items()} == {
        BOT: (False, ""),
        COURIER: (False, "certificate"),
        TICK: (True, ""),
    }
    assert (parts[BOT]["connected"], parts[BOT]["reconnects"], parts[BOT]["last_envelope_seconds"]) == (False, 0, 91)
