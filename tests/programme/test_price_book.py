"""The price book says what the public list says: for every model, at every instant, to the nano-USD."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context
from itertools import cycle

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.metering import METERS, Meter, Meters, Price, UnpricedMeterError
from policy.units import NANO_PER_USD, NanoUSD
from programme.price_book import METER_KEYS, UNMETERED, PriceBook

on_any_machine = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

MODELS: list[tuple[str, ModelInfo]] = [(p.id, model) for p in get_snapshot().providers for model in p.models]
BOOK = PriceBook()
"""One book for all tests: what it remembers of one instant must not leak into another."""

INPUTS = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")
OUTPUTS = ("output", "audio_output", "image_output")
NEVER_LISTED: tuple[Meter, ...] = ("gpu_seconds", "trained_tokens")

CALL: Meters = {
    "input_uncached": 12_347,
    "cache_read": 91_003,
    "cache_write_5m": 7_919,
    "cache_write_1h": 3_001,
    "audio_input": 641,
    "image_input": 1_290,
    "output": 2_113,
    "audio_output": 457,
    "image_output": 1_057,
    "searches": 3,
    "requests": 1,
}
SIZES = (0, 1, 272_000, 999_983)
"""More uncached input, so that all the tiers of the list are visited."""


def as_reported(meters: Meters) -> Usage:
    """Disjoint meters as the list's own calculator takes them: totals that include their parts.

    It counts one request by itself.
    """
    count = meters.get
    return Usage(
        input_tokens=sum(n for meter, n in meters.items() if meter in INPUTS),
        cache_read_tokens=count("cache_read", 0),
        cache_write_tokens=count("cache_write_5m", 0) + count("cache_write_1h", 0),
        cache_write_5m_tokens=count("cache_write_5m", 0),
        cache_write_1h_tokens=count("cache_write_1h", 0),
        input_audio_tokens=count("audio_input", 0),
        input_image_tokens=count("image_input", 0),
        cache_audio_read_tokens=0,
        cache_image_read_tokens=0,
        output_tokens=sum(n for meter, n in meters.items() if meter in OUTPUTS),
        output_audio_tokens=count("audio_output", 0),
        output_image_tokens=count("image_output", 0),
        web_searches=count("searches", 0),
    )


def calculated(provider: str, model: str, at: datetime, meters: Meters) -> NanoUSD:
    """What the list's own calculator makes of the same use, rounded as we round."""
    calculation = calc_price(as_reported(meters), model, provider_id=provider, genai_request_timestamp=at)
    exact = Context(prec=60).multiply(calculation.total_price, NANO_PER_USD)
    return NanoUSD(int(exact.to_integral_value(ROUND_HALF_EVEN)))


def held_at(model: ModelInfo, at: datetime) -> set[str]:
    """The keys under which the list has a price for a model at an instant."""
    return {key for key, price in vars(model.get_prices(at)).items() if price is not None}


def billable(price: Price, meters: Meters) -> Meters:
    """What of a use the price covers; a price for requests is paid once for each call."""
    covered = {meter: count for meter, count in meters.items() if meter in price.meters}
    return {**covered, "requests": 1} if "requests" in price.meters else covered


def turning_points(model: ModelInfo) -> set[datetime]:
    """Just before and just at each instant at which a model's price may change; in any case, noon today."""
    points = {NOON}
    for conditional in [] if isinstance(model.prices, ModelPrice) else model.prices:
        if conditional.constraint is None:
            continue
        if isinstance(conditional.constraint, StartDateConstraint):
            turns = [datetime.combine(conditional.constraint.start_date, time(), UTC)]
        else:
            hours = (conditional.constraint.start_time, conditional.constraint.end_time)
            turns = [datetime.combine(NOON.date(), hour, hour.tzinfo or UTC) for hour in hours]
        points |= {point for turn in turns for point in (turn - MICROSECOND, turn)}
    return points


def findable(provider: str, model: ModelInfo) -> bool:
    """Some entries of the list do not match their own id; its own calculator does not find them either."""
    try:
        get_snapshot().find_provider_model(model.id, None, provider, None)
    except LookupError:
        return False
    return True


PRICED = [(provider, model) for provider, model in MODELS if BOOK.listed(provider, model.id, NOON)]
CONDITIONAL = [(provider, model) for provider, model in PRICED if len(turning_points(model)) > 1]


def test_the_list_is_worth_comparing_with() -> None:
    """The comparisons below cover thousands of models, hundreds with dated or hourly prices, and tiers."""
    assert len(PRICED) > 2_000
    assert len(CONDITIONAL) > 200
    hourly = [model for _, model in CONDITIONAL if "TimeOfDate" in repr(model.prices)]
    tiered = [model for _, model in PRICED if "TieredPrices" in repr(model.prices)]
    assert len(hourly) >= 3
    assert len(tiered) > 100


def test_every_model_costs_what_the_list_says() -> None:
    """Each model of each provider, before and after each change of its price, costs what its list calculates."""
    sizes = cycle(SIZES)
    compared = 0
    for provider, model in PRICED:
        for at in sorted(turning_points(model)):
            price = BOOK.listed(provider, model.id, at)
            if price is None:
                continue
            used = billable(price, {**CALL, "input_uncached": CALL["input_uncached"] + next(sizes)})
            assert price.cost(used) == calculated(provider, model.id, at, used), (provider, model.id, at, used)
            compared += 1
    assert compared > 2_500


calls = st.fixed_dictionaries(
    {}, optional={meter: st.one_of(st.integers(0, 10), st.integers(0, 2_000_000)) for meter in CALL}
)


