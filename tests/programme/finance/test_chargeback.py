"""What cost centres bear of a month: finance's own figures, told so that they are about no single person."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from handlers.finance import focus_writing
from policy.kinds import EntryKind
from policy.period import Month
from policy.units import NanoUSD
from policy.versions import Version
from programme.finance import chargeback, month_charges
from programme.finance.months import Months
from programme.usage import corrections, intake
from store.handbook import reference
from store.ledger import ledger
from store.ledger.drafts import Draft
from tests.support import cast, charged, offices
from tests.support.offices import NOVEMBER, OCTOBER, PLATFORM, RESEARCH
from views.finance import EARLIER, NOT_APART, SHARED, USAGE, CentreMonth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from programme.app import App
    from tests.support.clock import Clock
    from views.finance import Part

OCT, NOV = Month(2026, 10), Month(2026, 11)


@pytest.fixture
def company(app: App, clock: Clock) -> App:
    """People with their cost centres since October."""
    now, clock.now = clock.now, datetime(2026, 10, 2, 12, tzinfo=UTC)
    offices.settle(app)
    charged.name_owners(app)
    clock.now = now
    return app


@pytest.fixture
def office(company: App) -> App:
    """Two months with usage of every kind, and a call of October that was corrected in November."""
    app = company
    offices.work(app, OCTOBER, rounds=3)
    offices.work(app, NOVEMBER, rounds=4)
    with app.transaction() as moment:
        wrong = f"{OCTOBER:%m%d}-{PLATFORM[0]}-0-gpt-5"
        [outcome] = corrections.take_in(moment, [Version("gateway", wrong, 1, None, "never happened")], actor="test")
        assert outcome.status == "accepted"
    return app


def told(app: App, month: Month = NOV) -> dict[str, CentreMonth]:
    with app.database.snapshot() as session:
        return chargeback.of_month(app.moment(session), month)


def in_the_file(app: App, month: Month) -> dict[str, tuple[Decimal, Decimal]]:
    """USD and tokens of each cost centre in finance's file."""
    out = io.BytesIO()
    with app.database.snapshot() as session:
        months = Months(app.moment(session), month)
        focus_writing.write(out, months, month_charges.of(months), "1.4", "csv")
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in csv.DictReader(io.StringIO(out.getvalue().decode())):
        if row["ChargeCategory"] != "Purchase":
            for place, name in enumerate(("BilledCost", "PricingCurrencyEffectiveCost")):
                sums[row["SubAccountId"]][place] += Decimal(row[name])
    return {key: (usd, tokens) for key, (usd, tokens) in sums.items()}


