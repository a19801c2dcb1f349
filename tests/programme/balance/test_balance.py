"""The balance says what can be spent now, until when, and what was spent this month: of one instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from policy.kinds import EntryKind, LotKind
from policy.pace import Outlook
from policy.period import Month
from policy.units import MicroTokens, NanoUSD
from policy.versions import Version
from programme.balance import balance
from programme.grants import by_hand
from programme.usage import corrections
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from tests.support import books, cast
from tests.support.books import ADA
from tests.support.cast import GPT
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from policy.metering import Meters
    from programme.app import App
    from views.balance import BalanceCard

TEN_TOKENS: Meters = {"output": 10_000}
"""10,000 × USD 10 a million = USD 0.10 of GPT-5."""


def card_of(app: App, email: str = ADA) -> BalanceCard:
    with app.reading() as moment:
        card = balance.of_email(moment, email)
    assert card is not None
    return card


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


def give(app: App, amount: str, *, starts_at: datetime = NOON, expires_at: datetime, reason: str = "Later") -> None:
    """A lot with a start of its own, as a monthly grant has one."""
    with app.database.transaction() as session:
        codes = [ledger.TREASURY, ledger.wallet_code(cast.person_id(app, ADA))]
        treasury, wallet = (ledger.open_accounts(session, codes)[code] for code in codes)
        lot = NewLot(LotKind.MONTHLY, 100, starts_at, expires_at, reason, "test")
        amounts = ((treasury, -int(tokens(amount))), (wallet, int(tokens(amount))))
        draft = Draft(EntryKind.GRANT, f"grant:{reason}", b"", starts_at, reason, "test", amounts, lot=lot)
        ledger.post(session, [draft], now=app.clock())


def use(app: App, event_id: str, at: datetime, *, model: tuple[str, str] = GPT, times: int = 1) -> None:
    books.take_in(app, cast.event(event_id, at=at, model=model, meters={"output": 10_000 * times}))


def test_somebody_who_never_had_anything_has_nothing(app: App) -> None:
    """Without an account there is a card all the same: nothing available, nothing spent, no date."""
    card = card_of(app)
    nothing = MicroTokens(0)
    assert (card.available, card.granted, card.debt, card.spent_this_month) == (nothing, nothing, nothing, nothing)
    assert (card.lots, card.coming, card.services, card.outlook) == ((), (), (), None)
    assert card.worth == NanoUSD(0)
    assert (card.name, card.zone.key) == ("Ada Lovelace", "Europe/London")


def test_a_stranger_has_no_card(sqlite_app: App) -> None:
    """Whom we do not know, by Slack id or e-mail, has no balance to speak of."""
    with sqlite_app.reading(NOON) as moment:
        assert balance.of_slack_user(moment, "U0NOBODY") is None
        assert balance.of_email(moment, "ghost@example.com") is None


def test_slack_and_the_command_line_say_the_same(app: App) -> None:
    """The card behind a Slack user is the one behind the e-mail."""
    cast.give(app, ADA, "100")
    use(app, "1", NOON)
    with app.reading(NOON) as moment:
        assert balance.of_slack_user(moment, "U0ADA") == card_of(app, ADA.upper())


def test_available_is_what_is_left_of_the_open_lots(app: App) -> None:
    """Lots are listed in the order in which they burn, with what they were and what is left; spent ones are gone."""
    cast.give(app, ADA, "100", days=90, reason="last")
    cast.give(app, ADA, "15", days=30, reason="first")
    cast.give(app, ADA, "20", days=60, reason="second")
    use(app, "1", NOON, times=2)
    card = card_of(app)
    assert (card.available, card.granted, card.debt) == (tokens("115"), tokens("120"), tokens("0"))
    assert [(lot.reason, lot.remaining, lot.amount) for lot in card.lots] == [
        ("second", tokens("15"), tokens("20")),
        ("last", tokens("100"), tokens("100")),
    ]
    assert card.worth == NanoUSD.parse("1.15")


def test_whoever_leaves_has_until_their_last_day(app: App) -> None:
    """A last day to come ends every lot, and no next grant is promised beyond it; a later one changes nothing."""
    give(app, "100", expires_at=NOON + timedelta(days=60))
    give(app, "10", expires_at=NOON + timedelta(days=2), reason="Sooner")
    for last_day, end, grant in (
        ("2026-11-27", datetime(2026, 11, 27, 23, tzinfo=UTC), None),
        ("2026-12-01", datetime(2026, 12, 1, 23, tzinfo=UTC), date(2026, 12, 1)),
        ("2027-06-30", NOON + timedelta(days=60), date(2026, 12, 1)),
    ):
        cast.hire(app, f"email,left_on\n{ADA},{last_day}\n")
        card = card_of(app)
        assert (card.available, card.next_grant_on) == (tokens("110"), grant)
        assert card.ends == ((NOON + timedelta(days=2), tokens("10")), (end, tokens("100")))


def test_debt_is_shown_and_taken_from_what_is_available(sqlite_app: App) -> None:
    """Anyone who spent more than they had sees how much, and that the next lot pays it first."""
    cast.give(sqlite_app, ADA, "10")
    use(sqlite_app, "1", NOON, times=3)
    card = card_of(sqlite_app)
    assert (card.available, card.debt, card.lots) == (tokens("-20"), tokens("20"), ())
    assert card.outlook is None
    cast.give(sqlite_app, ADA, "50")
    card = card_of(sqlite_app)
    assert (card.available, card.debt) == (tokens("30"), tokens("0"))
    assert [lot.remaining for lot in card.lots] == [tokens("30")]


def test_a_lot_that_has_expired_cannot_be_spent_though_it_is_not_closed(app: App, clock: Clock) -> None:
    """From its expiry on a lot is gone from the card, whatever still stands in the wallet; no one is in debt for it."""
    cast.give(app, ADA, "10", days=1, reason="short")
    cast.give(app, ADA, "100", days=90, reason="long")
    clock.now = NOON + timedelta(days=1) - timedelta(microseconds=1)
    assert card_of(app).available == tokens("110")
    clock.now = NOON + timedelta(days=1)
    card = card_of(app)
    assert (card.available, card.granted, card.debt) == (tokens("100"), tokens("100"), tokens("0"))
    assert [lot.reason for lot in card.lots] == ["long"]
    assert books.wallet(app, ADA) == tokens("110")


def test_debt_beside_an_expired_lot_is_the_debt_alone(sqlite_app: App, clock: Clock) -> None:
    """What was used after the expiry is debt in full: the lot that is gone pays none of it."""
    cast.give(sqlite_app, ADA, "10", days=1)
    clock.move(days=2)
    use(sqlite_app, "1", clock.now)
    assert (card_of(sqlite_app).available, card_of(sqlite_app).debt) == (tokens("-10"), tokens("10"))
    assert books.wallet(sqlite_app, ADA) == tokens("0")
    cast.give(sqlite_app, ADA, "25")
    assert (card_of(sqlite_app).available, card_of(sqlite_app).debt) == (tokens("15"), tokens("0"))


def test_a_lot_that_has_not_started_is_coming(sqlite_app: App, clock: Clock) -> None:
    """Next month's grant is shown apart until it starts, to the moment."""
    start = NOON + timedelta(days=10)
    give(sqlite_app, "100", starts_at=start, expires_at=start + timedelta(days=90))
    card = card_of(sqlite_app)
    assert (card.available, card.granted, card.lots) == (tokens("0"), tokens("0"), ())
    assert [lot.amount for lot in card.coming] == [tokens("100")]
    clock.now = start
    card = card_of(sqlite_app)
    assert (card.available, card.coming) == (tokens("100"), ())


