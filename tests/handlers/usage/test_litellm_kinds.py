"""What LiteLLM 1.110.2 reports of calls that are no plain chats: sound and films, maps, routers, videos, trainings.

The payloads are in tests/data/litellm_cases, from 60 on.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from policy.metering import UnitPrice
from programme.price_book import ROUTERS_FEE
from tests.handlers.usage.test_litellm_cases import altered, case, parsed, sent, spent, statuses, waiting
from tests.support import books

if TYPE_CHECKING:
    from policy.metering import Meters
    from programme.app import App
    from tests.support.clock import Clock


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """The payloads are of 23 November; whoever takes them in has a clock that is past it."""
    clock.move(days=4)


# --- Sound, pictures, films -------------------------------------------------------------------------------------------


def test_cached_sound_is_not_paid_twice(sqlite_app: App) -> None:
    """Of 9,000 tokens of sound 4,000 were cached, at a tenth of the price; so are parts of a spoken session."""
    gemini, realtime = case("60-cached-sound")
    assert parsed(gemini).meters == {
        "input_uncached": 1_000,
        "audio_input": 5_000,
        "audio_cache_read": 4_000,
        "output": 100,
    }
    assert parsed(realtime).meters == {
        "input_uncached": 100,
        "cache_read": 100,
        "audio_input": 300,
        "audio_cache_read": 500,
        "output": 100,
        "audio_output": 300,
    }
    # The gateway reckons the same, so no detail speaks of another price.
    assert sent(sqlite_app, [gemini, realtime]) == [("accepted", "")] * 2
    assert spent(sqlite_app) == Decimal("0.00595") + Decimal("0.03104")


def test_cached_sound_is_never_more_than_what_was_cached() -> None:
    """A detail that exceeds its whole makes no token out of nothing."""
    [_, realtime] = case("60-cached-sound")
    details = {"audio_tokens": 800, "cached_tokens": 600, "cached_tokens_details": {"audio_tokens": 9_000}}
    meters = parsed(altered(realtime, {"prompt_tokens_details": details})).meters
    assert meters["audio_cache_read"] == 600
    assert sum(count for meter, count in meters.items() if not meter.endswith("output")) == 1_000


def test_films_have_a_meter_of_their_own(sqlite_app: App) -> None:
    """What a model looks at is plain input where the list has no other price; what it makes is never billed as text."""
    [seen] = case("66-films")
    assert parsed(seen).meters == {"input_uncached": 1_000, "audio_input": 3_000, "video_input": 6_000, "output": 100}
    assert sent(sqlite_app, [seen]) == [("accepted", "")]
    assert spent(sqlite_app) == Decimal("0.00535")
    made = altered(seen, {"completion_tokens_details": {"video_tokens": 90}}, litellm_call_id="made")
    assert sent(sqlite_app, [made]) == [("quarantined", "no price for video_output of gemini/gemini-2.5-flash")]


# --- Counts that are no tokens ----------------------------------------------------------------------------------------

COUNTED: list[Meters] = [{"audio_seconds": 60}, {"pages": 2}, {"requests": 3}, {"requests": 1}]


@pytest.mark.parametrize(("number", "meters"), list(enumerate(COUNTED)))
def test_what_is_counted_otherwise_is_kept_with_its_count(number: int, meters: Meters) -> None:
    """A minute of sound, two pages and three units of a ranking are no single request; a picture is."""
    assert parsed(case("65-seconds-pages-units")[number]).meters == meters


@pytest.mark.parametrize(("provider", "seconds"), [("openai", 3), ("groq", 10)])
def test_short_sound_has_the_providers_least(provider: str, seconds: int) -> None:
    """Groq charges for ten seconds at least; half a second of anybody's is one."""
    heard = case("65-seconds-pages-units")[0] | {"custom_llm_provider": provider}
    assert parsed(altered(heard, {"seconds": 2.6})).meters == {"audio_seconds": seconds}
    assert parsed(altered(heard, {"seconds": 0.4})).meters["audio_seconds"] >= 1


def test_several_pictures_are_as_many_requests() -> None:
    """A price for a request is the price of a picture."""
    drawn = case("65-seconds-pages-units")[3]
    assert parsed(altered(drawn, {"output_image_count": 4})).meters == {"requests": 4}


def test_sound_and_pages_have_the_lists_price(sqlite_app: App) -> None:
    """USD 0.36 an hour of sound, and USD 4 a thousand pages; a ranking has no public price and waits with its units."""
    heard, read, ranked, _ = case("65-seconds-pages-units")
    assert statuses(sqlite_app, [heard, read]) == ["accepted", "accepted"]
    assert spent(sqlite_app) == Decimal("0.006") + Decimal("0.008")
    assert statuses(sqlite_app, [ranked]) == ["quarantined"]


# --- Searches of other kinds ------------------------------------------------------------------------------------------


