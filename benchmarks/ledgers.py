"""Fresh ledgers to measure on, and the raw tables that serve as floors."""

from __future__ import annotations

import io
import shutil
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import sqlalchemy as sa

from benchmarks import traffic
from bot import settings, wiring
from policy.units import MicroTokens
from programme.grants import by_hand
from programme.people import directory
from store.engine import open_database
from tests.support import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from store.engine import Database

ZONE = "Europe/Berlin"
NOW = traffic.END
DATABASES = ("sqlite", "postgresql")

DURABLE = ("-c", "shared_buffers=1GB", "-c", "max_wal_size=8GB", "-c", "checkpoint_timeout=15min")
"""A server as one would run it: fsync and synchronous commits stay on."""


@contextmanager
def url(kind: str) -> Iterator[str]:
    """The URL of an empty database that is gone afterwards."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="tokens-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'tokens.db'}"
        return
    with postgres.server(*DURABLE) as server:
        name = f"bench_{uuid4().hex}"
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def empty(kind: str) -> Iterator[App]:
    """A migrated ledger of nobody, by the machine's own clock: no key is held up by what it asked hours ago."""
    with url(kind) as at:
        app = wiring.new_app(settings.load({"TOKENS_DATABASE_URL": at, "TOKENS_TIME_ZONE": ZONE}))
        wiring.migrate(app)
        yield app


@contextmanager
def ledger(kind: str, people: int = traffic.PEOPLE) -> Iterator[App]:
    """A migrated ledger with its people, each with a grant; the price list is loaded."""
    with url(kind) as where:
        app = at(where)
        found(app, people)
        yield app
        app.database.close()


def at(url: str) -> App:
    """An app on a database, at the moment just after the traffic's last call."""
    return wiring.new_app(settings.load({"TOKENS_DATABASE_URL": url, "TOKENS_TIME_ZONE": ZONE}), clock=lambda: NOW)


def found(app: App, people: int) -> None:
    """Tables, people, and a grant for each of them."""
    for provider, model, *_ in traffic.MODELS:
        assert app.prices.listed(provider, model, "", NOW)
    wiring.migrate(app)
    with app.transaction(NOW) as moment:
        directory.import_csv(moment, io.StringIO(traffic.people_csv(people)), actor="bench")
        for number in range(people):
            by_hand.give(
                moment,
                email=traffic.email(number),
                amount=MicroTokens.parse("100000"),
                reason="Bench",
                expires_at=NOW + timedelta(days=90),
                actor="bench",
            )


@contextmanager
def twin(app: App) -> Iterator[Database]:
    """Another database that holds what an app's does at this moment."""
    source = app.database.writer.url
    app.database.close()
    if app.database.dialect == "sqlite":
        path = Path(str(source.database))
        url = source.set(database=str(shutil.copy(path, path.with_suffix(".twin"))))
    else:
        url = source.set(database=f"{source.database}_twin")
        engine = sa.create_engine(source.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {url.database} TEMPLATE {source.database}")
        engine.dispose()
    database = open_database(url.render_as_string(hide_password=False))
    try:
        yield database
    finally:
        database.close()


def assert_totals(app: App, totals: traffic.Totals) -> None:
    """The ledger holds exactly what went in: a benchmark that lost something measured nothing."""
    query = "SELECT count(*), sum(cost_nano_usd), sum(debit_micro_tokens) FROM usage_events"
    debits = "SELECT sum(debit_micro_tokens) FROM usage_days"
    paid = "SELECT sum(balance) FROM accounts WHERE code LIKE 'service:%%'"
    with app.database.reading() as session:
        events, cost, debit = session.exec_driver_sql(query).one()
        rolled_up = session.exec_driver_sql(debits).scalar_one()
        received = session.exec_driver_sql(paid).scalar_one()
    expected = (totals.events, totals.cost, totals.debit)
    assert (events, cost, debit) == expected, f"the ledger holds {(events, cost, debit)}, not {expected}"
    assert rolled_up == totals.debit
    assert received == totals.debit
