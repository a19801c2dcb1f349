"""What was used costs what its meters say: exactly, once rounded, and never nothing for want of a price."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policy.metering import (
    INPUT_METERS,
    METERS,
    IdentityKind,
    Meter,
    Meters,
    Price,
    UnitPrice,
    UnpricedMeterError,
    UsageEvent,
    input_tokens,
)
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD, NanoUSD, divide_half_even
from tests.support import depth

on_any_machine = settings(max_examples=depth.examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])

MILLION = 1_000_000
COUNTED: tuple[Meter, ...] = tuple(meter for meter in METERS if meter != "requests")
"""What costs nothing unless it is counted; a request is one even if no one says so."""


def priced(usd: dict[Meter, str], per: int = MILLION) -> Price:
    """A price of so many USD, each for `per` units of its meter."""
    units = {meter: UnitPrice.from_usd(Decimal(text), per) for meter, text in usd.items()}
    return Price("anthropic", "some-model", "test", units)


CHAT = priced({"input_uncached": "3", "cache_write_5m": "3.75", "cache_read": "0.30", "output": "15"})
GPU = priced({"gpu_seconds": "2.35"}, per=3_600)

unit_prices = st.builds(
    lambda base, per, tiers: UnitPrice(base, per, tuple(sorted(tiers.items()))),
    st.integers(0, 10**11),
    st.sampled_from([1, 7, 1_000, 3_600, MILLION, 10**9]),
    st.dictionaries(st.integers(1, 300_000), st.integers(0, 10**11), max_size=3),
)
prices = st.dictionaries(st.sampled_from(COUNTED), unit_prices, min_size=1).map(
    lambda meters: Price("openai", "some-model", "test", meters)
)
counts = st.integers(0, 400_000)


@st.composite
def uses(draw: st.DrawFn) -> tuple[Price, Meters]:
    """A price, and a use of some of the meters that it covers."""
    price = draw(prices)
    meters = draw(st.dictionaries(st.sampled_from(sorted(price.meters)), counts))
    return price, meters


def exact_cost(price: Price, meters: Meters) -> Fraction:
    """Σ count × price in nano-USD, without any rounding."""
    context = input_tokens(meters)
    return sum(
        (Fraction(n * price.meters[meter].at(context), price.meters[meter].per) for meter, n in meters.items()),
        start=Fraction(0),
    )


def test_the_chat_of_the_rules() -> None:
    """500,000 uncached, 2,000,000 written, 8,000,000 read and 1,500,000 output tokens cost USD 33.90."""
    used: Meters = {
        "input_uncached": 500_000,
        "cache_write_5m": 2_000_000,
        "cache_read": 8_000_000,
        "output": 1_500_000,
    }
    assert CHAT.cost(used) == NanoUSD.parse("33.90")


def test_the_training_job_of_the_rules() -> None:
    """Eight GPUs for six hours at USD 2.35 an hour cost USD 112.80."""
    assert GPU.cost({"gpu_seconds": 8 * 6 * 3_600}) == NanoUSD.parse("112.80")


def test_using_nothing_costs_nothing() -> None:
    """A call without counts costs nothing, priced or not."""
    nothing: Meters = {}
    assert CHAT.cost(nothing) == NanoUSD(0)
    assert Price("x", "y", "test", {}).cost({"output": 0}) == NanoUSD(0)


def test_what_has_no_price_is_never_zero() -> None:
    """A count on a meter without a price is an error that names meter, provider and model."""
    with pytest.raises(UnpricedMeterError, match=r"^no price for searches of anthropic/some-model$") as unpriced:
        CHAT.cost({"output": 5, "searches": 1})
    assert unpriced.value.meter == "searches"


@on_any_machine
@given(uses(), st.sampled_from(COUNTED), st.integers(1, 10**6))
def test_an_unpriced_meter_matters_only_if_it_counted(case: tuple[Price, Meters], meter: Meter, count: int) -> None:
    """Zero units of something without a price change nothing; one unit refuses the whole call."""
    price, used = case
    without = {m: unit for m, unit in price.meters.items() if m != meter}
    stripped = Price(price.provider, price.model, price.source, without)
    used.pop(meter, None)
    cost = stripped.cost(used)
    assert stripped.cost({**used, meter: 0}) == cost
    with pytest.raises(UnpricedMeterError):
        stripped.cost({**used, meter: count})


@on_any_machine
@given(uses())
def test_cost_is_the_exact_sum_rounded_once(case: tuple[Price, Meters]) -> None:
    """Meters add up exactly, whatever their units; only the sum is rounded, half to even."""
    price, used = case
    exact = exact_cost(price, used)
    cost = price.cost(used)
    assert type(cost) is NanoUSD
    assert int(cost) == divide_half_even(exact.numerator, exact.denominator)


def test_a_request_is_paid_once_unless_it_is_counted() -> None:
    """Where a model charges per request, each call with any use is one; where it does not, that costs nothing more."""
    price = priced({"output": "15", "requests": "5000"})
    assert price.cost({"output": 1_000}) == NanoUSD.parse("0.02")
    assert price.cost({"output": 1_000, "requests": 3}) == NanoUSD.parse("0.03")
    assert price.cost({"requests": 2}) == NanoUSD.parse("0.01")
    assert price.cost({}) == NanoUSD(0)


def test_a_price_names_its_service_tier() -> None:
    """What is refused for want of a price says in which tier."""
    price = Price("openai", "some-model", "test", {}, "priority")
    with pytest.raises(UnpricedMeterError, match=r"^no price for output of the priority tier of openai/some-model$"):
        price.cost({"output": 1})


def test_parts_of_a_nano_usd_add_up_before_rounding() -> None:
    """Two meters that would each round to nothing make a nano-USD together."""
    price = priced({"input_uncached": "0.0004", "output": "0.0004"})
    assert price.cost({"input_uncached": 1}) == price.cost({"output": 1}) == NanoUSD(0)
    assert price.cost({"input_uncached": 1, "output": 1}) == NanoUSD(1)


@on_any_machine
@given(uses())
def test_separate_bills_differ_from_one_by_their_roundings_only(case: tuple[Price, Meters]) -> None:
    """Without tiers, the sum of each meter's own cost is within half a nano-USD per meter of the whole."""
    price, used = case
    flat = Price("x", "y", "test", {m: UnitPrice(unit.nano_usd, unit.per) for m, unit in price.meters.items()})
    apart = sum(int(flat.cost({meter: count})) for meter, count in used.items())
    assert abs(apart - int(flat.cost(used))) * 2 <= len(used) + 1