def test_a_look_at_a_map_is_no_search_of_the_web(sqlite_app: App) -> None:
    """Grounding in Google Maps has another price, which no public list has: it waits, and is not billed as a search."""
    [payload] = case("61-maps")
    assert parsed(payload).meters == {"input_uncached": 100, "output": 100, "map_searches": 1}
    assert sent(sqlite_app, [payload]) == [("quarantined", "no price for map_searches of gemini/gemini-2.5-flash")]


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ({"tool_usage": {"web_search": {"num_requests": 3}}, "output": [{"type": "web_search_call"}] * 9}, 3),
        ({"choices": [{"message": {"annotations": [{"type": "url_citation"}, {"type": "file_citation"}]}}]}, 1),
        ({"choices": [{"message": {"annotations": [{"type": "file_citation"}]}}]}, 0),
        ({"choices": [{"message": {"content": "redacted"}}]}, 1),
        ({"choices": "redacted"}, 1),
    ],
)
def test_an_answer_shows_which_tools_it_used(answer: object, count: int) -> None:
    """What the gateway charges for tools is a search of the web where the answer says so, or says nothing."""
    payload = case("62-model-router")[0] | {"cost_breakdown": {"tool_usage_cost": 0.03}, "response": answer}
    assert parsed(payload).meters.get("searches", 0) == count


# --- Azure's router ---------------------------------------------------------------------------------------------------


def test_the_fee_of_azures_router_is_paid(sqlite_app: App) -> None:
    """USD 0.14 a million input tokens come on top of the model that the router chose."""
    assert sent(sqlite_app, case("62-model-router")) == [("accepted", "")]
    # 100,000 × (0.05 + 0.14) + 100 × 0.40 USD a million.
    assert spent(sqlite_app) == Decimal("0.01904")


def test_the_routers_fee_is_the_same_for_every_size_of_a_call() -> None:
    """A price with tiers has the fee in each of them, and stays exact."""
    unit = UnitPrice(1, 3, ((200_000, 2),))
    dearer = unit.plus(ROUTERS_FEE)
    for context in (0, 200_001):
        assert dearer.at(context) * 3 * ROUTERS_FEE.per == dearer.per * (
            unit.at(context) * ROUTERS_FEE.per + 3 * ROUTERS_FEE.nano_usd
        )


@pytest.mark.parametrize("costs", [None, 0.014, {"transcription_cost": 0.01}, []])
def test_other_additional_costs_make_no_router(costs: object) -> None:
    """The second opinion shows them; a shape that nobody expects rejects no call."""
    [payload] = case("62-model-router")
    assert parsed(payload | {"cost_breakdown": {"additional_costs": costs}}).tier == ""


def test_a_router_has_tiers_as_well() -> None:
    """What a router serves faster is both."""
    [payload] = case("62-model-router")
    assert parsed(altered(payload, {"service_tier": "priority"})).tier == "priority-router"


# --- Work that is looked at -------------------------------------------------------------------------------------------

SORA = """
[[prices]]
provider = "openai"
model = "sora-2"
per = "unit"
usd = { video_seconds = 0.10 }
from = 2026-01-01
"""


def test_a_video_is_paid_once_however_often_it_is_looked_at(app: App) -> None:
    """Eight seconds at the handbook's price; looks cost nothing, though they have another id and tell the seconds."""
    books.apply_handbook(app, "2026.2", date(2026, 1, 1), more=SORA)
    assert statuses(app, case("63-video-looked-at")) == ["accepted", "free", "free"]
    assert spent(app) == Decimal("0.80")


def test_looks_at_a_video_that_the_gateway_prices_are_one_piece_of_work(sqlite_app: App) -> None:
    """A look with a price is known by the provider's own id, which LiteLLM writes into another one each time."""
    made, look, _ = case("63-video-looked-at")
    assert statuses(sqlite_app, [made, look | {"response_cost": 0.8}]) == ["quarantined", "duplicate"]


def test_a_video_that_is_being_made_is_not_given_away() -> None:
    """Nobody bills it later: it counts when it is ordered, whether or not the gateway knows a price."""
    made, _, _ = case("63-video-looked-at")
    assert parsed(made | {"response_cost": 0}).meters == {"video_seconds": 8}
    assert parsed(altered(made, {"duration_seconds": None}, response_cost=0)).meters == {"requests": 1}


def test_a_training_counts_once_when_it_is_done(sqlite_app: App) -> None:
    """Ordering it and looking at it while it runs are free; what it trained waits for its price, once."""
    assert statuses(sqlite_app, case("64-training")) == ["free", "free", "quarantined", "duplicate"]
    assert waiting(sqlite_app) == {"unpriced_meter": "no price for trained_tokens of openai/gpt-4o-mini"}


# --- What buys nothing ------------------------------------------------------------------------------------------------


def test_stores_and_agents_of_ones_own_buy_nothing(sqlite_app: App) -> None:
    """The SDK reports stores under short names; a search that the gateway has a price for needs one of ours."""
    stores = case("67-stores-and-agents")
    assert statuses(sqlite_app, stores) == ["free", "free", "quarantined"]
    agent = stores[0] | {"call_type": "asend_message", "custom_llm_provider": "a2a_agent", "model": "a2a_agent/travel"}
    assert statuses(sqlite_app, [agent]) == ["free"]
    assert parsed(agent | {"response_cost": 0.02}).meters == {"requests": 1}
