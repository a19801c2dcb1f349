"""A month as a file of FOCUS: each version's own rules hold, and the months together are the ledger."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from pyarrow import parquet

from handlers.finance import focus_writing
from handlers.finance.focus_columns import COLUMNS, SPECS
from policy.kinds import EntryKind
from policy.period import Month
from policy.versions import Version
from programme.finance import adding_up, month_charges
from programme.finance.months import Months
from programme.people import terms
from programme.usage import corrections, fingerprints, intake
from store.finance import days
from store.handbook import reference
from store.ledger import ledger as ledger_store
from store.ledger.drafts import Draft
from store.tables.finance import charge_days, charge_lines
from store.tables.usage import usage_days, usage_events
from store.usage import versions
from tests.support import books, cast, focus_rules, offices
from tests.support.offices import NOVEMBER, OCTOBER, PLATFORM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handlers.finance.focus_columns import Spec
    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from store.finance.days import KeptDay
    from tests.support.clock import Clock

    Rows = list[dict[str, str]]

OCT, NOV = Month(2026, 10), Month(2026, 11)
LOST = "Difference with the vendor's bill (lost events)"
PERSONS = '[finance]\nrows = "person"'


def export(app: App, month: Month = NOV, spec: Spec = "1.4") -> Rows:
    out = io.BytesIO()
    with app.database.snapshot() as session:
        told = Months(app.moment(session), month)
        focus_writing.write(out, told, month_charges.of(told), spec, "csv")
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


def total(rows: Iterable[dict[str, str]], column: str = "BilledCost") -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def ledger(app: App, column: str = "cost_nano_usd") -> Decimal:
    [(amount,)] = books.rows(app, sa.select(sa.func.sum(usage_days.c[column])))
    return Decimal(amount) / (1_000_000_000 if column == "cost_nano_usd" else 1_000_000)


@pytest.fixture
def office(app: App) -> App:
    """A month with usage of every kind, a grant to each person, and a correction of the month before."""
    offices.settle(app)
    for who in offices.EVERYONE:
        cast.give(app, who, "500")
    offices.work(app, OCTOBER)
    offices.work(app, NOVEMBER, rounds=4)
    with app.transaction() as moment:
        wrong = cast.event(f"{OCTOBER:%m%d}-{PLATFORM[0]}-0-gpt-5", at=OCTOBER, who=PLATFORM[0], model=cast.GPT)
        right = Version(wrong.source, wrong.event_id, 1, None, "never happened")
        [outcome] = corrections.take_in(moment, [right], actor="test")
        assert outcome.status == "accepted"
    return app


@pytest.mark.parametrize("spec", SPECS)
def test_each_version_s_own_rules_hold(office: App, spec: Spec) -> None:
    """Every rule of FOCUS that a program can check holds of a month with usage, grants and a correction."""
    rows = export(office, spec=spec)
    assert focus_rules.checked() > 200
    assert focus_rules.findings(rows, spec) == []
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Purchase", "Adjustment"}


def test_the_rules_find_what_is_wrong(office: App) -> None:
    """A missing column, an unknown category and a cost that does not follow from its price are found, by rule."""
    rows = export(office, spec="1.2")
    broken = [{**row, "ChargeCategory": "Gift", "ListCost": "7"} for row in rows]
    for row in broken:
        del row["BilledCost"]
    found = " ".join(focus_rules.findings(broken, "1.2"))
    assert all(id_ in found for id_ in ("CostAndUsage-D-006-M", "ChargeCategory-C-", "ListCost-C-009-C"))
    assert focus_rules.findings([{**row, "ServiceProviderName": ""} for row in export(office)], "1.4")


def test_the_months_together_are_the_ledger(office: App) -> None:
    """Each posting is in one month, once: a late correction is an adjustment of the month in which it was posted."""
    october, november = export(office, Month(2026, 10)), export(office)
    usage = [row for row in november if row["ChargeCategory"] == "Usage"]
    [late] = [row for row in november if row["ChargeCategory"] == "Adjustment"]
    assert (late["ChargeClass"], late["ChargePeriodStart"]) == ("Correction", "2026-10-29T23:00:00Z")
    assert Decimal(late["BilledCost"]) < 0
    assert total(october) + total(november) == ledger(office)
    both = [*october, *usage, late]
    assert total(both, "PricingCurrencyEffectiveCost") == ledger(office, "debit_micro_tokens")
    # What the list says differs from what was posted by the rounding of single calls alone.
    assert abs(total(usage, "ListCost") - total(usage)) < Decimal("0.000001")


def test_what_was_posted_of_differences_is_an_adjustment(office: App) -> None:
    """Once: of its own month, or as a correction of a settled one; people bear it in their cost centres."""
    before = sum((total(export(office, month)) for month in (OCT, NOV)), Decimal(0))
    with office.transaction() as moment:
        wallets = [f"wallet:{cast.id_of(moment.session, who)}" for who in PLATFORM]
        ids = ledger_store.open_accounts(moment.session, [*wallets, "company", "service:anthropic"])
        service = ids.pop("service:anthropic")
        drafts = [difference(moment, ids[one], service, "11", NOVEMBER) for one in wallets]
        drafts.append(difference(moment, ids["company"], service, "10", OCTOBER))
        ledger_store.post(moment.session, drafts, now=moment.now)
    after = {month: export(office, month) for month in (OCT, NOV)}
    assert sum(map(total, after.values()), Decimal(0)) == before + Decimal("0.05") * len(drafts)
    told = [row for row in after[NOV] if row["x_Model"].startswith("Difference")]
    assert [
        (row["SubAccountId"], row["BilledCost"], row["ChargeClass"], row["ServiceName"], row["ChargeDescription"])
        for row in told
    ] == [
        ("", "0.05", "Correction", "Anthropic API", f"{LOST}, corrected after its month was settled"),
        ("CC-10", "0.3", "", "Anthropic API", f"{LOST}, posted by finance"),
    ]
    for spec in SPECS:
        assert focus_rules.findings(export(office, spec=spec), spec) == []


def difference(moment: Moment, payer: int, service: int, month: str, at: datetime) -> Draft:
    """Five tokens, which are five cents."""
    return Draft(
        kind=EntryKind.ADJUSTMENT,
        idempotency_key=f"adjustment:anthropic:2026-{month}:lost_events:gw:1:{payer}",
        fingerprint=b"1",
        effective_at=at,
        memo="lost",
        actor="test",
        amounts=((payer, -5_000_000), (service, 5_000_000)),
        value_version=min(reference.values_by_version(moment.session)),
    )


def test_nothing_of_few_people_is_told(office: App) -> None:
    """A cost centre of two stands with others, so that they are five; grants are of no one, and cost nothing."""
    rows = export(office)
    usage = [row for row in rows if row["ChargeCategory"] == "Usage"]
    assert {row["SubAccountId"] for row in usage} <= {"CC-10", "CC-20", "other", ""}
    assert "CC-30" not in str(rows)
    assert {row["x_PersonId"] for row in rows} == {""}
    [grants] = [row for row in rows if row["ChargeCategory"] == "Purchase"]
    assert (grants["PricingQuantity"], grants["SubAccountId"]) == ("8500", "")
    assert {grants[name] for name in ("BilledCost", "EffectiveCost", "PricingCurrencyEffectiveCost")} == {"0"}


def test_the_handbook_says_whether_rows_are_of_people(office: App) -> None:
    """Then each has their id, never a name or an e-mail."""
    text = books.handbook_text("2026.2", datetime(2026, 11, 1, tzinfo=UTC).date())
    books.apply_text(office, text.replace('rows = "cost_centre"', 'rows = "person"'))
    rows = export(office)
    assert len({row["x_PersonId"] for row in rows if row["ChargeCategory"] == "Usage"}) == len(offices.EVERYONE)
    assert "@" not in str(rows)


def test_a_project_s_own_cost_centre_bears_its_use(office: App) -> None:
    """Whoever worked on it."""
    usage = [row for row in export(office) if row["ChargeCategory"] == "Usage"]
    assert {row["SubAccountId"] for row in usage if row["x_Project"] == "apollo"} == {"CC-20"}
    assert {row["SubAccountId"] for row in usage if row["x_Project"] == "zeus"} > {"CC-10", "CC-20"}


def test_calls_of_large_contexts_are_a_product_of_their_own(app: App) -> None:
    """Where a price changes with the size of the input, quantity times price is the cost in both rows."""
    offices.settle(app)
    small, large = ({"input_uncached": n, "cache_read": 60_000, "output": 1_000} for n in (100_000, 150_000))
    events = [
        cast.event(f"call-{number}", at=NOVEMBER, who=PLATFORM[0], meters=meters)  # type: ignore[arg-type]
        for number, meters in enumerate((small, small, large))
    ]
    with app.transaction(NOVEMBER) as moment:
        assert {one.status for one in intake.take_in(moment, events)} == {"accepted"}
    rows = [row for row in export(app) if row["SkuMeter"] == "Input Tokens"]
    assert [row["ConsumedQuantity"] for row in rows] == ["200000", "150000"]
    assert [row["ChargeDescription"].endswith("above 200000 input tokens") for row in rows] == [False, True]
    assert all(Decimal(row["ListCost"]) == Decimal(row["BilledCost"]) for row in rows)
    assert total(export(app)) == ledger(app)


def test_people_of_a_cost_centre_have_one_row_together(office: App) -> None:
    """No row is one person's among several of the same cost centre, day, product and project."""
    known = ("ChargePeriodStart", "SubAccountId", "SkuPriceId", "x_Model", "x_Project", "ChargeCategory")
    keys = [tuple(row[name] for name in known) for row in export(office)]
    assert len(keys) == len(set(keys)) > 20


