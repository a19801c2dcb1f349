from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateways.litellm.estimates import Estimate
from gateways.litellm.leases import Lease, Model, Prices, Use
from tests.gateways.litellm.company import CENT, GPT, PRICES


def _lease(size: int = 100 * CENT) -> Lease:
    return Lease("lease_1", "ada", size, 60.0, {GPT: PRICES})


def test_a_call_reserves_its_worst_case_and_leaves_what_it_did_not_use() -> None:
    """A thousand output tokens reserve a cent; what was used is taken off, the rest is free again."""
    lease = _lease()
    assert lease.take("a", (GPT,), Estimate(0, 1_000))
    assert lease.left == 99 * CENT
    lease.settle("a", CENT // 4)
    assert lease.left == 99 * CENT + 3 * CENT // 4


def test_a_call_that_tells_nothing_used_what_it_had_reserved() -> None:
    """Where the cost of a call is not known here, its reservation stays spent."""
    lease = _lease()
    lease.take("a", (GPT,), Estimate(0, 1_000))
    lease.settle("a", None)
    assert lease.left == 99 * CENT


def test_a_failed_call_gives_everything_back() -> None:
    """A released call leaves no trace."""
    lease = _lease()
    lease.take("a", (GPT,), Estimate(5_000, 1_000))
    lease.release("a")
    assert lease.left == 100 * CENT


def test_what_does_not_fit_is_not_taken() -> None:
    """A call just above what is left changes nothing."""
    lease = _lease(CENT)
    assert not lease.take("a", (GPT,), Estimate(1, 1_000))
    assert lease.take("b", (GPT,), Estimate(0, 1_000))
    assert lease.left == 0


def test_a_worst_case_far_above_the_usual_is_tried_with_the_usual() -> None:
    """An agent that asks for 32,000 tokens each time is let through with the 300 that it uses as a rule."""
    lease = _lease(CENT)
    assert lease.take("a", (GPT,), Estimate(0, 32_000))
    assert lease.reserved["a"].most == 300 * 10_000


def test_worst_cases_that_run_stop_no_call_that_usually_fits() -> None:
    """The 2,000 tokens of one call fill the lease; five more, which usually write 300 of theirs, run beside it."""
    lease = _lease(2 * CENT)
    assert [lease.take(name, (GPT,), Estimate(0, 2_000)) for name in "abcdefgh"] == [True] * 6 + [False] * 2
    assert lease.left < 0 <= lease.likely_left


def test_a_model_without_a_price_is_not_taken() -> None:
    """A lease covers only models whose price the bot told."""
    assert not _lease().take("a", (Model("openai", "other"),), Estimate(0, 1))
    assert not _lease().take("a", (GPT, Model("openai", "other")), Estimate(0, 1))
    assert not _lease().take("a", (), Estimate(0, 1))


def test_the_dearest_of_several_models_counts() -> None:
    """Which deployment answers is not known beforehand: the reservation covers any of them."""
    dear = Model("openai", "dear")
    lease = Lease("l", "ada", 100 * CENT, 60, {GPT: PRICES, dear: Prices.of({"output": "0.0001"}, None)})
    assert lease.take("a", (GPT, dear), Estimate(0, 1_000))
    assert lease.reserved["a"].most == 10 * CENT


def test_cached_input_costs_its_own_price() -> None:
    """200 fresh, 1,000 cached and 300 output tokens of GPT-5 are USD 0.003375."""
    assert PRICES.used(Use(1_200, 300, cache_read=1_000)) == 3_375_000


def test_input_is_reserved_at_its_dearest_price() -> None:
    """Nobody knows beforehand what is written to the cache, which costs more."""
    claude = Prices.of({"input_uncached": "0.000003", "cache_write_5m": "0.00000375", "output": "0"}, None)
    assert claude.worst(Estimate(1_000, 0)) == 3_750_000
    assert claude.cache_read == Decimal("0.000003")


def test_a_lease_ends_with_its_time() -> None:
    """After its end, and once it is replaced, it serves nobody; it runs low before that."""
    lease = _lease()
    assert (lease.usable(59), lease.usable(60)) == (True, False)
    assert (lease.runs_low(49), lease.runs_low(50)) == (False, True)
    lease.used = 76 * CENT
    assert lease.runs_low(0)
    lease.replaced = True
    assert not lease.usable(0)


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 3_000), st.floats(0, 1), st.booleans()), max_size=40))
def test_no_sequence_of_calls_spends_more_than_the_lease(steps: list[tuple[int, int, float, bool]]) -> None:
    """Whatever calls come and end in whatever order: used and likely together never exceed the size."""
    lease, running = _lease(3 * CENT), list[str]()
    for number, (tokens_in, tokens_out, share, ends) in enumerate(steps):
        if lease.take(f"call {number}", (GPT,), Estimate(tokens_in, tokens_out)):
            running.append(f"call {number}")
        if ends and running:
            call = running.pop(0)
            lease.settle(call, int(lease.reserved[call].likely * share))
        assert 0 <= lease.likely_left <= lease.size
        assert lease.left <= lease.likely_left
    for call in running:
        lease.release(call)
    assert lease.left == lease.size - lease.used
