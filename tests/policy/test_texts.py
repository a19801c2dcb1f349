"""Texts that people write: what is said of one that is missing or too long."""

from __future__ import annotations

import pytest

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
