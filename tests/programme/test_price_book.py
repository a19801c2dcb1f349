"""The price book says what the public list says: for every model, at every instant, to the nano-USD."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context
from itertools import cycle

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, PriceContext, PriceVariant, StartDateConstraint, TieredPrices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.metering import METERS, Meter, Meters, Price, UnpricedMeterError
from policy.units import NANO_PER_USD, NanoUSD
from programme.price_book import METER_KEYS, TIER_KEYS, UNMETERED, PriceBook
from tests.support import depth

on_any_machine = settings(max_examples=depth.examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

MODELS: list[tuple[str, ModelInfo]] = [(p.id, model) for p in get_snapshot().providers for model in p.models]
BOOK = PriceBook()
"""One book for all tests: what it remembers of one instant must not leak into another."""

INPUTS = (
    *("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h"),
    *("audio_input", "audio_cache_read", "image_input", "image_cache_read", "video_input"),
)
OUTPUTS = ("output", "audio_output", "image_output")
NEVER_LISTED: tuple[Meter, ...] = (
    *("undivided_tokens", "gpu_seconds", "trained_tokens", "video_output", "video_seconds", "map_searches"),
)

CALL: Meters = {
    "input_uncached": 12_347,
    "cache_read": 91_003,
    "cache_write_5m": 7_919,
    "cache_write_1h": 3_001,
    "audio_input": 641,
    "audio_cache_read": 211,
    "image_input": 1_290,
    "image_cache_read": 307,
    "output": 2_113,
    "audio_output": 457,
    "image_output": 1_057,
    "video_input": 263,
    "searches": 3,
    "requests": 1,
    "audio_seconds": 617,
    "pages": 11,
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
        cache_read_tokens=count("cache_read", 0) + count("audio_cache_read", 0) + count("image_cache_read", 0),
        cache_write_tokens=count("cache_write_5m", 0) + count("cache_write_1h", 0),
        cache_write_5m_tokens=count("cache_write_5m", 0),
        cache_write_1h_tokens=count("cache_write_1h", 0),
        input_audio_tokens=count("audio_input", 0) + count("audio_cache_read", 0),
        input_image_tokens=count("image_input", 0) + count("image_cache_read", 0),
        cache_audio_read_tokens=count("audio_cache_read", 0),
        cache_image_read_tokens=count("image_cache_read", 0),
        output_tokens=sum(n for meter, n in meters.items() if meter in OUTPUTS),
        output_audio_tokens=count("audio_output", 0),
        output_image_tokens=count("image_output", 0),
        input_video_tokens=count("video_input", 0),
        web_searches=count("searches", 0),
        audio_seconds=count("audio_seconds", 0),
        input_audio_seconds=count("audio_seconds", 0),
        input_document_pages=count("pages", 0),
    )


def calculated(provider: str, model: str, at: datetime, meters: Meters, context: PriceContext | None = None) -> NanoUSD:
    """What the list's own calculator makes of the same use, rounded as we round."""
    calculation = calc_price(
        as_reported(meters), model, provider_id=provider, genai_request_timestamp=at, price_context=context
    )
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
    dated = [] if isinstance(model.prices, ModelPrice) else model.prices
    for conditional in (*dated, *(model.price_variants or ())):
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


PRICED = [(provider, model) for provider, model in MODELS if BOOK.listed(provider, model.id, "", NOON)]
VARIANTS = [
    (provider, model, variant)
    for provider, model in PRICED
    for variant in model.price_variants or ()
    if set(variant.when) <= set(TIER_KEYS)
]
"""Every price of the list for another service tier; one model may have several for one tier, each from another day."""
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
            price = BOOK.listed(provider, model.id, "", at)
            if price is None:
                continue
            used = billable(price, {**CALL, "input_uncached": CALL["input_uncached"] + next(sizes)})
            assert price.cost(used) == calculated(provider, model.id, at, used), (provider, model.id, at, used)
            compared += 1
    assert compared > 2_500


