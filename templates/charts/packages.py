"""An offer beside others: pay, equity, and AI use as cash with its range, within what all of it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.offers import Better
from templates.charts import canvas, legend
from templates.charts.canvas import ACROSS, CARD, FAINT, INK, LINE, MARGIN, UP, Box, Card, Picture, Plot
from templates.charts.legend import Sign
from templates.charts.scripts import drawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from policy.units import NanoUSD
    from templates.offers import OfferText
    from views.offers import ComparedRival, OfferedPackage

PAY, EQUITY, CASH = "#0072b2", "#3a9bd9", "#c98500"
MOST_TALL = 48
"""Dots: a bar, where there are few; above it stand its figures."""
APART, ABOVE_BAR = 12, 8
LONGEST_LABEL = 28


def packages(text: OfferText) -> Picture:
    """A bar for each offer, under a title that says when ours comes to more."""
    return Picture(canvas.png(drawing(text)), alt_text(text), "offer.png")


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(text: OfferText) -> str:
    """What there is to see, in one line."""
    ours, rivals, w = text.content.ours, text.content.rivals, text.words
    if not rivals:
        return w.say("chart_alone", point=_short(text, ours.cash.point), cost=_short(text, ours.headline))
    if len(rivals) > 1:
        return w.say("chart_several", label=_label(ours), count=str(len(rivals)))
    return _against(text, rivals[0])


def _against(text: OfferText, rival: ComparedRival) -> str:
    share = "" if rival.share is None else text.words.percent(rival.share)
    better = Better.ALWAYS if rival.better is Better.ABOVE and not rival.share else rival.better
    return text.words.say(f"chart_{better.value}", rival=_label(rival.package), share=share)


def subtitle(text: OfferText) -> str:
    return text.words.say("chart_of", currency=text.content.basis.rate.currency)


def bar(text: OfferText, one: OfferedPackage, longest: int = LONGEST_LABEL) -> str:
    """An offer's figures in one line."""
    point, label = _short(text, one.cash.point), _label(one, longest)
    if not one.use.cost:
        return text.words.say("bar_plain", label=label, point=point)
    low, high = _short(text, one.cash.low), _short(text, one.cash.high)
    return text.words.say("bar", label=label, point=point, low=low, high=high, cost=_short(text, one.headline))


def _label(one: OfferedPackage, longest: int = LONGEST_LABEL) -> str:
    return canvas.name(one.label, longest)


def _short(text: OfferText, amount: NanoUSD) -> str:
    """Thousands with one decimal: `242.4 k`."""
    units = text.content.basis.rate.of_usd(amount).decimal
    if units < 1_000:  # noqa: PLR2004 - no thousands
        return text.amount(amount)
    return f"{text.words.number(round(units / 1_000, 1))} k"


def alt_text(text: OfferText) -> str:
    """The finding and every figure."""
    return f"{finding(text)}. {subtitle(text)}. {'; '.join(bar(text, one) for one in text.packages)}."


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(text: OfferText) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card, shown, signs = Card(finding(text), subtitle(text)), text.packages, _signs(text)
    most = max(1, *(int(one.headline) for one in shown))
    plot = Plot(Box(MARGIN, 0, ACROSS - MARGIN, UP), Box(0, 0, most, UP))
    legend.draw(card, signs)
    lines = [_lines(text, one) for one in shown]
    room = card.top - legend.height(signs) - LINE * sum(map(len, lines)) - (APART + ABOVE_BAR) * len(shown)
    tall, top = min(float(MOST_TALL), room / len(shown)), card.top
    for one, words in zip(shown, lines, strict=True):
        for line in words:
            card.write(MARGIN, top - LINE + ABOVE_BAR, line)
            top -= LINE
        _bar(card, one, plot, Box(0, top - ABOVE_BAR - tall, 0, top - ABOVE_BAR))
        top -= ABOVE_BAR + tall + APART
    return card.figure


def _lines(text: OfferText, one: OfferedPackage) -> list[str]:
    """An offer's figures above its bar, on two lines at most, with as much of its label as there is room for."""
    shorter = (canvas.wrapped(drawable(bar(text, one, longest))) for longest in range(LONGEST_LABEL, 1, -1))
    return next((lines for lines in shorter if len(lines) <= canvas.MOST_LINES), [_label(one)])


def _bar(card: Card, one: OfferedPackage, plot: Plot, at: Box) -> None:
    """A bar between the bottom and the top of `at`."""
    cash, equity = int(one.pay.base) + int(one.pay.bonus), int(one.pay.total)
    point, cost, bottom, top = int(one.cash.point), int(one.headline), at.bottom, at.top
    for name, low, high, hue in (
        ("pay", 0, cash, PAY),
        ("equity", cash, equity, EQUITY),
        ("use as cash", equity, point, CASH),
    ):
        if high > low:
            card.boxes(name, [Box(low, bottom, high, top)], plot, colour=hue)
    if cost > point:
        rest = Box(point, bottom, cost, top)
        card.boxes("rest of its cost", [rest], plot, colour=CARD, edge=FAINT, width=1.0)
    if one.cash.high > one.cash.low:
        ends, middle = (plot.x(int(one.cash.low)), plot.x(int(one.cash.high))), (top + bottom) / 2
        card.lines("range", [[(end, middle) for end in ends]], canvas.DOTS, colour=INK, width=2.5, zorder=4)
        edges = [[(end, middle - 8), (end, middle + 8)] for end in ends]
        card.lines("ends of the range", edges, canvas.DOTS, colour=INK, width=2.5, zorder=4)


def _signs(text: OfferText) -> list[Sign]:
    w, shown = text.words, text.packages
    signs = [Sign(w["key_pay"], PAY, box=True)]
    if any(one.pay.equity for one in shown):
        signs.append(Sign(w["key_equity"], EQUITY, box=True))
    if any(one.use.cost for one in shown):
        signs += [Sign(w["key_cash"], CASH, box=True), Sign(w["key_cost"], CARD, box=True, edge=FAINT)]
    return signs
