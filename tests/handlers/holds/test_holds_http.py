"""What a gateway can ask over HTTP before a call, and what it and its clients are told."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from handlers import http
from programme.people import directory as people
from programme.usage import keys
from store.tables.holds import holds
from tests.support import books, cast, held
from tests.support.books import ADA, BEN
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from tests.support.clock import Clock


DAILY = 'name = "Ada\'s day"\nscope = "person"\nwindow = "day"\nusd = 3\naction = "stop"'
WARNING = 'name = "Early word"\nscope = "person"\nwindow = "day"\nusd = 1\naction = "warn"'


def a_client(app: App, *scopes: str, source: str = "gateway") -> TestClient:
    with app.transaction() as moment:
        made = keys.create(moment, name=f"{source}-{scopes[0]}", source=source, scopes=scopes, actor="test")
    client = TestClient(http.build(app))
    client.headers["authorization"] = f"Bearer {made.secret}"
    return client


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A gateway's connection; Ada has 250 tokens, and an empty wallet stops her."""
    held.stop(app)
    cast.give(app, ADA, "250")
    with a_client(app, "holds:write") as opened:
        yield opened


def a_hold(id_: str = "call_1", **more: object) -> dict[str, Any]:
    usual = {"id": id_, "user": ADA, "provider": "anthropic", "model": "claude-sonnet-4-5", "estimate": {"usd": "1"}}
    return usual | more


def an_event(id_: str = "e1", **data: object) -> dict[str, Any]:
    used = {
        "user.email": ADA,
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.usage.input_tokens": 0,
        "gen_ai.usage.output_tokens": 5_000,
    }
    event = {"specversion": "1.0", "id": id_, "source": "gateway", "type": "gen_ai.usage", "time": NOON.isoformat()}
    return event | {"data": used | data}


def test_a_call_is_held_and_settled(app: App, client: TestClient) -> None:
    """The answer says what is held until when and what is left; the settle posts and frees at once."""
    made = client.post("/v1/holds", json=a_hold())
    assert made.status_code == 200
    assert made.json() == {
        "id": "call_1",
        "source": "gateway",
        "provider": "anthropic",
        "model": "claude-sonnet-4-5",
        "status": "held",
        "tokens": "100",
        "usd": "1",
        "expires_at": "2026-11-20T12:15:00+00:00",
        "available_tokens": "150",
        "room_usd": "1.50000001",
        "warnings": [],
    }
    settled = client.post("/v1/holds/call_1/settle", json=an_event())
    assert settled.json() == {
        "results": [
            {
                "source": "gateway",
                "id": "e1",
                "status": "accepted",
                "detail": "",
                "hold": {"id": "call_1", "status": "settled", "tokens": "0", "flags": ""},
            }
        ],
        "summary": {"accepted": 1, "duplicate": 0, "conflict": 0, "quarantined": 0, "rejected": 0},
    }
    assert books.wallet(app, ADA) == held.tokens("242.5")
    assert books.findings(app) == {}


def test_a_denial_is_one_sentence_that_says_all(app: App, client: TestClient) -> None:
    """Cap, figures, reset and next step, in a form that clients do not try again; and nothing of it is kept."""
    denied = client.post("/v1/holds", json=a_hold(estimate={"usd": "4"}))
    assert denied.status_code == 402
    assert denied.headers["x-should-retry"] == "false"
    assert denied.json() == {
        "error": {
            "type": "budget_exceeded",
            "code": "wallet_empty",
            "message": "Budget limit reached (quota exceeded): your wallet has room for 250 tokens (USD 2.50) more,"
            " and this call to claude-sonnet-4-5 may cost up to USD 4.00; trying again does not help, so stop here and"
            " ask for more with `/tokens request` in Slack.",
            "cap": "wallet",
            "limit": "2.50000001",
            "used": "0",
            "held": "0",
            "resets_at": None,
            "next_step": "Ask for more with `/tokens request` in Slack.",
            "only_held": False,
        }
    }
    assert books.count(app, holds) == 0