FEW_OR_MANY = st.one_of(st.integers(0, 10), st.integers(0, 2_000_000))
# Groq's least are ten seconds, which whoever counts them rounds up to.
calls = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(CALL, FEW_OR_MANY) | {"audio_seconds": st.integers(10, 2_000_000)}
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
    price = BOOK.listed(provider, model.id, "", at)
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
                    price = BOOK.listed(provider, model.id, "", NOON)
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
        assert (BOOK.listed(provider, model.id, "", NOON) is not None) == expected, (provider, model.id)


def test_a_meter_is_priced_if_its_key_or_its_kind_is() -> None:
    """Cached tokens and pictures to look at without a price of their own are plain input; nothing else is made up."""
    for provider, model in PRICED:
        price = BOOK.listed(provider, model.id, "", NOON)
        assert price is not None
        keys = held_at(model, NOON)
        assert set(price.meters) == {meter for meter, _, alternatives in METER_KEYS if keys & set(alternatives)}


@pytest.mark.parametrize(
    ("provider", "model", "meter"),
    [
        ("openai", "gpt-4o-audio-preview", "audio_input"),
        ("openai", "gpt-4o-audio-preview", "audio_output"),
        ("openai", "gpt-5", "audio_input"),
        ("openrouter", "anthropic/claude-opus-4.5", "cache_write_1h"),
    ],
)
def test_audio_and_long_writes_without_a_price_are_not_billed_as_text(provider: str, model: str, meter: Meter) -> None:
    """Case 43: they cost a multiple of text, so what the list does not price waits for a price of the company's own."""
    price = BOOK.listed(provider, model, "", NOON)
    assert price is not None
    assert price.cost({"input_uncached": 1_000_000}) > 0
    with pytest.raises(UnpricedMeterError, match=f"no price for {meter} of "):
        price.cost({meter: 1_000_000})


@pytest.mark.parametrize(
    ("provider", "model"), [("perplexity", "sonar-deep-research"), ("google", "gemini-omni-1.1-flash")]
)
def test_models_that_bill_unreported_output_have_no_price(provider: str, model: str) -> None:
    """Where reasoning, citations or video cost more than other output and no one reports them apart, we wait."""
    assert calculated(provider, model, NOON, {"output": 1_000_000}) > 0
    assert BOOK.listed(provider, model, "", NOON) is None


def test_every_meter_has_one_row() -> None:
    """Each meter is looked up once in the list, except the company's own, which only a handbook can price."""
    assert sorted([*(meter for meter, _, _ in METER_KEYS), *NEVER_LISTED]) == sorted(METERS)


def test_gpu_time_is_never_listed() -> None:
    """GPU seconds of a listed model are refused, not given away."""
    price = BOOK.listed("openai", "gpt-4o", "", NOON)
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
    assert book.listed(provider, model, "", NOON) is None
    assert book.listed(provider, model, "", NOON) is None


GATEWAY_NAMES = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-4o",
    "text-completion-openai": "gpt-3.5-turbo-instruct",
    "azure": "gpt-4o",
    "azure_ai": "gpt-4o",
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
    price = BOOK.listed(provider, model, "", NOON)
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
    first = [BOOK.listed(provider, model.id, "", at) for at in points]
    again = [BOOK.listed(provider, model.id, "", at) for at in reversed(points)]
    assert all(one is other for one, other in zip(first, reversed(again), strict=True))
    assert len({id(price) for price in first}) > 1


def test_an_instant_means_the_same_in_every_zone() -> None:
    """A price depends on when something was used, not on how that time is written."""
    far_east = timezone(timedelta(hours=13))
    for provider, model in CONDITIONAL:
        for at in turning_points(model):
            here, there = (BOOK.listed(provider, model.id, "", when) for when in (at, at.astimezone(far_east)))
            assert here is there


def tier_of(variant: PriceVariant) -> str:
    [tier] = variant.when.values()
    return tier


def test_every_tier_costs_what_the_list_says() -> None:
    """Batch, priority, flex and fast calls of each model, around each change, cost what the list calculates."""
    sizes = cycle(SIZES)
    compared: dict[str, int] = {}
    for provider, model, variant in VARIANTS:
        for at in sorted(turning_points(model)):
            price = BOOK.listed(provider, model.id, tier_of(variant), at)
            if price is None:
                continue
            used = billable(price, {**CALL, "input_uncached": CALL["input_uncached"] + next(sizes)})
            assert price.cost(used) == calculated(provider, model.id, at, used, variant.when), (model.id, variant, at)
            assert price.tier == tier_of(variant)
            compared[price.tier] = compared.get(price.tier, 0) + 1
    assert compared["batch"] > 150
    assert all(compared[tier] > 30 for tier in ("priority", "flex", "fast"))