@on_any_machine
@given(
    st.one_of(st.sampled_from(PRICED), st.sampled_from(CONDITIONAL)),
    st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    calls,
)
def test_any_use_costs_what_the_list_says(case: tuple[str, ModelInfo], at: datetime, call: Meters) -> None:
    """Whatever was used, of whichever model and whenever, costs what the list calculates."""
    provider, model = case
    price = BOOK.listed(provider, model.id, at)
    if price is not None:
        used = billable(price, call)
        assert price.cost(used) == calculated(provider, model.id, at, used)


def test_around_every_tier_the_list_agrees() -> None:
    """At the start of each tier, and one token beyond, the book and the list choose the same price."""
    compared = set()
    for provider, model in PRICED:
        for listed in vars(model.get_prices(NOON)).values():
            for tier in listed.tiers if isinstance(listed, TieredPrices) else ():
                for size in (tier.start, tier.start + 1):
                    price = BOOK.listed(provider, model.id, NOON)
                    assert price is not None
                    used = billable(price, {"cache_read": 1_000, "input_uncached": size - 1_000, "output": 10})
                    assert price.cost(used) == calculated(provider, model.id, NOON, used), (provider, model.id, size)
                    compared.add((provider, model.id))
    assert len(compared) > 50


def test_only_what_the_list_does_not_price_has_no_price() -> None:
    """A model has no price if the list cannot find it, has nothing for our meters, or bills parts of the output."""
    ours = {key for _, _, keys in METER_KEYS for key in keys}
    for provider, model in MODELS:
        keys = held_at(model, NOON)
        expected = findable(provider, model) and bool(keys & ours) and not keys & set(UNMETERED)
        assert (BOOK.listed(provider, model.id, NOON) is not None) == expected, (provider, model.id)


def test_a_meter_is_priced_if_its_key_or_its_kind_is() -> None:
    """Cached, audio and image tokens without a price of their own are plain tokens; nothing else is made up."""
    for provider, model in PRICED:
        price = BOOK.listed(provider, model.id, NOON)
        assert price is not None
        keys = held_at(model, NOON)
        assert set(price.meters) == {meter for meter, _, alternatives in METER_KEYS if keys & set(alternatives)}


@pytest.mark.parametrize(
    ("provider", "model"), [("perplexity", "sonar-deep-research"), ("google", "gemini-omni-1.1-flash")]
)
def test_models_that_bill_unreported_output_have_no_price(provider: str, model: str) -> None:
    """Where reasoning, citations or video cost more than other output and nobody reports them apart, we wait."""
    assert calculated(provider, model, NOON, {"output": 1_000_000}) > 0
    assert BOOK.listed(provider, model, NOON) is None


def test_every_meter_has_one_row() -> None:
    """Each meter is looked up once in the list, except the company's own, which only a handbook can price."""
    assert sorted([*(meter for meter, _, _ in METER_KEYS), *NEVER_LISTED]) == sorted(METERS)


def test_gpu_time_is_never_listed() -> None:
    """GPU seconds of a listed model are refused, not given away."""
    price = BOOK.listed("openai", "gpt-4o", NOON)
    assert price is not None
    for meter in NEVER_LISTED:
        with pytest.raises(UnpricedMeterError, match=f"no price for {meter} of openai/gpt-4o"):
            price.cost({"output": 10, meter: 1})


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), ("no-such-provider", "gpt-4o"), ("", "gpt-4o"), ("gpu-cluster", "H100")],
)
def test_what_is_not_listed_has_no_price(provider: str, model: str) -> None:
    """An unknown model or provider has no price, at the first question and at the second."""
    book = PriceBook()
    assert book.listed(provider, model, NOON) is None
    assert book.listed(provider, model, NOON) is None


GATEWAY_NAMES = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-4o",
    "text-completion-openai": "gpt-3.5-turbo-instruct",
    "azure": "gpt-4o",
    "google": "gemini-2.5-flash",
    "gemini": "gemini-2.5-flash",
    "vertex_ai": "gemini-2.5-flash",
    "aws": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "mistral": "mistral-large-latest",
}
"""The providers of the packaged handbook, each with a model of theirs."""


@pytest.mark.parametrize(("provider", "model"), GATEWAY_NAMES.items())
def test_the_gateways_names_of_providers_are_understood(provider: str, model: str) -> None:
    """Each name of a provider in the packaged handbook leads to prices, which keep that name and their source."""
    price = BOOK.listed(provider, model, NOON)
    assert price is not None
    assert (price.provider, price.model) == (provider, model)
    assert price.source.startswith("genai-prices ")
    assert {"input_uncached", "output"} <= set(price.meters)


def test_the_handbooks_providers_are_all_checked() -> None:
    """The names above are those of every model API in the packaged handbook."""
    services = handbook.parse(handbook.packaged()).services
    assert set(GATEWAY_NAMES) == {p for service in services if service.kind == "model_api" for p in service.providers}


def test_a_remembered_answer_follows_the_clock() -> None:
    """Of a model with an hourly price, one book gives each hour its own price, and the same object again."""
    provider, model = next((p, m) for p, m in CONDITIONAL if "TimeOfDate" in repr(m.prices))
    points = sorted(turning_points(model))
    first = [BOOK.listed(provider, model.id, at) for at in points]
    again = [BOOK.listed(provider, model.id, at) for at in reversed(points)]
    assert all(one is other for one, other in zip(first, reversed(again), strict=True))
    assert len({id(price) for price in first}) > 1


def test_an_instant_means_the_same_in_every_zone() -> None:
    """A price depends on when something was used, not on how that time is written."""
    far_east = timezone(timedelta(hours=13))
    for provider, model in CONDITIONAL:
        for at in turning_points(model):
            assert BOOK.listed(provider, model.id, at.astimezone(far_east)) is BOOK.listed(provider, model.id, at)
