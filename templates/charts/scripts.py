"""Names in any script, in a picture: its font draws Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic.

What the font has not would be a box. Fonts that have everything weigh more than the whole bot, so it is spelt in Latin
letters instead (docs/decisions/0031); texts beside the picture have the name as it is.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

UNREADABLE = "?"


@cache
def _drawn() -> frozenset[int]:
    """The code points of the font that comes with the drawing library."""
    from matplotlib.font_manager import FontProperties, findfont, get_font  # noqa: PLC0415 - takes a second and a half

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


@lru_cache(maxsize=4_096)
def drawable(words: str) -> str:
    """Words as the font can draw them: in their own letters where it has them, else spelt; never a box."""
    if words.isascii():
        return words
    # Composed, a letter with its accent is one that the font has.
    spelt = "".join(map(_letter, unicodedata.normalize("NFC", words)))
    return spelt if spelt.strip() or not words.strip() else UNREADABLE


def _letter(letter: str) -> str:
    if ord(letter) in _drawn():
        return letter
    from anyascii import anyascii  # noqa: PLC0415 - with the first name that needs it

    # Marks that have no letter of their own (a shade of skin, a choice of glyph) are left out with it.
    return anyascii(letter)
