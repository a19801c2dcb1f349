"""Panels for the tests of the return: simulated companies, and those of the trial beside other packages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from policy.roi.panel import NEVER, Panel
from programme.roi import panel_file
from programme.roi.panel_file import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = Path(__file__).parents[2] / "data" / "roi"
COLUMNS = Columns("team", "month", "joined", "output")
EXPECTED: dict[str, dict[str, Any]] = json.loads((DATA / "expected.json").read_text())


def of_file(name: str) -> Panel:
    with (DATA / f"{name}.csv").open(newline="") as file:
        return panel_file.read(file, COLUMNS).panel


def company(
    waves: Sequence[tuple[int, int]], periods: int = 12, effect: float = 0.0, seed: int = 1, noise: float = 0.1
) -> Panel:
    """Teams with levels of their own and common months; `waves` are (first treated, teams), 0 for never."""
    chance = np.random.default_rng(seed)
    first = np.repeat([when or NEVER for when, _ in waves], [count for _, count in waves]).astype(np.int64)
    teams = len(first)
    months = np.arange(1, periods + 1)
    outcome = (
        chance.normal(0, 1, (teams, 1)) + chance.normal(0, 0.2, periods) + chance.normal(0, noise, (teams, periods))
    )
    outcome += effect * (months[None, :] >= first[:, None])
    return Panel(tuple(f"team-{i:03}" for i in range(teams)), tuple(range(1, periods + 1)), outcome, first)