def test_a_denial_by_a_cap_says_when_it_resets(app: App, client: TestClient) -> None:
    """The day ends at midnight of the programme's zone."""
    held.stop(app, DAILY, version="2026.3")
    cast.give(app, ADA, "10000")
    client.post("/v1/holds", json=a_hold(estimate={"usd": "2.5"}))
    error = client.post("/v1/holds", json=a_hold("call_2")).json()["error"]
    assert error["message"] == (
        'Budget limit reached (quota exceeded): the cap "Ada\'s day" allows USD 3.00 a day for you, of which'
        " USD 0.00 is used and USD 2.50 held by running calls, and this call to claude-sonnet-4-5 may cost up to"
        " USD 1.00; trying again does not help, so stop here and ask for more with `/tokens request` in Slack, or wait"
        " until it resets on 2026-11-21 00:00 (Europe/Berlin)."
    )
    assert (error["limit"], error["used"], error["held"]) == ("3", "0", "2.5")
    assert error["resets_at"] == "2026-11-20T23:00:00+00:00"


def test_a_list_is_decided_one_by_one(client: TestClient) -> None:
    """What does not fit, is not known or cannot be read leaves the others as they are."""
    asked = [
        a_hold("a"),
        a_hold("b", estimate={"usd": "9"}),
        a_hold("c", user="nobody@example.com"),
        {"id": "d"},
        a_hold("e"),
    ]
    answers = client.post("/v1/holds", json=asked).json()
    assert [one["status"] for one in answers] == ["held", "denied", "rejected", "rejected", "held"]
    assert answers[1]["error"]["code"] == "wallet_empty"
    assert answers[2]["code"] == "unknown_person"
    assert "user" in answers[3]["detail"]


def test_a_cap_that_only_warns_is_told_with_the_hold(app: App, client: TestClient) -> None:
    """The call runs, and its gateway can say so."""
    held.stop(app, WARNING, version="2026.3")
    [warning] = client.post("/v1/holds", json=a_hold(estimate={"usd": "1.2"})).json()["warnings"]
    assert warning["cap"] == "Early word"
    assert warning["message"].endswith("for now that only warns.")


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"user": "nobody@example.com"}, 404, "unknown_person"),
        ({"model": "odd", "estimate": {}}, 422, "unknown_model"),
        ({"provider": ""}, 422, "provider: expected the provider of the model"),
        ({"estimate": {"usd": "much"}}, 422, 'estimate.usd: expected an amount such as "1.20"'),
        ({"estimate": {"usd": "-1"}}, 422, 'estimate.usd: expected an amount such as "1.20"'),
        ({"estimate": {"inputs": 3}}, 422, "inputs"),
        ({"estimate": {"input_bytes": -3}}, 422, "estimate.input_bytes: expected an integer ≥ 0, got -3"),
        ({"expires_in": 0}, 422, "expires_in"),
        ({"expires_in": 7_200}, 422, "expires_in: expected at most 3600 for a call, got 7200"),
        ({"kind": "lease"}, 422, "kind"),
    ],
)
def test_what_cannot_be_is_named_with_its_field(
    client: TestClient, more: dict[str, Any], status: int, said: str
) -> None:
    """A gateway's mistake is told by field and value, and holds nothing."""
    refused = client.post("/v1/holds", json=a_hold(**more))
    assert refused.status_code == status
    assert said in refused.json()["detail"]


def test_the_same_id_gets_the_first_answer_and_another_content_a_conflict(client: TestClient) -> None:
    """A gateway that lost the answer asks again."""
    first = client.post("/v1/holds", json=a_hold())
    assert client.post("/v1/holds", json=a_hold()).json() == first.json()
    assert client.post("/v1/holds", json=a_hold(model="claude-opus-4-5")).status_code == 409


def test_release_and_extend(client: TestClient, clock: Clock) -> None:
    """A heartbeat moves the end, a release gives all back, and what is over can't be extended."""
    client.post("/v1/holds", json=a_hold())
    clock.move(minutes=5)
    longer = client.post("/v1/holds/call_1/extend", json={"expires_in": 60, "estimate": {"usd": "1.5"}})
    assert (longer.json()["expires_at"], longer.json()["tokens"]) == ("2026-11-20T12:06:00+00:00", "150")
    assert client.post("/v1/holds/call_1/extend", json={"estimate": {"usd": "99"}}).status_code == 402
    assert client.post("/v1/holds/call_1/release").json() == {"id": "call_1", "status": "released"}
    assert client.post("/v1/holds/call_1/release").status_code == 200
    assert client.post("/v1/holds/call_1/extend", json={}).status_code == 409
    assert client.post("/v1/holds/other/release").status_code == 404


