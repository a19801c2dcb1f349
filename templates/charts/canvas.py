"""The card that every picture is drawn on: its size, colours and texts, and how it becomes a file.

A picture has a figure of its own, and nothing is kept but words: no picture can leak into the next one, and any thread
may draw. It is quick because there are no `Axes`: collections and some twenty texts stand on the bare figure.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from policy.units import MICRO_PER_TOKEN, NANO_PER_USD, divide_half_even
from templates import formats
from templates.charts.scripts import drawable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Affine2D

    from policy.units import MicroTokens, NanoUSD

    Point = tuple[float, float]

WIDTH, HEIGHT, DPI = 7.2, 6.6, 100
"""Inches and dots: 720 x 660."""
ACROSS, UP = round(WIDTH * DPI), round(HEIGHT * DPI)
PHONE, READABLE = 360, 12
"""CSS pixels: a phone shows the card so wide, and a text must be so high there (docs/decisions/0043)."""
MARGIN = 24
TEXT, TITLE = 17.5, 21
SQUARE = 18
LINE, TITLE_LINE = 31, 35
"""Dots from one line of text to the next."""
MOST_LINES = 2
"""Of a title or what stands below it."""
CARD, INK, FAINT, GRID, BAND = "#ffffff", "#1f2328", "#656d76", "#dfe3e8", "#c9d1d9"
TITLE_AT = UP - 44
DOLLARS = 10 * NANO_PER_USD
"""From here on cents are left out."""
KEPT = "\u00a0"
"""A space at which no line breaks."""
OTHERS = "Not told apart"
SERIES = ("#0072b2", "#c98500", "#00664a", "#3a9bd9", "#a63f00", "#cc79a7")
"""Hues that everyone can tell apart (after Okabe and Ito), dark and light in turn, all 3 : 1 or more on the card."""
REST_DARK, REST_LIGHT = "#57606a", "#868d95"
"""What is no service of its own: the one that differs from the service below it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that goes with a message."""

    png: bytes
    alt_text: str
    filename: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in dots, or in a plot's units."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    @property
    def corners(self) -> list[Point]:
        return [(self.left, self.bottom), (self.right, self.bottom), (self.right, self.top), (self.left, self.top)]


@dataclass(frozen=True, slots=True)
class Plot:
    """Where on the card a range of values is drawn."""

    on: Box
    values: Box

    def x(self, value: float) -> float:
        of = self.values
        return self.on.left + (value - of.left) / (of.right - of.left) * (self.on.right - self.on.left)

    def y(self, value: float) -> float:
        of = self.values
        return self.on.bottom + (value - of.bottom) / (of.top - of.bottom) * (self.on.top - self.on.bottom)

    def box(self, values: Box) -> Box:
        return Box(self.x(values.left), self.y(values.bottom), self.x(values.right), self.y(values.top))

    @property
    def transform(self) -> Affine2D:
        from matplotlib.transforms import Affine2D  # noqa: PLC0415 - with the drawing library

        at, per = (self.x(0), self.y(0)), (self.x(1) - self.x(0), self.y(1) - self.y(0))
        return Affine2D.from_values(per[0], 0, 0, per[1], *at)


class Card:
    """A light card that reads the same on dark screens. Texts stand at dots, marks at a plot's values.

    Every mark carries its name as `gid`.
    """

    def __init__(self, title: str, subtitle: str = "") -> None:
        from matplotlib.backends.backend_agg import (  # noqa: PLC0415 - takes a second and a half, and most never draw
            FigureCanvasAgg,
        )
        from matplotlib.figure import Figure  # noqa: PLC0415 - as above

        self.figure: Figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=CARD)
        FigureCanvasAgg(self.figure)
        lines, size = fitting(drawable(title))
        at = float(TITLE_AT)
        for line in lines:
            self.write(MARGIN, at, line, size=size, weight="bold")
            at -= TITLE_LINE
        for line in wrapped(drawable(subtitle))[:MOST_LINES]:
            self.write(MARGIN, at, line, colour=FAINT)
            at -= LINE
        self.top = at + LINE - 14
        """Dots: where what is drawn may begin."""

    def write(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = TEXT,
        colour: str = INK,
        weight: str = "normal",
        ha: Literal["left", "center", "right"] = "left",
        va: Literal["top", "center", "bottom", "baseline"] = "baseline",
        rotation: float = 0,
    ) -> Text:
        """A text at dots; "$" and the like stand for themselves, and letters that the font lacks are spelt."""
        from matplotlib.transforms import IdentityTransform  # noqa: PLC0415 - with the drawing library

        from templates.charts.text_cache import StampedText  # noqa: PLC0415 - as above

        text = StampedText(
            x,
            y,
            drawable(words),
            size=size,
            color=colour,
            weight=weight,
            ha=ha,
            va=va,
            rotation=rotation,
            parse_math=False,
            transform=IdentityTransform(),
            zorder=5,
            linespacing=1.15,
        )
        self.figure.add_artist(text)
        return text

    def boxes(
        self,
        name: str,
        boxes: Iterable[Box],
        plot: Plot,
        *,
        colour: str,
        edge: str = "none",
        hatch: str = "",
        width: float = 0.7,
        dashed: bool = False,
        zorder: float = 2,
    ) -> None:
        """Rectangles in a plot's values, drawn at once."""
        from matplotlib.collections import PolyCollection  # noqa: PLC0415 - with the drawing library

        corners = [box.corners for box in boxes]
        if corners:
            self.figure.add_artist(
                PolyCollection(
                    corners,
                    facecolors=colour,
                    edgecolors=edge,
                    linewidths=width,
                    hatch=hatch or None,
                    gid=name,
                    linestyles=[(0, (4, 2))] if dashed else "solid",
                    transform=plot.transform,
                    zorder=zorder,
                )
            )

    def lines(
        self,
        name: str,
        lines: Iterable[Sequence[Point]],
        plot: Plot,
        *,
        colour: str = INK,
        width: float = 2,
        dashes: tuple[float, ...] = (),
        zorder: float = 3,
    ) -> None:
        """Lines through a plot's values, drawn at once."""
        from matplotlib.collections import LineCollection  # noqa: PLC0415 - with the drawing library

        paths = [list(line) for line in lines]
        if paths:
            self.figure.add_artist(
                LineCollection(
                    paths,
                    colors=colour,
                    linewidths=width,
                    gid=name,
                    transform=plot.transform,
                    zorder=zorder,
                    linestyles=[(0, dashes)] if dashes else "solid",
                    capstyle="butt",
                )
            )

    def area(self, name: str, outline: Sequence[Point], plot: Plot, *, colour: str, zorder: float = 1) -> None:
        from matplotlib.collections import PolyCollection  # noqa: PLC0415 - with the drawing library

        self.figure.add_artist(
            PolyCollection(
                [list(outline)], facecolors=colour, edgecolors="none", gid=name, transform=plot.transform, zorder=zorder
            )
        )

    def key(self, x: float, y: float, colour: str, words: str) -> None:
        """A small square of a colour and what it stands for, on a line with its base at `y`."""
        self.boxes("key", [Box(x, y, x + SQUARE, y + SQUARE)], DOTS, colour=colour, zorder=4)
        self.write(x + SQUARE + 6, y, words)

    def key_width(self, words: str) -> float:
        return SQUARE + 6 + width_of(words)


