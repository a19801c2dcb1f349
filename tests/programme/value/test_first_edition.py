"""Handbooks of the first edition, with a basket of fixed models and a cap, keep their results to the digit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy.period import Quarter
from programme import handbooks
from programme.handbook import applying
from programme.value import valuation
from store.handbook import reference
from tests.support import books, cast

if TYPE_CHECKING:
    from programme.app import App

DATA = Path(__file__).parents[2] / "data" / "value"
DEARER_GPU = """
[[prices]]
provider = "gpu-cluster"
model = "H100"
per = "hour"
usd = { gpu_seconds = 2.82 }
from = 2027-01-01
"""


def first_edition() -> str:
    """The packaged handbook with the first edition's `[value]`, and GPU hours that become dearer."""
    text = books.handbook_text("2026.first", date(2026, 10, 1))
    begin, end = text.index("[value]\n"), text.index("[sizing]\n")
    return text[:begin] + (DATA / "first_edition.toml").read_text(encoding="utf-8") + text[end:] + DEARER_GPU


def worked_out(app: App) -> list[dict[str, Any]]:
    """Five quarters, with a year of spend behind the last: most of it at one provider, so that the cap counts."""
    with app.transaction() as moment:
        applying.apply(moment, first_edition(), actor=handbooks.SYSTEM)
    quarter = Quarter.parse("2026-Q4")
    for number in range(5):
        at = datetime(quarter.first_day.year, quarter.first_day.month, 2, tzinfo=UTC)
        gpu = cast.event(f"g{number}", at=at, model=("gpu-cluster", "H100"), meters={"gpu_seconds": 1_234})
        calls = cast.event(f"c{number}", at=at, meters={"output": 654_321, "cache_read": 7_654_321})
        other = cast.event(f"o{number}", at=at, model=("openai", "gpt-5"), meters={"output": 98_765})
        assert books.take_in(app, gpu, calls, other) == ["accepted"] * 3
        quarter = quarter.next()
        for actor in ("iris", "omar"):
            with app.transaction(at.replace(day=4)) as moment:
                valuation.propose(moment, quarter, actor="iris")
                valuation.adopt(moment, quarter, actor=actor)
    with app.database.reading() as session:
        return [kept for _, kept in reference.calculations(session)]


def test_results_are_those_of_then(app: App) -> None:
    """Every figure of five quarters, over a refresh of the shares, is what the release before slots worked out."""
    expected = json.loads((DATA / "first_edition.json").read_text(encoding="utf-8"))
    assert worked_out(app) == expected
    assert books.findings(app) == {}
