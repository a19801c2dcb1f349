"""What a real proxy sends in odd situations, and what it should cost: through the whole intake, price and debit.

The payloads are in tests/data/litellm_cases.
"""

from __future__ import annotations

import base64
import copy
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from handlers.usage import litellm
from policy.metering import UsageEvent
from policy.units import MicroTokens
from programme.people import directory
from programme.usage import intake
from store.tables.usage import usage_days, usage_events, usage_works
from store.usage import events as usage_store
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.data import LITELLM, LITELLM_CASES

if TYPE_CHECKING:
    from policy.metering import IdentityKind
    from programme.app import App
    from tests.support.clock import Clock

SOURCE = "litellm-eu"
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """The payloads are of 23 November; whoever takes them in has a clock that is past it."""
    clock.move(days=4)


def case(name: str) -> list[Json]:
    payloads: list[Json] = json.loads((LITELLM_CASES / f"{name}.json").read_text())
    return payloads


def altered(payload: Json, usage: Json | None = None, **changes: object) -> Json:
    """A copy with some fields changed, in `usage_object` as well."""
    changed = copy.deepcopy(payload) | changes
    if usage is not None:
        changed["metadata"]["usage_object"] = (changed["metadata"]["usage_object"] or {}) | usage
    return changed


def sent(app: App, payloads: list[Json]) -> list[tuple[str, str]]:
    """(status, detail) of each payload, as the gateway is answered."""
    items = litellm.parse(json.dumps(payloads).encode(), source=SOURCE)
    with app.transaction() as moment:
        outcomes = iter(intake.take_in(moment, [item for item in items if isinstance(item, UsageEvent)]))
    fates = [next(outcomes)[2:] if isinstance(item, UsageEvent) else ("free", item.detail) for item in items]
    return [(status, detail) for status, detail in fates]


def statuses(app: App, payloads: list[Json]) -> list[str]:
    return [status for status, _ in sent(app, payloads)]


def spent(app: App, email: str = ADA) -> Decimal:
    """USD that a wallet paid; the ledger holds, and the roll-up has the same sum."""
    assert books.findings(app) == {}
    [[events]] = books.rows(app, sa.select(sa.func.coalesce(sa.func.sum(usage_events.c.cost_nano_usd), 0)))
    [[days]] = books.rows(app, sa.select(sa.func.coalesce(sa.func.sum(usage_days.c.cost_nano_usd), 0)))
    assert events == days
    # A token is a cent.
    return -books.wallet(app, email).decimal / 100


def waiting(app: App) -> dict[str, str]:
    """Detail by reason of what is in quarantine."""
    with app.database.reading() as session:
        return {held.reason: held.detail for held in usage_store.held_events(session, limit=100)}


def know(app: App, value: str, email: str, *, source: str = SOURCE, kind: IdentityKind = "key_alias") -> None:
    with app.transaction() as moment:
        directory.map_identity(moment, source=source, kind=kind, value=value, email=email, actor="test")


# --- Searches ---------------------------------------------------------------------------------------------------------


def test_web_searches_are_billed_beside_the_tokens(sqlite_app: App) -> None:
    """Five searches of Anthropic's cost USD 0.05 more, at 10 per 1,000."""
    [payload] = case("01-web-search")
    without = altered(payload, {"server_tool_use": {}}, litellm_call_id="without")
    statuses(sqlite_app, [without])
    tokens_alone = spent(sqlite_app)
    statuses(sqlite_app, [payload])
    assert spent(sqlite_app) - 2 * tokens_alone == Decimal("0.05")


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        ({"server_tool_use": {"web_search_requests": 2}}, 2),
        ({"server_tool_use": None, "prompt_tokens_details": {"web_search_requests": 3}}, 3),
        ({"server_tool_use": {"web_search_requests": 2}, "prompt_tokens_details": {"web_search_requests": 2}}, 2),
        ({"server_tool_use": {"web_search_requests": 0}}, 0),
    ],
)
def test_searches_stand_where_each_provider_counts_them(usage: Json, count: int) -> None:
    """The same count in two places is the same searches."""
    event = parsed(altered(case("01-web-search")[0], usage))
    assert event.meters.get("searches", 0) == count


