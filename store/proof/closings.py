"""Whether closed months are what they were: their journals follow from the entries, and their digests from both."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from store.closings import figures, records
from store.handbook import reference
from store.tables.audit import audit_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def closed_months(session: Session) -> Iterator[str]:
    """A closed month's journal is what its entries say, whatever was posted since; the audit log has its digest."""
    closed = records.all_closed(session)
    zone = ZoneInfo(reference.fact(session, "time_zone") or "UTC")
    query = sa.select(audit_log.c.subject, audit_log.c.after).where(audit_log.c.action == "month.close")
    told = {subject: after["digest"] for subject, after in session.execute(query)}
    for one in closed:
        content = json.dumps([one.journal, one.findings], sort_keys=True, separators=(",", ":"))
        if hashlib.sha256(content.encode()).hexdigest() != one.digest:
            yield f"closing of {one.month}: its digest is not that of its content"
        if told.get(one.month) != one.digest:
            yield f"closing of {one.month}: the audit log has another digest"
        if figures.content(session, figures.reach_of(session, one), zone) != one.journal:
            yield f"closing of {one.month}: its journal does not follow from its entries"
    for month in told.keys() - {one.month for one in closed}:
        yield f"closing of {month}: the audit log tells of it, and it is gone"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (closed_months,)
