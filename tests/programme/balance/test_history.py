"""History is a month's use by service and model; a statement is every line between two balances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from policy.period import Month
from policy.units import MicroTokens, NanoUSD
from programme.balance import history
from tests.conftest import ZONE
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from programme.app import App
    from programme.balance.history import History, Statement

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)
NOVEMBER_BEGINS = datetime(2026, 10, 31, 23, tzinfo=UTC)
ONE_EVENT = MicroTokens.parse("0.54")


def of_month(app: App, month: Month = NOVEMBER, email: str = ADA) -> History:
    with app.reading() as moment:
        return history.of_month(moment, cast.person_id(app, email), month)


def statement(app: App, month: Month = NOVEMBER, email: str = ADA) -> Statement:
    with app.reading() as moment:
        return history.statement(moment, cast.person_id(app, email), month)


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


def test_a_months_use_is_listed_by_service_and_model_the_dearest_first(app: App) -> None:
    """Calls, tokens, cost and debit of each model add up over days and projects, and to the totals."""
    cast.give(app, ADA, "100")
    for day in range(3):
        at = NOON - timedelta(days=day)
        books.take_in(
            app,
            cast.event(f"s{day}", at=at, project=f"p{day}"),
            cast.event(f"g{day}", at=at, model=GPT, meters={"output": 10_000}),
            cast.event(f"b{day}", at=at, who=BEN),
        )
    month = of_month(app)
    lines = [(line.service_key, line.model, line.calls, line.input_tokens, line.output_tokens) for line in month.lines]
    assert lines == [("openai", GPT[1], 3, 0, 30_000), ("anthropic", SONNET[1], 3, 3_600, 900)]
    assert [(line.cost, line.debit) for line in month.lines] == [
        (NanoUSD.parse("0.3"), tokens("30")),
        (NanoUSD.parse("0.0162"), tokens("1.62")),
    ]
    assert (month.calls, month.cost, month.debit) == (6, NanoUSD.parse("0.3162"), tokens("31.62"))
    assert month.granted == tokens("100")


def test_history_is_cut_at_the_programmes_midnight(app: App) -> None:
    """The last moment of October in Berlin is October's, the next one November's."""
    books.take_in(
        app,
        cast.event("october", at=NOVEMBER_BEGINS - timedelta(microseconds=1)),
        cast.event("november", at=NOVEMBER_BEGINS, model=GPT),
    )
    assert [line.service_key for line in of_month(app, OCTOBER).lines] == ["anthropic"]
    assert [line.service_key for line in of_month(app, NOVEMBER).lines] == ["openai"]
    assert of_month(app, DECEMBER).lines == ()


def test_a_late_event_belongs_to_the_month_in_which_it_happened(sqlite_app: App) -> None:
    """History goes by when something was used, not by when the news of it came."""
    books.take_in(sqlite_app, cast.event("1", at=NOON - timedelta(days=40)))
    assert of_month(sqlite_app, OCTOBER).calls == 1
    assert of_month(sqlite_app, NOVEMBER).calls == 0


def test_a_statement_leads_line_by_line_from_opening_to_closing(app: App, clock: Clock) -> None:
    """Each line carries the balance after it; a month opens where the one before it closed."""
    clock.now = NOVEMBER_BEGINS - timedelta(days=1)
    cast.give(app, ADA, "100")
    clock.now = NOVEMBER_BEGINS
    books.take_in(app, cast.event("late", at=NOVEMBER_BEGINS - timedelta(days=3)))
    clock.now = NOON
    cast.give(app, ADA, "50")
    lines = statement(app)
    assert (lines.opening, lines.closing) == (tokens("100"), tokens("149.46"))
    assert [(m.kind, m.memo, m.amount, m.balance) for m in lines.movements] == [
        ("usage", "anthropic", -ONE_EVENT, tokens("99.46")),
        ("grant", "Pilot grant", tokens("50"), tokens("149.46")),
    ]
    balance = lines.opening
    for movement in lines.movements:
        balance += movement.amount
        assert movement.balance == balance
    assert balance == lines.closing
    october = statement(app, OCTOBER)
    assert (october.opening, october.closing, len(october.movements)) == (tokens("0"), tokens("100"), 1)


def test_a_month_without_a_line_opens_and_closes_alike(sqlite_app: App) -> None:
    """Before the first line there is nothing; after the last one, what was left stands."""
    cast.give(sqlite_app, ADA, "100")
    before, after = statement(sqlite_app, OCTOBER), statement(sqlite_app, DECEMBER)
    assert (before.opening, before.closing, before.movements) == (tokens("0"), tokens("0"), ())
    assert (after.opening, after.closing, after.movements) == (tokens("100"), tokens("100"), ())


def test_a_months_grants_are_those_that_started_in_it(sqlite_app: App, clock: Clock) -> None:
    """A lot of the first moment belongs to the month, one of the moment before does not."""
    clock.now = NOVEMBER_BEGINS - timedelta(microseconds=1)
    cast.give(sqlite_app, ADA, "1")
    clock.now = NOVEMBER_BEGINS
    cast.give(sqlite_app, ADA, "10")
    assert (of_month(sqlite_app, OCTOBER).granted, of_month(sqlite_app).granted) == (tokens("1"), tokens("10"))


def test_who_never_had_anything_has_an_empty_month(sqlite_app: App) -> None:
    """Without an account there are no lines and no balance."""
    month, lines = of_month(sqlite_app), statement(sqlite_app)
    assert (month.lines, month.calls, month.cost, month.debit, month.granted) == (
        (),
        0,
        NanoUSD(0),
        tokens("0"),
        tokens("0"),
    )
    assert (lines.opening, lines.closing, lines.movements) == (tokens("0"), tokens("0"), ())
    assert sqlite_app.zone == ZONE
