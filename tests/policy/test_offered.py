"""A first grant beside its offer: the same, or another amount with the reasons."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policy import handbook
from policy.offered import Offered, beside
from policy.offers import allowance
from policy.period import Quarter
from policy.sizing import Claim, size
from policy.units import NanoUSD
from policy.value.valuation import TokenValue

RULES = handbook.parse(handbook.packaged()).sizing
VALUE = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_200_000, buffer_permille=150)
PAY = NanoUSD.parse("180000")
SHARE = RULES.share_of_compensation


def offered(pay: NanoUSD = PAY, share: Decimal = SHARE, buffer: int = 150) -> Offered:
    use = allowance(pay, share, buffer)
    return Offered(share, buffer, use.cost, use.issued)


def codes(
    said: Offered, *, level: str = "mid", fte: int = 1_000, days: int = 30, budget: str | None = None
) -> list[str]:
    claim = Claim("per_1", level, PAY, fte, days, 30)
    grant = size([claim], RULES, VALUE, budget=None if budget is None else NanoUSD.parse(budget)).grants["per_1"]
    kept = beside(said, grant, share=SHARE, round_to_tokens=RULES.round_to_tokens)
    assert kept.is_as_offered == (not kept.because)
    return [one.code for one in kept.because]


def test_a_whole_month_of_a_full_post_is_what_the_offer_said() -> None:
    """At a level that counts 1.00, without a project or a bound of the budget, nothing is left to explain."""
    assert codes(offered()) == []


@pytest.mark.parametrize(
    ("said", "grant", "why"),
    [
        (offered(share=Decimal("0.30")), {}, ["share"]),
        (offered(NanoUSD.parse("200000")), {}, ["midpoint"]),
        (offered(), {"fte": 600}, ["part_time"]),
        (offered(), {"days": 12}, ["part_month"]),
        (offered(), {"level": "staff"}, ["weight"]),
        (offered(), {"budget": "3300"}, ["budget"]),
        (offered(buffer=50), {}, ["buffer"]),
        (offered(), {"level": "staff", "fte": 600, "days": 12}, ["part_time", "part_month", "weight"]),
    ],
)
def test_each_difference_has_its_reason(said: Offered, grant: dict[str, object], why: list[str]) -> None:
    """What an offer could not know of a joiner, and what changed since."""
    assert codes(said, **grant) == why  # type: ignore[arg-type]
