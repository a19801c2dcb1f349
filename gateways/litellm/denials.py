"""What a client is told that may not call: which limit, how much, until when, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS = 402
"""By trial: no client asks again, and none takes it for a wrong key (docs/decisions/0046)."""
AWAY_STATUS = 503
HEADERS = {"x-should-retry": "false"}
TYPE = "budget_exceeded"
SPENT = "spent_while_away"

SPENT_WHILE_AWAY = (
    "Budget limit reached: what was left in your wallet when the token service was last reached is used up. "
    "Do not retry now; the limit is checked again as soon as the service is back."
)
AWAY = "The token service cannot be reached, and calls stop until it is back. Your wallet is not the reason."


# Not frozen: whoever passes an exception on writes its traceback into it.
@dataclass
class Denial(Exception):  # noqa: N818 - a denial is no error of ours
    """Why a call is not made."""

    message: str
    code: str
    status: int = STATUS
    headers: Mapping[str, str] = field(default_factory=lambda: dict(HEADERS))
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_only_held(self) -> bool:
        """Whether it fits as soon as running calls end; the bot says so, and otherwise the figures do."""
        said = self.details.get("only_held")
        if isinstance(said, bool):
            return said
        limit, used, held = (_amount(self.details.get(name)) for name in ("limit", "used", "held"))
        return held > 0 and limit > used

    @property
    def type(self) -> str:
        return TYPE if self.status == STATUS else "budget_unknown"


def told(error: Mapping[str, Any]) -> Denial:
    """A denial in the bot's words."""
    message, code = str(error.get("message") or "Budget limit reached."), str(error.get("code") or "denied")
    return Denial(message, code, details=dict(error))


def _amount(told: object) -> Decimal:
    try:
        return Decimal(told) if isinstance(told, str) else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def spent_while_away() -> Denial:
    return Denial(SPENT_WHILE_AWAY, SPENT)


def away() -> Denial:
    """The bot is away for longer than is bearable: a client may ask again, this passes."""
    return Denial(AWAY, "service_away", status=AWAY_STATUS, headers={"retry-after": "30"})
