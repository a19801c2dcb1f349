"""(g) A team's chart over the plain way to draw it; a thousand of them in two processes over one."""

from __future__ import annotations

import io
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from statistics import median
from typing import Any

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from policy.period import Week
from policy.units import NANO_PER_USD, MicroTokens, NanoUSD
from templates.charts import canvas, weekly
from views.reports import TeamReport, WeekAhead, WeekOfSpend

SERVICES = ("GPU cluster", "Anthropic API", "OpenAI API", "Amazon Bedrock", "Cohere", "Not told apart")
ROUNDS = 40


def report(number: int = 0) -> TeamReport:
    """Twelve weeks of six services, with a pace and a forecast."""
    first = Week.containing(date(2026, 11, 24) - timedelta(weeks=11)).first_day
    weeks = []
    for i in range(12):
        usd = tuple(NanoUSD((600 - 90 * k + (i * 37 + k * 61 + number) % 90) * NANO_PER_USD) for k in range(6))
        spent = sum(usd, NanoUSD(0))
        pace = NanoUSD(2_500 * NANO_PER_USD)
        weeks.append(
            WeekOfSpend(Week(first + timedelta(weeks=i)), usd, spent, MicroTokens(int(spent) // 10), pace, people=8)
        )
    span = [NanoUSD(each * NANO_PER_USD) for each in (2_000, 2_400, 2_900)]
    ahead = tuple(WeekAhead(Week(first + timedelta(weeks=11 + i)), *span) for i in range(4))
    return TeamReport(
        manager_id="p1",
        today=date(2026, 11, 24),
        people=8,
        hidden="",
        services=SERVICES,
        weeks=tuple(weeks),
        ahead=ahead,
        month=None,
        jumps=(),
        idle=None,
        lapsing=None,
        lapses_on=date(2026, 12, 1),
        open_requests=0,
        teams=(),
        teams_hidden=0,
        per_token=NanoUSD(NANO_PER_USD // 100),
        contact="",
    )


def ratio() -> tuple[float, float]:
    """(seconds of a chart, seconds of the same chart by `Axes.bar` and `savefig`), medians of turns."""
    of = report()
    content = [
        (
            *text.get_position(),
            text.get_text(),
            text.get_fontsize(),
            text.get_color(),
            text.get_fontweight(),
            text.get_horizontalalignment(),
        )
        for text in weekly.drawing(of).get_children()
        if isinstance(text, Text) and text.get_text()
    ]
    bars = [one for one in weekly.drawing(of).get_children() if isinstance(one, PolyCollection)]
    assert sum(len(one.get_paths()) for one in bars if (one.get_gid() or "").startswith("service")) == 12 * 6
    ours, plain = [], []
    for number in range(ROUNDS):
        of = report(number)
        begin = time.perf_counter()
        weekly.weekly_spend(of)
        ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        _plainly(of, content)
        plain.append(time.perf_counter() - begin)
    return median(ours), median(plain)


def _plainly(of: TeamReport, content: list[tuple[Any, ...]]) -> bytes:
    """The same rectangles, lines and texts, but for the few that an axis writes itself."""
    figure = Figure(figsize=(canvas.WIDTH, canvas.HEIGHT), dpi=canvas.DPI)
    axes = figure.add_axes((0.12, 0.11, 0.64, 0.6))
    bottom, ends = [0.0] * 12, range(11, 15)
    for k, colour in enumerate(canvas.colours(of.services)):
        heights = [float(week.usd[k].decimal) for week in of.weeks]
        bars = axes.bar(range(12), heights, bottom=bottom, width=2 * weekly.BAR, color=colour, edgecolor="white")
        bars[-1].set_hatch("////")
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    low, middle, high = (
        [float(each.decimal) for each in one]
        for one in zip(*((a.low, a.middle, a.high) for a in of.ahead), strict=True)
    )
    axes.bar(ends, [h - b for h, b in zip(high, low, strict=True)], bottom=low, width=2 * weekly.BAR, color=canvas.BAND)
    axes.hlines(middle, [i - weekly.BAR for i in ends], [i + weekly.BAR for i in ends], color=canvas.INK)
    axes.plot(
        [float(week.pace.decimal) for week in of.weeks if week.pace], "--", drawstyle="steps-mid", color=canvas.INK
    )
    axes.set_xticks([0, 4, 8, 11, 14], ["7 Sep", "5 Oct", "2 Nov", "this week", "14 Dec"])
    axes.set_yticks([1_000, 2_000, 3_000], ["1 k", "2 k", "USD 3 k"])
    axes.tick_params(labelsize=canvas.TEXT)
    axes.grid(axis="y")
    axes.spines[["top", "left", "right"]].set_visible(False)
    written = {label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())}
    for x, y, words, size, colour, weight, ha in content:
        if words not in written:
            figure.text(x / canvas.ACROSS, y / canvas.UP, words, size=size, color=colour, weight=weight, ha=ha)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=canvas.DPI)
    return file.getvalue()


def processes(count: int) -> tuple[float, float]:
    """(charts a second in one process, in two), both warm, each a process of its own."""
    one, two = (_per_second(workers, count) for workers in (1, 2))
    return one, two


def _per_second(workers: int, count: int) -> float:
    spawn = multiprocessing.get_context("spawn")
    share = count // workers
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        warm = [pool.submit(draw, 0, 30) for _ in range(workers)]
        assert all(one.result() == 30 for one in warm)
        begin = time.perf_counter()
        done = [pool.submit(draw, share * worker, share) for worker in range(workers)]
        assert sum(one.result() for one in done) == count
        return count / (time.perf_counter() - begin)


def draw(first: int, count: int) -> int:
    """So many charts, each of other figures."""
    return sum(weekly.weekly_spend(report(number)).png.startswith(b"\x89PNG") for number in range(first, first + count))
