"""Bulk changes: batch by batch, each event once, and what waits for a person is found as well."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from policy.units import MicroTokens
from programme.usage import rerating
from programme.usage.rerating import Days, Reassignment, Repricing
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.cast import GPT
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from programme.usage.rerating import BulkChange
    from store.usage.versions import Key

NOVEMBER = Days(date(2026, 11, 1), date(2026, 11, 30))


def do(app: App, change: BulkChange, *, limit: int = 2) -> tuple[int, int]:
    """How many events were looked at, and how many changed."""
    seen = changed = 0
    last: Key | None = None
    while True:
        with app.transaction() as moment:
            batch = rerating.next_batch(moment, change, after=last, limit=limit)
        if batch.last is None:
            return seen, changed
        seen, changed, last = seen + batch.seen, changed + batch.changed, batch.last


def test_use_that_waits_for_a_person_goes_to_them_as_well(app: App) -> None:
    """All that names the identity in these days moves: what was debited to another, and what no one was known for."""
    books.take_in(app, *(cast.event(f"a{i}", at=NOON - timedelta(days=i)) for i in range(3)))
    books.take_in(app, cast.event("waits", at=NOON, who="nobody@example.com"), cast.event("gpt", at=NOON, model=GPT))
    mine = Reassignment(("email", ADA), None, NOVEMBER, cast.person_id(app, BEN), "wrong key", "test")
    lost = Reassignment(("email", "nobody@example.com"), "gateway", NOVEMBER, mine.person_id, "wrong key", "test")
    elsewhere = Reassignment(("email", ADA), "other", NOVEMBER, mine.person_id, "wrong key", "test")
    assert do(app, elsewhere) == (0, 0)
    assert do(app, mine) == (4, 4)
    assert do(app, lost) == (1, 1)
    assert do(app, mine) == (4, 0)
    assert books.wallet(app, ADA) == 0
    assert books.wallet(app, BEN) == MicroTokens.parse("-2.16") + MicroTokens(-337_500)
    assert [row["after"]["events"] for row in books.audited(app, "usage.reassign")] == [2, 2, 1]
    assert books.findings(app) == {}


def test_only_what_the_list_prices_otherwise_is_posted_anew(app: App) -> None:
    """By the same list nothing moves; a price that is gone leaves its events as they are."""
    books.take_in(app, cast.event("sonnet", at=NOON), cast.event("gpt", at=NOON, model=GPT))
    for model in (None, "claude-sonnet-4-5"):
        change = Repricing("anthropic", model, NOVEMBER, "checked", "test")
        assert do(app, change) == (1, 0)
    assert do(app, Repricing("anthropic", "another", NOVEMBER, "checked", "test")) == (0, 0)
    assert books.audited(app, "usage.reprice") == []
    assert books.findings(app) == {}