@on_any_machine
@given(uses())
def test_the_order_of_meters_does_not_matter(case: tuple[Price, Meters]) -> None:
    """A bill does not depend on the order in which a gateway lists its counts."""
    price, used = case
    assert price.cost(dict(reversed(list(used.items())))) == price.cost(used)


def test_a_tier_replaces_the_price_of_every_unit() -> None:
    """One token beyond the start of a tier makes the whole call dearer, output included."""
    units: dict[Meter, UnitPrice] = {
        "input_uncached": UnitPrice(3 * NANO_PER_USD, MILLION, ((200_000, 6 * NANO_PER_USD),)),
        "output": UnitPrice(15 * NANO_PER_USD, MILLION, ((200_000, 22 * NANO_PER_USD),)),
    }
    price = Price("anthropic", "some-model", "test", units)
    assert price.cost({"input_uncached": 200_000, "output": 1_000}) == NanoUSD.parse("0.615")
    assert price.cost({"input_uncached": 200_001, "output": 1_000}) == NanoUSD.parse("1.222006")


@pytest.mark.parametrize(("context", "nano_usd"), [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (201, 3), (10**9, 3)])
def test_at_its_start_a_tier_does_not_hold_yet(context: int, nano_usd: int) -> None:
    """A tier holds above its start; at the start itself the price below it does."""
    assert UnitPrice(1, MILLION, ((100, 2), (200, 3))).at(context) == nano_usd


