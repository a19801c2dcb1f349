"""Where the programme stands: three figures that are never mixed, and nothing in them that is one person's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from policy import handbook
from policy.period import Month
from policy.units import NanoUSD
from programme.value import standing
from tests.support import books, cast, rollout
from tests.support.books import ADA

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock
    from views.value import ProgrammeFigures

BOOK = handbook.parse(handbook.packaged())
PEOPLE = "email,name,level,role_family,pay_band,time_zone,hired_on\n" + "".join(
    f"p{n}@example.com,P {n},mid,engineering,P2,Europe/Berlin,2024-01-01\n" for n in range(15)
)


def of(app: App) -> ProgrammeFigures:
    with app.reading() as moment:
        return standing.of(moment)


def test_the_three_figures(app: App, clock: Clock) -> None:
    """Entitled is the month's quarter of pay, funded what is put aside, consumed what was used: each by itself."""
    rollout.launch(app)
    clock.now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    rollout.run_calendar(app, clock.now)
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    used = cast.event("a", at=clock.now, meters={"output": 1_000_000})
    late = cast.event("b", at=datetime(2026, 10, 9, 12, tzinfo=UTC), meters={"output": 1_000_000})
    assert books.take_in(app, used, late) == ["accepted"] * 2
    found = of(app)
    # A quarter of a twelfth of four midpoints of engineers, and of one for three days of five.
    assert found.entitled == NanoUSD(int(usd("814000")) // 4 // 12)
    assert found.consumed == usd("15")
    outstanding = sum(int(books.wallet(app, who)) for who in everybody())
    assert int(found.worst_case) == outstanding * 10_000_000 // 1_000_000
    # No one had grants for three full months: all of it is put aside.
    assert (found.funded, found.reserve_permille) == (found.worst_case, 1_000)
    assert (found.phase, found.months_since_launch, found.next_review) == (3, 10, date(2027, 1, 1))


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


def everybody() -> list[str]:
    return [f"{name}@example.com" for name in ("mara", "ada", "ben", "iris", "omar", "tess")]


def test_use_of_the_last_three_months(app: App, clock: Clock) -> None:
    """People's use of their regular grants in full months makes the histogram and the reserve; this month does not."""
    cast.hire(app, PEOPLE)
    rollout.launch(app, on=date(2025, 1, 1))
    for month in (8, 9, 10, 11):
        clock.now = datetime(2026, month, 3, 9, tzinfo=UTC)
        rollout.run_calendar(app, clock.now)
        for number in range(15):
            email = f"p{number}@example.com"
            grant = rollout.granted(app, f"2026-{month:02}")[email]
            share = 3 if number < 7 else 6
            tokens = int(grant) * share // 10_000_000 if month < 11 else int(grant) // 1_000_000
            event = cast.event(f"{month}:{number}", at=clock.now, who=email, meters={"output": tokens * 2_000 // 3})
            assert books.take_in(app, event) == ["accepted"]
    clock.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    used = of(app).utilisation
    assert used.months == "August to October 2026"
    # Five of the cast used nothing.
    assert used.people == 20
    assert {low: count for low, _, count in used.bins if count} == {0: 5, 20: 7, 50: 8}
    assert used.p95_permille == 600
    assert of(app).reserve_permille == 700


def test_few_people_are_not_told_of(sqlite_app: App) -> None:
    """With fewer people than may be told of there is no histogram, and the reserve does not tell it either."""
    month = Month(2026, 11)
    few = standing.histogram([300, 400, 500, 900], BOOK, month)
    assert few.people == 4
    assert {count for *_, count in few.bins} == {None}
    assert (few.median_permille, few.p95_permille) == (None, None)
    enough = standing.histogram([300] * 5 + [900] * 6, BOOK, month)
    assert [count for *_, count in enough.bins] == [0, 0, 5, 0, 0, 0, 0, 0, 6, 0, 0]
    assert [(low, high) for low, high, _ in enough.bins][-2:] == [(90, 100), (100, None)]
    assert (enough.median_permille, enough.p95_permille) == (900, None)
    assert of(sqlite_app).reserve_permille == 1_000


@pytest.mark.parametrize(
    ("today", "review"),
    [
        (date(2026, 11, 20), date(2027, 1, 1)),
        (date(2027, 6, 30), date(2027, 7, 1)),
        (date(2027, 7, 1), date(2027, 10, 1)),
        (date(2026, 9, 30), date(2026, 10, 1)),
        (date(2028, 3, 1), date(2028, 4, 3)),
    ],
)
def test_the_next_review(today: date, review: date) -> None:
    """The board reviews on the first working day of a quarter: Monday, where it begins on a week-end."""
    assert standing.next_review(today, BOOK) == review


def test_holidays_are_no_reviews() -> None:
    """A day that the handbook lists as a holiday is passed over."""
    text = handbook.packaged().replace("holidays = []", "holidays = [2027-01-01]")
    assert text != handbook.packaged()
    assert standing.next_review(date(2026, 11, 20), handbook.parse(text)) == date(2027, 1, 4)


def test_the_months_are_named() -> None:
    """A span within a year names the year once, one over New Year twice, a single month is itself."""
    names = [standing.histogram([], BOOK, month).months for month in (Month(2026, 11), Month(2027, 2))]
    assert names == ["August to October 2026", "November 2026 to January 2027"]


def test_it_is_kept_for_a_minute(sqlite_app: App, clock: Clock) -> None:
    """The programme's figures are worked out once a minute at most, and not kept from the future."""
    app, recent = sqlite_app, standing.RecentFigures()

    def consumed() -> NanoUSD:
        with app.reading(clock.now) as moment:
            return recent.get(moment).consumed

    assert consumed() == NanoUSD(0)
    cast.give(app, ADA, "100")
    books.take_in(app, cast.event("a", at=clock.now))
    assert consumed() == NanoUSD(0)
    clock.move(seconds=61)
    assert consumed() == usd("0.0054")
