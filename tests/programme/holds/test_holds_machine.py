"""Whatever gateways, people and the clock do to holds: no wallet goes below what it may, and all can be proved."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from policy.caps import overdraft
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.versions import Version
from programme import handbooks
from programme.handbooks import RecentHandbooks
from programme.holds.reserving import Held
from programme.usage import corrections
from store.engine import open_database
from tests.support import books, cast, depth, held, postgres
from tests.support.books import ADA, BEN
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from policy.metering import UsageEvent
    from programme.app import App

pytestmark = pytest.mark.every_database

CAPS = (
    'name = "Day"\nscope = "person"\nwindow = "day"\nusd = 10\naction = "stop"',
    'name = "Service"\nscope = "person_service"\nwindow = "week"\nusd = 60\naction = "warn"',
    'name = "Team"\nscope = "team"\nwindow = "week"\nusd = 40\naction = "stop"',
    'name = "Month"\nscope = "programme"\nwindow = "month"\nusd = 90\naction = "stop"',
)
WHO = st.sampled_from([ADA, BEN])
USD = st.sampled_from(["0.5", "3", "12", "30"])
SHARES = st.sampled_from([0.0, 0.4, 1.0, 1.5])
"""What a call costs of what it held."""
PICK = st.integers(0, 30)
seen: Counter[str] = Counter()
"""What happened, over all examples: a machine that never denies or lapses anything proves nothing."""


class HoldsMachine(RuleBasedStateMachine):
    open_office: Callable[[], App]

    def __init__(self) -> None:
        super().__init__()
        self.office = type(self).open_office()
        self.clock: Clock = self.office.clock  # type: ignore[assignment]  # a test's
        self.made: list[tuple[str, str]] = []
        self.events: list[UsageEvent] = []
        self.revisions: Counter[str] = Counter()
        self.beyond: Counter[str] = Counter()
        """Micro-tokens by which use went beyond what was held for it, by whose it was: posted truly all the same."""

    def teardown(self) -> None:
        assert books.findings(self.office) == {}
        self.office.database.close()

    @initialize(ada=USD, ben=USD)
    def begin(self, ada: str, ben: str) -> None:
        for who, usd in ((ADA, ada), (BEN, ben)):
            cast.give(self.office, who, str(int(float(usd) * 100)))

    @rule(who=WHO, usd=USD)
    def grant(self, who: str, usd: str) -> None:
        cast.give(self.office, who, str(int(float(usd) * 100)))

    @rule(who=WHO, usd=USD, kind=st.sampled_from(["call", "call", "job"]))
    def ask(self, who: str, usd: str, kind: str) -> None:
        id_ = f"h{len(self.made)}"
        answer = held.reserve(self.office, id_, usd, who=who, kind=kind)
        seen["held" if isinstance(answer, Held) else answer.code] += 1
        if isinstance(answer, Held):
            self.made.append((id_, who))

    @rule(pick=PICK, share=SHARES, final=st.booleans(), again=st.booleans())
    def settle(self, pick: int, share: float, *, final: bool, again: bool) -> None:
        if not self.made:
            return
        id_, who = self.made[pick % len(self.made)]
        before = held.one(self.office, id_)
        cents = int(before.nano_usd * share) // 15_000 * 15_000
        usd = f"{NanoUSD(cents).decimal:f}"
        event = held.settled(f"e{len(self.events)}", id_, usd, at=self.clock.now, who=who, final=final)
        if not cents:
            event = event._replace(meters={"output": 1})
            event = event._replace(fingerprint=str(len(self.events)).encode())
        for _ in range(1 + again):
            books.take_in(self.office, event)
        self.events.append(event)
        after = held.one(self.office, id_)
        used = after.used_micro_tokens - before.used_micro_tokens
        self.beyond[who] += max(used - before.micro_tokens, 0)
        seen[f"settled {before.status}"] += 1

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        if self.made:
            try:
                seen[held.release(self.office, self.made[pick % len(self.made)][0]).status] += 1
            except Refusal as refusal:
                seen[refusal.code] += 1

    @rule(pick=PICK, usd=USD)
    def extend(self, pick: int, usd: str) -> None:
        if self.made:
            try:
                answer = held.extend(self.office, self.made[pick % len(self.made)][0], usd)
                seen["extended" if isinstance(answer, Held) else "not extended"] += 1
            except Refusal as refusal:
                seen[refusal.code] += 1

    @rule(hours=st.sampled_from([0.1, 0.3, 2, 13, 30]))
    def wait(self, hours: float) -> None:
        self.clock.move(hours=hours)
        seen["lapsed"] += held.lapse(self.office)

    @rule(pick=PICK, output=st.sampled_from([0, 1_000, 400_000]), withdrawn=st.booleans())
    def correct(self, pick: int, output: int, *, withdrawn: bool) -> None:
        if not self.events:
            return
        event = self.events[pick % len(self.events)]
        self.revisions[event.event_id] += 1
        number = self.revisions[event.event_id]
        right = event._replace(meters={"output": output} if output else {}, fingerprint=b"%d" % number)
        [(_, who)] = event.identities
        balance = books.wallet(self.office, who)
        version = Version(event.source, event.event_id, number, None if withdrawn else right, "A test")
        with self.office.transaction() as moment:
            corrections.take_in(moment, [version], actor="test")
        # What is put right is right, whatever it does to a wallet.
        self.beyond[who] += max(int(balance) - int(books.wallet(self.office, who)), 0)
        seen["corrected"] += 1

    @invariant()
    def every_figure_is_proved(self) -> None:
        """A quick run proves them at the end alone."""
        if depth.either(quick=False, deep=True):
            assert books.findings(self.office) == {}

    @invariant()
    def no_wallet_is_further_below_zero_than_it_may_be(self) -> None:
        with self.office.reading() as moment:
            rules = handbooks.load(moment.session).on(moment.today).holds
        least = overdraft(rules, MicroTokens(0), NanoUSD.parse("0.01"))
        for who in (ADA, BEN):
            available = int(books.wallet(self.office, who)) - int(held.on_wallet(self.office, who))
            assert available >= -int(least) - self.beyond[who]


def test_whatever_happens_to_holds(app: App, database_url: str, tmp_path: Path) -> None:
    """No order of holds, settles, lapses, grants and corrections breaks what must hold; `verify` finds nothing."""
    held.stop(app, *CAPS, overdraft=True)
    app.database.close()

    class Machine(HoldsMachine):
        @staticmethod
        def open_office() -> App:
            database = open_database(postgres.cloned(database_url, tmp_path))
            return dataclasses.replace(app, database=database, clock=Clock(), recent_handbooks=RecentHandbooks())

    seen.clear()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=depth.either(quick=5, deep=80),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
    assert {"held", "wallet_empty", "cap_reached", "settled held", "released", "corrected"} <= seen.keys()
    assert seen["lapsed"]
