"""A bot that knows only the HTTP contract of holds: a wallet a person, holds, leases, usage; away on demand."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NANO = 1_000_000_000
Json = dict[str, Any]

PRICES = {
    ("openai", "gpt-5"): {"input_uncached": "0.00000125", "cache_read": "0.000000125", "output": "0.00001"},
    ("anthropic", "claude-sonnet-4-5"): {
        "input_uncached": "0.000003",
        "cache_read": "0.0000003",
        "cache_write_5m": "0.00000375",
        "output": "0.000015",
    },
    ("openai", "text-embedding-3-small"): {"input_uncached": "0.00000002", "output": "0"},
    ("openai", "gpt-image-1"): {"input_uncached": "0.000005", "output": "0.00004"},
}
USUAL_OUTPUT = 300
LARGEST_SHARE = 10
FLOOR = NANO // 100


@dataclass
class Hold:
    """What is held, and what of it is captured by now."""

    person: str
    amount: int
    kind: str
    status: str = "held"


@dataclass
class Bot:
    """The state; every figure is nano-USD. `status` is what it answers instead of all else."""

    wallets: Counter[str] = field(default_factory=Counter)
    holds: dict[str, Hold] = field(default_factory=dict)
    events: dict[str, Json] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    denied: int = 0
    overdraft: int = 0
    lease_size: int | None = None
    lease_seconds: float = 60
    status: int = 0
    forbidden: bool = False
    reject: set[str] = field(default_factory=set)
    recalled: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def held(self, person: str) -> int:
        return sum(h.amount for h in self.holds.values() if h.person == person and h.status == "held")

    def available(self, person: str) -> int:
        return self.wallets[person] - self.held(person)

    def recall(self) -> None:
        """Take every lease back, as after a grant."""
        with self.changed, self.lock:
            for hold_id, hold in self.holds.items():
                if hold.kind == "lease" and hold.status == "held" and hold_id not in self.recalled:
                    self.recalled.append(hold_id)
            self.changed.notify_all()

    # --- Answers -----------------------------------------------------------------------------------------------------

    def hold(self, body: Json) -> tuple[int, Json]:
        person, hold_id = body["user"], body["id"]
        if person not in self.wallets:
            return 404, {"error": {"type": "invalid_request", "code": "unknown_user", "message": "nobody of this name"}}
        amount, usual = _worst(body)
        room = self.available(person) + self.overdraft
        if amount > room and amount > 4 * usual:
            amount = usual
        if amount > room:
            self.denied += 1
            return 402, {"error": self._denial(person)}
        self.holds[hold_id] = Hold(person, amount, "call")
        return 200, self._told(hold_id)

    def lease(self, body: Json) -> tuple[int, Json]:
        person, hold_id = body["user"], body["id"]
        if person not in self.wallets:
            return 404, {"error": {"type": "invalid_request", "code": "unknown_user", "message": "nobody of this name"}}
        amount = self.available(person) // LARGEST_SHARE
        if self.lease_size is not None:
            amount = min(amount, self.lease_size)
        if amount < FLOOR:
            return 200, {"id": hold_id, "usd": "0", "ask": True, "room_usd": _usd(self.available(person))}
        self.holds[hold_id] = Hold(person, amount, "lease")
        models = [(one["provider"], one["model"]) for one in body["models"]]
        prices = [
            {"provider": p, "model": m, "prices": PRICES[p, m], "output_quantile": USUAL_OUTPUT}
            for p, m in models
            if (p, m) in PRICES
        ]
        return 200, self._told(hold_id) | {"prices": prices, "slow": False}

    def release(self, hold_id: str) -> tuple[int, Json]:
        hold = self.holds.get(hold_id)
        if hold is None:
            return 404, {"error": {"type": "invalid_request", "code": "unknown_hold", "message": "no such hold"}}
        if hold.status == "settled":
            return 409, {"error": {"type": "invalid_request", "code": "already_settled", "message": "settled"}}
        hold.status = "released"
        return 200, {"id": hold_id, "status": "released"}

    def take_in(self, payloads: list[Json]) -> tuple[int, Json]:
        results = [self._take(payload) for payload in payloads]
        return 200, {"results": [{"status": status, "detail": ""} for status in results]}

    def _take(self, payload: Json) -> str:
        event_id = f"{payload['litellm_call_id']}@{round(payload['startTime'] * 1_000_000)}"
        if payload["litellm_call_id"] in self.reject:
            return "rejected"
        if event_id in self.events:
            return "duplicate" if self.events[event_id] == payload else "conflict"
        self.events[event_id] = payload
        cost = cost_of(payload)
        self.wallets[payload["metadata"]["user_api_key_user_email"]] -= cost
        hold = self.holds.get(payload.get("hold", ""))
        if hold is not None and hold.status != "held":
            self.late.append(event_id)
        elif hold is not None and hold.kind == "call":
            hold.status = "settled"
        elif hold is not None:
            hold.amount = max(hold.amount - cost, 0)
        return "accepted"

    def changes(self, since: str, wait: float) -> tuple[int, Json]:
        seen = int(since or len(self.recalled))
        with self.changed:
            self.changed.wait_for(lambda: len(self.recalled) > seen, min(wait, 5))
        return 200, {"cursor": str(len(self.recalled)), "recalled": self.recalled[seen:]}

    def _told(self, hold_id: str) -> Json:
        hold = self.holds[hold_id]
        ends = datetime.now(UTC) + timedelta(seconds=self.lease_seconds)
        return {
            "id": hold_id,
            "status": hold.status,
            "usd": _usd(hold.amount),
            "expires_at": ends.isoformat(),
            "room_usd": _usd(self.available(hold.person)),
        }

    def _denial(self, person: str) -> Json:
        left = f"{self.available(person) / NANO * 100:.1f}"
        message = (
            f"Budget limit reached: your wallet has {left} tokens left until 1 December 2026. Ask for more in Slack."
        )
        limit = max(self.wallets[person] + self.overdraft, 0)
        figures = {
            "limit": _usd(limit),
            "used": "0",
            "held": _usd(self.held(person)),
            "cap": "wallet",
            "next_step": "…",
        }
        return {"type": "budget_exceeded", "code": "wallet_empty", "message": message, **figures}


def cost_of(payload: Json) -> int:
    """What an event costs by the prices above; nothing from a cache."""
    model = payload["model"].removeprefix(f"{payload['custom_llm_provider']}/")
    prices = {name: Decimal(price) for name, price in PRICES[payload["custom_llm_provider"], model].items()}
    usage = (payload.get("metadata") or {}).get("usage_object") or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    if payload.get("cache_hit"):
        return 0
    tokens = (payload["prompt_tokens"] - cached) * prices["input_uncached"] + cached * prices["cache_read"]
    return int((tokens + payload["completion_tokens"] * prices["output"]) * NANO)


def _worst(body: Json) -> tuple[int, int]:
    prices = PRICES[body["provider"], body["model"]]
    tokens_in = body["estimate"].get("gen_ai.usage.input_tokens", 0)
    tokens_out = body["estimate"].get("gen_ai.usage.output_tokens", USUAL_OUTPUT)
    price_in, price_out = Decimal(prices["input_uncached"]), Decimal(prices["output"])
    worst = (tokens_in * price_in + tokens_out * price_out) * NANO
    return int(worst), int((tokens_in * price_in + min(tokens_out, USUAL_OUTPUT) * price_out) * NANO)


def _usd(nano: int) -> str:
    return str(Decimal(nano) / NANO)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bot: Bot
    # Without, small answers wait for the acknowledgement of their headers.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        asked = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
        if path == "/healthz":
            self._answer(self.bot.status or 200, {})
        elif path == "/v1/allowances/changes":
            self._counted("changes")
            self._answer(*self.bot.changes(asked.get("since", ""), float(asked.get("wait", "0"))))
        elif self.bot.forbidden:
            self._answer(403, {})
        else:
            self._answer(404, {"error": {"code": "unknown_user", "message": "nobody of this name"}})

    def do_DELETE(self) -> None:
        self._do("release", lambda _: self.bot.release(self.path.rpartition("/")[2]))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        name = self.path.split("/")[2]
        last = self.path.rpartition("/")[2]
        if self.path == "/v1/holds":
            self._do("holds", lambda bot: bot.hold(body))
        elif self.path == "/v1/allowances":
            self._do("allowances", lambda bot: bot.lease(body))
        elif last == "release":
            self._do("release", lambda bot: bot.release(self.path.split("/")[3]))
        elif last == "extend":
            self._do("extend", lambda _: (200, {}))
        elif name == "usage":
            self._do("usage", lambda bot: bot.take_in(body))
        elif name == "authorize":
            person = self.headers["X-Tokens-User"]
            empty = self.bot.available(person) + self.bot.overdraft <= 0
            self._do("authorize", lambda bot: (402, {"error": bot._denial(person)}) if empty else (200, {}))

    def _do(self, what: str, answer: Any) -> None:  # noqa: ANN401 - a function of the bot
        self._counted(what)
        if self.bot.status:
            self._answer(self.bot.status, {})
            return
        with self.bot.lock:
            status, told = answer(self.bot)
        self._answer(status, told)

    def _counted(self, what: str) -> None:
        with self.bot.lock:
            self.bot.asked[what] += 1
            self.bot.headers = {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, status: int, told: Json) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if status == 402:
            self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: tests look at the state."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed leaves its connection: that is what some tests are about."""


@contextmanager
def listening(bot: Bot, port: int = 0) -> Iterator[Bot]:
    """The bot at `bot.url`, as long as the block runs."""
    handler = type("Handler", (_Handler,), {"bot": bot})
    server = _Server(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="holding", daemon=True)
    thread.start()
    bot.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield bot
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def wait_until(true: Any, seconds: float = 20) -> bool:  # noqa: ANN401 - a function of no arguments
    """Whether something came true before the patience was at an end."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
