"""Whatever happens, in whatever order and however often: nothing is lost, nothing is made, everything can be proved."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.units import MICRO_PER_TOKEN, MicroTokens
from programme.grants import by_hand
from programme.usage import intake
from store.tables.ledger import accounts, lots, postings
from store.tables.people import people
from store.tables.usage import usage_events
from tests.support import books, cast, depth
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON

if TYPE_CHECKING:
    from random import Random

    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session

pytestmark = pytest.mark.every_database

WHO = (ADA, BEN)
USD_PER_OUTPUT_TOKEN = {SONNET: Decimal("0.000015"), GPT: Decimal("0.00001")}
USD_PER_TOKEN = Decimal("0.01")
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Grant:
    """A lot that is given at some point of a story."""

    key: str
    who: str
    tokens: int
    days: int


@dataclass(frozen=True)
class Batch:
    """Usage events that arrive together."""

    events: tuple[UsageEvent, ...]


@dataclass(frozen=True)
class Pause:
    """Days that go by."""

    days: int


Story = list[Grant | Batch | Pause]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Grants that expire soon or late; events old and new, some of them free, that arrive alone, together and again."""
    made = draw(
        st.lists(
            st.tuples(
                st.sampled_from(WHO),
                st.sampled_from(sorted(USD_PER_OUTPUT_TOKEN)),
                st.integers(0, 5_000_000),
                st.integers(-200, 20),
                st.sampled_from(["eu", "us"]),
            ),
            min_size=1,
            max_size=12,
        )
    )
    events = [
        cast.event(
            str(number),
            at=NOON + timedelta(hours=6 * hours),
            who=who,
            model=model,
            meters={"output": output} if output else {},
            source=source,
        )
        for number, (who, model, output, hours, source) in enumerate(made)
    ]
    batches = draw(st.lists(st.lists(st.sampled_from(events), max_size=8), max_size=5))
    grown = draw(st.lists(st.tuples(st.sampled_from(WHO), st.integers(1, 10_000), st.integers(1, 90)), max_size=5))
    story: Story = [Batch(tuple(events)), *(Batch(tuple(batch)) for batch in batches)]
    story += [Grant(str(number), *grant) for number, grant in enumerate(grown)]
    story += [Pause(days) for days in draw(st.lists(st.integers(1, 40), max_size=3))]
    return draw(st.permutations(story))


def live_through(moment: Moment, story: Story) -> None:
    now = NOON
    for step in story:
        match step:
            case Pause(days):
                now += timedelta(days=days)
            case Batch(events):
                # It arrives once all of it has happened.
                now = max([now, *(event.occurred_at for event in events)])
                intake.take_in(moment.at(now), events)
            case Grant(key, who, tokens, days):
                amount, expires_at = MicroTokens(tokens * MICRO_PER_TOKEN), now + timedelta(days=days)
                by_hand.give(
                    moment.at(now),
                    email=who,
                    amount=amount,
                    reason="Pilot",
                    expires_at=expires_at,
                    actor="test",
                    key=key,
                )


def debit_by_hand(event: UsageEvent) -> int:
    """Micro-tokens that an event takes: output × price ÷ value, rounded once (every price here is whole nano-USD)."""
    cost = event.meters.get("output", 0) * USD_PER_OUTPUT_TOKEN[event.provider, event.model]
    return int((cost / USD_PER_TOKEN * MICRO_PER_TOKEN).to_integral_value(ROUND_HALF_EVEN))


def expected(story: Story) -> dict[str, int]:
    """Granted less the debit of every event, once."""
    wallets = dict.fromkeys(WHO, 0)
    seen: set[tuple[str, str]] = set()
    for step in story:
        if isinstance(step, Grant):
            wallets[step.who] += step.tokens * MICRO_PER_TOKEN
        if isinstance(step, Batch):
            for event in step.events:
                if (event.source, event.event_id) not in seen:
                    seen.add((event.source, event.event_id))
                    wallets[event.identities[0][1]] -= debit_by_hand(event)
    return wallets


def wallets(session: Session) -> dict[str, int]:
    query = sa.select(people.c.email, accounts.c.balance).join(accounts, accounts.c.person_id == people.c.id)
    return dict.fromkeys(WHO, 0) | {email: balance for email, balance in session.execute(query)}


def total(session: Session, column: sa.Column[int]) -> int:
    return int(session.execute(sa.select(sa.func.coalesce(sa.func.sum(column), 0))).scalar_one())


def check(app: App, story: Story, random: Random) -> None:
    """Everything that holds of a story, and that it ends the same when it is told in another order, and twice."""
    with books.rolled_back(app) as moment:
        live_through(moment, story)
        assert wallets(moment.session) == expected(story)
        assert total(moment.session, accounts.c.balance) == total(moment.session, postings.c.amount) == 0
        assert books.findings_in(moment) == {}
        open_debts = total(moment.session, lots.c.remaining) - sum(wallets(moment.session).values())
        assert open_debts >= 0
        events = total(moment.session, usage_events.c.debit_micro_tokens)
        live_through(moment, [step for step in story if isinstance(step, Batch)])
        assert wallets(moment.session) == expected(story)
        assert total(moment.session, usage_events.c.debit_micro_tokens) == events
    other = [dataclasses.replace(s, events=s.events[::-1]) if isinstance(s, Batch) else s for s in story]
    random.shuffle(other)
    with books.rolled_back(app) as moment:
        live_through(moment, other)
        assert wallets(moment.session) == expected(story)
        assert books.findings_in(moment) == {}


def on_any_machine(examples: int) -> settings:
    # The fixture's ledger is the same for every example: each rolls back what it did.
    ignored = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=depth.examples(examples), deadline=None, suppress_health_check=ignored)


@on_any_machine(60)
@given(story=stories(), random=st.randoms(use_true_random=False))
def test_any_story_ends_the_same_in_any_order(sqlite_app: App, story: Story, random: Random) -> None:
    """Nothing is lost or made, every figure is proved, and neither order nor repetition changes a balance."""
    check(sqlite_app, story, random)


@on_any_machine(10)
@given(story=stories(), random=st.randoms(use_true_random=False))
def test_any_story_ends_the_same_on_postgresql(app_on_postgres: App, story: Story, random: Random) -> None:
    """The same holds on PostgreSQL, where rows are locked one by one and written by COPY."""
    check(app_on_postgres, story, random)


@pytest.mark.parametrize("tokens", [1, 999_999, 1_000_001])
def test_amounts_are_exact_to_the_micro_token(sqlite_app: App, tokens: int) -> None:
    """A lot is the amount that was given, to the last digit, however odd it is."""
    with books.rolled_back(sqlite_app) as moment:
        by_hand.give(
            moment.at(NOON), email=ADA, amount=MicroTokens(tokens), reason="Pilot", expires_at=NOON + YEAR, actor="test"
        )
        assert wallets(moment.session)[ADA] == tokens
