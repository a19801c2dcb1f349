"""How a refusal of what another program sent reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from handlers.decoding import UnfitFieldError, instant, unfit


def test_values_in_messages_are_short_and_never_the_inside_of_an_object() -> None:
    """A refusal quotes a value in brief; of an object or array it tells only that it is one."""
    assert str(unfit("id", "less", "x" * 5000)).endswith("… (5,002 characters)")
    assert str(unfit("id", "a text", {"prompt": "secret"})) == "id: expected a text, got an object"


def test_years_outside_a_programme_are_refused_without_overflow() -> None:
    """The first and last instants that a datetime can have are refused like any other wrong year."""
    for when in (
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2101, 1, 1, tzinfo=UTC),
    ):
        with pytest.raises(UnfitFieldError, match="time: expected a time in the years 2000 to 2100, got"):
            instant(when, "time")