@pytest.mark.parametrize(("model", "count"), [("gemini-2.5-pro", 1), ("gemini-3-pro", 4)])
def test_google_charged_for_grounded_prompts_before_gemini_3(model: str, count: int) -> None:
    """A prompt that is grounded by four queries is one search of Gemini 2.5, and four of Gemini 3."""
    payload = altered(case("01-web-search")[0], {"server_tool_use": {"web_search_requests": 4}})
    assert parsed(payload | {"custom_llm_provider": "gemini", "model": model}).meters["searches"] == count


@pytest.mark.parametrize(
    ("response", "count"),
    [
        ({"output": [{"type": "web_search_call"}, {"type": "message"}, {"type": "web_search_call"}]}, 2),
        ({"output": [{"type": "file_search_call"}]}, 0),
        ({}, 1),
        ("redacted-by-litellm", 1),
    ],
)
def test_searches_that_no_one_counted_are_seen_in_the_answer(response: object, count: int) -> None:
    """Where the gateway charges for tools, the searches in the answer are counted; without an answer it is one."""
    [payload] = case("04-responses-only-total")
    tools = {"cost_breakdown": {"tool_usage_cost": 0.02}, "response": response}
    assert parsed(altered(payload, {"input_tokens": 9}, **tools)).meters.get("searches", 0) == count
    free = tools | {"cost_breakdown": {"tool_usage_cost": 0.0}}
    assert "searches" not in parsed(altered(payload, {"input_tokens": 9}, **free)).meters


# --- What was counted -------------------------------------------------------------------------------------------------


def test_tokens_of_which_only_the_sum_is_told_wait_with_it(sqlite_app: App) -> None:
    """Nobody knows how many of them were input: the sum is kept, and waits."""
    assert statuses(sqlite_app, case("04-responses-only-total")) == ["quarantined"]
    assert waiting(sqlite_app) == {"unpriced_meter": "no price for undivided_tokens of openai/gpt-5"}
    assert books.rows(sqlite_app, sa.select(usage_events.c.meters)) == [({"undivided_tokens": 521},)]


def test_usage_in_the_words_of_the_responses_api_is_read() -> None:
    """`/v1/responses` passed through says input and output tokens, with their details."""
    usage = {
        "input_tokens": 121,
        "output_tokens": 400,
        "input_tokens_details": {"cached_tokens": 100},
        "output_tokens_details": {"reasoning_tokens": 300},
    }
    event = parsed(altered(case("04-responses-only-total")[0], usage))
    assert event.meters == {"input_uncached": 21, "cache_read": 100, "output": 400}


@pytest.mark.parametrize(("prompt", "completion"), [(121, 0), (0, 400)])
def test_what_one_part_leaves_of_the_sum_is_the_other(prompt: int, completion: int) -> None:
    """Of 521 tokens 121 were input, or 400 output: the rest is known as well."""
    payload = altered(case("04-responses-only-total")[0], prompt_tokens=prompt, completion_tokens=completion)
    assert parsed(payload).meters == {"input_uncached": 121, "output": 400}


def test_what_is_kept_for_hours_is_the_dearer_cache_write() -> None:
    """Twelve hours count as the long time, thirty minutes as the short one."""
    kept = {"ephemeral_30m_input_tokens": 5, "ephemeral_12h_input_tokens": 7}
    details = {"cache_write_tokens": 12, "cache_creation_token_details": kept}
    event = parsed(altered(case("11-fast-mode")[0], {"prompt_tokens_details": details}))
    assert (event.meters["cache_write_5m"], event.meters["cache_write_1h"]) == (5, 7)


