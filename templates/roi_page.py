"""A report of the return as one page of HTML: it fetches nothing, runs nothing, and prints on A4."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from policy.roi.report import ASSUMED, month_of
from templates import charts, formats, labels, roi
from templates.charts.event_study import points
from templates.review_page import data_uri, moment

if TYPE_CHECKING:
    from policy.parameters.roi import RoiRules
    from policy.roi.report import Effect
    from views.roi import FrozenReport


def page(shown: FrozenReport) -> str:
    """The page; whatever people wrote is only text in it."""
    report = shown.report
    return (
        _environment()
        .get_template("roi.html.j2")
        .render(
            shown=shown,
            report=report,
            lines=roi.lines(report),
            through=roi.through(shown),
            effect_picture=charts.event_study(report),
            net_picture=charts.cumulative(report),
            data_uri=data_uri,
            points=points(report.effect) if report.effect else [],
            checks=checks(report.effect) if report.effect else [],
            calendar=calendar(report.effect) if report.effect else [],
            assumptions=assumptions(shown.rules),
            factors=roi.FACTORS,
            not_known=roi.not_known(report),
        )
    )


def checks(effect: Effect) -> list[tuple[str, str]]:
    """What others would have claimed, and how much rests on one team or on the scale."""
    found, told = effect.found, []
    told.append(("Before and after of teams that joined", formats.change(effect.relative(found.before_after))))
    if found.twfe is not None:
        share = formats.whole_percent(found.twfe.negative_share)
        words = f"{formats.change(effect.relative(found.twfe.estimate))}, {share} of treated months counted negative"
        told.append(("Two-way fixed effects", words))
    if effect.without is not None:
        ends = [formats.change(effect.relative(one)) for one in (effect.without.low, effect.without.high)]
        told.append(("Without any one team", " to ".join(ends)))
    if effect.other is not None:
        told.append(("In counts instead of logarithms", formats.change(effect.other.estimate)))
    if found.leads.p is not None:
        told.append(("Largest lead", f"as large by chance alone in {formats.whole_percent(found.leads.p)}"))
    return told


def calendar(effect: Effect) -> list[tuple[str, str, str]]:
    """(month, effect, interval) by calendar month."""
    return [
        (formats.month(month_of(key)), formats.change(effect.relative(one.estimate)), _span(effect, one.low, one.high))
        for key, one in effect.found.of["calendar"]
    ]


def _span(effect: Effect, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return f"{formats.change(effect.relative(low))} to {formats.change(effect.relative(high))}"


def assumptions(rules: RoiRules) -> list[tuple[str, str, str]]:
    """(what, value, range) of what is assumed, and not measured."""
    told = []
    for factor, name in ASSUMED.items():
        low, high = rules.range_of(name)
        value = Decimal(getattr(rules, name))
        told.append((roi.FACTORS[factor], f"{value:f}", f"{low:f} to {high:f}"))
    return [*told, ("Discount rate of a year", formats.percent(rules.discount_rate), "–")]


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("templates", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(formats.FILTERS | labels.FILTERS | {"moment": moment, "change": formats.change})
    return env
