"""What the programme brought in less what it cost, month by month, with the band that the effect's interval makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import NANO_PER_USD, NanoUSD
from templates import formats
from templates.charts import canvas, legend, signed
from templates.charts.canvas import FAINT, INK, Box, Card, Picture
from templates.charts.legend import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from policy.returns import Judged
    from policy.roi.report import Report
    from templates.charts.canvas import Plot, Point

MIDDLE, BETWEEN = "#0072b2", "#d6e8f4"
EVERY = 3
DASHES = (5.0, 3.0)


def cumulative(report: Report) -> Picture:
    """The cumulative net result, under a title that says whether and when it pays back."""
    return Picture(canvas.png(drawing(report)), alt_text(report), f"return-{report.basis.through}.png")


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(report: Report) -> str:
    """What there is to see, in one line."""
    judged = report.told
    if judged is None or report.verdict == "not_established":
        return "Not established whether it pays"
    if report.verdict == "does_not_pay":
        return f"It does not pay within {len(report.months)} months"
    payback = judged.middle.payback
    return "It pays" if payback is None else f"It pays, and pays back after {payback:.1f} months"


def subtitle() -> str:
    return "What it brought in less what it cost, in USD, by month since the launch"


def alt_text(report: Report) -> str:
    """The finding, and where each line ends."""
    judged = report.told
    if judged is None:
        return f"Chart without lines. {finding(report)}."
    ahead = f"From month {len(report.real)} on as in the last one. " if report.ahead else ""
    end = f"{ahead}After {len(report.months)} months: {_usd(judged.middle.net)}"
    if judged.low is not None and judged.high is not None:
        end += f", from {_usd(judged.low.net)} to {_usd(judged.high.net)} within the interval of the effect"
    return f"Line chart. {finding(report)}. {subtitle()}. {end}."


def _usd(amount: NanoUSD) -> str:
    return formats.about_usd(amount).replace("-", formats.MINUS)


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(report: Report) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(report), subtitle())
    if (judged := report.told) is None:
        return card.figure
    rows = _rows(report, judged)
    legend.draw(card, rows)
    values = [value for one in (judged.low, judged.middle, judged.high) if one for _, value in _line(one.cumulative)]
    at = signed.steps(min(values), max(values))
    figures = [_short(one) for one in at]
    plot = signed.plot(signed.ground(card, rows, figures), (0, max(1, len(report.months))), at)
    signed.grid(card, plot, at, figures)
    _courses(card, plot, judged)
    if report.ahead:
        today = len(report.real)
        card.lines("today", [[(today, at[0]), (today, at[-1])]], plot, width=1.2, colour=FAINT, dashes=DASHES)
    months = range(0, len(report.months) + 1, EVERY)
    canvas.axis(card, plot.on.bottom, [(plot.x(month), str(month)) for month in months])
    return card.figure


def _courses(card: Card, plot: Plot, judged: Judged) -> None:
    """The band, the line in it, and a mark where that crosses 0."""
    if judged.low is not None and judged.high is not None:
        outline = [*_line(judged.high.cumulative), *reversed(_line(judged.low.cumulative))]
        card.area("between", outline, plot, colour=BETWEEN)
    card.lines("net", [_line(judged.middle.cumulative)], plot, colour=MIDDLE, width=3)
    if judged.middle.payback is not None:
        x, y = plot.x(float(judged.middle.payback)), plot.y(0)
        card.boxes("payback", [Box(x - 5, y - 5, x + 5, y + 5)], canvas.DOTS, colour=INK, zorder=4.5)


def _rows(report: Report, judged: Judged) -> list[Sign]:
    """What each mark stands for, with its figure."""
    end = f"after {len(report.months)} months"
    rows = [Sign(f"{_usd(judged.middle.net)} {end}", colour=MIDDLE, width=3)]
    if judged.low is not None and judged.high is not None:
        ends = f"{_usd(judged.low.net)} to {_usd(judged.high.net)} within the effect's interval"
        rows.append(Sign(ends, colour=BETWEEN, box=True))
    if judged.middle.payback is not None:
        rows.append(Sign(f"Paid back after {judged.middle.payback:.1f} months", box=True))
    if report.ahead:
        rows.append(Sign(f"From here on as in month {len(report.real)}", colour=FAINT, dashes=DASHES, width=1.2))
    return rows


def _short(value: float) -> str:
    """USD at a glance with their sign: `−25 k`."""
    return f"{formats.MINUS if value < 0 else ''}{canvas.short(abs(value))}"


def _line(amounts: Sequence[NanoUSD]) -> list[Point]:
    return [(float(month), int(amount) / NANO_PER_USD) for month, amount in enumerate(amounts)]