# --- One bill for one piece of work -----------------------------------------------------------------------------------


def test_a_stored_response_is_billed_once_however_often_it_is_fetched(app: App) -> None:
    """The call that made it is billed; whoever fetches it later buys nothing."""
    payloads = case("05-get-responses")
    assert statuses(app, payloads) == ["accepted", "duplicate", "duplicate"]
    # 121 × 1.25 + 400 × 10 USD a million.
    assert spent(app) == Decimal("0.00415125")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_response_is_billed_once_in_whatever_order_and_batches_it_is_told(
    sqlite_app: App, order: tuple[int, ...]
) -> None:
    """A journal that is sent again tells things late, and twice."""
    payloads = case("05-get-responses")
    for _ in range(2):
        for number in order:
            sent(sqlite_app, [payloads[number]])
    assert spent(sqlite_app) == Decimal("0.00415125")


def test_a_response_that_the_gateway_renamed_is_the_same_one(sqlite_app: App) -> None:
    """LiteLLM writes the provider and the deployment into a response's id, and not always the same."""
    made, fetched, again = case("05-get-responses")
    renamed = [f"litellm:custom_llm_provider:openai;model_id:{model};response_id:chatcmpl-7" for model in ("a", "None")]
    ids = [f"resp_{base64.b64encode(name.encode()).decode()}" for name in renamed]
    payloads = [made | {"id": ids[0]}, fetched | {"id": ids[1]}, again]
    assert statuses(sqlite_app, payloads) == ["accepted", "duplicate", "duplicate"]


def test_a_response_in_the_background_is_billed_when_it_is_ready(sqlite_app: App) -> None:
    """The call that began it counted nothing, the first look after its end everything, and later looks nothing."""
    made, fetched, again = case("05-get-responses")
    none = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "response_cost": 0.0}
    queued = made | none | {"response": {"background": True, "status": "queued"}}
    looked = fetched | none | {"litellm_call_id": "look-1", "response": {"background": True, "status": "in_progress"}}
    ready = [one | {"response": {"background": True, "status": "completed"}} for one in (fetched, again)]
    assert statuses(sqlite_app, [queued, looked, *ready]) == ["free", "free", "accepted", "duplicate"]
    assert spent(sqlite_app) == Decimal("0.00415125")


def test_a_response_whose_id_is_encrypted_anew_is_known_by_its_content(sqlite_app: App) -> None:
    """A proxy gives a stored response another id at each look: what stays is when it was made, its parts and counts."""
    ready = {"background": True, "status": "completed", "created_at": 1795440100, "output": [{"id": "msg_1"}]}
    _, first, again = (payload | {"response": ready} for payload in case("05-get-responses"))
    ids = [f"resp_{letter * 90}-_{letter * 90}" for letter in "abc"]
    other = again | {"id": ids[2], "response": ready | {"output": [{"id": "msg_2"}]}, "litellm_call_id": "other"}
    payloads = [first | {"id": ids[0]}, again | {"id": ids[1]}, other]
    assert statuses(sqlite_app, payloads) == ["accepted", "duplicate", "accepted"]


@pytest.mark.parametrize(("cost", "status"), [(0.0, "free"), (0.004, "accepted")])
def test_a_look_that_nothing_tells_of_goes_by_the_gateways_price(sqlite_app: App, cost: float, status: str) -> None:
    """With an encrypted id and no answer logged, what the gateway gives away was billed with the call before."""
    fetched = case("05-get-responses")[1] | {"id": f"resp_{'a-_' * 60}", "response_cost": cost}
    assert statuses(sqlite_app, [fetched]) == [status]


def test_fetching_what_was_not_made_in_the_background_is_free(sqlite_app: App) -> None:
    """The answer says so itself: then the call that made it was billed, whether or not we ever heard of it."""
    fetched = case("05-get-responses")[1] | {"response": {"background": False, "status": "completed"}}
    assert sent(sqlite_app, [fetched]) == [("free", "billed with the call that it came from")]


