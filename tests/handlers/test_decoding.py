"""How a refusal of what another program sent reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from handlers.decoding import EventShape, Rejected, UnfitFieldError, instant, unfit


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


class Inner(msgspec.Struct):
    number: int


class Outer(msgspec.Struct):
    id: str
    many: list[Inner] = []
    named: dict[str, int] = msgspec.field(name="of.all", default_factory=dict)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"id": "a", "many": [{"number": "x"}]}', "many[0].number"),
        (b'{"id": "a", "many": [7]}', "many[0]"),
        (b'{"id": "a", "of.all": {"x": 0.0}}', "of.all[...]"),
        (b'{"id": "a", "of.all": {"x": "y"}}', "of.all[...]"),
    ],
)
def test_what_is_wrong_inside_a_list_or_under_any_name_is_refused(body: bytes, detail: str) -> None:
    """The decoder tells no name there, or an index: the refusal says as much as is known."""
    found = EventShape(Outer, "id").parse_one(body, 0, lambda _, event: event)
    assert isinstance(found, Rejected)
    assert found.event_id == "a"
    assert detail in found.detail
