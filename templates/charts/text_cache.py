"""Texts of a chart as stamps: words that come again (dates, names, figures) are set once, which saves most time."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.backend_bases import RendererBase
    from numpy.typing import NDArray

MOST = 1_024
"""Stamps that are kept, of some 10 kB each."""
EDGE = 2
"""Dots around the words for what leans out of their width."""
ALIGNED = {"left": 0.0, "center": 0.5, "right": 1.0}


class StampedText(Text):
    """A text that stands at whole dots of its own; it is stamped where it lies on its base line, without a box."""

    def draw(self, renderer: RendererBase) -> None:
        if (
            not isinstance(renderer, RendererAgg)
            or self.get_rotation()
            or self.get_bbox_patch()
            or "\n" in self.get_text()
        ):
            super().draw(renderer)
        elif self.get_visible() and self.get_text():
            self._stamp(renderer)

    def _stamp(self, renderer: RendererAgg) -> None:
        font = (float(self.get_fontsize()), str(self.get_fontweight()), str(self.get_color()))
        dots, width, below = stamp(self.get_text(), *font, renderer.dpi)
        x, y = self.get_position()
        gc = renderer.new_gc()
        renderer.draw_image(
            gc, round(x - width * ALIGNED[str(self.get_horizontalalignment())]) - EDGE, round(y) - below, dots
        )
        gc.restore()
        self.stale = False


@lru_cache(maxsize=MOST)
def stamp(words: str, size: float, weight: str, colour: str, dpi: float) -> tuple[NDArray[np.uint8], float, int]:
    """Words as dots on nothing, the lowest row first; their width, and how many of the rows are below the base line."""
    font = FontProperties(size=size, weight=weight)
    ruler = RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]
    width, height, descent = ruler.get_text_width_height_descent(words, font, ismath=False)  # type: ignore[no-untyped-call]
    below = ceil(descent) + EDGE
    across, up = ceil(width) + 2 * EDGE, ceil(height - descent) + below + EDGE
    renderer = RendererAgg(across, up, dpi)  # type: ignore[no-untyped-call]
    gc = renderer.new_gc()
    gc.set_foreground(to_rgba(colour), isRGBA=True)
    renderer.draw_text(gc, EDGE, up - below, words, font, 0)  # type: ignore[no-untyped-call]
    return np.array(renderer.buffer_rgba())[::-1].copy(), float(width), below  # type: ignore[no-untyped-call]