def test_each_month_is_settled_by_its_own_rules(office: App) -> None:
    """Where a later handbook settles later, what is posted in between is in one month's file, once."""
    text = books.handbook_text("2026.2", datetime(2026, 11, 1, tzinfo=UTC).date())
    books.apply_text(office, text.replace("settle_days = 3", "settle_days = 20"))
    assert total(export(office, Month(2026, 10))) + total(export(office)) == ledger(office)
    assert {row["ChargeCategory"] for row in export(office)} == {"Usage", "Purchase", "Adjustment"}


@pytest.mark.every_database
@pytest.mark.parametrize("rows", ["cost_centre", "person"])
def test_days_that_are_added_up_have_the_same_file(office: App, clock: Clock, rows: str) -> None:
    """Line by line as before, also corrections and months in which nothing was used; each day is added up once."""
    text = books.handbook_text("2026.2", datetime(2026, 10, 1, tzinfo=UTC).date())
    books.apply_text(office, text.replace('rows = "cost_centre"', f'rows = "{rows}"'))
    clock.now = datetime(2027, 1, 10, tzinfo=UTC)
    months = [Month(2026, 10), NOV, Month(2026, 12)]
    before = [export(office, month) for month in months]
    assert [add_up(office, month) for month in (*months, NOV)] == [True] * 4
    assert [export(office, month) for month in months] == before
    assert before[1]
    assert not before[2]
    assert books.findings(office) == {}
    assert {day.month for day in kept(office)} == {"2026-10", "2026-11", "2026-12"}