DOTS = Plot(Box(0, 0, 1, 1), Box(0, 0, 1, 1))
"""The card itself as a plot."""


def grid(card: Card, plot: Plot, at: Sequence[float], words: Sequence[str]) -> list[Box]:
    """Few lines, each with its figure above it at the left, and the base line; where the figures stand."""
    on, y = plot.on, plot.y
    card.lines("grid", [[(MARGIN, y(one)), (on.right, y(one))] for one in at], DOTS, colour=GRID, width=1, zorder=0)
    card.lines("base", [[(MARGIN, y(0)), (on.right, y(0))]], DOTS, width=1.2, zorder=4)
    taken = []
    for one, text in zip(at, words, strict=True):
        card.write(MARGIN, y(one) + 4, text, colour=FAINT)
        taken.append(Box(MARGIN, y(one), MARGIN + width_of(text), y(one) + LINE))
    return taken


def axis(card: Card, base: float, wanted: Iterable[tuple[float, str]]) -> list[Box]:
    """Words under the base line, the first ones first, as many as have room; where they stand."""
    taken: list[Box] = []
    for centre, words in wanted:
        half = width_of(words) / 2
        x = min(max(centre, MARGIN + half), ACROSS - MARGIN - half)
        box = Box(x - half - 8, base - LINE - 5, x + half + 8, base)
        if not any(box.meets(other) for other in taken):
            taken.append(box)
            card.write(x, base - LINE + 3, words, ha="center")
    return taken


