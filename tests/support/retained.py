"""A company with something of every kind that goes after a time, and short ways to let it go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.versions import Version
from programme.balance import history
from programme.exceptions import calendar
from programme.privacy import retention
from programme.usage import corrections, intake, quarantine
from programme.usage.quarantine import Correction, Wanted
from store.exceptions import requests as requests_store
from store.tables import metadata
from store.tables.usage import quarantine as quarantine_table
from store.tables.usage import usage_events, usage_versions
from store.usage import ids
from tests.support import cast
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from policy.period import Month
    from programme.app import App
    from programme.moment import Moment

OUTSIDER = "sam@example.com"
SALES = f"email,name,level,role_family,time_zone,hired_on\n{OUTSIDER},Sam Sale,mid,sales,UTC,2020-01-01\n"
UNHEARD = ("openai", "unheard-of")
LEFT_OUT = frozenset({"audit_log", "retention", "runs"})
"""What says that it was done, and not what became of it."""
FIGURES = frozenset({"accounts", "postings", "lot_movements", "usage_days", "usage_reversals", "wallet_days", "grants"})
Content = dict[str, list[tuple[Any, ...]]]


def use(moment: Moment) -> None:
    """Usage that was posted, was free, corrected, withdrawn, refused, waits, was put right and discarded."""
    at = moment.now
    intake.take_in(
        moment,
        [
            cast.event("posted", at=at),
            cast.event("free", at=at, meters={"output": 0}),
            cast.event("corrected", at=at),
            cast.event("withdrawn", at=at),
            cast.event("sold", at=at, who=OUTSIDER),
            cast.event("fixed", at=at, who="adas-key"),
            cast.event("discarded", at=at, who="a-trial-key"),
            cast.event("waiting", at=at, model=UNHEARD),
        ],
    )
    intake.take_in(moment, [cast.event("posted", at=at, meters={"output": 7})])
    versions = [
        Version("gateway", "corrected", 1, cast.event("corrected", at=at, who=BEN), "Ben's key"),
        Version("gateway", "withdrawn", 1, None, "It never was"),
    ]
    corrections.take_in(moment, versions, actor="test")
    quarantine.fix(moment, Wanted(key=("gateway", "fixed")), Correction(person=ADA), actor="test", why="Hers")
    quarantine.discard(moment, Wanted(key=("gateway", "discarded")), actor="test", why="A trial")


def let_go(app: App, at: datetime, *, limit: int = 1_000) -> Mapping[str, int]:
    """Everything that is over at an instant, batch by batch; how many rows of which part."""
    with app.transaction(at) as moment:
        while not retention.advance(moment, at, limit=limit):
            pass
        return retention.record(moment, "test")


def counted(app: App, at: datetime) -> dict[str, int]:
    with app.reading(at) as moment:
        return {one.part: one.rows for one in retention.due(moment, at) if one.rows}


def settle_requests(app: App) -> None:
    """Let the calendar do what it has to about requests, and nothing else."""
    with app.transaction() as moment:
        while due := requests_store.due(moment.session, moment.now, limit=100):
            for request_id, _, _ in due:
                calendar.advance(moment, request_id)


def content(moment: Moment, *, but: Collection[str] = LEFT_OUT) -> Content:
    """Everything that stands in the database, by table."""
    return {
        table.name: [tuple(row) for row in moment.session.execute(sa.select(table).order_by(*table.primary_key))]
        for table in metadata.sorted_tables
        if table.name not in but
    }


def figures(moment: Moment, people: Iterable[str], months: Collection[Month]) -> object:
    """Balances, lots and every line of some people's months, but for what was written beside them."""
    lines = [
        (one.opening, one.closing, [line._replace(memo="") for line in one.movements])
        for person_id in people
        for month in months
        for one in [history.statement(moment, person_id, month)]
    ]
    return lines, waiting(moment), content(moment, but=metadata.tables.keys() - FIGURES)


def waiting(moment: Moment) -> list[tuple[Any, ...]]:
    """What waits in quarantine, by what names, and what its versions say."""
    e, q, v = usage_events, quarantine_table, usage_versions
    of = sa.and_(v.c.source == e.c.source, v.c.event_id == e.c.event_id)
    query = sa.select(e.c.event_id, e.c.identities, q.c.detail, v.c.content).outerjoin_from(ids.with_events(q), v, of)
    query = query.where(q.c.released_at.is_(None)).order_by(e.c.event_id, v.c.revision)
    return [tuple(row) for row in moment.session.execute(query)]
