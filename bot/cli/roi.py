"""`roi estimate`: what a programme brought about, from any panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import numpy as np

from bot.cli import common
from policy.reasons import Refusal
from policy.roi import estimate as estimates
from policy.roi import panel as panels
from policy.roi.spread import Draws
from programme import table_file
from programme.roi import panel_file
from programme.roi.panel_file import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.roi.effects import Control
    from policy.roi.estimate import Estimate, Figure, WithoutOne
    from programme.roi.panel_file import PanelFile

TRUST = {
    "directional": "too few units for more than a direction",
    "no_percentage": "too few units for a percentage in a headline",
    "full": "",
}
LEFT_OUT = {"gaps": "without a figure in {} periods", "always_treated": "treated from the first period on"}


@click.group()
def roi() -> None:
    """What the programme brought about, and whether it pays."""


@roi.command("estimate")
@click.option(
    "--panel", "file", type=click.File("rb"), required=True, help="A CSV file, a line for each unit and period."
)
@click.option("--unit", required=True, metavar="COLUMN", help="The column that names the unit.")
@click.option("--period", required=True, metavar="COLUMN", help="Of the period: numbers, months or quarters.")
@click.option(
    "--first-treated", "first", required=True, metavar="COLUMN", help="Of the first treated period; empty: never."
)
@click.option("--outcome", required=True, metavar="COLUMN", help="Of the figure; empty where it is not known.")
@click.option("--control", type=click.Choice(["never", "not-yet"]), default="not-yet", show_default=True)
@click.option("--by-lot", is_flag=True, help="Chance decided who came when: the interval then follows from that lot.")
@click.option("--log", "in_logs", is_flag=True, help="Take the outcome's logarithm: effects are then relative.")
@click.option("--draws", type=click.IntRange(100, 20_000), default=2_000, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True)
@common.json_option
def estimate_panel(
    *,
    file: BinaryIO,
    unit: str,
    period: str,
    first: str,
    outcome: str,
    control: Control,
    by_lot: bool,
    in_logs: bool,
    draws: int,
    seed: int,
    as_json: bool,
) -> None:
    """Estimate an effect in any panel.

    The same estimators as in the report: treated units against those not yet treated, averaged, with intervals of 90 %.
    """
    given = panel_file.read(table_file.opened(file), Columns(unit, period, first, outcome))
    if in_logs:
        given = _in_logs(given)
    found = estimates.estimate(given.panel, control, "permutation" if by_lot else "bootstrap", Draws(draws, seed))
    without = estimates.without_one(given.panel, control)
    if as_json:
        common.print_json(as_told(found, without, given))
    else:
        _print(found, without, given)


def _in_logs(given: PanelFile) -> PanelFile:
    logs = panels.logarithms(given.panel.outcome)
    if logs is None:
        low = given.panel.outcome[~np.isnan(given.panel.outcome)].min(initial=0.0)
        raise Refusal("no_logarithm", f"The lowest outcome is {low:g}: logarithms need figures above 0.")
    return replace(given, panel=given.panel.with_outcome(logs))


# --- For programs ---------------------------------------------------------------------------------------------------


def as_told(found: Estimate, without: WithoutOne | None, given: PanelFile) -> dict[str, Any]:
    """The estimate as JSON; what is not known is null."""
    label = given.label
    return {
        "att": [
            {"group": label(one.group), "period": label(one.period)}
            | one.figure._asdict()
            | {"treated": one.treated, "controls": one.controls}
            for one in found.att
        ],
        "mean": found.mean._asdict(),
        "event_time": [{"event_time": key} | one._asdict() for key, one in found.event_time],
        "group": [{"group": label(key)} | one._asdict() for key, one in found.of["group"]],
        "calendar": [{"period": label(key)} | one._asdict() for key, one in found.of["calendar"]],
        "averages": {kind: one._asdict() for kind, one in found.averages.items()},
        "leads": found.leads._asdict(),
        "twfe": found.twfe and found.twfe._asdict(),
        "before_after": found.before_after,
        "detectable": found.detectable,
        "without_one": without and without._asdict(),
        "control": found.control,
        "inference": {
            "method": found.inference.method,
            "draws": found.inference.draws,
            "exact": found.inference.exact,
            "level": found.inference.level,
        },
        "trust": found.trust,
        "units": found.units,
        "treated": found.treated,
        "left_out": [one._asdict() for one in found.left_out],
    }


# --- For people -----------------------------------------------------------------------------------------------------


def _print(found: Estimate, without: WithoutOne | None, given: PanelFile) -> None:
    how = "all ways the lot could have fallen" if found.inference.exact else f"{found.inference.draws:,} draws"
    by = f"{found.inference.method}, {how}" if found.inference.draws else "no interval: too few units"
    lines = {
        "effect": f"{_told(found.mean)} (90 %; {by})",
        "units": f"{found.units}, {found.treated} of them treated, against those {_compared(found.control)}",
        "caution": TRUST[found.trust],
        "could have found": "" if found.detectable is None else f"{found.detectable:.4f} and more, four times of five",
        "leads": _leads(found),
        "fixed effects": _fixed(found),
        "before and after": f"{found.before_after:+.4f}, which takes everything else for the effect, too",
        "without one unit": "" if without is None else f"{without.low:+.4f} to {without.high:+.4f}",
    }
    for name, text in lines.items():
        if text:
            click.echo(f"{name:<18} {text}")
    _averages("event time", found.event_time, str)
    _averages("first treated", found.of["group"], lambda key: str(given.label(key)))
    _averages("period", found.of["calendar"], lambda key: str(given.label(key)))
    for left in found.left_out:
        click.echo(f"left out: {left.unit}, {LEFT_OUT[left.why].format(left.periods)}")


def _compared(control: Control) -> str:
    return "never treated" if control == "never" else "not yet treated"


def _told(one: Figure) -> str:
    span = "no interval" if one.low is None and one.high is None else f"{_end(one.low)} to {_end(one.high)}"
    return f"{one.estimate:+.4f} ({span})"


def _end(bound: float | None) -> str:
    return "no bound" if bound is None else f"{bound:+.4f}"


def _leads(found: Estimate) -> str:
    if not found.leads.tested:
        return "none: nobody was seen long enough before"
    p = "not tested" if found.leads.p is None else f"as large by chance alone in {found.leads.p:.0%}"
    return f"{found.leads.tested}, {p}"


def _fixed(found: Estimate) -> str:
    if found.twfe is None:
        return "none: unit and period explain the treatment fully"
    return f"{found.twfe.estimate:+.4f}, with {found.twfe.negative_share:.0%} of treated cells counted negative"


def _averages(heading: str, rows: Sequence[tuple[int, Figure]], label: Any) -> None:  # noqa: ANN401 - a label of a key
    click.echo()
    ends = [(label(key), *(_end(bound) for bound in (one.estimate, one.low, one.high))) for key, one in rows]
    common.print_table((heading, "effect", "low", "high"), ends)