def use(app: App, at: datetime, usd: dict[str, str], *, month: str) -> None:
    """People use so many USD of output each."""
    events = [
        cast.event(f"{month}-{who}", at=at, who=who, meters={"output": int(Decimal(amount) * 1_000_000 // 15)})
        for who, amount in usd.items()
    ]
    with app.transaction(at + timedelta(hours=1)) as moment:
        assert {one.status for one in intake.take_in(moment, events)} == {"accepted"}


def total(parts: Sequence[Part]) -> int:
    return sum(int(one.spent) for one in parts)


@pytest.mark.parametrize("month", [OCT, NOV])
def test_each_cost_centre_bears_what_finance_s_file_says(office: App, month: Month) -> None:
    """To the last nano-USD and micro-token, also where something was corrected once the month was settled."""
    found = {
        key: (one.spent.decimal, one.debited.decimal) for key, one in told(office, month).items() if not one.hidden
    }
    assert found == in_the_file(office, month)
    assert {"CC-10", "CC-20"} < found.keys()


@pytest.mark.every_database
def test_a_month_adds_up_in_three_ways(office: App) -> None:
    """By service, by project and by kind of charge; nothing of too few people is told apart."""
    found = told(office)
    for one in found.values():
        assert {total(parts) for parts in (one.services, one.projects, one.kinds)} <= {int(one.spent)} or one.hidden
    platform = found["CC-10"]
    assert [part.name for part in platform.services] == ["GPU cluster", "Anthropic API", "OpenAI API"]
    assert {part.name for part in platform.projects} == {"No project", "Zeus"}
    assert platform.people == len(PLATFORM)
    assert found["CC-30"] == CentreMonth("CC-30", "Few", "2026-11", hidden=True)


def test_a_correction_of_one_person_is_not_told_apart(office: App) -> None:
    """It is in the total, and in the same group as what hides it."""
    platform = told(office)["CC-10"]
    assert [part.key for part in platform.kinds] == [NOT_APART]
    assert platform.spent.decimal == in_the_file(office, NOV)["CC-10"][0]


def test_corrections_of_enough_people_are_told(office: App) -> None:
    """As a kind of its own, below zero where something was given back."""
    with office.transaction() as moment:
        gone = [f"{OCTOBER:%m%d}-{who}-{number}-{cast.SONNET[1]}" for who in PLATFORM for number in range(3)]
        versions = [Version("gateway", id_, 1, None, "never happened") for id_ in gone]
        corrections.take_in(moment, versions, actor="test")
    kinds = {part.key: part.spent for part in told(office)["CC-10"].kinds}
    assert kinds.keys() == {USAGE, EARLIER}
    assert kinds[EARLIER] < 0 < kinds[USAGE]
    assert told(office)["CC-10"].spent.decimal == in_the_file(office, NOV)["CC-10"][0]


def test_what_is_shared_out_from_a_bill_is_a_kind_of_its_own(office: App) -> None:
    """Each pays its part by the value of the month; the service is the one that was billed."""
    before = told(office)["CC-20"]
    with office.transaction() as moment:
        wallets = [f"wallet:{cast.id_of(moment.session, who)}" for who in RESEARCH]
        ids = ledger.open_accounts(moment.session, [*wallets, "service:openai"])
        version = min(reference.values_by_version(moment.session))
        drafts = [adjustment(ids[one], ids["service:openai"], version) for one in wallets]
        ledger.post(moment.session, drafts, now=moment.now)
    after = told(office)["CC-20"]
    assert {part.key: part.spent for part in after.kinds}[SHARED] == NanoUSD.parse("0.25")
    assert after.spent - before.spent == NanoUSD.parse("0.25")
    assert (after.spent.decimal, after.debited.decimal) == in_the_file(office, NOV)["CC-20"]
    assert total([one for one in after.services if one.key == "openai"]) == total(
        [one for one in before.services if one.key == "openai"]
    ) + int(NanoUSD.parse("0.25"))


def adjustment(payer: int, service: int, version: str) -> Draft:
    """Five tokens, which are five cents."""
    return Draft(
        kind=EntryKind.ADJUSTMENT,
        idempotency_key=f"adjustment:openai:2026-11:lost_events:gw:1:{payer}",
        fingerprint=b"1",
        effective_at=NOVEMBER,
        memo="bill",
        actor="test",
        amounts=((payer, -5_000_000), (service, 5_000_000)),
        value_version=version,
    )


def test_months_of_nearly_the_same_people_are_not_compared(company: App) -> None:
    """What one more person used would be the difference; of the same people it is told."""
    app = company
    spent = dict.fromkeys((*PLATFORM, *RESEARCH), "1")
    use(app, OCTOBER, {who: usd for who, usd in spent.items() if who != PLATFORM[0]}, month="october")
    use(app, NOVEMBER, spent, month="november")
    found = told(app)
    assert found["CC-10"].before is None
    assert found["CC-20"].before == told(app, OCT)["CC-20"].spent > 0
    assert told(app, OCT)["CC-20"].before is None


def test_a_cost_centre_of_few_stands_with_others(office: App) -> None:
    """Nothing of it is told by itself, in whatever month."""
    for month in (OCT, NOV):
        assert told(office, month)["CC-30"].spent == 0


def test_a_month_of_nothing_has_no_cost_centres(office: App) -> None:
    """Of a month in which nothing was used there is nothing to tell."""
    assert told(office, Month(2026, 3)) == {}