BERLIN_NOVEMBER = (datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "month", "spent"),
    [
        (BERLIN_NOVEMBER[0] - timedelta(microseconds=1), "2026-10", "10"),
        (BERLIN_NOVEMBER[0], "2026-11", "20"),
        (BERLIN_NOVEMBER[1] - timedelta(microseconds=1), "2026-11", "60"),
        (BERLIN_NOVEMBER[1], "2026-12", "80"),
    ],
)
def test_a_month_is_cut_in_the_programmes_zone(
    sqlite_app: App, clock: Clock, now: datetime, month: str, spent: str
) -> None:
    """Whatever zone a person lives in, their month begins at the programme's midnight."""
    microsecond = timedelta(microseconds=1)
    first, end = BERLIN_NOVEMBER
    for times, at in ((1, first - microsecond), (2, first), (4, end - microsecond), (8, end)):
        use(sqlite_app, str(times), at, times=times)
    clock.now = now
    card = card_of(sqlite_app)
    assert card.month == Month.parse(month)
    # What is dated later on the same day counts already, as it may by a gateway's fast clock; later days do not.
    assert card.spent_this_month == tokens(spent)


def test_the_services_that_took_most_are_named(sqlite_app: App) -> None:
    """The three largest of this month, the largest first; one that took nothing this month is not among them."""
    spent = {"anthropic": 1, "openai": 4, "mistral": 3, "google": 2}
    models = {
        "anthropic": ("anthropic", "claude-sonnet-4-5"),
        "openai": GPT,
        "mistral": ("mistral", "mistral-large-latest"),
        "google": ("google", "gemini-2.5-pro"),
    }
    for service, times in spent.items():
        use(sqlite_app, service, NOON, model=models[service], times=10 * times)
    use(sqlite_app, "before", NOON - timedelta(days=21), model=("azure", "gpt-4o"), times=100)
    with sqlite_app.reading(NOON) as moment:
        everything = balance.of_email(moment, ADA)
    assert everything is not None
    taken = dict(everything.services)
    assert len(taken) == 3
    assert list(taken.values()) == sorted(taken.values(), reverse=True)
    assert taken["openai"] == tokens("400")
    assert "azure" not in taken
    assert everything.spent_this_month > sum(taken.values(), MicroTokens(0))


