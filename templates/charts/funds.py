"""What a quarter came to in USD: entitled, issued, consumed, and the reserve beside what is outstanding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import formats
from templates.charts import canvas
from templates.charts.canvas import ACROSS, BAND, LINE, MARGIN, UP, Box, Card, Picture, Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from policy.units import NanoUSD
    from views.review_figures import Money

TALL, APART, GROUPS_APART = 36, 20, 26
"""Dots: a bar, the room between two, and more of it between the quarter and the reserve."""
HALF_A_LETTER = 8
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
    share = formats.whole_percent(money.consumed.decimal / money.issued.decimal)
    return f"{share[0].upper()}{share[1:]} of what was issued was consumed"


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
    most = max(1e-9, *(float(amount.decimal) for _, amount, _ in bars(money)))
    plot = Plot(Box(MARGIN, 0, ACROSS - MARGIN, UP), Box(0, 0, most, UP))
    top = card.top - APART
    for place, (words, amount, hue) in enumerate(bars(money)):
        top -= GROUPS_APART if place == OF_THE_QUARTER else 0
        card.write(MARGIN, top - LINE + HALF_A_LETTER, f"{words}: {formats.whole_usd(amount)}")
        bar = Box(0, top - LINE - TALL, max(float(amount.decimal), 0), top - LINE)
        if amount > 0:
            card.boxes(words, [bar], plot, colour=hue, edge=canvas.FAINT)
        card.lines("base", [[(MARGIN, bar.bottom), (MARGIN, bar.top)]], canvas.DOTS, width=1.2, zorder=4)
        top -= LINE + TALL + APART
    return card.figure
