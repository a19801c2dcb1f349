"""Messages that wait, because it is night or Slack is away: each is so when it goes out, or is not sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month, first_instant
from scheduler import ticker
from scheduler.messages import compose
from store.tables.outbox import outbox
from tests.support import books, cast, reading, requests, rollout
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message

LONDON, NEW_YORK = "Europe/London", "America/New_York"


def owed(app: App, key: str, now: datetime) -> str | None:
    """What a message says that is composed at an instant; None where nothing is sent. What it says is so."""
    app.clock.now = now  # type: ignore[attr-defined]  # the tests' clock
    query = sa.select(outbox.c.template, outbox.c.view).where(outbox.c.key == key)
    [(template, view)] = books.rows(app, query)
    composed = compose(template, view, app=app)
    return None if composed is None else said(app, composed.message)


def said(app: App, message: Message) -> str:
    assert reading.read(message, app.clock(), app.zone).untrue == ()
    texts = [reading.shown(block["text"]["text"], app.zone) for block in message.blocks if "text" in block]
    return "\n".join(texts)


def key_of(app: App, prefix: str) -> str:
    keys = [key for (key,) in books.rows(app, sa.select(outbox.c.key)) if key.startswith(prefix)]
    assert len(keys) == 1, keys
    return str(keys[0])


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


# --- Exceptions ----------------------------------------------------------------------------------------------------


@pytest.fixture
def office(sqlite_app: App) -> App:
    return requests.convene(sqlite_app)


def approved(office: App, *, days: int) -> tuple[str, date]:
    """(the id, the last day) of a request of Ada's that is approved at once."""
    request = requests.ask(office, ADA, "2000", days=days)
    requests.vote(office, requests.IRIS, request)
    last_day = requests.now_of(office, request).granted_last_day
    assert last_day is not None
    return request.id, last_day


@pytest.mark.parametrize(
    ("before", "word"), [(timedelta(days=2), "in 2 days"), (timedelta(days=1), "tomorrow"), (timedelta(0), "today")]
)
def test_what_is_left_of_an_exception_is_told_with_the_days_that_are_left(
    office: App, before: timedelta, word: str
) -> None:
    """A notice that was owed for two days before says how far it is when it goes out, at London's hour."""
    request_id, last_day = approved(office, days=20)
    requests.let_time_pass(office, days=18)
    said_then = owed(office, key_of(office, f"more_time:{request_id}:2"), noon(last_day - before))
    assert said_then is not None
    assert f"lapse {word}*, on {last_day.day} Dec 2026 at 23:00" in said_then


def test_nothing_is_said_of_an_exception_that_is_over(office: App) -> None:
    """Its tokens stand in the books for some days longer, and no one is told that they end tomorrow."""
    request_id, last_day = approved(office, days=20)
    requests.let_time_pass(office, days=18)
    end = first_instant(last_day + timedelta(days=1), office.zone)
    assert owed(office, key_of(office, f"more_time:{request_id}:2"), end) is None


def test_an_approval_that_arrives_after_the_end_says_so(office: App) -> None:
    """Nobody is sent to a wallet that does not have the tokens any more."""
    request_id, last_day = approved(office, days=3)
    key = key_of(office, f"note:{request_id}:approved")
    then = owed(office, key, noon(last_day))
    assert then is not None
    assert "They are in your wallet now" in then
    late = owed(office, key, noon(last_day + timedelta(days=1)))
    assert late is not None
    assert "*Approved, but over by now:* you had 2,000 tokens" in late
    assert "wallet now" not in late


@pytest.mark.parametrize(("days", "is_told"), [(20, True), (0, False)])
def test_a_notice_is_promised_only_where_one_will_come(office: App, days: int, *, is_told: bool) -> None:
    """What ends today ends without another word."""
    request_id, _ = approved(office, days=days)
    text = owed(office, key_of(office, f"note:{request_id}:approved"), office.clock())
    assert text is not None
    assert ("and you are told before it does" in text) is is_told


def test_a_card_that_goes_out_after_its_time_asks_for_nothing(office: App) -> None:
    """The calendar may have been away: no one is told to decide by an instant that is past, or finds buttons for it."""
    request = requests.ask(office, ADA, "2000")
    for key in (f"card:{request.id}:board", f"mine:{request.id}"):
        assert "over, so" not in (owed(office, key, request.lapse_at - timedelta(minutes=1)) or "")
        late = owed(office, key, request.lapse_at)
        assert late is not None
        assert "over, so" in late