def test_what_is_settled_is_not_released(client: TestClient) -> None:
    """It was posted: there is nothing to give back."""
    client.post("/v1/holds", json=a_hold())
    client.post("/v1/holds/call_1/settle", json=[an_event()])
    refused = client.post("/v1/holds/call_1/release")
    assert refused.status_code == 409
    assert "already_settled" in refused.json()["detail"]


def test_usage_may_name_its_hold_itself(app: App, client: TestClient) -> None:
    """`/v1/usage` does the same with `hold` in the data, for parts as well."""
    client.post("/v1/holds", json=a_hold())
    with a_client(app, "usage:write") as reporting:
        part = reporting.post("/v1/usage", json=an_event(hold="call_1", hold_final=False)).json()["results"][0]
        assert part["hold"] == {"id": "call_1", "status": "held", "tokens": "92.5", "flags": ""}
        last = reporting.post("/v1/usage", json=an_event("e2", hold="call_1")).json()["results"][0]
        assert last["hold"]["status"] == "settled"
        stray = reporting.post("/v1/usage", json=an_event("e3", hold="call_9")).json()["results"][0]
        assert (stray["status"], stray["hold"]["status"]) == ("accepted", "unknown")
    assert books.findings(app) == {}


def test_a_settle_takes_no_corrections_and_no_other_sources(client: TestClient) -> None:
    """Those have a scope of their own, and a key speaks for its source."""
    client.post("/v1/holds", json=a_hold())
    correction = an_event(revision=1, reason="x") | {"type": "gen_ai.usage.corrected"}
    answers = client.post("/v1/holds/call_1/settle", json=[correction, an_event() | {"source": "other"}]).json()
    assert [one["status"] for one in answers["results"]] == ["rejected", "rejected"]


def test_a_gateway_sees_only_its_own_holds(app: App, client: TestClient) -> None:
    """The same id is another hold for another source."""
    client.post("/v1/holds", json=a_hold())
    with a_client(app, "holds:write", source="other") as other:
        assert other.post("/v1/holds/call_1/release").status_code == 404
    with a_client(app, "usage:write") as reporting:
        assert reporting.post("/v1/holds", json=a_hold()).status_code == 403


def test_a_training_job_holds_a_fifth_more(client: TestClient, app: App) -> None:
    """8 GPUs for 6 hours on the company's own cluster: USD 112.80 are 135.36 held."""
    cast.give(app, ADA, "20000")
    job = {
        "id": "job_1",
        "kind": "job",
        "user": ADA,
        "service": "gpu-cluster",
        "model": "H100",
        "estimate": {"tokens_bot.usage.gpu_seconds": 8 * 6 * 3_600},
        "expires_in": 7_200,
    }
    made = client.post("/v1/holds", json=job).json()
    assert (made["status"], made["usd"], made["expires_at"]) == ("held", "135.36", "2026-11-20T14:00:00+00:00")


def test_an_id_of_a_hold_may_have_slashes(client: TestClient) -> None:
    """Jobs are named like paths: their holds are extended, settled and released by the id that they were made under."""
    for hold_id in ("team/train-1", "a?b c", "x/release"):
        path = f"/v1/holds/{quote(hold_id, safe='')}"
        assert client.post("/v1/holds", json=a_hold() | {"id": hold_id}).json()["status"] == "held"
        assert client.post(f"{path}/extend", json={"expires_in": 60}).json()["id"] == hold_id
        [settled] = client.post(f"{path}/settle?final=false", json=an_event() | {"id": hold_id}).json()["results"]
        assert settled["hold"]["id"] == hold_id
        assert client.post(f"{path}/release").json() == {"id": hold_id, "status": "released"}


