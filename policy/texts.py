"""Texts that people write for others to read: a request's purpose, a reason, an answer."""

from __future__ import annotations

from policy.reasons import FieldsRefused

LONGEST = 1_000


def problem(text: str | None, missing: str = "") -> str:
    """What is wrong with a text; empty when nothing is. `missing` is what is said of one that is empty."""
    written = (text or "").strip()
    if not written:
        return missing
    return f"That's {len(written):,} characters. Say it in {LONGEST:,}." if len(written) > LONGEST else ""


def require(field: str, text: str | None, missing: str) -> str:
    """The text of a form's field, trimmed; FieldsRefused says what is wrong with it."""
    if found := problem(text, missing):
        raise FieldsRefused({field: found})
    return (text or "").strip()
