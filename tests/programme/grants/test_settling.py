"""The lapse of a month: what was announced and no more, the same in whatever order late usage arrives."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.period import Month
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.balance import balance
from programme.grants import announcements, by_hand, monthly, settling
from programme.people import terms
from programme.usage import intake
from store.tables.grants import lapse_announcements
from store.tables.ledger import accounts, lots
from tests.support import books, cast, depth, rollout
from tests.support.books import ADA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.metering import Meters, UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from views.balance import BalanceCard

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)
FIRST = datetime(2026, 11, 30, 23, tzinfo=UTC)
"""In Berlin."""
SETTLED = FIRST + timedelta(days=3)


def at(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def grant(app: App, month: Month, now: datetime | None = None) -> None:
    with app.transaction(now or datetime.combine(month.first_day, time(9), tzinfo=UTC)) as moment:
        monthly.run(moment, month)


def announce(app: App, day: date) -> None:
    with app.transaction(datetime(day.year, day.month, day.day, 9, tzinfo=UTC)) as moment:
        announcements.announce(moment, day)


def settle(app: App, now: datetime = SETTLED) -> MicroTokens | None:
    with app.transaction(now) as moment:
        return settling.run(moment, DECEMBER)


def use(app: App, tokens: int, *, of: datetime, now: datetime, who: str = ADA) -> None:
    """`tokens` of usage at an instant, posted at another."""
    with app.transaction(now) as moment:
        done = intake.take_in(moment, [usage(f"{of}|{tokens}|{now}", tokens, of, who)])
    assert [one.status for one in done] == ["accepted"]


def usage(event_id: str, tokens: int, of: datetime, who: str = ADA) -> UsageEvent:
    """Whole tokens: USD 0.01 each, at USD 1.25 a million input tokens."""
    meters: Meters = {"input_uncached": tokens * 8_000}
    return cast.event(event_id, at=of, who=who, model=cast.GPT, meters=meters)


def card(app: App, now: datetime, who: str = ADA) -> BalanceCard:
    with app.reading(now) as moment:
        found = balance.of_email(moment, who)
    assert found is not None
    return found


def two_unused(app: App) -> int:
    """October's and November's grants, of which one may be carried over; how much of Ada's is announced."""
    rollout.launch(app)
    grant(app, OCTOBER)
    grant(app, NOVEMBER)
    return int(rollout.granted(app, "2026-11")[ADA])


def test_what_was_announced_is_taken_when_late_usage_had_its_time(app: App) -> None:
    """Late usage of November burns it first; on the fourth the rest goes into the pool, once."""
    whole = two_unused(app)
    announce(app, date(2026, 11, 20))
    grant(app, DECEMBER)
    assert books.account(app, "pool") == 0
    use(app, 500, of=at(11, 30), now=at(12, 2))
    taken = settle(app)
    assert taken is not None
    assert books.account(app, "pool") == taken
    assert settle(app) is None
    assert books.wallet(app, ADA) == whole + int(rollout.granted(app, "2026-12")[ADA])
    assert [reason for reason, *_ in rollout.open_lots(app, ADA)] == [
        "Grant for November 2026",
        "Grant for December 2026",
    ]
    assert books.findings(app) == {}


def test_verify_finds_a_lapse_that_was_not_announced(app: App) -> None:
    """An announcement that is lowered afterwards no longer covers what was taken."""
    two_unused(app)
    announce(app, date(2026, 11, 20))
    grant(app, DECEMBER)
    settle(app)
    assert books.findings(app) == {}
    with app.database.transaction() as session:
        session.execute(sa.update(lapse_announcements).values(amount=1))
    assert set(books.findings(app)) == {"lapses_as_announced"}


def test_nothing_lapses_that_was_not_announced(app: App) -> None:
    """Without an announcement all is carried once more."""
    two_unused(app)
    grant(app, DECEMBER)
    assert settle(app) == 0
    assert books.account(app, "pool") == 0


def test_a_smaller_grant_than_announced_for_takes_no_more(app: App) -> None:
    """The budget is halved on the last day: what lapses is what the balance showed, not twice as much."""
    whole = two_unused(app)
    announce(app, date(2026, 11, 30))
    with app.transaction(at(11, 30, 12)) as moment:
        terms.set_budget(moment, DECEMBER, NanoUSD.parse("11000"), actor="test")
    shown = card(app, at(11, 30, 13)).lapse
    assert shown is not None
    assert shown.amount == whole
    grant(app, DECEMBER)
    assert int(rollout.granted(app, "2026-12")[ADA]) < whole
    settle(app)
    assert books.wallet(app, ADA) == whole + int(rollout.granted(app, "2026-12")[ADA])
    assert books.findings(app) == {}


@pytest.mark.parametrize("late", [0, 700])
def test_a_smaller_grant_takes_no_more_than_the_balance_said_last(app: App, late: int) -> None:
    """What was used after the announcement lowers what lapses, also where a budget lowers what may be carried over."""
    whole = two_unused(app)
    announce(app, date(2026, 11, 20))
    use(app, 3_000, of=at(11, 25), now=at(11, 25))
    with app.transaction(at(11, 26)) as moment:
        terms.set_budget(moment, DECEMBER, NanoUSD.parse("11000"), actor="test")
    shown = card(app, at(11, 30, 20)).lapse
    assert shown is not None
    assert shown.amount == whole - 3_000_000_000
    grant(app, DECEMBER)
    if late:
        use(app, late, of=at(11, 30), now=at(12, 2))
    then = card(app, at(12, 3)).lapse
    assert then is not None
    assert (then.amount, then.left - then.amount) == (int(shown.amount) - late * 10**6, then.carried_at_most)
    settle(app)
    assert books.wallet(app, ADA) == whole + int(rollout.granted(app, "2026-12")[ADA])
    assert books.findings(app) == {}