@lru_cache(maxsize=4_096)
def width_of(words: str, size: float = TEXT, weight: str = "normal") -> float:
    """The width of a text, in dots: it depends on nothing else, and names and figures come again."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415 - with the drawing library
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - as above

    ruler = RendererAgg(1, 1, DPI)  # type: ignore[no-untyped-call]
    font = FontProperties(size=size, weight=weight)
    return float(ruler.get_text_width_height_descent(drawable(words), font, ismath=False)[0])  # type: ignore[no-untyped-call]


def fitting(title: str) -> tuple[list[str], float]:
    """A title's lines in the largest size in which they are few enough; cut if too many even in that of other texts."""
    for size in (TITLE, (TITLE + TEXT) / 2, TEXT):
        lines = wrapped(title, size, "bold")
        if len(lines) <= MOST_LINES:
            return _balanced(title, size, lines), size
    words = title
    while len(wrapped(words, TEXT, "bold")) > MOST_LINES:
        words = name(title, len(words) - 1)
    return wrapped(words, TEXT, "bold"), TEXT


def _balanced(title: str, size: float, lines: list[str]) -> list[str]:
    """The same number of lines, none of which is a single word if that can be helped."""
    for part in (0.5, 0.6, 0.7, 0.8, 0.9):
        even = wrapped(title, size, "bold", room=(ACROSS - 2 * MARGIN) * part)
        if len(even) == len(lines) > 1:
            return even
    return lines


def wrapped(words: str, size: float = TEXT, weight: str = "normal", room: float = ACROSS - 2 * MARGIN) -> list[str]:
    """Words in lines no wider than the room; a word that has none alone is broken. A number keeps its unit."""
    lines: list[str] = []
    for word in _unbroken(words).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, weight) <= room:
            lines[-1] = longer
            continue
        rest = word
        while width_of(rest, size, weight) > room:
            fits = max(n for n in range(1, len(rest)) if n == 1 or width_of(rest[:n], size, weight) <= room)
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return [line.replace(KEPT, " ") for line in lines if line]


def _unbroken(words: str) -> str:
    return re.sub(
        r"(?<=\d) (?=[kMB%]\b|%|tokens\b|people\b|[A-Z][a-z]{2}\b)|(?<=\d [kMB]) (?=tokens\b)|(?<=USD) (?=\d)",
        KEPT,
        words,
    )


def png(figure: Figure) -> bytes:
    """A figure as a file. The card is opaque: it goes without alpha, and lightly compressed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - with the drawing library
    from PIL import Image  # noqa: PLC0415 - as above

    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    written = io.BytesIO()
    image = Image.frombuffer("RGBA", (ACROSS, UP), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)  # type: ignore[no-untyped-call]
    image.convert("RGB").save(written, format="png", compress_level=3)
    return written.getvalue()


def colours(services: Sequence[str]) -> tuple[str, ...]:
    """A colour for each service, by its place; grey for what is no service of its own."""
    return tuple(
        (REST_DARK if place % 2 == 0 else REST_LIGHT) if name == OTHERS else SERIES[place % len(SERIES)]
        for place, name in enumerate(services)
    )


def usd(amount: NanoUSD) -> str:
    """USD at a glance, without its name: `0.40`, `320`, `4.2 k`."""
    return short(int(amount) / NANO_PER_USD) if abs(int(amount)) < DOLLARS else _whole(int(amount), NANO_PER_USD)


def short(value: float) -> str:
    """As `usd` and `tokens`, for a value of an axis."""
    if abs(value) < DOLLARS / NANO_PER_USD:
        text = f"{abs(value):.2f}" if value % 1 else f"{abs(value):.0f}"
        return f"{formats.MINUS}{text}" if value < 0 else text
    return formats.short_count(round(value))


def tokens(amount: MicroTokens) -> str:
    """Tokens at a glance: `412 k`; less than one is not told as none."""
    return "under 1" if 0 < int(amount) < MICRO_PER_TOKEN // 2 else _whole(int(amount), MICRO_PER_TOKEN)


def in_tokens(amount: MicroTokens) -> str:
    """The same with its unit: `1 token`, `412 k tokens`."""
    said = tokens(amount)
    return f"{said} {'token' if said in {'1', 'under 1'} else 'tokens'}"


def _whole(amount: int, scale: int) -> str:
    return formats.short_count(divide_half_even(amount, scale))


def name(text: str, longest: int) -> str:
    """A name on one line, cut where a word ends if that leaves most of it."""
    words = " ".join(text.split())
    if len(words) <= longest:
        return words
    cut = words[: longest - 1]
    at_word = cut if words[longest - 1] == " " else cut.rpartition(" ")[0]
    return f"{(at_word if 2 * len(at_word) > longest else cut).rstrip()}…"


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{formats.count(count)} people"


def of(day: date) -> str:
    return f"{day.day} {day:%b}"