def test_what_is_added_up_is_read_instead_of_the_events(office: App, clock: Clock) -> None:
    """A call that gets another project later no longer changes a file that was handed over."""
    clock.now = datetime(2026, 12, 10, tzinfo=UTC)
    add_up(office, NOV)
    before = export(office)
    with office.database.transaction() as session:
        session.execute(sa.update(usage_events).values(project="elsewhere"))
    assert export(office) == before
    assert "elsewhere" in str(export(office, Month(2026, 10)))


def test_a_day_is_not_added_up_before_its_month_is_settled(office: App, clock: Clock) -> None:
    """Not in the hour after it either: what was posted before may still be under way."""
    clock.now = datetime(2026, 12, 3, 23, 30, tzinfo=UTC)
    assert not add_up(office, NOV)
    clock.move(minutes=30)
    assert add_up(office, NOV)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE charge_lines SET cost_nano_usd = cost_nano_usd + 1 WHERE day = '2026-11-12' AND number = 0",
        "DELETE FROM charge_lines WHERE day = '2026-11-12' AND number = 0",
        "UPDATE charge_days SET debit_micro_tokens = debit_micro_tokens - 1 WHERE day = '2026-11-12'",
    ],
)
def test_what_is_added_up_is_proved(office: App, clock: Clock, statement: str) -> None:
    """A line that is changed or gone, and a sum that its entries don't have, are found."""
    clock.now = datetime(2026, 12, 10, tzinfo=UTC)
    add_up(office, NOV)
    with books.rolled_back(office) as moment:
        assert books.found_by(moment, "charges_as_posted") == []
        assert moment.session.exec_driver_sql(statement).rowcount == 1
        assert books.found_by(moment, "charges_as_posted")


