"""What a quarter came to in USD: entitled, issued, consumed, and the reserve beside what is outstanding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import formats
from templates.charts import canvas
from templates.charts.canvas import ACROSS, BAND, FAINT, MARGIN, UP, Box, Card, Picture, Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from policy.units import NanoUSD
    from views.review_figures import Money

TALL, APART, GROUPS_APART, TOP = 42, 14, 34, 346
"""Dots: a bar, the room between two, between the quarter and the reserve, and where the first one begins."""
BESIDE, HALF_A_LETTER = 12, 6
OF_THE_QUARTER = 3
ENTITLED, ISSUED, CONSUMED, RESERVE = BAND, "#3a9bd9", "#0072b2", "#00664a"
"""Each lies within the one above it as a rule, and is darker."""


def funds(money: Money, quarter: str) -> Picture:
    """A bar for each amount, under a title that says how much of what was issued was consumed."""
    return Picture(canvas.png(drawing(money, quarter)), alt_text(money, quarter), "funds.png")


# --- What there is to see ------------------------------------------------------------------------------------------


def finding(money: Money) -> str:
    """What there is to see, in one line."""
    if money.issued <= 0:
        return "Nothing was issued"
    if money.consumed > money.issued:
        return "More was consumed than was issued"
    return f"{formats.whole_percent(money.consumed.decimal / money.issued.decimal)} of what was issued was consumed"


def subtitle(quarter: str) -> str:
    return f"USD in {quarter}; the reserve as of the draft"


def bars(money: Money) -> list[tuple[str, NanoUSD, str]]:
    """(words, amount, colour) from the top."""
    return [
        ("Entitled", money.entitled, ENTITLED),
        ("Issued", money.issued, ISSUED),
        ("Consumed", money.consumed, CONSUMED),
        ("Outstanding at worst", money.worst_case, ENTITLED),
        ("Funded reserve", money.funded, RESERVE),
    ]


def alt_text(money: Money, quarter: str) -> str:
    """The finding and every amount."""
    amounts = ", ".join(f"{words.lower()} {formats.whole_usd(amount)}" for words, amount, _ in bars(money))
    return f"Bar chart. {finding(money)}. {subtitle(quarter)}: {amounts}."


# --- The drawing ---------------------------------------------------------------------------------------------------


def drawing(money: Money, quarter: str) -> Figure:
    """The chart: a light card that reads the same on dark screens."""
    card = Card(finding(money), subtitle(quarter))
    shown = [(words, amount, formats.whole_usd(amount).removeprefix("USD "), hue) for words, amount, hue in bars(money)]
    left = MARGIN + max(canvas.width_of(words) for words, *_ in shown) + BESIDE
    right = ACROSS - MARGIN - max(canvas.width_of(text) for _, _, text, _ in shown) - BESIDE
    most = max(1, *(int(amount) for _, amount, *_ in shown))
    plot = Plot(Box(left, 0, right, UP), Box(0, 0, most, UP))
    top = float(TOP)
    for place, (words, amount, text, hue) in enumerate(shown):
        top -= GROUPS_APART if place == OF_THE_QUARTER else 0
        bar, base = Box(0, top - TALL, max(int(amount), 0), top), top - TALL / 2 - HALF_A_LETTER
        if amount > 0:
            card.boxes(words, [bar], plot, colour=hue)
        card.write(left - BESIDE, base, words, ha="right", colour=FAINT)
        card.write(plot.x(bar.right) + BESIDE, base, text)
        top -= TALL + APART
    card.lines("base", [[(left, TOP), (left, top + APART)]], canvas.DOTS, width=1.2, zorder=4)
    return card.figure
