"""Each night vendors are asked once, the open months are compared, and finance is told what differs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from scheduler.vendors import nightly
from store import runs
from store.tables.outbox import outbox
from store.vendors import lines as store
from tests.support import books, months, reconciled
from tests.support import vendors as trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from tests.support.vendors import Trial

CALLS = months.calls(hours=12)


@pytest.fixture
def trial() -> Iterator[Trial]:
    with trials.serving() as serving:
        reconciled.bill(serving, CALLS)
        yield serving


def ask(app: App, trial: Trial) -> None:
    nightly.work(app, [trial.access("anthropic")], sleep=lambda _seconds: None)


def cards(app: App) -> list[str]:
    query = sa.select(outbox.c.key).where(outbox.c.template == "reconciliation/card").order_by(outbox.c.key)
    return [key for (key,) in books.rows(app, query)]


@pytest.mark.every_database
def test_a_night_asks_once_and_tells_finance_once(app: App, trial: Trial) -> None:
    """The last month and this one are fetched and compared; a second look the same day asks nobody."""
    reconciled.post(app, CALLS[::2])
    ask(app, trial)
    asked = len(trial.asked)
    [card] = cards(app)
    assert card.startswith("finding:anthropic:2026-10:lost_events:")
    ask(app, trial)
    assert (len(trial.asked), cards(app)) == (asked, [card])
    app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    ask(app, trial)
    with app.reading() as moment:
        syncs = store.latest_syncs(moment.session)
    assert [one.last_day for one in syncs] == [app.clock().date() - timedelta(days=n) for n in (1, 2)]
    assert cards(app) == [card]


def test_a_night_that_failed_is_on_record_and_tried_again(sqlite_app: App, trial: Trial) -> None:
    """A vendor that refuses the key is a failed run with the reason, until a later try succeeds."""
    reconciled.post(sqlite_app, CALLS[:20])
    trial.failures = [(401, {})]
    ask(sqlite_app, trial)
    with sqlite_app.reading() as moment:
        [failed] = runs.failures(moment.session)
    assert (failed.job, "does not accept the key" in failed.reason) == ("vendors.anthropic", True)
    ask(sqlite_app, trial)
    with sqlite_app.reading() as moment:
        assert runs.failures(moment.session) == []
