"""A person's Home: the one rendering of it, for every occasion on which it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from policy.units import NANO_PER_USD
from templates import exceptions, formats, handbook, render, reviews, team
from templates.charts import native

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from templates.blocks import Block
    from views.balance import BurnDown
    from views.reports import TeamBelow, TeamReport
    from views.reviews import Call


class Home(Protocol):
    """The view of a Home, as far as Python looks at it: requests, the board's work, a review, the team, charts."""

    @property
    def left_on(self) -> date | None: ...
    @property
    def requests(self) -> Any: ...  # noqa: ANN401 - its cards are told as others are
    @property
    def board(self) -> Any: ...  # noqa: ANN401
    @property
    def review(self) -> Call | None: ...
    @property
    def team(self) -> TeamReport | None: ...
    @property
    def burn_down(self) -> BurnDown | None: ...


WAITING = {"change_in_percent": reviews.change, "proposal_value": handbook.button_value}
"""What the list of appeals and proposals needs of Python, wherever it stands."""
NATIVE = ("data_visualization", "data_table")
"""Blocks that Slack draws by itself, and that a workspace may not know yet."""

Row = list["str | tuple[float, str]"]


def person(home: Home) -> Block:
    """What a person in the programme sees, or one who has left it."""
    if home.left_on is not None:
        return render.home("left", home=home)
    lines = home.board.queue.lines if home.board else ()
    values = {line.card.request.id: exceptions.button_value(line.card) for line in lines}
    values |= {card.request.id: exceptions.button_value(card) for card in home.requests.cards}
    of_team = team.words(home.team) | {"teams_below": _teams(home.team.teams)} if home.team else {}
    review_value = reviews.button_value(home.review) if home.review else ""
    return render.home(
        "person", home=home, values=values, charts=_charts(home), review_value=review_value, **WAITING, **of_team
    )


def _charts(home: Home) -> dict[str, Block | None]:
    """At most two: the reader's own month, and the team's weeks or, with no team to show, the use of grants."""
    month = native.burn_down(home.burn_down) if home.burn_down else None
    weeks = native.team_lines(home.team) if home.team and not home.team.hidden else None
    standing = home.board.standing if home.board else None
    used = native.utilisation(standing.utilisation) if standing and not weeks else None
    return {"burn_down": month, "team": weeks, "utilisation": used}


def _teams(teams: Sequence[TeamBelow]) -> list[Row]:
    """The teams below, with a heading; figures can be sorted."""
    rows: list[Row] = [["Team of", "People", "Last week, USD", "Week before, USD"]]
    for below in teams[: team.MOST_TEAMS]:
        before = "not shown" if below.before is None else _usd(below.before)
        rows.append([formats.short(below.lead), (below.people, str(below.people)), _usd(below.spent), before])
    return rows


def _usd(amount: int) -> tuple[float, str]:
    return round(amount / NANO_PER_USD, 2), f"{amount / NANO_PER_USD:,.2f}"


def without_native_blocks(view: Block) -> Block:
    """The same for a workspace that cannot draw: its words say what matters."""
    return {**view, "blocks": [block for block in view["blocks"] if block["type"] not in NATIVE]}
