"""`roi estimate|report|example`: what a programme brought about, from any panel, our own records, an invented one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click
import numpy as np

from bot.cli import common
from bot.demo import southwind
from handlers import tables
from handlers.tables import Column, Layout
from policy.reasons import Refusal
from policy.roi import estimate as estimates
from policy.roi import panel as panels
from policy.roi.report import month_of
from policy.roi.spread import Draws
from policy.units import MicroTokens
from programme import table_file
from programme.roi import panel_file, reports
from programme.roi.panel_file import Columns
from templates import formats, roi_page
from templates import roi as words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.demo.southwind import Measure
    from policy.period import Month
    from policy.returns import Judged, Returns
    from policy.roi.effects import Control
    from policy.roi.estimate import Estimate, Figure, WithoutOne
    from policy.roi.report import Effect, MonthLine
    from programme.roi.panel_file import PanelFile
    from views.roi import FrozenReport

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
@click.option("--period", required=True, metavar="COLUMN", help="Of the period: numbers, dates, months or quarters.")
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


# --- The programme's own report ---------------------------------------------------------------------------------------


@roi.command("report")
@click.option(
    "--month", type=common.MonthType(), help="The last month that is looked at; the last full one when left out."
)
@click.option("--html", type=click.File("w", encoding="utf-8", lazy=True), help="Write the page to this file.")
@click.option("--csv", "table", type=click.File("wb", lazy=True), help="Write the months to this file.")
@common.dry_run_option
@common.json_option
def report_return(
    *, month: Month | None, html: TextIO | None, table: BinaryIO | None, dry_run: bool, as_json: bool
) -> None:
    """Make or show the report of what the programme brings.

    The first time it is made for a month, it is frozen with all that it follows from.
    """
    with common.app() as app:
        if dry_run:
            with app.reading() as moment:
                shown = reports.look(moment, month, actor=common.actor())
        else:
            with app.transaction() as moment:
                shown = reports.make(moment, month, actor=common.actor())
    if html is not None:
        html.write(roi_page.page(shown))
    if table is not None:
        tables.write(table, MONTHS, tables.in_order(MONTHS, map(_month_row, shown.report.real)), "csv")
    if as_json:
        common.print_json(report_as_told(shown) | {"dry_run": dry_run})
    else:
        for name, words_ in words.lines(shown.report):
            click.echo(f"{name} {words_}")
        common.told(f"Inputs are frozen, SHA-256 {shown.digest}.", dry_run=dry_run and not shown.is_kept)


@roi.command("example")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a page for each measure into this folder.",
)
@common.json_option
def example(*, into: Path | None, as_json: bool) -> None:
    """Show reports of an invented company, two years in, with an effect planted in half of its measures.

    What was planted is told beside what was found. Nothing of it touches your records.
    """
    told = dict(southwind.reports())
    for measure, shown in told.items():
        if into is not None:
            into.mkdir(parents=True, exist_ok=True)
            _page_of(into, measure).write_text(roi_page.page(shown), "utf-8")
    if as_json:
        common.print_json({one.name: {"planted": one.effect} | report_as_told(shown) for one, shown in told.items()})
        return
    for measure, shown in told.items():
        click.echo(f"{measure.name.capitalize()} (planted: {formats.change(measure.effect)})")
        for name, line in words.lines(shown.report):
            click.echo(f"  {name} {line}")
        if into is not None:
            click.echo(f"  Page: {_page_of(into, measure)}")


def _page_of(folder: Path, measure: Measure) -> Path:
    return folder / f"southwind-{measure.name.replace(' ', '-')}.html"


_AMOUNTS = ("payroll_usd", "tokens_usd", "fixed_usd", "output", "tokens", "usd_per_output")
MONTHS = Layout((Column("month"), *(Column(name, "number") for name in _AMOUNTS)))


def _month_row(one: MonthLine) -> dict[str, Any]:
    return {
        "month": one.month,
        "payroll_usd": common.usd_text(one.payroll),
        "tokens_usd": common.usd_text(one.tokens_cost),
        "fixed_usd": common.usd_text(one.fixed),
        "output": f"{Decimal(one.output) / 1_000:.3f}",
        "tokens": common.token_text(MicroTokens(one.tokens)),
        "usd_per_output": "" if one.per_output is None else common.usd_text(one.per_output),
    }


def report_as_told(shown: FrozenReport) -> dict[str, Any]:
    """The report as JSON: estimates are numbers, amounts decimal strings; no single team or wave is in it."""
    report = shown.report
    effect, judged = report.effect, report.judged
    return {
        "through": report.basis.through,
        "launched": report.basis.launched,
        "verdict": report.verdict,
        "because": report.because,
        "refused": report.refused,
        "effect": effect and _effect_as_told(effect),
        "break_even": judged and common.plain(judged.break_even),
        "returns": {name: one and _returns(one) for name, one in _ends(judged).items()},
        "tornado": [common.plain(one._asdict()) for one in report.swings],
        "one_off_usd": common.usd_text(report.one_off),
        "months": [_month_row(one) for one in report.real],
        "months_ahead": report.ahead,
        "split": report.split and {**report.split._asdict(), "ratio": report.split.ratio},
        "association": report.association and [one._asdict() for one in report.association.lags],
        "missing": dict(report.basis.missing),
        "handbook": report.basis.handbook,
        "inputs_digest": shown.digest,
        "frozen": shown.is_kept,
        "made_at": shown.made_at.isoformat(),
    }


def _ends(judged: Judged | None) -> dict[str, Returns | None]:
    return {} if judged is None else {"low": judged.low, "estimate": judged.middle, "high": judged.high}


def _effect_as_told(effect: Effect) -> dict[str, Any]:
    found = effect.found
    return {
        "scale": effect.scale,
        "uplift": {name: common.plain(getattr(effect.uplift, name)) for name in ("estimate", "low", "high")},
        "uplift_other_scale": effect.other and common.plain(effect.other.estimate),
        "mean": found.mean._asdict(),
        "event_time": [{"event_time": key} | one._asdict() for key, one in found.event_time],
        "calendar": [{"period": str(month_of(key))} | one._asdict() for key, one in found.of["calendar"]],
        "twfe": found.twfe and found.twfe._asdict(),
        "before_after": found.before_after,
        "detectable": found.detectable,
        "leads": found.leads._asdict(),
        "without_one": effect.without and effect.without._asdict(),
        "inference": found.inference.method,
        "trust": found.trust,
        "units": found.units,
        "treated": found.treated,
        "left_out": len(found.left_out),
    }


def _returns(one: Returns) -> dict[str, Any]:
    return {
        "benefit_usd": common.usd_text(one.benefit),
        "cost_usd": common.usd_text(one.cost),
        "net_usd": common.usd_text(one.net),
        "present_value_usd": common.usd_text(one.present_value),
        "roi": None if one.roi is None else f"{one.roi:.6f}",
        "payback_months": None if one.payback is None else f"{one.payback:.6f}",
    }


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