def test_the_list_has_no_service_tiers_that_we_do_not_know() -> None:
    """Each condition of the list stands alone, and is a service tier or one of those that no gateway reports."""
    whens = [variant.when for _, model in MODELS for variant in model.price_variants or ()]
    assert {len(when) for when in whens} == {1}
    assert {key for when in whens for key in when} == {*TIER_KEYS, "search_type", "route"}


def test_a_tier_is_another_price_than_the_standard_one() -> None:
    """GPT-5's output costs USD 10 a million, twice that as priority, half that in batches and as flex."""
    used: Meters = {"output": 1_000_000}
    for tier, usd in (("", 10), ("priority", 20), ("batch", 5), ("flex", 5)):
        price = BOOK.listed("openai", "gpt-5", tier, NOON)
        assert price is not None
        assert price.cost(used) == NanoUSD(usd * NANO_PER_USD)


def test_what_a_tier_does_not_price_itself_costs_as_in_the_standard_one() -> None:
    """A batch may halve the price of tokens, and says nothing about searches."""
    standard, batch = (BOOK.listed("openai", "gpt-5", tier, NOON) for tier in ("", "batch"))
    assert standard is not None
    assert batch is not None
    assert batch.meters["searches"] == standard.meters["searches"]
    assert batch.meters["output"] != standard.meters["output"]


def test_a_tier_has_no_price_before_its_first_day() -> None:
    """Until a tier's price holds nothing is known of it, though the standard price is."""
    waited = 0
    for provider, model, variant in VARIANTS:
        if variant.constraint is None or sum(other.when == variant.when for other in model.price_variants or ()) > 1:
            continue
        assert isinstance(variant.constraint, StartDateConstraint)
        first = datetime.combine(variant.constraint.start_date, time(), UTC)
        assert BOOK.listed(provider, model.id, tier_of(variant), first) is not None
        assert BOOK.listed(provider, model.id, tier_of(variant), first - MICROSECOND) is None
        waited += 1
    assert waited > 50


@pytest.mark.parametrize(
    ("provider", "model", "tier"),
    [
        ("openai", "gpt-5", "scale"),
        ("openai", "gpt-5", "Priority"),
        ("openai", "no-such-model", "batch"),
        ("anthropic", "claude-sonnet-4-5", "priority"),
        ("perplexity", "sonar", "fast"),
    ],
)
def test_a_tier_that_is_not_listed_has_no_price(provider: str, model: str, tier: str) -> None:
    """The standard price does not stand in for a tier, nor does a price for another condition of the same name."""
    assert BOOK.listed(provider, model, tier, NOON) is None


def test_another_sellers_tier_is_not_taken_for_ones_own() -> None:
    """Where Azure's models are looked up at their makers, the standard price holds, and none of the tiers."""
    borrowed = 0
    own = {model.id for provider, model in MODELS if provider == "azure"}
    for _, model, variant in VARIANTS:
        if model.id not in own and BOOK.listed("azure", model.id, "", NOON) is not None:
            assert BOOK.listed("azure", model.id, tier_of(variant), NOON) is None
            assert calculated("azure", model.id, NOON, CALL) == calculated("azure", model.id, NOON, CALL, variant.when)
            borrowed += 1
    assert borrowed > 50


def test_tiers_of_one_model_are_remembered_apart() -> None:
    """Each tier is one object, whatever was asked in between."""
    first = [BOOK.listed("openai", "gpt-5", tier, NOON) for tier in ("", "batch", "priority")]
    again = [BOOK.listed("openai", "gpt-5", tier, NOON) for tier in ("priority", "", "batch")]
    assert [id(price) for price in again] == [id(first[i]) for i in (2, 0, 1)]
    assert len({id(price) for price in first}) == 3
