"""An archive of settled months: its sums are the ledger's, it is written once, and reports over years read it alone."""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING

import duckdb
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot.cli import main
from bot.cli.archive import ARCHIVED
from handlers.finance import archive_files, years
from policy.period import Month
from policy.reasons import Refusal
from policy.versions import Version
from programme.finance import archive, chargeback
from programme.usage import corrections
from store.tables.usage import usage_days
from tests.support import books, cast, offices
from tests.support.offices import NOVEMBER, OCTOBER, PLATFORM

if TYPE_CHECKING:
    from pathlib import Path

    from handlers.finance.years import Row
    from programme.app import App
    from tests.support.clock import Clock

OCT, NOV = Month(2026, 10), Month(2026, 11)
PER_USD, PER_TOKEN = 1_000_000_000, 1_000_000


@pytest.fixture
def office(app: App, clock: Clock) -> App:
    """Two settled months; of October a call was withdrawn in November, when it was settled, and two were in time."""
    now, clock.now = clock.now, datetime(2026, 10, 2, 12, tzinfo=UTC)
    offices.settle(app)
    clock.now = now
    offices.work(app, OCTOBER, rounds=2)
    offices.work(app, NOVEMBER, rounds=3)
    for at in (NOVEMBER, OCTOBER):
        with app.transaction() as moment:
            gone = Version("gateway", f"{at:%m%d}-{PLATFORM[0]}-0-gpt-5", 1, None, "never happened")
            [outcome] = corrections.take_in(moment, [gone], actor="test")
            assert outcome.status == "accepted"
    clock.now = datetime(2026, 12, 10, tzinfo=UTC)
    return app


def written(app: App, folder: Path) -> Path:
    """Both months, as the command writes them."""
    folder.mkdir(exist_ok=True)
    for month in (OCT, NOV):
        with app.reporting(throughout=True) as moment:
            archive_files.keep(folder, month, archive_files.write(moment, month, folder))
    return folder


def sums(rows: list[Row]) -> tuple[int, int, int]:
    """Calls, nano-USD and micro-tokens."""
    usd, tokens = (sum(getattr(one, name) for one in rows) for name in ("cost_usd", "tokens"))
    return sum(one.calls for one in rows), int(usd * PER_USD), int(tokens * PER_TOKEN)


@pytest.mark.every_database
def test_reports_come_to_what_the_ledger_has(office: App, tmp_path: Path) -> None:
    """To the nano-USD and the call, whatever is apart and however long the periods are."""
    columns = (usage_days.c.calls, usage_days.c.cost_nano_usd, usage_days.c.debit_micro_tokens)
    [ledger] = books.rows(office, sa.select(*(sa.func.sum(one) for one in columns)))
    folder = written(office, tmp_path)
    for by, per in product(years.DIMENSIONS, years.PERIODS):
        assert sums(years.report(folder, by, per)) == tuple(map(int, ledger))


def test_cost_centres_bear_what_chargeback_says(office: App, tmp_path: Path) -> None:
    """Of each month. What few people bear stands together here, also where no cost centre does."""
    folder = written(office, tmp_path)
    for month in (OCT, NOV):
        with office.database.snapshot() as session:
            bears = {
                key: one.spent.decimal
                for key, one in chargeback.of_month(office.moment(session), month).items()
                if not one.hidden
            }
        told = {one.name: one.cost_usd for one in years.report(folder, "cost-centre", "month", (month, month))}
        assert told.pop(years.OTHERS) == bears.pop("") + bears.pop("other")
        assert told == bears
        assert told.keys() == {"CC-10", "CC-20"}


def test_longer_periods_tell_no_more_than_their_months(office: App, tmp_path: Path) -> None:
    """What stands with others in a month does so in the year's sum, so nobody is the difference."""
    folder = written(office, tmp_path)
    of_months: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in years.report(folder, "cost-centre", "month"):
        of_months[one.name] += one.cost_usd
    assert {one.name: one.cost_usd for one in years.report(folder, "cost-centre", "year")} == of_months
    assert years.OTHERS in of_months


def test_nobody_s_name_is_in_a_file(office: App, tmp_path: Path) -> None:
    """Ids, which lead to a person through the ledger alone; and nobody but its owner reads the file."""
    for path in written(office, tmp_path).glob("*.parquet"):
        told = str(duckdb.read_parquet(str(path)).fetchall())
        assert not [who for who in offices.EVERYONE if who in told or who.split("@")[0].title() in told]
        with office.reading() as moment:
            assert cast.id_of(moment.session, PLATFORM[1]) in told
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_month_is_written_once_and_on_record(
    sqlite_app: App, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash is in the folder and in the audit log; again, it is compared; what was changed is refused."""
    monkeypatch.setenv("TOKENS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TOKENS_TIME_ZONE", "Europe/Berlin")
    offices.settle(sqlite_app)
    offices.work(sqlite_app, OCTOBER)
    folder = tmp_path / "archive"
    again = ["export", "archive", "--until", "2026-10", "--to", str(folder)]
    assert CliRunner().invoke(main, again).exit_code == 0
    file = folder / "spend-2026-10.parquet"
    first = file.read_bytes()
    assert {path.name for path in folder.iterdir()} == {file.name, archive_files.SUMS}
    [noted] = books.audited(sqlite_app, ARCHIVED)
    assert (noted["subject"], noted["after"]["sha256"]) == (file.name, archive_files.known(folder)[file.name])
    assert "is there already, as it was written" in CliRunner().invoke(main, again).output
    assert file.read_bytes() == first
    assert len(books.audited(sqlite_app, ARCHIVED)) == 1
    file.write_bytes(first[:-1])
    for refused in (again, ["report", "years", str(folder)]):
        done = CliRunner().invoke(main, refused)
        assert done.exit_code == 1
        assert "is not as it was written" in done.output


def test_a_month_that_may_change_is_refused(office: App) -> None:
    """It says from when on it is settled."""
    with office.reading() as moment, pytest.raises(Refusal, match="2026-12 is not settled before 2027-01-04"):
        archive.require_settled(moment, Month(2026, 12))


def test_no_database_is_asked(office: App, tmp_path: Path) -> None:
    """A report is written where there is none."""
    env = {"TOKENS_DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/tokens.db"}
    arguments = ["report", "years", str(written(office, tmp_path / "archive")), "--by", "model", "--per", "quarter"]
    done = CliRunner().invoke(main, arguments, env=env)
    assert done.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["period"] for row in rows} == {"2026-Q4"}
    assert "gpt-5" in {row["name"] for row in rows}


def test_what_is_not_installed_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without duckdb a report is refused, with the command that installs it."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(Refusal) as refused:
        years.report(tmp_path, "service", "year")
    assert refused.value.next_step == 'Install it: pip install "tokens-bot[analytics]".'
