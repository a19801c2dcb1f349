"""A handbook of slots: from the starting basket over changes of model to a year of own spend."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Quarter
from programme import handbooks
from programme.handbook import applying
from store.tables.value import token_values
from tests.programme.value.test_valuation import adopt, own_basket, propose, value_of
from tests.support import books, cast

if TYPE_CHECKING:
    from policy.value.records import Calculation
    from programme.app import App

Q4, Q1, Q2 = (Quarter.parse(text) for text in ("2026-Q4", "2027-Q1", "2027-Q2"))
APRIL = datetime(2027, 4, 2, tzinfo=UTC)
SLOTS = """[[value.slots]]
name = "gpu-hour"
class = "gpu"
meter = "gpu_seconds"
share = {gpu}
models = [{{ from = 2023-01-01, provider = "gpu-cluster", model = "H100" }}]

[[value.slots]]
name = "top"
class = "frontier"
meter = "output"
share = 0.5
models = [
  {{ from = 2023-01-01, provider = "anthropic", model = "claude-sonnet-4-5" }},
  {{ from = {changed}, provider = "anthropic", model = "claude-opus-4-5", compare = "{compare}" }},
]
{more}
"""
SMALL = """
[[value.slots]]
name = "small"
class = "small"
meter = "output"
share = 0.2
models = [{ from = 2023-01-01, provider = "openai", model = "gpt-5-mini" }]
"""


def own_slots(
    app: App, version: str, *, changed: str = "2030-01-01", compare: str = "price", gpu: str = "0.5", more: str = ""
) -> None:
    """A handbook whose basket is half GPU hours, and half output at USD 15 a million, from a day on at USD 25."""
    text = books.handbook_text(version, date(2026, 10, 1))
    begin, end = text.index("[[value.slots]]"), text.index("[sizing]")
    slots = SLOTS.format(changed=changed, compare=compare, gpu=gpu, more=more)
    with app.transaction() as moment:
        applying.apply(moment, text[:begin] + slots + text[end:], actor=handbooks.SYSTEM)


def calculated(app: App, quarter: Quarter = Q1, now: datetime | None = None) -> Calculation:
    """What is worked out for a quarter, and adopted, by two people in case it is much."""
    at = now or datetime(2027, 1, 4, 9, tzinfo=UTC)
    found = propose(app, quarter, at).calculation
    adopt(app, "iris", quarter, at)
    if value_of(app, quarter).price_index != Decimal(found["index"]):
        adopt(app, "omar", quarter, at)
    return found


def shares(kept: Calculation) -> dict[str, Decimal]:
    return {item.get("slot", item["model"]): Decimal(item["share"]) for item in kept["items"]}


@pytest.mark.parametrize(("compare", "index"), [("price", "1.333333333"), ("overlap", "1.000000000")])
def test_another_model_fills_a_slot(app: App, compare: str, index: str) -> None:
    """USD 25 where USD 15 was paid: a third more for half of the basket, or nothing, as the handbook says."""
    own_slots(app, "2026.slots", changed="2027-01-01", compare=compare)
    value_of(app, Q4)
    kept = calculated(app)
    assert kept["index"] == index
    assert [(item["slot"], item["model"]) for item in kept["items"]] == [
        ("gpu-hour", "H100"),
        ("top", "claude-opus-4-5"),
    ]
    assert calculated(app, Q2, APRIL)["index"] == index
    assert books.findings(app) == {}


def test_fixed_models_become_slots_without_a_jump(app: App) -> None:
    """The index that an earlier handbook's basket had reached goes on, and so do its shares and link."""
    own_basket(app, gpu_from_january="2.82")
    value_of(app, Q4)
    assert "largest_provider" not in calculated(app)
    own_slots(app, "2027.slots", changed="2027-04-01", compare="overlap")
    kept = calculated(app, Q2, APRIL)
    # The new handbook has no price of USD 2.82 for GPU hours: they cost USD 2.35 again, as they did at the link.
    assert (kept["linked_at"], kept["link_index"], kept["index"]) == ("2026-Q4", "1", "1.000000000")
    assert shares(kept) == {"gpu-hour": Decimal("0.5"), "top": Decimal("0.5")}
    assert books.findings(app) == {}


