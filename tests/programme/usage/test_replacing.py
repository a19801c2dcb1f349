"""Other content under the id of an event that waits takes its place; under any other known id it is a conflict."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.usage import cloudevents
from policy.metering import UsageEvent
from policy.units import MicroTokens
from programme.usage import intake
from store.tables.intake import quarantine_steps, usage_refusals
from store.tables.usage import quarantine, usage_conflicts, usage_events
from tests.support import books, cast, depth
from tests.support.books import ADA, BEN
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from programme.app import App
    from programme.moment import Moment
    from store.engine import Database

DATA = Path(__file__).parents[2] / "data" / "cases"


def parsed(body: bytes) -> UsageEvent:
    [event] = cloudevents.parse(body)
    assert isinstance(event, UsageEvent)
    return event


def version(name: str, *, event_id: str = "1") -> UsageEvent:
    """A content by a short name: those in capitals can be posted, the others have to wait."""
    if name.isupper():
        return cast.event(event_id, at=NOON, meters={"output": 1_000 * (ord(name) - ord("A") + 1)})
    return cast.event(event_id, at=NOON, model=("anthropic", f"odd-{name}"))


def stands(moment: Moment) -> list[tuple[str, bool]]:
    """(model or output, whether it was posted) of every event."""
    c = usage_events.c
    rows = moment.session.execute(sa.select(c.model, c.meters, c.cost_nano_usd).order_by(c.event_id))
    return [
        (model[4:] if model.startswith("odd-") else "ABCDEF"[meters["output"] // 1_000 - 1], cost is not None)
        for model, meters, cost in rows
    ]


def test_a_corrected_event_takes_the_place_of_the_one_that_waits(app: App) -> None:
    """Case 97: a misspelt provider waits; corrected under the same id it is posted, and nothing waits any more."""
    body = (DATA / "97-quarantined-then-corrected.json").read_bytes()
    wrong, right = (parsed(one) for one in (body, body.replace(b"antrhopic", b"anthropic")))
    assert books.take_in(app, wrong) == ["quarantined"]
    assert books.take_in(app, right) == ["accepted"]
    assert books.wallet(app, BEN) == MicroTokens(-300_000)
    assert books.rows(app, sa.select(quarantine.c.released_at, quarantine.c.discarded_at)) == [
        (right.occurred_at, None)
    ]
    [(before,)] = books.rows(app, sa.select(quarantine_steps.c.before))
    assert (before["provider"], before["meters"]) == ("antrhopic", wrong.meters)
    assert books.take_in(app, wrong, right, wrong) == ["duplicate"] * 3
    assert books.count(app, usage_conflicts) == 0
    assert books.findings(app) == {}


def test_what_still_cannot_be_posted_waits_with_its_new_reason(app: App) -> None:
    """The latest content waits, since when the first came, and says why; the first is no news when it comes again."""
    assert books.take_in(app, version("x")) == ["quarantined"]
    assert books.take_in(app, cast.event("1", at=NOON, who="stranger")) == ["quarantined"]
    rows = books.rows(app, sa.select(quarantine.c.reason, quarantine.c.detail, quarantine.c.since))
    assert rows == [("unknown_person", "no person is known for user 'stranger'", NOON)]
    assert books.take_in(app, version("x")) == ["duplicate"]
    assert books.findings(app) == {}


def test_answers_of_a_batch_with_several_contents_of_an_id(app: App) -> None:
    """Each is told in its place what became of it; whatever comes after the one that was posted is a conflict."""
    batch = [version(name) for name in ("x", "y", "y", "x", "B", "A", "B", "z")]
    with app.transaction() as moment:
        answers = intake.take_in(moment, batch)
    assert [answer.status for answer in answers] == [
        *("quarantined", "quarantined", "duplicate", "duplicate", "accepted", "conflict", "duplicate", "conflict")
    ]
    assert answers[1].detail == "no price is known for anthropic/odd-y"
    reasons = books.rows(app, sa.select(usage_refusals.c.status, usage_refusals.c.reason, usage_refusals.c.events))
    assert sorted(reasons) == [("conflict", "meters", 1), ("conflict", "model, meters", 1)]
    assert books.wallet(app, ADA) == MicroTokens(-3_000_000)
    assert books.findings(app) == {}


def test_an_offer_is_kept_with_how_often_and_since_when(app: App, clock: Clock) -> None:
    """The same conflict again adds to its count and to its last time, and keeps its first."""
    books.take_in(app, version("A"))
    books.take_in(app, version("B"), version("B"))
    clock.move(days=2)
    books.take_in(app, version("B"))
    c = usage_conflicts.c
    [(first, last, times)] = books.rows(app, sa.select(c.first_seen_at, c.last_seen_at, c.times))
    assert (first, (last - first).days, times) == (NOON, 2, 3)
    days = books.rows(app, sa.select(usage_refusals.c.day, usage_refusals.c.events).order_by(usage_refusals.c.day))
    assert [(day.isoformat(), events) for day, events in days] == [("2026-11-20", 2), ("2026-11-22", 1)]


@given(st.data())
@settings(
    max_examples=depth.examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_batches_end_as_if_each_content_had_come_alone(sqlite_app: App, data: st.DataObject) -> None:
    """However contents are cut into batches, the first that can be posted stays, else the latest that was new."""
    names = data.draw(st.lists(st.sampled_from("xyzABC"), min_size=1, max_size=9))
    cuts = data.draw(st.sets(st.integers(1, max(len(names) - 1, 1)), max_size=4))
    expected, seen = names[0], {names[0]}
    for name in names[1:]:
        if not expected.isupper() and name not in seen:
            expected = name
        seen.add(name)
    with books.rolled_back(sqlite_app) as moment:
        edges = [0, *sorted(cuts), len(names)]
        answers = [
            answer.status
            for begin, end in pairwise(edges)
            for answer in intake.take_in(moment, [version(name) for name in names[begin:end]])
        ]
        assert stands(moment) == [(expected, expected.isupper())]
        assert answers.count("accepted") == expected.isupper()
        assert books.findings_in(moment) == {}


@pytest.mark.every_database
def test_corrections_and_retries_at_once_post_each_event_once(database_url: str, app: App) -> None:
    """Contents that take a place while others are tried again: every event is posted once, at its own content."""
    ids = [f"{number:02}" for number in range(12)]
    books.take_in(app, *(cast.event(one, at=NOON, who="new@example.com") for one in ids))
    cast.hire(
        app, "email,name,level,role_family,time_zone,hired_on\nnew@example.com,N,mid,engineering,UTC,2026-01-01\n"
    )

    def replace(database: Database) -> None:
        books.take_in(type(app)(database, app.zone, app.clock), *(version("B", event_id=one) for one in reversed(ids)))

    def retry(database: Database) -> None:
        books.retry(type(app)(database, app.zone, app.clock))

    assert books.at_once(database_url, [replace, retry, replace, retry]) == []
    assert books.rows(app, sa.select(sa.func.count()).where(usage_events.c.cost_nano_usd.is_not(None))) == [(12,)]
    assert books.findings(app) == {}