def test_what_is_left_is_told_to_tools(app: App, client: TestClient) -> None:
    """Balance, what is held, lots and caps, without holding anything."""
    held.stop(app, DAILY, version="2026.3")
    client.post("/v1/holds", json=a_hold())
    wallet = client.get("/v1/wallets/me", params={"user": ADA}).json()
    assert (wallet["balance_tokens"], wallet["held_tokens"], wallet["available_tokens"]) == ("250", "100", "150")
    assert wallet["lots"] == [{"last_day": "2027-02-18", "tokens": "250", "lapses": False}]
    assert [(cap["name"], cap["left_usd"]) for cap in wallet["caps"]] == [("wallet", "1.50000001"), ("Ada's day", "2")]
    assert client.get("/v1/wallets/me", params={"user": "nobody@example.com"}).status_code == 404
    newcomer = client.get("/v1/wallets/me", params={"user": "tess@example.com"}).json()
    assert (newcomer["balance_tokens"], newcomer["lots"]) == ("0", [])


HEADERS = {"X-Tokens-User": ADA, "X-Tokens-Provider": "anthropic", "X-Tokens-Model": "claude-sonnet-4-5"}


def test_a_gateway_without_a_plugin_asks_by_forwarding(app: App, client: TestClient) -> None:
    """200 or the denial; as nginx needs it, with Envoy's path, and with the body of a call."""
    assert client.get("/v1/authorize", headers=HEADERS).status_code == 200
    assert client.post("/v1/authorize/v1/chat/completions", headers=HEADERS, content=b"x" * 100).status_code == 200
    body = {"model": "claude-sonnet-4-5", "user": ADA, "max_tokens": 300_000, "messages": []}
    denied = client.post("/v1/authorize", headers={"X-Tokens-Provider": "anthropic"}, json=body)
    assert (denied.status_code, denied.json()["error"]["code"]) == (402, "wallet_empty")
    assert client.post("/v1/authorize?denied=403", headers=HEADERS, json=body).status_code == 403
    assert client.get("/v1/authorize", headers=HEADERS | {"X-Tokens-User": ""}).status_code == 422
    assert books.count(app, holds) == 0
    assert held.on_wallet(app) == held.tokens("0")


def a_lease(id_: str = "lease_1", **more: object) -> dict[str, Any]:
    models = [{"provider": "anthropic", "model": "claude-sonnet-4-5"}]
    return {"id": id_, "user": ADA, "models": models} | more


def test_a_lease_is_a_small_part_with_all_that_is_needed_to_decide(app: App, client: TestClient) -> None:
    """A newcomer's pace is unknown: five cents, with prices and the usual length of answers."""
    lease = client.post("/v1/allowances", json=a_lease()).json()
    assert (lease["status"], lease["usd"], lease["tokens"], lease["ask"]) == ("held", "0.05", "5", False)
    assert lease["expires_at"] == "2026-11-20T12:01:00+00:00"
    [priced] = lease["prices"]
    assert priced["prices"]["input_uncached"] == "0.000003"
    assert priced["prices"]["output"] == "0.000015"
    assert priced["output_quantile"] == 4_096
    assert held.on_wallet(app) == held.tokens("5")


def test_calls_of_a_lease_are_captured_from_it_and_its_rest_returns(app: App, client: TestClient) -> None:
    """Each report takes its part; the next lease gives the rest back and is as large as the pace."""
    client.post("/v1/allowances", json=a_lease())
    event = an_event(hold="lease_1")
    event["data"]["gen_ai.usage.output_tokens"] = 1_000
    part = client.post("/v1/holds/lease_1/settle", json=event).json()["results"][0]
    assert part["hold"] == {"id": "lease_1", "status": "held", "tokens": "3.5", "flags": ""}
    again = client.post("/v1/allowances", json=a_lease("lease_2", returns="lease_1")).json()
    assert again["status"] == "held"
    assert held.on_wallet(app) == held.tokens("5")
    assert client.delete("/v1/allowances/lease_2").json() == {"id": "lease_2", "status": "released"}
    assert held.on_wallet(app) == held.tokens("0")
    assert books.findings(app) == {}


def test_where_too_little_is_left_each_call_asks(client: TestClient) -> None:
    """A tenth of 40 cents is no lease."""
    client.post("/v1/holds", json=a_hold(estimate={"usd": "2.1"}))
    lease = client.post("/v1/allowances", json=a_lease()).json()
    assert (lease["usd"], lease["ask"]) == ("0", True)
    assert client.post("/v1/allowances", json=a_lease(models=[])).status_code == 422
    assert client.post("/v1/allowances", json=a_lease(user="nobody@example.com")).status_code == 404
    nameless = client.post("/v1/allowances", json=a_lease(models=[{"provider": "anthropic", "model": 7}]))
    assert (nameless.status_code, "models[" in nameless.json()["detail"]) == (422, True)


