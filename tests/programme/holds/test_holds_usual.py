"""Nobody is stopped by worst cases that calls do not reach: where those do not fit, what is usual is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from policy.estimates import Asked
from policy.units import NanoUSD
from programme.holds import leasing
from programme.holds.leasing import Wanted
from programme.holds.reserving import Held
from programme.holds.usual import UsualCalls
from store.tables.holds import lease_recalls
from store.tables.outbox import outbox
from tests.support import books, cast, held
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON
from views.holds import Denial

if TYPE_CHECKING:
    from programme.app import App
    from store.holds.records import Hold
    from tests.support.clock import Clock

pytestmark = pytest.mark.every_database

TEAM = 'name = "Teams"\nscope = "programme"\nwindow = "month"\nusd = 10\naction = "stop"'
HUGE = Asked({}, most_output=200_000)
"""USD 3 at worst."""
OPUS = ("anthropic", "claude-opus-4-5")


def history(app: App, usd: str, *, calls: int = 5, who: str = ADA) -> None:
    """So many calls that were made without a hold, each at so many USD."""
    events = [held.settled(f"{who}{n}", "none", usd, at=NOON, who=who) for n in range(calls)]
    assert books.take_in(app, *events) == ["accepted"] * calls


def held_of(answer: Held | Denial) -> Hold:
    assert isinstance(answer, Held), answer
    return answer.hold


def many(app: App, count: int, *, who: str = ADA) -> list[str]:
    """What becomes of so many calls at once of USD 3 at worst: what each holds in USD, or why it may not run."""
    answers = [held.reserve(app, f"{who}-{n}", who=who, asked=HUGE) for n in range(count)]
    return [f"{NanoUSD(a.hold.nano_usd).decimal:g}" if isinstance(a, Held) else a.code for a in answers]


def test_worst_cases_that_fill_a_wallet_leave_room_for_what_calls_cost(app: App) -> None:
    """Of USD 10 three calls hold three each; thirty more run, until what all of them usually cost is the wallet."""
    held.stop(app)
    cast.give(app, ADA, "1150")
    history(app, "0.3")
    assert many(app, 35) == ["3"] * 3 + ["0.3"] * 30 + ["wallet_empty"] * 2
    assert books.findings(app) == {}
    for number in range(33):
        books.take_in(app, held.settled(f"e{number}", f"{ADA}-{number}", "0.3", at=NOON))
    assert books.wallet(app, ADA) == held.tokens("10")
    assert held.on_wallet(app) == held.tokens("0")
    assert books.findings(app) == {}


def test_worst_cases_of_some_stop_nobody_else_on_a_cap_that_they_share(app: App) -> None:
    """Ada's calls hold nine of everyone's ten dollars at worst; Ben's run all the same."""
    held.stop(app, TEAM)
    for who in (ADA, BEN):
        cast.give(app, who, "10000")
        history(app, "0.09", who=who)
    assert many(app, 3) == ["3"] * 3
    assert many(app, 99, who=BEN) == ["0.09"] * 98 + ["cap_reached"]
    assert books.findings(app) == {}


def test_who_has_no_history_is_judged_by_the_answers_that_others_get(app: App) -> None:
    """Ben never called: nineteen of twenty answers of the model have 2,000 tokens, so his calls count as 3 cents."""
    held.stop(app)
    cast.give(app, ADA, "10000")
    cast.give(app, BEN, "9")
    history(app, "0.03", calls=19)
    books.take_in(app, held.settled("long", "none", "2.5", at=NOON))
    assert many(app, 4, who=BEN) == ["0.03"] * 3 + ["wallet_empty"]


def test_a_model_that_is_hardly_called_is_judged_by_its_class(app: App) -> None:
    """Nobody calls Opus; answers of GPT-5, which is of its class, have 1,000 tokens."""
    held.stop(app)
    cast.give(app, ADA, "10000")
    usage = [cast.event(f"g{n}", model=GPT, meters={"output": 1_000}, at=NOON) for n in range(5)]
    books.take_in(app, *usage)
    assert held_of(held.reserve(app, "1", model=OPUS, asked=Asked({"input_uncached": 0}))).nano_usd == 1_000 * 25_000


def test_a_history_that_begins_is_known_within_seconds(app: App, clock: Clock) -> None:
    """Nothing was known of Ada's calls when she began; five of them later they count as what they cost."""
    held.stop(app)
    cast.give(app, ADA, "40")
    usual = UsualCalls()
    assert held.reserve(app, "1", asked=HUGE, usual=usual) == held.reserve(app, "2", asked=HUGE, usual=usual)
    history(app, "0.03")
    clock.move(minutes=0.2)
    assert held_of(held.reserve(app, "3", asked=HUGE, usual=usual)).nano_usd == 30_000_000


def test_who_waits_for_what_is_only_held_is_not_told_that_they_are_stopped(app: App) -> None:
    """A gateway that asks again says so: its client hears of nothing unless the call does not fit in the end."""
    held.stop(app)
    cast.give(app, ADA, "100")
    held.reserve(app, "runs")
    for waits, only_held, told in ((True, True, 0), (False, True, 1)):
        denial = held.reserve(app, "1", waits=waits)
        assert isinstance(denial, Denial)
        assert (denial.only_held, books.count(app, outbox)) == (only_held, told)


def test_what_could_never_fit_is_told_at_once(app: App) -> None:
    """A call that is larger than the wallet is stopped, whoever says that they would wait."""
    held.stop(app)
    cast.give(app, ADA, "100")
    held.reserve(app, "runs", "0.5")
    denial = held.reserve(app, "1", "2", waits=True)
    assert isinstance(denial, Denial)
    assert not denial.only_held
    assert books.count(app, outbox) == 1


def test_a_lease_that_a_call_waits_for_is_recalled_once(app: App) -> None:
    """Another gateway keeps what a call needs: it hears of that, however often the call asks."""
    held.stop(app)
    cast.give(app, ADA, "100")
    with app.transaction() as moment:
        wanted = Wanted("other", "lease_1", (("email", ADA),), (SONNET,), b"1")
        assert leasing.lease(moment, wanted, UsualCalls()).held is not None
    for _ in range(3):
        assert isinstance(held.reserve(app, "1", "0.96"), Denial)
    assert [hold_id for _, _, hold_id, _ in books.rows(app, lease_recalls)] == ["lease_1"]