def test_two_calls_whose_answers_share_an_id_are_both_paid(sqlite_app: App) -> None:
    """Not every server's ids are unique: a call of its own with other counts is no repeat."""
    made = case("05-get-responses")[0]
    other = made | {"litellm_call_id": "other", "completion_tokens": 500, "total_tokens": 621}
    assert statuses(sqlite_app, [made, other]) == ["accepted", "accepted"]


def test_a_finished_batch_has_the_batch_price(app: App) -> None:
    """What is created or not finished is free; what is finished costs half of 1.25 and 10 USD a million, once."""
    assert statuses(app, case("06-batch")) == ["free", "free", "accepted", "duplicate"]
    # 31,493,594 × 0.625 + 19,786,241 × 5 USD a million.
    assert spent(app) == Decimal("118.61470125")


def test_a_batch_is_billed_once_however_often_it_is_looked_at(app: App) -> None:
    """Three looks, by whomever, are one batch: USD 105.09 with its cached tokens."""
    first, second, third = case("06c-batch-polled")
    third = altered(third)
    third["metadata"]["user_api_key_user_email"] = BEN
    assert statuses(app, [first]) == ["accepted"]
    assert statuses(app, [second, third]) == ["duplicate", "duplicate"]
    assert round(spent(app), 2) == Decimal("105.09")


def test_a_batch_is_no_large_context(sqlite_app: App) -> None:
    """A million tokens in a batch are many requests: the price of contexts above 200,000 tokens is not theirs."""
    payload = case("06c-batch-polled")[0] | {"custom_llm_provider": "anthropic", "model": "claude-sonnet-4-5"}
    usage = {"prompt_tokens_details": None}
    counts = {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "response_cost": 2.25}
    assert sent(sqlite_app, [altered(payload, usage, **counts)]) == [("accepted", "")]
    assert spent(sqlite_app) == Decimal("2.25")


def test_a_batch_that_later_counts_more_is_a_conflict(sqlite_app: App) -> None:
    """Nothing is posted twice, and nothing is lost: the other counts are on record under the event that stands."""
    first, second, _ = case("06c-batch-polled")
    [(status, _)] = sent(sqlite_app, [first])
    more = second | {"completion_tokens": 20_000_000}
    [(other, detail)] = sent(sqlite_app, [more])
    assert (status, other) == ("accepted", "conflict")
    assert detail.startswith("taken in already, with other counts, as 39853f5b-a2cc-4306-9fd6-80293550cb35@")
    assert round(spent(sqlite_app), 2) == Decimal("105.09")


def test_a_batch_of_a_deployment_without_a_model_is_named_by_its_answers() -> None:
    """A batch may name no model of its own; one model in its answers names it, several do not."""
    payload = case("06c-batch-polled")[0] | {"model": ""}
    assert parsed(payload | {"hidden_params": {"batch_models": ["gpt-5", "gpt-5"]}}).model == "gpt-5"
    assert parsed(payload | {"hidden_params": {"batch_models": ["gpt-5", "gpt-4o"]}}).model == ""


def test_work_that_waits_for_a_price_is_held_once(sqlite_app: App) -> None:
    """Looks at a batch without a price are no new holds."""
    payloads = [payload | {"model": "inhouse-llm-9"} for payload in case("06c-batch-polled")]
    assert statuses(sqlite_app, payloads) == ["quarantined", "duplicate", "duplicate"]
    assert waiting(sqlite_app) == {
        "unknown_model": "no price is known for the whole-batch tier of openai/inhouse-llm-9"
    }


