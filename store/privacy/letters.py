"""Messages that were sent: what they said, while where they stand stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.outbox.messages import SENT
from store.privacy.parts import Part, Scope, keyed
from store.tables.outbox import outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from store.engine import Session

_o = outbox.c
ERASED = "erased"


def _sent(_session: Session, scope: Scope) -> sa.Select[Any]:
    """Those that stand for themselves: what is about a request or the like names it, and is shown anew by that."""
    query = sa.select(_o.id, _o.id.label("place")).where(_o.state == SENT, _o.about.is_(None))
    return query.where(sa.cast(_o.view, sa.Text) != "{}", _o.sent_at < scope.before)


def _empty(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    session.execute(sa.update(outbox).where(keyed(outbox, rows)).values(view={}))


PART = Part(name="outbox", found=_sent, change=_empty, place=_o.id)


def forget(session: Session, person_id: str, names: list[str], now: datetime) -> int:
    """Messages to somebody say nothing any more, and those that wait are not sent; how many there were.

    The same of what others were told of their accounts in Slack, which is also in the keys of those messages.
    """
    of_accounts = sa.and_(_o.key.contains(f":{person_id}:", autoescape=True), _o.template.startswith("people/"))
    theirs = sa.or_(_o.person_id == person_id, of_accounts)
    over = {"state": SENT, "sent_at": now, "problem": ERASED, "leased_by": None, "leased_until": None}
    session.execute(sa.update(outbox).where(theirs, _o.state != SENT).values(**over))
    channel = sa.case((_o.channel.in_(names), ERASED), else_=_o.channel)
    session.execute(
        sa.update(outbox)
        .where(of_accounts)
        .values(key=sa.literal("erased:") + sa.cast(_o.id, sa.Text), channel=channel)
    )
    renamed = sa.and_(_o.template.startswith("people/"), _o.view["person_id"].as_string() == person_id)
    return session.execute(sa.update(outbox).where(sa.or_(_o.person_id == person_id, renamed)).values(view={})).rowcount
