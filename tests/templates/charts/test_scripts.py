"""Names in any script are drawn: in their own letters where the font has them, else in Latin ones, never as boxes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.charts import scripts
from tests.templates import charts_seen as seen

DRAWN = {
    "Ada": "Ada",
    "Zażółć gęślą": "Zażółć gęślą",
    "Ελένη": "Ελένη",
    "Владимир": "Владимир",
    "محمد": "محمد",
    "שלום": "שלום",
    "Հայկ": "Հայկ",
    "ნინო": "ნინო",
    "👍": ":thumbsup:",
    "👍🏽": ":thumbsup:",
    "🚀 Atlas": ":rocket: Atlas",
    "山田太郎": "ShanTianTaiLang",
    "한국": "HanGug",
    "नमस्ते": "nmste",
    "ไทย": "aithy",
    "GPU 山": "GPU Shan",
    "e\u0301te\u0301": "été",
    "\ue000": "?",
    " ": " ",
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_name_is_drawn_in_its_letters_or_spelt(name: str) -> None:
    """Scripts of the font stay, the others are transliterated letter by letter; of nothing drawable a mark remains."""
    assert scripts.drawable(name) == DRAWN[name]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_letter_is_a_box(name: str) -> None:
    """Whatever a name holds, the font has every letter that is drawn for it, and drawing it again changes nothing."""
    drawn = scripts.drawable(name)
    has = scripts._drawn()
    assert all(ord(letter) in has or letter.isascii() for letter in drawn)
    assert scripts.drawable(drawn) == drawn
    assert drawn.strip() or not name.strip()


def test_a_picture_has_names_of_every_script() -> None:
    """A whole picture with such names is drawn without a complaint of the library, which names every missing letter."""
    from templates.charts import canvas, weekly  # noqa: PLC0415 - takes a second and a half
    from tests.templates.charts.test_weekly import SCRIPTS, report  # noqa: PLC0415 - with it

    figure = weekly.drawing(report([(500.0, 300.0, 250.0, 200.0, 150.0)] * 12, SCRIPTS))
    words = " ".join(seen.words(figure))
    for spelt in ("ShanTian", "nmste", ":rocket:", "محرك", "Облако"):
        assert spelt in words
    assert canvas.png(figure)