def add_up(app: App, month: Month) -> bool:
    """Whether every day of a month was added up."""
    done = []
    for day in month.days():
        with app.transaction() as moment:
            done.append(adding_up.add_up(moment, day))
    return all(done)


def kept(app: App) -> list[KeptDay]:
    with app.reading() as moment:
        return [
            day for month in ("2026-10", "2026-11", "2026-12") for day in days.of_month(moment.session, month).values()
        ]


def test_parquet_says_the_same(office: App) -> None:
    """The same rows, with numbers and instants as such."""
    out = io.BytesIO()
    with office.database.snapshot() as session:
        told = Months(office.moment(session), NOV)
        focus_writing.write(out, told, month_charges.of(told), "1.4", "parquet")
    table = parquet.read_table(io.BytesIO(out.getvalue()))
    rows = table.to_pylist()
    assert table.schema.metadata[b"focus_version"] == b"1.4"
    assert sum(row["BilledCost"] for row in rows) == total(export(office))
    assert rows[0]["ChargePeriodStart"] == datetime(2026, 11, 11, 23, tzinfo=UTC)
    assert tuple(table.column_names) == COLUMNS["1.4"]


def test_what_is_not_settled_is_still_usage(app: App, clock: Clock) -> None:
    """A correction before the month's figures are final changes the month itself."""
    offices.settle(app)
    offices.work(app)
    clock.now = datetime(2026, 12, 2, tzinfo=UTC)
    with app.transaction() as moment:
        gone = [Version("gateway", f"{NOVEMBER:%m%d}-{who}-0-gpt-5", 1, None, "never happened") for who in PLATFORM]
        corrections.take_in(moment, gone, actor="test")
    assert {row["ChargeClass"] for row in export(app)} == {""}
    assert total(export(app)) == ledger(app)
    assert export(app, Month(2026, 12)) == []


@pytest.mark.every_database
@pytest.mark.parametrize(
    ("rows", "seed", "days"),
    [
        ("person", 7, 5),
        *(
            pytest.param(rows, seed, 16, marks=pytest.mark.deep)
            for rows in ("cost_centre", "person")
            for seed in (1, 2)
        ),
    ],
)
def test_a_month_that_runs_has_the_same_file_with_and_without_its_nights(
    app: App, clock: Clock, rows: str, seed: int, days: int
) -> None:
    """Whatever comes late, is corrected, or is borne by others in between; and so once it is settled."""
    settled_by(app, rows)
    chance = random.Random(seed)  # noqa: S311 - repeatable
    for day in range(12, 12 + days):
        clock.now = datetime(2026, 11, day, 6, tzinfo=UTC)
        for change in (works, *chance.sample(CHANGES, 2)):
            change(app, chance, day)
        night(app)
        assert export(app) == from_events(app)
    assert books.findings(app) == {}
    clock.now = datetime(2026, 12, 10, tzinfo=UTC)
    before = from_events(app)
    assert add_up(app, NOV)
    assert export(app) == before
    assert total(export(app)) == ledger(app)
    assert books.findings(app) == {}


def test_a_night_reads_what_came_since_alone(office: App, clock: Clock) -> None:
    """A day that was added up is not read again, unless something of it was posted or changed."""
    clock.now = datetime(2026, 11, 14, 6, tzinfo=UTC)
    assert [day.day.day for day in night(office)] == [12]
    clock.move(hours=1)
    assert night(office) == []
    offices.work(office, NOVEMBER.replace(day=13))
    clock.move(days=1)
    assert [day.day.day for day in night(office)] == [13]
    with office.database.transaction() as session:
        session.execute(sa.update(usage_events).values(project="elsewhere"))
    assert "elsewhere" not in str(export(office))


