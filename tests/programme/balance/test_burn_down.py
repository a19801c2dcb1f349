"""The burn-down ends with the balance, counts each use on its day, and tells apart what came, went and ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.kinds import EntryKind, LotKind
from policy.period import Month
from policy.units import MicroTokens
from programme.balance import balance, burn_down
from programme.grants import lapses
from store import runs
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.tables.ledger import entries
from tests.support import books, cast, depth, rollout
from tests.support.books import ADA
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from programme.app import App
    from views.balance import BurnDown

FIRST = date(2026, 11, 1)
MIDNIGHT = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
"""When November begins in Berlin."""


def of(app: App) -> BurnDown:
    """Ada's month, which must end with what her balance says."""
    with app.reading() as moment:
        card = balance.of_email(moment, ADA)
        assert card is not None
        found = burn_down.of(moment, card)
    assert found is not None
    assert found.left[-1] == (found.today, card.available)
    assert [day for day, _ in found.left] == [FIRST + timedelta(days=i) for i in range(len(found.left))]
    return found


def use(app: App, event_id: str, at: datetime, tokens: int) -> None:
    """Use as many tokens: a million output tokens cost USD 15, 1,500 tokens."""
    used = cast.event(event_id, at=at, meters={"output": tokens * 2_000 // 3})
    assert books.take_in(app, used) == ["accepted"]


def give(app: App, tokens: int, *, starts_at: datetime, expires_at: datetime) -> None:
    with app.database.transaction() as session:
        codes = [ledger.TREASURY, ledger.wallet_code(cast.person_id(app, ADA))]
        treasury, wallet = (ledger.open_accounts(session, codes)[code] for code in codes)
        amount, key = tokens * 1_000_000, f"grant:{starts_at}:{expires_at}"
        lot = NewLot(LotKind.MONTHLY, 100, starts_at, expires_at, "Grant", "test")
        amounts = ((treasury, -amount), (wallet, amount))
        ledger.post(
            session, [Draft(EntryKind.GRANT, key, b"", starts_at, "Grant", "test", amounts, lot=lot)], now=app.clock()
        )


def by_day(found: BurnDown) -> dict[int, int]:
    """Whole tokens at the end of each day of November."""
    return {day.day: int(left) // 1_000_000 for day, left in found.left}


def test_nobody_without_a_wallet_has_a_burn_down(app: App) -> None:
    """Anyone who never had or used anything has no series, and no account is opened for it."""
    with app.reading(NOON) as moment:
        card = balance.of_email(moment, ADA)
        assert card is not None
        assert burn_down.of(moment, card) is None


def test_each_use_counts_on_its_day(app: App, clock: Clock) -> None:
    """Tokens go down on the day of the use, also when it is reported late and out of order."""
    clock.now = MIDNIGHT
    give(app, 1_000, starts_at=MIDNIGHT, expires_at=NOON + timedelta(days=90))
    clock.now = NOON
    use(app, "b", NOON, 30)
    use(app, "a", NOON - timedelta(days=10), 100)
    found = of(app)
    assert found.start == MicroTokens(1_000_000_000)
    assert {d: left for d, left in by_day(found).items() if d in {9, 10, 19, 20}} == {
        9: 1_000,
        10: 900,
        19: 900,
        20: 870,
    }
    assert (found.ahead, found.runs_out) == ((), None)


def test_grants_come_in_on_their_day(app: App, clock: Clock) -> None:
    """What is granted in mid-month lifts the line on that day, and counts towards the start; what is to come not."""
    clock.now = MIDNIGHT - timedelta(days=20)
    give(app, 500, starts_at=clock.now, expires_at=NOON + timedelta(days=90))
    clock.now = NOON - timedelta(days=5)
    give(app, 200, starts_at=clock.now, expires_at=NOON + timedelta(days=50))
    clock.now = NOON
    give(app, 9_000, starts_at=NOON + timedelta(days=11), expires_at=NOON + timedelta(days=99))
    found = of(app)
    assert found.start == MicroTokens(700_000_000)
    assert {d: left for d, left in by_day(found).items() if d in {1, 14, 15, 20}} == {1: 500, 14: 500, 15: 700, 20: 700}


def test_what_ends_goes_on_the_day_of_its_end(app: App, clock: Clock) -> None:
    """A lot that ended is gone from its end on, before and after the calendar has closed it."""
    rollout.launch(app)
    clock.now = MIDNIGHT - timedelta(days=30)
    give(app, 100, starts_at=clock.now, expires_at=MIDNIGHT)
    give(app, 300, starts_at=clock.now, expires_at=NOON - timedelta(days=8))
    give(app, 1_000, starts_at=clock.now, expires_at=NOON + timedelta(days=60))
    clock.now = NOON
    expected = {1: 1_300, 11: 1_300, 12: 1_000, 20: 1_000}
    for closed in (False, True):
        if closed:
            with app.transaction(NOON) as moment:
                assert lapses.close_ended(moment, NOON.date()) == 2
        found = of(app)
        assert {d: left for d, left in by_day(found).items() if d in expected} == expected
        assert found.start == MicroTokens(1_300_000_000)


def test_debt_is_less_than_nothing(app: App) -> None:
    """What is used beyond all lots goes below zero, and the next grant lifts it by as much as it is."""
    use(app, "a", NOON - timedelta(days=3), 90)
    cast.give(app, ADA, "50")
    found = of(app)
    assert {d: left for d, left in by_day(found).items() if d in {16, 17, 20}} == {16: 0, 17: -90, 20: -40}
    assert found.start == MicroTokens(50_000_000)


def test_the_days_to_come(app: App, clock: Clock) -> None:
    """After some weeks of use the rest of the month is told, the more apart the later, and when the tokens run out."""
    begin = NOON - timedelta(days=40)
    clock.now = begin
    give(app, 3_000, starts_at=begin, expires_at=NOON + timedelta(days=90))
    clock.now = NOON
    for i in range(40):
        use(app, f"e{i}", begin + timedelta(days=i), 30 + 9 * (i % 5))
    found = of(app)
    assert [day for day, *_ in found.ahead] == [date(2026, 11, 21) + timedelta(days=i) for i in range(10)]
    assert all(low <= middle <= high for _, low, middle, high in found.ahead)
    assert all(a[2] >= b[2] for a, b in pairwise(found.ahead))
    assert found.ahead[0][2] <= found.left[-1][1]
    assert found.runs_out is not None
    assert found.runs_out > found.today


def test_the_last_day_of_a_month_has_none_to_come(app: App, clock: Clock) -> None:
    """On the thirtieth the line is whole, and the end of the tokens is told all the same."""
    clock.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    begin = clock.now - timedelta(days=30)
    for i in range(30):
        use(app, f"e{i}", begin + timedelta(days=i), 30)
    cast.give(app, ADA, "1500")
    found = of(app)
    assert len(found.left) == 30
    assert found.ahead == ()
    assert found.runs_out is not None


@pytest.mark.filterwarnings("ignore")
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["use", "give", "close"]), st.integers(-25, 0), st.integers(1, 400)), max_size=8
    )
)
@settings(max_examples=depth.examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_always_ends_with_the_balance(sqlite_app: App, steps: list[tuple[str, int, int]]) -> None:
    """Whatever came, was used, reported late, ended and was closed: the last day is the balance, and days add up."""
    app = sqlite_app
    clock: Clock = app.clock  # type: ignore[assignment]  # the tests' clock
    prefix = f"{clock.now.timestamp()}:{books.count(app, entries)}"
    for number, (what, days, amount) in enumerate(steps):
        clock.now = NOON
        if what == "use":
            use(app, f"{prefix}:{number}", NOON + timedelta(days=days), amount)
        elif what == "give":
            at = NOON + timedelta(days=days, seconds=books.count(app, entries))
            give(app, amount, starts_at=at, expires_at=at + timedelta(days=amount % 30 + 1))
        else:
            day = NOON.date() + timedelta(days=days)
            with app.transaction(NOON) as moment:
                # As the calendar does: a day is closed once.
                if runs.claim(moment.session, "expiry", str(day), now=NOON):
                    lapses.close_ended(moment, day)
    with app.database.reading() as session:
        known = session.execute(sa.select(sa.func.count()).select_from(entries)).scalar_one()
    if known:
        found = of(app)
        assert found.month == Month(2026, 11)
