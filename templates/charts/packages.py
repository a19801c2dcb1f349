"""An offer beside others: pay, equity, and AI use as cash with its range, within what all of it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.offers import Better
from templates.charts import canvas
from templates.charts.canvas import ACROSS, FAINT, INK, MARGIN, UP, Box, Card, Picture, Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from policy.units import NanoUSD
    from templates.offers import OfferText
    from views.offers import ComparedRival, OfferedPackage

PAY, EQUITY, CASH = "#0072b2", "#3a9bd9", "#c98500"
KEYS_AT, TOP, BOTTOM = UP - 108, UP - 134, 20
MOST_TALL = 56
"""Dots: a bar, where there are few; above it stand its figures."""
WORDS_TALL, APART = 24, 14
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
    card = Card(finding(text), subtitle(text))
    shown = text.packages
    most = max(1, *(int(one.headline) for one in shown))
    plot = Plot(Box(MARGIN, 0, ACROSS - MARGIN, UP), Box(0, 0, most, UP))
    _key(card, text)
    each = (TOP - BOTTOM) / len(shown)
    tall = min(MOST_TALL, each - WORDS_TALL - APART)
    for place, one in enumerate(shown):
        top = TOP - place * each - max(0.0, (each - WORDS_TALL - tall) / 2)
        card.write(MARGIN, top - WORDS_TALL + 8, _line(text, one))
        _bar(card, one, plot, Box(0, top - WORDS_TALL - tall, 0, top - WORDS_TALL))
    return card.figure


def _line(text: OfferText, one: OfferedPackage) -> str:
    """An offer's figures above its bar, with as much of its label as there is room for."""
    room = ACROSS - 2 * MARGIN
    shorter = (bar(text, one, longest) for longest in range(LONGEST_LABEL, 1, -1))
    return next((words for words in shorter if canvas.width_of(words) <= room), _label(one))


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
        card.boxes("rest of its cost", [rest], plot, colour="none", edge=FAINT, dashed=True, width=1.0)
    if one.cash.high > one.cash.low:
        ends, middle = (plot.x(int(one.cash.low)), plot.x(int(one.cash.high))), (top + bottom) / 2
        card.lines("range", [[(end, middle) for end in ends]], canvas.DOTS, colour=INK, width=2.5, zorder=4)
        edges = [[(end, middle - 9), (end, middle + 9)] for end in ends]
        card.lines("ends of the range", edges, canvas.DOTS, colour=INK, width=2.5, zorder=4)


def _key(card: Card, text: OfferText) -> None:
    w, shown = text.words, text.packages
    keys = [(PAY, w["key_pay"])]
    if any(one.pay.equity for one in shown):
        keys.append((EQUITY, w["key_equity"]))
    keys.append((CASH, w["key_cash"]))
    x = float(MARGIN)
    for hue, words in keys:
        card.key(x, KEYS_AT, hue, words)
        x += card.key_width(words) + 18
    if x + card.key_width(w["key_cost"]) > ACROSS - MARGIN:
        return
    mark = Box(x, KEYS_AT, x + canvas.SQUARE, KEYS_AT + canvas.SQUARE)
    card.boxes("key", [mark], canvas.DOTS, colour="none", edge=FAINT, dashed=True, width=1.0)
    card.write(x + canvas.SQUARE + 6, KEYS_AT, w["key_cost"])