def test_both_halves_of_a_bridged_call_are_one_call(app: App) -> None:
    """Where LiteLLM answers `/v1/responses` by a chat completion and reports both, one is billed."""
    outer = case("05-get-responses")[0] | {"custom_llm_provider": "anthropic", "model": "claude-sonnet-4-5"}
    inner = outer | {"call_type": "acompletion", "id": "chatcmpl-inner", "startTime": outer["startTime"] + 0.004}
    assert statuses(app, [outer, inner]) == ["duplicate", "accepted"]
    assert statuses(app, [outer]) == ["duplicate"]
    looked = outer | {"call_type": "aget_responses", "litellm_call_id": "later"}
    assert statuses(app, [looked]) == ["duplicate"]
    [[calls]] = books.rows(app, sa.select(usage_days.c.calls))
    assert calls == 1


@pytest.mark.parametrize(
    "other",
    [
        {"startTime": 1795440164.4},
        {"custom_llm_provider": "openai", "model": "gpt-5"},
        {"completion_tokens": 401},
        {"litellm_call_id": "another"},
        {"status": "failure"},
    ],
)
def test_calls_that_only_look_alike_are_both_paid(sqlite_app: App, other: Json) -> None:
    """A client may give all its calls one id: what began later, elsewhere, or counted otherwise is another call."""
    outer = case("05-get-responses")[0] | {"custom_llm_provider": "anthropic", "model": "claude-sonnet-4-5"}
    inner = outer | {"call_type": "acompletion", "id": "chatcmpl-inner", "startTime": outer["startTime"] + 0.004}
    assert statuses(sqlite_app, [inner | other]) == ["accepted"]
    assert statuses(sqlite_app, [outer]) == ["accepted"]


def test_what_was_posted_before_looks_were_told_apart_stays_known(sqlite_app: App) -> None:
    """Ids did not change: an old ledger's events, sent again, are duplicates, though no work was noted then."""
    payloads = [*case("05-get-responses")[:1], *case("06c-batch-polled")[:1]]
    assert statuses(sqlite_app, payloads) == ["accepted", "accepted"]
    with sqlite_app.transaction() as moment:
        moment.session.execute(sa.delete(usage_works))
    assert statuses(sqlite_app, payloads) == ["duplicate", "duplicate"]


# --- What buys nothing ------------------------------------------------------------------------------------------------


def test_files_listings_and_deletions_buy_nothing(sqlite_app: App) -> None:
    """They are counted and free; only what makes or reads something (speech, pictures, ranks) waits for its price."""
    payloads = case("07-free-calls")
    told = dict(zip((payload["call_type"] for payload in payloads), statuses(sqlite_app, payloads), strict=True))
    assert {kind for kind, status in told.items() if status == "quarantined"} == {
        "aspeech",
        "atranscription",
        "aimage_generation",
        "arerank",
    }
    assert {status for status in told.values() if status != "quarantined"} == {"free"}


def test_a_look_at_what_cost_nothing_waits_for_nothing(sqlite_app: App) -> None:
    """A stored response without any usage is fetched: nothing is held, not even for a person whom nobody knows."""
    [payload] = case("13b-free-retrieval")
    payload["metadata"]["user_api_key_user_email"] = "stranger@example.com"
    assert statuses(sqlite_app, [payload]) == ["free"]
    assert waiting(sqlite_app) == {}


def test_a_call_without_a_payload_is_nothing(sqlite_app: App) -> None:
    """LiteLLM sends null for listings; its neighbours are taken in."""
    assert statuses(sqlite_app, [None, *case("11-fast-mode")]) == ["free", "accepted"]  # type: ignore[list-item]


@pytest.mark.parametrize("kind", ["amoderation", "call_mcp_tool", "avector_store_search"])
def test_what_the_gateway_has_a_price_for_is_not_given_away(kind: str) -> None:
    """A tool with a price of its own is a request that needs one."""
    payload = case("13b-free-retrieval")[0] | {"call_type": kind, "response_cost": 0.01}
    assert parsed(payload).meters == {"requests": 1}


# --- Tiers, regions, names --------------------------------------------------------------------------------------------


