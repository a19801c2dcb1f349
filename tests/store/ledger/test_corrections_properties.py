"""Order decides nothing: whatever arrives how often and when, the highest revisions of events decide the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from policy.units import MICRO_PER_TOKEN, MicroTokens
from policy.versions import Version
from programme.grants import by_hand
from programme.usage import corrections, intake
from store.tables.ledger import accounts, lots, postings
from store.tables.usage import quarantine, usage_days, usage_events
from tests.support import books, cast, depth
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON

if TYPE_CHECKING:
    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session

pytestmark = pytest.mark.every_database

STRANGER = "stranger@example.com"
UNPRICED = ("anthropic", "claude-of-tomorrow")


@dataclass(frozen=True)
class Grant:
    key: str
    who: str
    tokens: int
    days: int


Arrival = list["UsageEvent | Version"]
Step = Grant | Arrival | int
"""A grant, things that arrive together, or days that go by."""


@dataclass(frozen=True)
class Story:
    """What happens, and what the events are in the end."""

    steps: list[Step]
    last: list[UsageEvent]


@st.composite
def contents(draw: st.DrawFn, event_id: str, source: str) -> UsageEvent:
    output = draw(st.sampled_from([0, 1, 70_000, 3_000_000]))
    return cast.event(
        event_id,
        at=NOON + timedelta(hours=7 * draw(st.integers(-60, 0))),
        who=draw(st.sampled_from([ADA, BEN, STRANGER])),
        model=draw(st.sampled_from([SONNET, GPT, SONNET, UNPRICED])),
        meters={"output": output} if output else {},
        source=source,
        project=draw(st.sampled_from(["", "apollo"])),
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Events with up to three later versions, in any order and some of it twice, among grants and days that go by."""
    arrivals: list[UsageEvent | Version] = []
    last: list[UsageEvent] = []
    for number in range(draw(st.integers(1, 4))):
        event_id, source = str(number), draw(st.sampled_from(["eu", "eu/chat"]))
        reported = draw(contents(event_id, source))
        versions = [
            Version(source, event_id, revision, None if draw(st.booleans()) else draw(contents(event_id, source)), "so")
            for revision in draw(st.sets(st.integers(1, 5), max_size=3))
        ]
        arrivals += [reported, *versions]
        holds = max(versions, key=lambda version: version.revision).event if versions else reported
        last += [holds] if holds is not None else []
    arrivals += draw(st.lists(st.sampled_from(arrivals), max_size=4))
    batches: list[Step] = []
    rest = draw(st.permutations(arrivals))
    while rest:
        size = draw(st.integers(1, 4))
        batches.append(list(rest[:size]))
        rest = rest[size:]
    grown = st.tuples(st.sampled_from([ADA, BEN]), st.integers(1, 5_000), st.integers(1, 60))
    grants: list[Step] = [Grant(str(i), *one) for i, one in enumerate(draw(st.lists(grown, max_size=4)))]
    pauses: list[Step] = list(draw(st.lists(st.integers(1, 40), max_size=2)))
    return Story(draw(st.permutations([*batches, *grants, *pauses])), last)


def live_through(moment: Moment, steps: list[Step]) -> None:
    now = NOON
    for step in steps:
        at = moment.at(now)
        if isinstance(step, int):
            now += timedelta(days=step)
        elif isinstance(step, Grant):
            amount, ends = MicroTokens(step.tokens * MICRO_PER_TOKEN), now + timedelta(days=step.days)
            by_hand.give(at, email=step.who, amount=amount, reason="Pilot", expires_at=ends, actor="test", key=step.key)
        else:
            intake.take_in(at, [one for one in step if not isinstance(one, Version)])
            corrections.take_in(at, [one for one in step if isinstance(one, Version)], actor="test")


def rows(session: Session, query: sa.Select[Any] | sa.Table) -> list[tuple[Any, ...]]:
    found = session.execute(query if isinstance(query, sa.Select) else sa.select(query))
    return sorted(map(tuple, found), key=repr)


def total(session: Session, column: sa.Column[int]) -> int:
    return int(session.execute(sa.select(sa.func.coalesce(sa.func.sum(column), 0))).scalar_one())


def figures(session: Session) -> dict[str, object]:
    """Every figure in which order must not show: balances, days, what each event is debited, what waits."""
    e, q = usage_events.c, quarantine.c
    lines = [column for column in usage_days.c if column.name != "account_id"]
    return {
        "balances": rows(session, sa.select(accounts.c.code, accounts.c.balance).where(accounts.c.balance != 0)),
        "days": rows(session, sa.select(*lines, accounts.c.code).join(accounts)),
        "events": rows(
            session,
            sa.select(e.source, e.event_id, e.cost_nano_usd, e.debit_micro_tokens, e.price_id).where(
                e.cost_nano_usd.is_not(None)
            ),
        ),
        "waiting": rows(session, sa.select(q.source, q.event_id, q.reason).where(q.released_at.is_(None))),
    }


def check(app: App, story: Story) -> None:
    with books.rolled_back(app) as moment:
        live_through(moment, story.steps)
        assert books.findings_in(moment) == {}
        assert total(moment.session, accounts.c.balance) == total(moment.session, postings.c.amount) == 0
        assert total(moment.session, lots.c.remaining) >= 0
        ended = figures(moment.session)
        live_through(moment, [step for step in story.steps if isinstance(step, list)])
        assert figures(moment.session) == ended
    with books.rolled_back(app) as moment:
        live_through(moment, [*(step for step in story.steps if isinstance(step, Grant)), list(story.last)])
        assert figures(moment.session) == ended


def on_any_machine(examples: int) -> settings:
    # The fixture's ledger is the same for every example: each rolls back what it did.
    ignored = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=depth.examples(examples), deadline=None, suppress_health_check=ignored)


@on_any_machine(60)
@given(story=stories())
def test_only_the_last_versions_count(sqlite_app: App, story: Story) -> None:
    """Any order and repetition ends as if only the versions that hold had come, and every figure is proved."""
    check(sqlite_app, story)


@on_any_machine(10)
@given(story=stories())
def test_only_the_last_versions_count_on_postgresql(app_on_postgres: App, story: Story) -> None:
    """The same holds on PostgreSQL."""
    check(app_on_postgres, story)
