"""Public holidays of where people are: messages wait for them, deadlines don't, and the handbook has exceptions."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from policy import handbook
from policy.hours import next_opening
from policy.reasons import Refusal
from programme import handbooks, notify
from programme.handbook import applying
from store.outbox import messages
from tests.support import cast
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App

BERLIN, LONDON, NEW_YORK = (ZoneInfo(name) for name in ("Europe/Berlin", "Europe/London", "America/New_York"))
CALENDARS = """\
holidays = [2026-12-24]
calendars = [
  { zone = "Europe/Berlin", country = "DE", subdivision = "BE" },
  { zone = "America/New_York", country = "US" },
]
working_days = [2027-05-06]
"""
BOOK = handbook.packaged().replace("holidays = []\n", CALENDARS).replace('version = "2026.1"', 'version = "calendars"')


@pytest.mark.parametrize(
    ("zone", "morning", "opens_on"),
    [
        (BERLIN, date(2026, 12, 24), date(2026, 12, 28)),  # Everyone's day off, two public holidays, a week-end.
        (LONDON, date(2026, 12, 25), date(2026, 12, 25)),  # Without a calendar there are no public holidays.
        (NEW_YORK, date(2026, 11, 26), date(2026, 11, 27)),  # Thanksgiving, which others don't have.
        (BERLIN, date(2026, 11, 26), date(2026, 11, 26)),
        (BERLIN, date(2027, 3, 8), date(2027, 3, 9)),  # Women's day, a holiday in Berlin and not in all of Germany.
        (BERLIN, date(2027, 5, 6), date(2027, 5, 6)),  # Ascension Day, on which this company works.
    ],
)
def test_people_are_written_to_on_their_working_days(zone: ZoneInfo, morning: date, opens_on: date) -> None:
    """The public holidays of a person's own zone, everyone's days off, and the handbook's exceptions."""
    rules = handbooks.parsed(BOOK).messages
    asked = datetime(morning.year, morning.month, morning.day, 10, tzinfo=zone)
    assert next_opening(asked, zone, rules).astimezone(zone).date() == opens_on


def test_two_people_of_one_message_get_it_on_days_of_their_own(sqlite_app: App) -> None:
    """Ben in New York is not written to on Thanksgiving; Ada in London, for whom there is no calendar, is."""
    at = datetime(2026, 11, 26, 15, tzinfo=UTC)
    with sqlite_app.transaction() as moment:
        applying.apply(moment, BOOK, actor="test")
    with sqlite_app.transaction(at) as moment:
        letters = [(who, "people/linked", json.dumps({}), cast.id_of(moment.session, who)) for who in (ADA, BEN)]
        due = {one.key: one.due_at for one in notify.in_hours(moment, letters, book=moment.handbook, earliest=at)}
        assert messages.pending(moment.session, limit=9) == []
    assert due == {ADA: at, BEN: datetime(2026, 11, 27, 14, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('country = "US"', 'country = "XX"', "messages.calendars[2]: Country XX not available"),
        ('subdivision = "BE"', 'subdivision = "ZZ"', "does not have subdivision ZZ"),
        ("America/New_York", "America/Nowhere", "messages.calendars[2].zone = 'America/Nowhere'"),
        ("America/New_York", "Europe/Berlin", "zone = 'Europe/Berlin' is there twice"),
        ('country = "US"', 'land = "US"', "messages.calendars[2].country: missing"),
    ],
)
def test_a_calendar_that_is_none_is_refused(sqlite_app: App, old: str, new: str, said: str) -> None:
    """When a handbook is applied each mistake is named; one that is applied can always be read."""
    with sqlite_app.transaction() as moment, pytest.raises(Refusal) as refused:
        applying.apply(moment, BOOK.replace(old, new), actor="test")
    assert said in refused.value.text


def test_nobody_waits_for_calendars_that_no_one_asked_for() -> None:
    """A handbook without them, as all were before, imports no library of holidays."""
    script = "import sys; from programme import handbooks; from policy import handbook\n"
    script += "handbooks.parsed(handbook.packaged()); sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