def test_fast_mode_has_its_own_price(sqlite_app: App) -> None:
    """A million in and 100,000 out of Claude Opus 5 at its fast speed: USD 15, not 7.50."""
    assert sent(sqlite_app, case("11-fast-mode")) == [("accepted", "")]
    assert spent(sqlite_app) == Decimal(15)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"speed": "standard"}, "7.5"),
        ({"speed": None, "inference_geo": "global"}, "7.5"),
        ({"speed": None, "inference_geo": "not_available"}, "7.5"),
        ({"speed": None, "inference_geo": "US"}, "8.25"),
        ({"speed": "fast", "inference_geo": "us"}, "16.5"),
        ({"speed": None, "inference_geo": "us", "server_tool_use": {"web_search_requests": 10}}, "8.35"),
    ],
)
def test_speed_and_region_decide_the_price(sqlite_app: App, usage: Json, usd: str) -> None:
    """Inference in the US costs a tenth more for every token, and nothing more for a search."""
    payload = altered(case("11-fast-mode")[0], usage)
    assert statuses(sqlite_app, [payload]) == ["accepted"]
    assert spent(sqlite_app) == Decimal(usd)


@pytest.mark.parametrize("usage", [{"speed": "ludicrous"}, {"speed": None, "inference_geo": "mars"}])
def test_an_unknown_speed_or_region_waits(sqlite_app: App, usage: Json) -> None:
    """Without a price nobody guesses one."""
    assert statuses(sqlite_app, [altered(case("11-fast-mode")[0], usage)]) == ["quarantined"]
    assert set(waiting(sqlite_app)) == {"unknown_model"}


def test_a_deployment_is_priced_as_the_model_behind_it(sqlite_app: App) -> None:
    """Azure names deployments as one likes; LiteLLM tells the model behind a name."""
    assert sent(sqlite_app, case("14b-azure-base-model")) == [("accepted", "")]
    # 100 × 1.25 + 10 × 10 USD a million.
    assert spent(sqlite_app) == Decimal("0.000225")
    assert books.rows(sqlite_app, sa.select(usage_events.c.model)) == [("gpt-5",)]


@pytest.mark.parametrize("provider", ["azure_ai", "azure"])
def test_azures_two_names_have_the_same_prices(sqlite_app: App, provider: str) -> None:
    """`azure_ai` is Azure as well."""
    payload = case("14b-azure-base-model")[0] | {"custom_llm_provider": provider, "model": f"{provider}/gpt-5"}
    assert statuses(sqlite_app, [payload]) == ["accepted"]
    assert spent(sqlite_app) == Decimal("0.000225")


OWN_NAME = """
[[prices]]
provider = "azure"
model = "our-prod-chat"
per = "million"
usd = { input_uncached = 100, output = 100 }
from = 2026-01-01
"""


def test_a_price_for_the_deployments_own_name_wins(sqlite_app: App) -> None:
    """What the handbook says of a name holds, whatever the gateway thinks stands behind it."""
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 1, 1), more=OWN_NAME)
    assert statuses(sqlite_app, case("14b-azure-base-model")) == ["accepted"]
    assert spent(sqlite_app) == Decimal("0.011")
    assert books.rows(sqlite_app, sa.select(usage_events.c.model)) == [("our-prod-chat",)]


def test_the_model_behind_a_name_is_found_though_nobody_is_known(sqlite_app: App) -> None:
    """Whoever is added later pays the price of the model: a retry knows no more than the event."""
    [payload] = case("14b-azure-base-model")
    payload["metadata"] |= {"user_api_key_user_email": None, "user_api_key_user_id": None}
    assert statuses(sqlite_app, [payload]) == ["quarantined"]
    know(sqlite_app, "ada-laptop", ADA)
    assert books.retry(sqlite_app) == (1, 0)
    assert spent(sqlite_app) == Decimal("0.000225")


# --- Whose it is ------------------------------------------------------------------------------------------------------