def test_cached_input_counts_for_the_tier() -> None:
    """The size of a call is all of its input, from the cache or not, and none of its output."""
    tiered = UnitPrice(1, 1, ((100, 10),))
    price = Price("x", "y", "test", dict.fromkeys(COUNTED, tiered))
    assert price.cost({"output": 1_000}) == NanoUSD(1_000)
    assert price.cost({"output": 1, "gpu_seconds": 500, "searches": 500, "trained_tokens": 500}) == NanoUSD(1_501)
    for meter in sorted(INPUT_METERS):
        assert price.cost({meter: 100}) == NanoUSD(100)
        assert price.cost({meter: 101}) == NanoUSD(1_010)


def test_meters_may_have_tiers_at_different_sizes() -> None:
    """Each meter follows its own tiers; a meter without tiers keeps its price."""
    units: dict[Meter, UnitPrice] = {
        "input_uncached": UnitPrice(1, 1, ((10, 2), (1_000, 3))),
        "cache_read": UnitPrice(100, 1, ((50, 200),)),
        "output": UnitPrice(10_000, 1),
    }
    price = Price("x", "y", "test", units)
    for size, per_input, per_read in [(10, 1, 100), (50, 2, 100), (51, 2, 200), (1_000, 2, 200), (1_001, 3, 200)]:
        used: Meters = {"input_uncached": size - 1, "cache_read": 1, "output": 1}
        assert price.cost(used) == NanoUSD((size - 1) * per_input + per_read + 10_000)


@on_any_machine
@given(uses())
def test_the_unit_price_of_a_call_explains_its_cost(case: tuple[Price, Meters]) -> None:
    """What a statement shows as the price of each meter multiplies up to what was paid."""
    price, used = case
    shown = Fraction(0)
    for _, count, nano_usd, per in price.lines(used):
        shown += Fraction(count * nano_usd, per)
    assert abs(shown - int(price.cost(used))) <= Fraction(1, 2)


@on_any_machine
@given(st.integers(0, 10**46).map(lambda digits: Decimal(f"{digits}e-40")), st.integers(1, MILLION))
@example(Decimal("1.0000000000000000000000000000000000000001"), 1)
def test_a_price_finer_than_a_nano_usd_stays_exact(usd: Decimal, per: int) -> None:
    """Where a price has more decimals than nano-USD, it is kept for more units instead of being rounded."""
    unit = UnitPrice.from_usd(usd, per)
    assert Fraction(unit.nano_usd, unit.per) == Fraction(usd) * NANO_PER_USD / per
    assert unit.per % per == 0


@on_any_machine
@given(st.dictionaries(st.sampled_from(METERS), counts))
def test_input_tokens_are_all_that_went_in(used: Meters) -> None:
    """Cached, audio, image and video input count as input; output, searches and machine time do not."""
    plain = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h")
    went_in = (*plain, "audio_input", "audio_cache_read", "image_input", "image_cache_read", "video_input")
    assert input_tokens(used) == sum(count for meter, count in used.items() if meter in went_in)


def test_an_event_has_a_readable_key() -> None:
    """The idempotency key of a use names its source and the source's own id."""
    kind: IdentityKind = get_args(IdentityKind)[0]
    event = UsageEvent(
        source="litellm-eu",
        event_id="chatcmpl-1",
        occurred_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
        identities=((kind, "ada@example.com"),),
        provider="anthropic",
        model="some-model",
        tier="",
        meters={"output": MICRO_PER_TOKEN},
        project="",
        fingerprint=b"",
    )
    assert event.idempotency_key == "usage:litellm-eu:chatcmpl-1"
