"""A month of a large company beside its vendor's report: clean, and with five faults at once."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from programme.usage import intake
from tests.support import books, cast, months, reconciled
from tests.support import vendors as trials
from tests.support.months import EU, HAIKU, OPUS, SONNET, US, Seen
from views.reconciliation import CORRECTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.metering import Meters
    from programme.app import App
    from tests.support.vendors import Trial

CALLS, PEOPLE, AT_ONCE = 1_000_000, 500, 10_000
SECONDS = 31 * 86_400
WORK = ((EU, SONNET), (US, SONNET), (EU, HAIKU), (US, HAIKU), (EU, OPUS), (US, OPUS))
PLANTED = {
    ("lost_events", ""): "persons",
    ("double_reports", US): "calls",
    ("batch", EU): "calls",
    ("cache_as_input", EU): "calls",
    ("day_cut", US): "calls",
}
"""What each fault is named, and how finance puts it right."""


def made() -> Iterator[Seen]:
    """Calls as the vendor saw them, in the order of time."""
    rng = random.Random(22)  # noqa: S311 - a repeatable month
    for number in range(CALLS):
        at = months.BEGIN + timedelta(seconds=number * SECONDS / CALLS)
        source, model = rng.choice(WORK)
        meters: Meters = {
            "input_uncached": rng.randrange(500, 9_000),
            "cache_read": rng.randrange(500, 9_000),
            "output": rng.randrange(100, 2_000),
        }
        is_batch = (source, model) == (EU, SONNET) and at.day in {18, 19}
        yield Seen(source, at, model, meters, "batch" if is_batch else "")


def wrongly(number: int, call: Seen) -> list[Seen]:
    """What gateways make of a call where each of some has a fault of its own."""
    day, of = call.at.day, (call.source, call.model)
    if of == (EU, HAIKU) and day in {12, 13} and number % 2:
        return []
    if of == (US, SONNET) and day in {5, 6}:
        return [call, call]
    if of == (EU, HAIKU) and day >= 22:
        return [call.less_cached(-1)]
    if of == (US, OPUS):
        return [call._replace(at=call.at + timedelta(hours=1))]
    return [call._replace(tier="")]


def post(app: App, *, clean: bool) -> int:
    """What gateways report comes in as it happens; how many events those are."""
    reported = (
        (f"{number}-{again}", number % PEOPLE, one)
        for number, call in enumerate(made())
        for again, one in enumerate([call] if clean else wrongly(number, call))
    )
    count = 0
    while some := list(islice(reported, AT_ONCE)):
        events = [
            cast.event(
                id_,
                at=one.at,
                who=email(person),
                model=("anthropic", one.model),
                tier=one.tier,
                meters=one.meters,
                source=one.source,
            )
            for id_, person, one in some
        ]
        with app.transaction(max(one.occurred_at for one in events)) as moment:
            assert {one.status for one in intake.take_in(moment, events)} == {"accepted"}
        count += len(events)
    return count


def email(number: int) -> str:
    return f"p{number}@example.com"


@pytest.fixture
def trial() -> Iterator[Trial]:
    """A vendor that counted every call as it was."""
    counted: defaultdict[tuple[date, str, str], Meters] = defaultdict(dict)
    for one in made():
        meters = counted[one.at.date(), one.model, one.tier]
        for meter, count in one.meters.items():
            meters[meter] = meters.get(meter, 0) + count
    with trials.serving() as serving:
        reconciled.bill(
            serving,
            [
                Seen("", datetime.combine(day, time(), UTC), model, meters, tier)
                for (day, model, tier), meters in counted.items()
            ],
        )
        yield serving


@pytest.fixture
def company(sqlite_app: App) -> App:
    lines = "".join(f"{email(number)},P{number},mid,engineering,UTC,2020-01-01\n" for number in range(PEOPLE))
    cast.hire(sqlite_app, f"email,name,level,role_family,time_zone,hired_on\n{lines}")
    return sqlite_app


@pytest.mark.deep
def test_a_clean_month_of_a_million_calls_has_nothing_to_report(company: App, trial: Trial) -> None:
    """Where gateways reported what the vendor counted, no difference is told, however small."""
    reconciled.tell_of_cents(company)
    assert post(company, clean=True) == CALLS
    assert reconciled.compare(company, trial) == []


@pytest.mark.deep
def test_five_faults_in_a_month_of_a_million_calls(company: App, trial: Trial) -> None:
    """Each is found and named rightly, and nothing beside them; put right, nothing is left, and the books hold."""
    reconciled.tell_of_cents(company)
    assert post(company, clean=False) != CALLS
    found = reconciled.compare(company, trial)
    assert {(one.cause, one.source) for one in found} == PLANTED.keys()
    for one in found:
        assert reconciled.decide(company, one, PLANTED[one.cause, one.source]).state == CORRECTED
    assert {one.state for one in reconciled.compare(company, trial)} == {CORRECTED}
    assert books.findings(company) == {}
