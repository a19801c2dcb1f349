"""How holds and denials are told to gateways."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException

from handlers import bodies
from policy.period import day_of
from policy.units import MicroTokens, NanoUSD
from programme.holds.ending import CANCELLED, OVER, SETTLED_ALREADY, UNKNOWN
from programme.holds.pricing import UNKNOWN_PERSON
from programme.holds.reserving import CONFLICT
from templates import holds as words
from views.holds import Denial

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from fastapi import Response

    from policy.reasons import Refusal
    from policy.units import Amount
    from programme.holds.leasing import Leased, Priced
    from programme.holds.reserving import Held
    from views.balance import LotLine
    from views.holds import CapTold, Limits

DENIED = 402
"""Payment required. 429 is what our rates answer: a gateway may try that again, and this not."""
NO_RETRY = {"x-should-retry": "false"}
_STATUS = {UNKNOWN_PERSON: 404, UNKNOWN: 404, CONFLICT: 409, SETTLED_ALREADY: 409, OVER: 409, CANCELLED: 409}

Answer = dict[str, Any]


def text(amount: Amount) -> str:
    """An amount in whole units, with all its decimals."""
    return f"{amount.decimal:f}"


def hold(held: Held) -> Answer:
    one = held.hold
    return {
        "id": one.id,
        "source": one.source,
        "provider": one.provider,
        "model": one.model,
        "status": one.status,
        "tokens": text(MicroTokens(one.micro_tokens)),
        "usd": text(NanoUSD(one.nano_usd)),
        "expires_at": one.expires_at.isoformat(),
        "available_tokens": None if held.available is None else text(held.available),
        "room_usd": None if held.room is None else text(held.room),
        "warnings": warnings(held.warnings),
    }


def warnings(caps: tuple[CapTold, ...]) -> list[Answer]:
    return [{"cap": cap.name, "message": words.warning(cap)} for cap in caps]


def error(denial: Denial, zone: ZoneInfo) -> Answer:
    """What a client is told that may not go on."""
    cap = denial.cap
    return {
        "type": "budget_exceeded",
        "code": denial.code,
        "message": words.sentence(denial, zone),
        "cap": cap.name,
        "limit": text(cap.limit),
        "used": text(cap.used),
        "held": text(cap.held),
        "resets_at": cap.resets_at.isoformat() if cap.resets_at else None,
        "next_step": words.next_step(denial, zone),
        "only_held": denial.only_held,
    }


def denied(denial: Denial, zone: ZoneInfo, *, status: int = DENIED) -> Response:
    return bodies.as_json({"error": error(denial, zone)}, status=status, headers=NO_RETRY)


def either(answer: Held | Denial, zone: ZoneInfo) -> Response:
    return denied(answer, zone) if isinstance(answer, Denial) else bodies.as_json(hold(answer))


def refused(refusal: Refusal) -> HTTPException:
    """A refusal as the answer to one request: what cannot be priced is a field that cannot be."""
    return HTTPException(_STATUS.get(refusal.code, 422), f"{refusal.code}: {refusal}")


def item_refused(hold_id: str, code: str, detail: str) -> Answer:
    return {"id": hold_id, "status": "rejected", "code": code, "detail": detail}


def lease(leased: Leased) -> Answer:
    said: Answer = {"prices": [_priced(one) for one in leased.priced], "slow": leased.is_slow, "warnings": []}
    if leased.held is None:
        return said | {"id": None, "status": "none", "usd": "0", "tokens": "0", "expires_at": None, "ask": True}
    return said | hold(leased.held) | {"ask": False}


def _priced(one: Priced) -> Answer:
    per_unit = {meter: _per_unit(unit.nano_usd, unit.per) for meter, unit in one.price.meters.items()}
    return {"provider": one.provider, "model": one.model, "prices": per_unit, "output_quantile": one.output}


def _per_unit(nano_usd: int, per: int) -> str:
    """USD for one unit, to fifteen decimals: a gateway's sums are estimates, and ours are exact."""
    return f"{NanoUSD(nano_usd).decimal / per:.15f}".rstrip("0").rstrip(".") or "0"


def limits(shown: Limits, lots: Sequence[LotLine], zone: ZoneInfo) -> Answer:
    return {
        "lots": [_lot(lot, zone) for lot in lots],
        "balance_tokens": None if shown.balance is None else text(shown.balance),
        "held_tokens": text(shown.held),
        "available_tokens": None if shown.available is None else text(shown.available),
        "overdraft_tokens": text(shown.overdraft),
        "caps": [cap(one) for one in shown.caps],
    }


def _lot(lot: LotLine, zone: ZoneInfo) -> Answer:
    """What can be spent through a day of the programme; `lapses` where the carry-over ends it then."""
    last_day = day_of(lot.expires_at - timedelta(microseconds=1), zone)
    return {"last_day": last_day.isoformat(), "tokens": text(lot.remaining), "lapses": lot.lapses}


def cap(one: CapTold) -> Answer:
    return {
        "name": one.name,
        "scope": one.scope,
        "window": one.window,
        "action": one.action,
        "limit_usd": text(one.limit),
        "used_usd": text(one.used),
        "held_usd": text(one.held),
        "left_usd": text(one.left),
        "resets_at": one.resets_at.isoformat() if one.resets_at else None,
    }