def test_a_cost_centre_named_later_is_in_the_file_at_once(office: App, clock: Clock) -> None:
    """What was added up for those who bore it then is not used any more."""
    clock.now = datetime(2026, 11, 14, 6, tzinfo=UTC)
    night(office)
    cast.hire(office, "email,cost_centre\n" + "".join(f"{who},CC-20\n" for who in offices.NOBODYS))
    assert export(office) == from_events(office)
    assert {row["SubAccountId"] for row in export(office) if row["ChargeCategory"] == "Usage"} == {"CC-20", "other"}


def settled_by(app: App, rows: str) -> None:
    """People at work in some cost centres, by a handbook whose rows are of these or of people."""
    text = books.handbook_text("2026.2", datetime(2026, 10, 1, tzinfo=UTC).date())
    books.apply_text(app, text.replace('rows = "cost_centre"', f'rows = "{rows}"'))
    offices.settle(app)


def works(app: App, chance: random.Random, day: int) -> None:
    """Everyone works, today or some days ago."""
    at = datetime(2026, 11, chance.randint(10, day), 1, tzinfo=UTC)
    events = [
        cast.event(
            f"{day}-{chance.random()}",
            at=at + timedelta(minutes=number),
            who=who,
            model=chance.choice((cast.SONNET, cast.GPT)),
            meters={"output": chance.randint(1, 9_999), "input_uncached": chance.choice((0, 5, 250_000))},
            project=chance.choice(("", "zeus", "apollo")),
        )
        for number, who in enumerate(offices.EVERYONE)
    ]
    with app.transaction() as moment:
        assert {outcome.status for outcome in intake.take_in(moment, events)} == {"accepted"}


def corrects(app: App, chance: random.Random, _day: int) -> None:
    """Some calls never happened, were for another project, were larger, or of the day before."""
    with app.transaction() as moment:
        keys = moment.session.execute(sa.select(usage_events.c.source, usage_events.c.event_id)).all()
        known = versions.standing(
            moment.session, {(source, id_) for source, id_ in chance.sample(keys, min(9, len(keys)))}
        )
        some = [
            Version(*key, one.revision + 1, corrected(one.event, chance), "a mistake")
            for key, one in sorted(known.items())
        ]
        assert {one.status for one in corrections.take_in(moment, some, actor="test")} <= {"accepted"}


def corrected(event: UsageEvent, chance: random.Random) -> UsageEvent | None:
    other = chance.choice(
        (
            None,
            event._replace(project="hermes"),
            event._replace(meters={**event.meters, "output": event.meters.get("output", 0) + 1_000}),
            event._replace(occurred_at=event.occurred_at - timedelta(days=1)),
        )
    )
    if other is None:
        return None
    return other._replace(fingerprint=fingerprints.fingerprint(*other[2:9]))


def moves(app: App, chance: random.Random, _day: int) -> None:
    """Somebody goes to another cost centre, has their first one, or none any more; or a project has another."""
    cast.hire(app, f"email,cost_centre\n{chance.choice(offices.EVERYONE)},{chance.choice(('CC-10', 'CC-20', '-'))}\n")
    projects = f"project,name,complexity,cost_centre\nzeus,Zeus,usual,{chance.choice(('CC-10', 'CC-20', '-'))}\n"
    with app.transaction() as moment:
        terms.import_projects(moment, io.StringIO(projects), today=moment.today, actor="test")


CHANGES = (works, corrects, moves)


def night(app: App) -> list[KeptDay]:
    """The calendar adds up what is to be added up; which days it did."""
    with app.reading() as moment:
        at = moment.now
    for _ in range(100):
        with app.transaction() as moment:
            if adding_up.advance(moment, at):
                return [day for day in kept(app) if day.added_up_at == at]
    raise AssertionError("there is no end to it")


def from_events(app: App) -> Rows:
    """The file as it would be if nothing had been added up."""
    with books.rolled_back(app) as moment:
        for table in (charge_lines, charge_days):
            moment.session.execute(sa.delete(table))
        out = io.BytesIO()
        told = Months(moment, NOV)
        focus_writing.write(out, told, month_charges.of(told), "1.4", "csv")
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))