# --- Grants --------------------------------------------------------------------------------------------------------


def grant(app: App, *months: Month) -> None:
    for month in months:
        now = first_instant(month.first_day, app.zone)
        app.clock.now = now  # type: ignore[attr-defined]  # the tests' clock
        rollout.run_calendar(app, now, "C0GENERAL")


def test_a_statement_tells_what_is_left_when_it_is_read(sqlite_app: App) -> None:
    """Use that came between the first and the reading is in it, and ends are those of the reader's zone."""
    app = sqlite_app
    rollout.launch(app)
    # Whoever joins is greeted instead; the second month has a statement, and use burns the first one's grant.
    grant(app, Month(2026, 11), Month(2026, 12))
    key = f"statement:2026-12:{cast.person_id(app, BEN)}"
    given = rollout.granted(app, "2026-11")[BEN]
    first = owed(app, key, datetime(2026, 12, 1, 14, tzinfo=UTC))
    assert first is not None
    assert f"• {int(given) // 10**6:,} tokens until 31 Jan 2027 at 18:00" in first
    books.take_in(app, cast.event("used", at=app.clock(), who=BEN, meters={"output": 2_000_000}))
    later = owed(app, key, datetime(2026, 12, 4, 14, tzinfo=UTC))
    assert later is not None
    assert f"• {int(given) // 10**6 - 3_000:,} tokens until 31 Jan 2027 at 18:00" in later


@pytest.mark.parametrize(
    ("day", "words"),
    [(1, "goes into the shared pool on 3 Jan 2027 at 23:00"), (4, "went into the shared pool on 3 Jan 2027 at 23:00")],
)
def test_what_lapsed_is_told_as_to_come_or_as_past(sqlite_app: App, day: int, words: str) -> None:
    """The statement, by London's clock, and the digest of January, on the first and after the lapse is taken."""
    app = sqlite_app
    rollout.launch(app)
    grant(app, Month(2026, 11), Month(2026, 12))
    rollout.run_calendar(app, datetime(2026, 12, 21, 9, tzinfo=UTC))
    grant(app, Month(2027, 1))
    now = noon(date(2027, 1, day))
    statement = owed(app, f"statement:2027-01:{cast.person_id(app, ADA)}", now)
    digest = owed(app, "digest:2027-01:C0GENERAL", now)
    assert statement is not None
    assert digest is not None
    assert words in statement
    assert ("went into" in digest) == (day == 4)


# --- Warnings ------------------------------------------------------------------------------------------------------


def warned(app: App, tokens: int) -> str:
    """The key of the warning that use of so many of a thousand tokens brings."""
    cast.give(app, ADA, "1000")
    spend(app, "first", tokens)
    return key_of(app, "warning:")


def spend(app: App, event_id: str, tokens: int) -> None:
    used = cast.event(event_id, at=app.clock(), who=ADA, meters={"output": tokens * 2_000 // 3})
    assert books.take_in(app, used) == ["accepted"]
    ticker.warn(app)


def test_a_warning_tells_the_share_of_its_own_minute(sqlite_app: App) -> None:
    """What was used while it waited is in it."""
    key = warned(sqlite_app, 720)
    spend(sqlite_app, "more", 90)
    text = owed(sqlite_app, key, sqlite_app.clock())
    assert text is not None
    assert "*You have used 81 % of what you can spend in November 2026*\n190 tokens left" in text


def test_a_warning_gives_way_to_a_later_one(sqlite_app: App) -> None:
    """Whoever is told that 95 % are spent isn't told afterwards that 70 % are."""
    key = warned(sqlite_app, 720)
    spend(sqlite_app, "more", 240)
    assert owed(sqlite_app, key, sqlite_app.clock()) is None


def test_a_warning_is_not_sent_once_there_is_more(sqlite_app: App) -> None:
    """New tokens put the share below what it would say."""
    key = warned(sqlite_app, 1_000)
    cast.give(sqlite_app, ADA, "500", reason="More")
    assert owed(sqlite_app, key, sqlite_app.clock()) is None


def test_a_warning_does_not_outlive_its_month(sqlite_app: App) -> None:
    """Its figures, its forecast and the next grant that it names would be those of a month that is over."""
    key = warned(sqlite_app, 720)
    assert owed(sqlite_app, key, datetime(2026, 11, 30, 22, tzinfo=UTC)) is not None
    assert owed(sqlite_app, key, datetime(2026, 11, 30, 23, tzinfo=UTC)) is None
