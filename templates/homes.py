"""A person's Home: the one rendering of it, for every occasion on which it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import NANO_PER_USD
from templates import fast_track, phrases, render

if TYPE_CHECKING:
    from programme.home import Home
    from programme.team_report import TeamReport
    from templates.sheet import Block

NATIVE = ("data_visualization", "data_table")
"""Blocks that Slack draws by itself, and that a workspace may not know yet."""

MOST_TEAMS = 100

Row = list["str | tuple[float, str]"]


def person(home: Home) -> Block:
    """What somebody who takes part sees; or took part, once they have left."""
    if home.left_on is not None:
        return render.home("left", home=home)
    lines = home.board.queue.lines if home.board else ()
    values = {line.card.request.id: fast_track.button_value(line.card) for line in lines}
    values |= {card.request.id: fast_track.button_value(card) for card in home.requests.cards}
    rows = _teams(home.team) if home.team else []
    return render.home("person", home=home, values=values, charts=_charts(home), team_rows=rows)


def _charts(home: Home) -> dict[str, Block | None]:
    """At most two: one's own month, and the team's weeks or, for who has no team, the use of grants."""
    del home
    return {"burn_down": None, "team": None, "utilisation": None}


def _teams(team: TeamReport) -> list[Row]:
    """The teams below, with a heading; figures can be sorted."""
    rows: list[Row] = [["Team of", "People", "Last week, USD", "The week before, USD"]]
    for below in team.teams[:MOST_TEAMS]:
        before = "–" if below.before is None else _usd(below.before)
        rows.append([phrases.short(below.lead), (below.people, str(below.people)), _usd(below.spent), before])
    return rows


def _usd(amount: int) -> tuple[float, str]:
    return round(amount / NANO_PER_USD, 2), f"{amount / NANO_PER_USD:,.2f}"


def without_native_blocks(view: Block) -> Block:
    """The same for a workspace that cannot draw: its words say what matters."""
    return {**view, "blocks": [block for block in view["blocks"] if block["type"] not in NATIVE]}
