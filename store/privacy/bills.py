"""The names in vendors' bills: what was reported of a line as usage has them itself, as long as it has any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.privacy.parts import Part, Scope, keyed
from store.tables.invoices import bill_files, bill_lines, bills

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.engine import Session

_l = bill_lines.c


def _named(_session: Session, scope: Scope) -> sa.Select[Any]:
    """Lines of bills that were posted, and whose file came in before an instant."""
    query = sa.select(_l.bill_id, _l.key).join_from(bill_lines, bills).join(bill_files)
    return query.where(_l.person != "", bills.c.posted_at.is_not(None), bill_files.c.taken_at < scope.before)


def _forget(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    session.execute(sa.update(bill_lines).where(keyed(bill_lines, rows)).values(person=""))


PARTS = (Part(name="bill_lines", found=_named, change=_forget),)