def test_a_slot_that_is_added_moves_nothing(app: App) -> None:
    """It enters linked, with the handbook's share; the others make room, and the calculation says so."""
    own_slots(app, "2026.slots", changed="2027-01-01")
    value_of(app, Q4)
    assert calculated(app)["index"] == "1.333333333"
    own_slots(app, "2027.more", changed="2027-01-01", gpu="0.3", more=SMALL)
    kept = calculated(app, Q2, APRIL)
    assert kept["index"] == "1.333333333"
    assert shares(kept) == {"gpu-hour": Decimal("0.40"), "top": Decimal("0.40"), "small": Decimal("0.2")}
    assert kept["notes"] == ["New slots, linked so that they move nothing: small."]
    assert books.findings(app) == {}


def test_shares_of_spend_are_as_they_are(app: App) -> None:
    """After a year the shares are those of the spend, by slot and without a cap; the largest provider is told."""
    own_slots(app, "2026.slots", changed="2027-07-01", compare="overlap")
    value_of(app, Q4)
    quarter = Q4
    for number in range(5):
        begins = datetime(quarter.first_day.year, quarter.first_day.month, 2, tzinfo=UTC)
        gpu = cast.event(f"g{number}", at=begins, model=("gpu-cluster", "H100"), meters={"gpu_seconds": 3_600})
        old = cast.event(f"o{number}", at=begins, meters={"output": 100_000})
        new = cast.event(f"n{number}", at=begins, model=("anthropic", "claude-opus-4-5"), meters={"output": 200_000})
        assert books.take_in(app, gpu, old, new) == ["accepted"] * 3
        quarter = quarter.next()
        kept = calculated(app, quarter)
        assert kept["index"] == "1.000000000"
    # USD 2.35 of GPU hours beside 1.50 + 5.00 of output in each quarter.
    assert kept["linked_at"] == "2027-Q4"
    assert shares(kept) == {"gpu-hour": Decimal("0.265537"), "top": Decimal("0.734463")}
    told = (kept["largest_provider"], kept["largest_share"], kept["largest_change"])
    assert told == ("anthropic", "0.734463", "0.000000000")
    assert books.findings(app) == {}


def test_the_largest_provider_is_told_with_what_it_caused(app: App) -> None:
    """A third of the index is the work of the provider that half of the basket is bought from."""
    own_slots(app, "2026.slots", changed="2027-01-01")
    value_of(app, Q4)
    kept = propose(app).calculation
    assert (kept["largest_provider"], kept["largest_share"], kept["largest_change"]) == (
        "anthropic",
        "0.5",
        "0.333333333",
    )


def test_a_tampered_slot_is_found(app: App) -> None:
    """`verify` repeats a calculation of slots from what is kept of it."""
    own_slots(app, "2026.slots", changed="2027-01-01")
    value_of(app, Q4)
    kept = calculated(app)
    kept["items"][1]["link_price"] = [1, 1]
    with app.transaction() as moment:
        changed = sa.update(token_values).where(token_values.c.calculation.is_not(None))
        moment.session.execute(changed.values(calculation=kept))
    assert list(books.findings(app)) == ["values_as_calculated"]


def test_a_share_that_is_told_wrong_is_found(app: App) -> None:
    """The board reads the largest provider's share: it must be that of the lines."""
    own_slots(app, "2026.slots")
    value_of(app, Q4)
    kept = calculated(app)
    with app.transaction() as moment:
        changed = sa.update(token_values).where(token_values.c.calculation.is_not(None))
        moment.session.execute(changed.values(calculation=kept | {"largest_share": "0.4"}))
    assert books.findings(app) == {
        "values_as_calculated": ["value 2027-Q1.1: its largest provider is anthropic with 0.5, not as it says"]
    }
