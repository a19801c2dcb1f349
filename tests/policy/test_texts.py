"""Texts that people write: what is said of one that is missing or too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import texts
from policy.reasons import FieldsRefused


def test_a_text_is_kept_without_the_space_around_it() -> None:
    """Up to a thousand characters, those around it not counted."""
    assert texts.require("reason", "  Why not?\n", "Say why.") == "Why not?"
    assert texts.require("reason", " " + "x" * 1_000 + "\n", "Say why.") == "x" * 1_000
    assert texts.problem(None) == ""


@pytest.mark.parametrize("nothing", [None, "", " \n\t"])
def test_a_missing_text_is_refused_in_the_forms_words(nothing: str | None) -> None:
    """What is said of an empty field is the form's own sentence, and the refusal names the field."""
    with pytest.raises(FieldsRefused) as refused:
        texts.require("reason", nothing, "Say why: the record keeps it.")
    assert refused.value.problems == {"reason": "Say why: the record keeps it."}


def test_a_text_that_is_too_long_is_refused_with_both_lengths() -> None:
    """The writer reads how long it is, and how long it may be."""
    with pytest.raises(FieldsRefused) as refused:
        texts.require("answer", "x" * 1_203, "Write a sentence.")
    assert refused.value.problems == {"answer": "That's 1,203 characters. Say it in 1,000."}


NOTHING_TO_SEE = {
    "zero width space": "\u200b",
    "joiners and marks of direction": "\u200d\u2060\u202e\ufeff",
    "Braille without a dot": "\u2800\u2800",
    "fillers of Hangul": "\u3164\u115f\u1160\uffa0",
    "controls": "\x07\x1b\x7f\x85",
    "soft hyphens": "\u00ad",
    "wide and narrow spaces": "\u3000\u2003\u202f\u00a0\u1680",
    "separators of lines": "\u2028\u2029",
    "marks on nothing": "\u0301\ufe0f\U000e0100",
    "tags": "\U000e0041\U000e007f",
    "private and unassigned": "\ue000\uffff\U000e0fff",
    "a notehead of nothing": "\U0001d159",
}


@pytest.mark.parametrize("name", NOTHING_TO_SEE)
def test_a_text_that_shows_nothing_is_missing(name: str) -> None:
    """Whatever Unicode calls it: a required text has something to see, alone and between spaces."""
    nothing = NOTHING_TO_SEE[name]
    assert texts.problem(f" {nothing}\n{nothing}", "Say why.") == "Say why."
    assert texts.unfit(nothing, 10) == "a text that shows something"
    assert texts.problem(f"{nothing}x", "Say why.") == ""


@pytest.mark.parametrize("text", ["x", "…", "7", "山田", "محمد", "नमस्ते", "👍🏽", "€", "ไทย"])
def test_a_text_in_any_script_shows_something(text: str) -> None:
    """Letters, digits, signs and emoji of every script."""
    assert texts.shows(text)
    assert texts.unfit(text, 10) == ""


@given(st.text(st.characters()))
def test_what_is_stored_is_what_every_database_takes(text: str) -> None:
    """Without NUL and as UTF-8, whatever it was; what was fit already stays as it is, letter by letter."""
    stored = texts.storable(text)
    assert texts.is_storable(stored)
    assert "\0" not in stored.encode().decode()
    assert stored == text or not texts.is_storable(text)
    assert texts.storable(stored) == stored


def test_halves_of_letters_are_marked() -> None:
    """Half of an emoji is shown as what it is; a whole one stays."""
    assert texts.storable("a\ud83d b\0c \U0001f600") == "a\ufffd bc \U0001f600"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5\u202f000", "'5 000'"),
        ("a\u200bb\nc", "'a b c'"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "'\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'"),
        ("x" * 100, f"'{'x' * 64}…'"),
        ("@Kofi", "'@Kofi'"),
    ],
)
def test_a_text_is_quoted_as_its_writer_saw_it(text: str, shown: str) -> None:
    """No escapes: plain spaces, what joins letters, and no more than a line."""
    assert texts.quoted(text) == shown