def test_the_lapse_waits_for_the_grants(app: App) -> None:
    """Without the month's grants no one knows what may be carried over: the run is refused, and done later."""
    two_unused(app)
    announce(app, date(2026, 11, 30))
    with pytest.raises(Refusal) as refused:
        settle(app)
    assert refused.value.code == "month_not_granted"
    grant(app, DECEMBER, SETTLED)
    assert settle(app)


def test_the_balance_says_what_lapses_from_the_twentieth_on(app: App) -> None:
    """Not before; then less as it is used, with the earlier end beside each lot, and after the first as gone."""
    whole = two_unused(app)
    announce(app, date(2026, 11, 19))
    assert books.count(app, lapse_announcements) == 0
    assert card(app, at(11, 19)).lapse is None
    announce(app, date(2026, 11, 20))
    use(app, 300, of=at(11, 21), now=at(11, 21))
    before = card(app, at(11, 22))
    assert before.lapse is not None
    assert (before.lapse.on, before.lapse.amount) == (date(2026, 12, 1), whole - 300_000_000)
    assert [(line.lapses, line.remaining) for line in before.lots] == [(True, whole - 300_000_000), (False, whole)]
    assert before.lots[0].expires_at == FIRST
    assert before.available == 2 * whole - 300_000_000
    grant(app, DECEMBER)
    after = card(app, at(12, 1, 12))
    december = int(rollout.granted(app, "2026-12")[ADA])
    assert after.available == whole + december
    assert after.lapse is not None
    assert (after.lapse.is_past, after.lapse.amount) == (True, whole - 300_000_000)
    use(app, 200, of=at(12, 2), now=at(12, 2))
    use(app, 100, of=at(11, 30), now=at(12, 2))
    late = card(app, at(12, 3))
    assert late.available == whole + december - 200_000_000
    settle(app)
    done = card(app, SETTLED)
    assert (done.available, done.lapse) == (late.available, None)


def test_who_raises_what_lapses_is_announced_anew(app: App) -> None:
    """An announcement is kept when it is first made and when more lapses, not each time that some is used."""
    two_unused(app)
    for day in (20, 21):
        announce(app, date(2026, 11, day))
    kept = books.count(app, lapse_announcements)
    use(app, 300, of=at(11, 21), now=at(11, 21))
    announce(app, date(2026, 11, 22))
    assert books.count(app, lapse_announcements) == kept > 0


class _UndoneError(Exception):
    """Nothing of an order is kept for the next."""


def arrived(app: App, order: Sequence[tuple[str, int]]) -> dict[str, object]:
    """What everyone holds, and the pool, when things arrived in an order within the settling days."""
    found: dict[str, object] = {}
    with suppress(_UndoneError), app.transaction(at(12, 3)) as moment:
        for nth, (what, amount) in enumerate(order):
            _arrive(moment, what, amount, nth)
        settling.run(moment.at(SETTLED), DECEMBER)
        held = sa.select(lots.c.account_id, lots.c.reason, lots.c.remaining).where(lots.c.remaining > 0)
        found |= {f"{account}:{reason}": left for account, reason, left in moment.session.execute(held)}
        found |= {code: left for code, left in moment.session.execute(sa.select(accounts.c.code, accounts.c.balance))}
        raise _UndoneError
    return found


def _arrive(moment: Moment, what: str, amount: int, nth: int) -> None:
    if what == "grants":
        monthly.run(moment, DECEMBER)
    elif what == "gift":
        expires_at = moment.now + timedelta(days=200)
        tokens = MicroTokens.parse(str(amount))
        by_hand.give(moment, email=ADA, amount=tokens, reason="Gift", expires_at=expires_at, actor="test")
    else:
        used_at = at(11, 29) if what == "late" else at(12, 1)
        [done] = intake.take_in(moment, [usage(f"e{nth}", amount, used_at)])
        assert done.status == "accepted"


AMOUNTS = st.integers(1, 120_000)


@pytest.mark.every_database
@given(st.data())
@settings(max_examples=depth.examples(15), deadline=None, suppress_health_check=list(HealthCheck))
def test_order_of_arrival_decides_nothing(app: App, data: st.DataObject) -> None:
    """Late usage, new usage, a gift and the month's grants, in any order: the same lots, balances and pool."""
    if not books.count(app, lapse_announcements):
        two_unused(app)
        announce(app, date(2026, 11, 30))
    late = [("late", amount) for amount in data.draw(st.lists(AMOUNTS, max_size=3))]
    things = [*late, ("new", data.draw(AMOUNTS)), ("gift", 5_000), ("grants", 0)]
    usual = arrived(app, [("grants", 0), *(one for one in things if one[0] != "grants")])
    assert arrived(app, data.draw(st.permutations(things))) == usual


def test_new_usage_is_not_paid_by_what_has_lapsed(app: App) -> None:
    """Use of December that is posted before the lapse is taken ends in what it does when it is posted after it."""
    two_unused(app)
    announce(app, date(2026, 11, 30))
    grant(app, DECEMBER)
    before = arrived(app, [("new", 90_000)])
    settle(app)
    use(app, 90_000, of=at(12, 1), now=at(12, 5))
    after = {reason: int(left) for reason, left, _ in rollout.open_lots(app, ADA)}
    wallet = books.account_id(app, ADA)
    mine = {key.split(":")[1]: left for key, left in before.items() if key.startswith(f"{wallet}:")}
    assert after == mine
    assert books.findings(app) == {}
