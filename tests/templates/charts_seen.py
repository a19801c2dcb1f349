"""What is on a chart's figure: its texts and its named marks, and where they stand."""

from __future__ import annotations

from itertools import combinations, pairwise, takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from templates.charts import canvas
from templates.charts.canvas import Box

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    Kind = TypeVar("Kind", bound=Artist)
else:
    Kind = TypeVar("Kind")


DESCENT = 3
"""Dots that a text's box has below its letters, where the next line may begin."""


def all_of(figure: Figure, kind: type[Kind]) -> list[Kind]:
    return [artist for artist in figure.get_children() if isinstance(artist, kind)]


def named(figure: Figure, name: str, kind: type[Kind]) -> list[Kind]:
    return [artist for artist in all_of(figure, kind) if artist.get_gid() == name]


def texts(figure: Figure) -> list[Text]:
    return [text for text in all_of(figure, Text) if text.get_text()]


def title(figure: Figure) -> str:
    """The lines of the heading as one."""
    heading = takewhile(lambda text: text.get_fontweight() == "bold", texts(figure))
    return " ".join(text.get_text() for text in heading)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in texts(figure)]


def boxes(figure: Figure, name: str) -> list[Box]:
    """The rectangles of a name, in the plot's values."""
    return [
        Box(*path.vertices.min(axis=0), *path.vertices.max(axis=0))  # type: ignore[union-attr]
        for collection in named(figure, name, PolyCollection)
        for path in collection.get_paths()
    ]


def lines(figure: Figure, name: str) -> list[list[tuple[float, float]]]:
    """The lines of a name, in the plot's values."""
    return [
        [(float(x), float(y)) for x, y in segment]
        for collection in named(figure, name, LineCollection)
        for segment in collection.get_segments()
    ]


def extent(collection: PolyCollection) -> Bbox:
    """Where a collection stands, in dots."""
    every = [collection.get_transform().transform_path(path).get_extents() for path in collection.get_paths()]
    return every[0].union(every)


def assert_texts_stand_free(figure: Figure) -> None:
    """No text meets another, leaves the card or is too small for a phone."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    placed = [(text, text.get_window_extent(renderer)) for text in texts(figure)]
    for text, box in placed:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= canvas.ACROSS, text
        assert box.y1 <= canvas.UP, text
        assert float(text.get_fontsize()) >= canvas.TEXT
        if not text.get_bbox_patch():
            assert_meets_no_mark(figure, text, box)
    for (one, box), (other, its) in combinations(placed, 2):
        across, up = min(box.x1, its.x1) - max(box.x0, its.x0), min(box.y1, its.y1) - max(box.y0, its.y0)
        assert across <= 1 or up <= DESCENT, (one.get_text(), other.get_text(), across, up)


BESIDE_WORDS = {"grid", "base", "key", "sign"}
OUTLINES = {"left, filled", "expected"}
"""Areas whose boxes are larger than they are."""


def assert_meets_no_mark(figure: Figure, text: Text, box: Bbox) -> None:
    """No line and no bar runs through a text that has no ground of its own."""
    for collection in all_of(figure, PolyCollection):
        if collection.get_gid() in BESIDE_WORDS | OUTLINES:
            continue
        for path in collection.get_paths():
            its = collection.get_transform().transform_path(path).get_extents()
            across, up = min(box.x1, its.x1) - max(box.x0, its.x0), min(box.y1, its.y1) - max(box.y0, its.y0)
            assert across <= 1 or up <= DESCENT, (text.get_text(), collection.get_gid(), across, up)
    for line in (one for one in all_of(figure, LineCollection) if one.get_gid() not in BESIDE_WORDS):
        for segment in line.get_segments():
            for (x0, y0), (x1, y1) in pairwise(line.get_transform().transform(segment)):
                for i in range(101):
                    x, y = x0 + (x1 - x0) * i / 100, y0 + (y1 - y0) * i / 100
                    inside = box.x0 + 1 < x < box.x1 - 1 and box.y0 + DESCENT < y < box.y1 - 1
                    assert not inside, (text.get_text(), line.get_gid(), x, y)


def assert_readable_on_a_phone() -> None:
    """The smallest text of a card is as high as it must be where the card is as wide as a phone shows it."""
    assert canvas.TEXT * canvas.DPI / 72 * canvas.PHONE / canvas.ACROSS >= canvas.READABLE


def assert_native(block: dict[str, Any]) -> None:
    """A chart block as Slack takes it."""
    chart = block["chart"]
    categories = chart["axis_config"]["categories"]
    assert block["type"] == "data_visualization"
    assert 0 < len(block["title"]) <= 50
    assert chart["type"] in {"line", "bar"}
    assert 1 <= len(chart["series"]) <= 6
    assert 1 <= len(categories) <= 20
    assert len(set(categories)) == len(categories)
    assert all(0 < len(category) <= 20 for category in categories)
    assert all(0 < len(chart["axis_config"][label]) <= 50 for label in ("x_label", "y_label"))
    for series in chart["series"]:
        assert 0 < len(series["name"]) <= 20
        assert [point["label"] for point in series["data"]] == categories
        assert all(type(point["value"]) in {int, float} for point in series["data"])


def lightness(colour: str) -> float:
    """CIE L*, 0 for black to 100 for white."""
    return float(116 * luminance(colour) ** (1 / 3) - 16)


def contrast(one: str, other: str) -> float:
    """As WCAG has it, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
