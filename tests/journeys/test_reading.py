"""The reader of the walks: it finds what is not so, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from templates.render import Message
from tests.support import reading

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
"""A Monday, the last day of a month: in Auckland it is eleven at night, in Los Angeles two in the morning."""
BERLIN, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")


def untrue(text: str, zone: ZoneInfo = BERLIN, now: datetime = NOW) -> tuple[str, ...]:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return reading.read(Message("", [block]), now, zone).untrue


@pytest.mark.parametrize(
    "text",
    [
        "*Tomorrow, on 1 Dec 2026, 4,120 of your tokens lapse*",
        "• 120 until the end of 30 Nov 2026",
        "• 120 until 30 Nov 2026 at 18:00",
        "Your next grant comes on 1 Dec 2026.",
        "87,450 more lapsed on 1 Nov; usage from before that still arrives burns them first.",
        "*Upheld* by Iris Tan on <!date^1795600000^{date_short} at {time}|2026-11-25 09:46 UTC>.",
        "You could appeal until the end of 20 Nov 2026. The next review starts afresh.",
        "*Spent:* USD 70 in the week of 23 Nov, by 6 people.\n*Outlook:* USD 60 to 80 this week.",
        "> Tomorrow I'll need 0.00 × more until 1 Jan 2020",
        "None of them had a part in the case. Decided in 4 days.",
        "Monday, 30 Nov 2026",
    ],
)
def test_what_is_so_is_not_found_fault_with(text: str) -> None:
    """Days to come and past, each said as it is; and what people write is theirs."""
    assert untrue(text) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*Tomorrow, on 2 Dec 2026, 4,120 of your tokens lapse*", "another day"),
        ("3 of the 4 tokens lapse tomorrow, at the end of 30 Nov 2026", "another day"),
        ("They lapse tomorrow.", "without a date"),
        ("• 120 until the end of 29 Nov 2026", "ended before"),
        ("• 120 until 30 Nov 2026 at 10:30", "ended before"),
        ("The rest goes into the shared pool on 4 Nov 2026.", "is past"),
        ("Your next grant comes on 1 Nov 2026.", "is past"),
        ("87,450 more lapsed on 1 Dec; usage counts.", "is to come"),
        ("decide by <!date^1795600000^{date_short} at {time}|2026-11-25 09:46 UTC>, or it lapses", "ended before"),
        ("*Spent:* USD 70 in the week of 16 Nov.\n*Outlook:* USD 60 to 80 this week.", "'this week'"),
        ("*You have used 85 % of what you can spend in October 2026*", "said of October"),
        ("They are in your wallet now. You have 3 until the end of 12 Nov 2026", "in your wallet now"),
        ("this is 0.00 × it", "no sense"),
        ("Tuesday, 30 Nov 2026", "another weekday"),
    ],
)
def test_what_is_not_so_is_found(text: str, why: str) -> None:
    """Each kind of untruth that a late message can tell."""
    assert any(why in one for one in untrue(text)), untrue(text)


def test_it_is_the_readers_own_day_that_counts() -> None:
    """At eleven at night in Auckland the first is tomorrow; two hours later it is today, but not yet in Berlin."""
    said = "*Tomorrow, on 1 Dec 2026, 3 of your tokens lapse*"
    assert untrue(said, AUCKLAND) == ()
    later = NOW.replace(hour=12)
    assert untrue(said, BERLIN, later) == ()
    assert untrue(said, AUCKLAND, later) != ()


def test_a_leap_day_is_that_of_its_year() -> None:
    """The last day of February 2028, read on the day after it."""
    assert untrue("3 more lapsed on 29 Feb.", now=datetime(2028, 3, 1, 10, tzinfo=UTC)) == ()
