"""A month of calls in a ledger and at a trial vendor: the same ones, but for what a test plants."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.period import Month
from programme.reconciliation import comparing, deciding, showing
from programme.reconciliation.deciding import Choice
from scheduler.vendors import syncing
from store.people import directory as people_store
from tests.support import books, cast, months
from tests.support.months import FIRST, HAIKU, LAST, OPUS, SONNET
from tests.support.vendors import Call
from views.reconciliation import CORRECTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from programme.app import App
    from tests.support.months import Seen
    from tests.support.vendors import Trial
    from views.reconciliation import Found

OCTOBER = Month(2026, 10)
OMAR, FAY = "omar@example.com", "fay@example.com"
FINANCE = """\
email,name,slack_user_id,level,role_family,time_zone,hired_on,roles
fay@example.com,Fay Ito,U0FAY,mid,finance,Europe/Berlin,2020-01-01,finance
"""
PEOPLE = {months.EU: books.ADA, months.US: books.BEN}
PRICES = {
    (f"{SONNET}-20250929", ""): {"uncached": Decimal(3), "cached": Decimal("0.3"), "output": Decimal(15)},
    (f"{HAIKU}-20251001", ""): {"uncached": Decimal(1), "cached": Decimal("0.1"), "output": Decimal(5)},
    (f"{OPUS}-20251101", ""): {"uncached": Decimal(5), "cached": Decimal("0.5"), "output": Decimal(25)},
}
SNAPSHOTS = {model.rpartition("-")[0]: model for model, _ in PRICES}


def tell_of_cents(app: App, *, second_person_above: str = "500") -> None:
    """A handbook by which a small month has differences that are worth telling of."""
    with app.reading() as moment:
        known = {book.version for book in moment.handbooks.versions}
    if "small" not in known:
        text = books.handbook_text("small", date(2026, 6, 1)).replace("tolerance_usd = 5", "tolerance_usd = 0.05")
        books.apply_text(app, text.replace("above_usd = 500", f"above_usd = {second_person_above}"))


def bill(trial: Trial, calls: Sequence[Seen]) -> None:
    """What the vendor saw; a batch is half the price."""
    trial.prices |= PRICES
    trial.prices |= {
        (model, "batch"): {part: usd / 2 for part, usd in price.items()} for (model, _), price in PRICES.items()
    }
    trial.calls["anthropic"] = [
        Call(
            one.at,
            SNAPSHOTS[one.model],
            one.meters.get("input_uncached", 0),
            one.meters.get("output", 0),
            cached=one.meters.get("cache_read", 0),
            tier=one.tier,
            key="apikey_1",
        )
        for one in calls
    ]


def post(app: App, calls: Sequence[Seen], prefix: str = "call") -> None:
    """What gateways report: each is somebody's, and has ids of its own."""
    tell_of_cents(app)
    for some in (calls[n : n + 1_000] for n in range(0, len(calls), 1_000)):
        events = [
            cast.event(
                f"{prefix}-{one.at.isoformat()}-{one.model}-{n}",
                at=one.at,
                who=PEOPLE[one.source],
                model=("anthropic", one.model),
                tier=one.tier,
                meters=one.meters,
                source=one.source,
            )
            for n, one in enumerate(some)
        ]
        assert set(books.take_in(app, *events)) == {"accepted"}


def compare(app: App, trial: Trial) -> list[Found]:
    """Ask the vendor for the month, and compare it."""
    access = trial.access("anthropic")
    syncing.sync(app, access, FIRST, LAST, actor="cli:test", sleep=lambda _seconds: None)
    with app.transaction() as moment:
        found = comparing.reconcile(moment, "anthropic", OCTOBER)
    app.clock.move(minutes=1)  # type: ignore[attr-defined]  # the tests' clock
    return found


def decide(app: App, found: Found, way: str, email: str = OMAR) -> Found:
    """What someone from finance chooses, and all that follows from it."""
    with app.transaction() as moment:
        person = people_store.by_email(moment.session, email)
        assert person is not None
        done = deciding.choose(moment, person, Choice(found.id, found.revision, way, "as the bill says"))
    while done.state == CORRECTING:
        with app.transaction() as moment:
            assert deciding.mend_some(moment)
        with app.reading() as moment:
            done = showing.require(moment, found.id)
    return done


def later(calls: Sequence[Seen], hours: int) -> list[Seen]:
    return [one._replace(at=one.at + timedelta(hours=hours)) for one in calls]