def test_a_key_that_was_mapped_is_its_owners_whoever_made_it(sqlite_app: App) -> None:
    """An administrator made the key; its alias was mapped to Ada for this gateway."""
    cast.hire(sqlite_app, ADMIN)
    know(sqlite_app, "ada-agents", ADA)
    assert statuses(sqlite_app, case("50-admin-key-alias")) == ["accepted"]
    assert spent(sqlite_app) == Decimal("0.000225")
    assert books.wallet(sqlite_app, "admin@example.com") == MicroTokens(0)


@pytest.mark.parametrize("source", ["*", "another-gateway"])
def test_a_mapping_for_other_gateways_does_not_outweigh_an_e_mail(sqlite_app: App, source: str) -> None:
    """Aliases of different gateways may be alike."""
    cast.hire(sqlite_app, ADMIN)
    know(sqlite_app, "ada-agents", ADA, source=source)
    assert statuses(sqlite_app, case("50-admin-key-alias")) == ["accepted"]
    assert books.wallet(sqlite_app, ADA) == MicroTokens(0)


ADMIN = "email,name,level,role_family,time_zone,hired_on\nadmin@example.com,Admin,mid,engineering,UTC,2026-01-01\n"


# --- The gateway's own price ------------------------------------------------------------------------------------------


def test_the_gateways_own_price_is_a_second_opinion(sqlite_app: App) -> None:
    """LiteLLM forgot the batch's cached tokens: ours is posted, and the answer has both figures."""
    [(status, detail)] = sent(sqlite_app, case("06c-batch-polled")[:1])
    assert status == "accepted"
    assert detail == "posted at USD 105.08928525; the gateway reckons USD 118.6147"


def test_the_gateways_margins_and_guardrails_are_none_of_the_models_price() -> None:
    """What a company adds for itself, takes off or checks beside it says nothing of the provider's price."""
    [payload] = case("11-fast-mode")
    parts = {"discount_amount": 1.0, "margin_total_amount": 2.5, "guardrail_cost": 0.5}
    assert quote(payload) == 15_000_000_000
    assert quote(payload | {"cost_breakdown": parts}) == 13_000_000_000


@pytest.mark.parametrize("cost", [None, 0, -1, 1e300])
def test_what_is_no_price_is_no_opinion(cost: object) -> None:
    """A gateway that knows no price says 0; nonsense is passed over, and the call is paid."""
    assert quote(case("11-fast-mode")[0] | {"response_cost": cost}) == 0


def test_a_cached_answer_has_no_price() -> None:
    """Whatever the gateway would have paid: it did not."""
    assert parsed(case("11-fast-mode")[0] | {"cache_hit": True}).remarks is None


def quote(payload: Json) -> int:
    remarks = parsed(payload).remarks
    return remarks.quoted if remarks else 0


# --- What stays the same ----------------------------------------------------------------------------------------------

FINGERPRINTS = {
    "streaming": "befd41d0187170082554ebed0fcbe474",
    "streaming_include_usage": "1cd55460b64691624634428d24fbbd61",
    "success": "aa5c1e5e9159b9eee9d38f2c47796d76",
    "success_cache_hit": "f72b84ae4b556f99cb00ec0fbf74b507",
    "success_mock": "b08b4c314af0433da7c4da75ada82522",
    "success_unknown_price": "e9fa2ea8ea2548ba806661f5fe18ba15",
}


@pytest.mark.parametrize(("name", "fingerprint"), FINGERPRINTS.items())
def test_ordinary_calls_keep_their_fingerprints(name: str, fingerprint: str) -> None:
    """They are stored: with others, a journal that is sent again after an upgrade would be one long conflict."""
    payload = json.loads((LITELLM / f"{name}.json").read_text())
    assert parsed(payload).fingerprint.hex() == fingerprint


def parsed(payload: Json) -> UsageEvent:
    [event] = litellm.parse(json.dumps([payload]).encode(), source=SOURCE)
    assert isinstance(event, UsageEvent), event
    return event