def test_a_lease_is_recalled_when_tokens_come_or_caps_change(app: App, client: TestClient) -> None:
    """Its gateway hears of it at the next look, once; use alone recalls nothing."""
    client.post("/v1/allowances", json=a_lease())
    look = {"since": 0, "wait": 0}
    assert client.post("/v1/usage", json=an_event()).json()["summary"]["accepted"] == 1
    assert client.get("/v1/allowances/changes", params=look).json() == {"cursor": 0, "recalled": []}
    cast.give(app, ADA, "10")
    first = client.get("/v1/allowances/changes", params=look).json()
    assert first["recalled"] == ["lease_1"]
    look = {"since": first["cursor"], "wait": 0}
    assert client.get("/v1/allowances/changes", params=look).json()["recalled"] == []
    held.stop(app, DAILY, version="2026.3")
    assert client.get("/v1/allowances/changes", params=look | {"wait": 1}).json()["recalled"] == ["lease_1"]


def test_a_lease_that_nobody_returns_lapses(app: App, client: TestClient, clock: Clock) -> None:
    """A gateway that died holds up nobody for more than its minute."""
    client.post("/v1/allowances", json=a_lease())
    clock.now += timedelta(minutes=1)
    assert held.lapse(app) == 1
    assert held.on_wallet(app) == held.tokens("0")


def test_a_lease_lasts_as_long_as_the_calls_that_run_under_it(app: App, client: TestClient, clock: Clock) -> None:
    """A heartbeat keeps it; more of it there is not: who needs more leases again."""
    client.post("/v1/allowances", json=a_lease())
    kept = client.post("/v1/holds/lease_1/extend", json={"expires_in": 900}).json()
    assert (kept["status"], kept["tokens"], kept["expires_at"]) == ("held", "5", "2026-11-20T12:15:00+00:00")
    clock.now += timedelta(minutes=14)
    assert held.lapse(app) == 0
    assert client.post("/v1/holds/lease_1/extend", json={"estimate": {"usd": "1"}}).status_code == 422
    clock.now += timedelta(minutes=1)
    assert held.lapse(app) == 1


def test_an_alias_that_is_mapped_says_whose_wallet_it_is(app: App, client: TestClient) -> None:
    """As usage does: a team's key under Ada's name that is mapped to Ben holds on Ben's wallet, with all that asks."""
    cast.give(app, BEN, "500")
    with app.transaction() as moment:
        people.map_identity(moment, source="gateway", kind="key_alias", value="team-key", email=BEN, actor="test")
    assert client.post("/v1/holds", json=a_hold(key_alias="team-key")).json()["available_tokens"] == "400"
    lease = client.post("/v1/allowances", json=a_lease(key_alias="team-key")).json()
    assert lease["status"] == "held"
    assert (held.on_wallet(app), held.on_wallet(app, BEN)) == (held.tokens("0"), held.tokens("105"))
    headers = {"X-Tokens-User": ADA, "X-Tokens-Provider": "anthropic", "X-Tokens-Model": "claude-sonnet-4-5"}
    assert (
        client.post("/v1/holds", json=a_hold("rest", key_alias="team-key", estimate={"usd": "3.95"})).status_code == 200
    )
    assert client.get("/v1/authorize", headers=headers | {"X-Tokens-Key-Alias": "team-key"}).status_code == 402
    assert client.get("/v1/authorize", headers=headers).status_code == 200


def test_the_document_tells_of_every_route(client: TestClient) -> None:
    """Programs find what they may ask in the OpenAPI document, with an example of a hold."""
    document = client.get("/openapi.json").json()
    paths = {path for path in document["paths"] if "holds" in path or "allow" in path or "wallets" in path}
    assert paths == {
        "/v1/holds",
        "/v1/holds/{hold_id}/settle",
        "/v1/holds/{hold_id}/release",
        "/v1/holds/{hold_id}/extend",
        "/v1/allowances",
        "/v1/allowances/{lease_id}",
        "/v1/allowances/changes",
        "/v1/wallets/me",
    }
    body = document["paths"]["/v1/holds"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["oneOf"][0]["example"]["id"] == "call_7f3a"
    assert "input_bytes" in json.dumps(body)
