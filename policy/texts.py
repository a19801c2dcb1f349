"""Texts that people write for others to read: a request's purpose, a reason, an answer; and names that they give."""

from __future__ import annotations

import re
import unicodedata

from policy.reasons import FieldsRefused, Refusal

LONGEST = 1_000
LONGEST_KEY = 150
"""Characters of what a form offers to choose from: Slack takes no longer value of an option."""
LONGEST_NAME = 200
LONGEST_EMAIL = 254
"""RFC 5321: a path of 256 with its brackets."""

_SHOWN = frozenset("LNPS")
"""The first letters of the Unicode categories that show: letters, numbers, punctuation, symbols. Marks show on them."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
"""Fillers of Hangul, Braille without a dot, a notehead of nothing: letters and symbols by name that show nothing."""
_JOINERS = frozenset("\u200c\u200d")
"""They shape letters, in Persian and in emoji of several parts."""
_QUOTED = 64
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def shows(text: str) -> bool:
    """Whether there is anything to see in a text: spaces, controls, joiners and fillers are nothing."""
    return any(unicodedata.category(letter)[0] in _SHOWN and letter not in _BLANK for letter in text)


def is_storable(text: str) -> bool:
    """Whether every database takes a text: PostgreSQL has no NUL, and half of a surrogate pair is no UTF-8."""
    return _UNFIT.search(text) is None


def storable(text: str) -> str:
    """A text as every database takes it: without NUL, and with a mark for each half of a letter."""
    return _UNFIT.sub(lambda found: "" if found[0] == "\0" else "\ufffd", text)


def problem(text: str | None, missing: str = "") -> str:
    """What is wrong with a text; empty when nothing is. `missing` is what is said of one that shows nothing."""
    written = (text or "").strip()
    if not shows(written):
        return missing
    return f"That's {len(written):,} characters. Say it in {LONGEST:,}." if len(written) > LONGEST else ""


def require(field: str, text: str | None, missing: str) -> str:
    """The text of a form's field, trimmed; FieldsRefused says what is wrong with it."""
    if found := problem(text, missing):
        raise FieldsRefused({field: found})
    return (text or "").strip()


def plain(text: str) -> str:
    """A short entry as its writer sees it, on a plain keyboard: digits and signs of any width, single spaces."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    seen = "".join(letter if _is_seen(letter) else " " for letter in unicodedata.normalize("NFKC", text))
    return " ".join(seen.split())


def quoted(text: str) -> str:
    """A text that someone wrote, to be shown to them: as they see it, so with plain spaces and nothing invisible."""
    words = " ".join("".join(letter if _is_seen(letter) else " " for letter in text).split())
    return f"'{words[:_QUOTED]}…'" if len(words) > _QUOTED else f"'{words}'"


def _is_seen(letter: str) -> bool:
    """Marks stand on a letter, and joiners (Cf) between two; the rest that does not show is a space here."""
    kind = unicodedata.category(letter)
    return letter not in _BLANK and (kind[0] in "LMNPS" or letter in _JOINERS)


def unfit(text: str, longest: int) -> str:
    """What a name from a file or a command line should be and is not; empty when it is."""
    if not is_storable(text):
        return "text without NUL" if "\0" in text else "text in UTF-8"
    if not shows(text):
        return "a text that shows something"
    return f"at most {longest} characters" if len(text) > longest else ""


def require_name(field: str, text: str, longest: int = LONGEST_NAME) -> None:
    """A Refusal for a name from a command line that could not be stored or shown."""
    if expected := unfit(text, longest):
        raise Refusal("name_unfit", f"{field} = {quoted(text)}: expected {expected}.")