def test_the_outlook_follows_the_pace_of_four_weeks(sqlite_app: App) -> None:
    """100 tokens at 280 in 28 days last ten days more."""
    cast.give(sqlite_app, ADA, "380")
    for day in range(28):
        use(sqlite_app, str(day), NOON - timedelta(days=day))
    assert card_of(sqlite_app).available == tokens("100")
    assert card_of(sqlite_app).outlook == Outlook(date(2026, 11, 30), 0)


def test_what_was_used_before_the_four_weeks_does_not_count(sqlite_app: App) -> None:
    """The twenty-ninth day back is no part of the pace."""
    cast.give(sqlite_app, ADA, "10000")
    use(sqlite_app, "old", NOON - timedelta(days=28), times=100)
    assert card_of(sqlite_app).outlook is None
    use(sqlite_app, "new", NOON - timedelta(days=27), times=28)
    # 8,720 left; 280 in 28 days use 900 of them in the lot's 90 days, and the rest lapses.
    assert card_of(sqlite_app).outlook == Outlook(date(2027, 2, 18), tokens("7820"))


def test_a_newcomers_pace_is_taken_over_a_week_at_least(sqlite_app: App) -> None:
    """Two busy first days do not promise ruin: they are spread over seven."""
    cast.give(sqlite_app, ADA, "90")
    use(sqlite_app, "1", NOON - timedelta(days=1))
    use(sqlite_app, "2", NOON)
    assert card_of(sqlite_app).available == tokens("70")
    # 20 in 7 days: 70 last 24 and a half.
    assert card_of(sqlite_app).outlook == Outlook(date(2026, 11, 20) + timedelta(days=24), 0)


def test_free_use_counts_as_days_of_use(app: App) -> None:
    """A pace is taken from the first use on, also where that was free; use that was taken back is none."""
    cast.give(app, ADA, "80")
    cached = cast.event("cached", at=NOON - timedelta(days=13), meters={}, source="cache")
    older = cast.event("older", at=NOON - timedelta(days=20), meters={}, source="cache")
    books.take_in(app, cached, older)
    assert card_of(app).outlook is None
    use(app, "1", NOON)
    # 10 in 21 days: 70 last 147, and the lot ends before.
    assert card_of(app).outlook == Outlook(date(2027, 2, 18), tokens("27.142857"))
    with app.transaction() as moment:
        corrections.take_in(moment, [Version("cache", "older", 1, None, "never happened")], actor="test")
    # 10 in 14 days: 70 last 98.
    assert card_of(app).outlook == Outlook(date(2027, 2, 18), tokens("5.714285"))
    assert books.findings(app) == {}


def test_without_use_there_is_no_date(sqlite_app: App) -> None:
    """Anyone who spends nothing does not run out."""
    cast.give(sqlite_app, ADA, "100")
    assert card_of(sqlite_app).outlook is None


def test_before_a_quarters_first_use_its_value_is_the_handbooks(sqlite_app: App, clock: Clock) -> None:
    """A card of a new quarter is worth what the handbook says; once adopted, the adopted value stays."""
    cast.give(sqlite_app, ADA, "100", days=300)
    books.apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1), usd_per_token="0.02")
    assert card_of(sqlite_app).worth == NanoUSD.parse("1")
    clock.now = datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert (card_of(sqlite_app).worth, card_of(sqlite_app).value.version) == (NanoUSD.parse("2"), "2027-Q1.1")
    use(sqlite_app, "1", clock.now)
    assert card_of(sqlite_app).value.per_token == NanoUSD.parse("0.02")


def test_a_balance_is_read_without_a_lock(sqlite_app: App) -> None:
    """An answer does not wait for a batch that is being posted."""
    with sqlite_app.transaction(NOON) as moment:
        by_hand.give(
            moment, email=ADA, amount=tokens("5"), reason="Pilot", expires_at=NOON + timedelta(days=1), actor="test"
        )
        assert card_of(sqlite_app).available == tokens("0")
    assert card_of(sqlite_app).available == tokens("5")
