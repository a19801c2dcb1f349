"""Whether what is held adds up: on wallets, and in the sums that caps are judged by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.caps import Reserved, SumKey, days_of
from store.holds import sums
from store.tables.holds import hold_claims, holds
from store.tables.ledger import accounts
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session

_h, _c = holds.c, hold_claims.c
_open = sa.text("holds.status = 'held'")


def held_on_accounts(session: Session) -> Iterator[str]:
    """What is held of an account is what its open holds say."""
    query = sa.select(_h.account_id, sa.func.sum(_h.micro_tokens), sa.func.sum(_h.likely_micro_tokens))
    rows = session.execute(query.where(_open).group_by(_h.account_id))
    said = {account_id: Reserved(int(most), int(likely)) for account_id, most, likely in rows}
    a = accounts.c
    for id_, code, held, likely in session.execute(sa.select(a.id, a.code, a.held, a.likely)):
        open_ = said.get(id_, Reserved())
        if held != open_.most:
            yield f"account {code}: {held} is held, its open holds say {open_.most}"
        if likely != open_.likely:
            yield f"account {code}: {likely} of it is likely, its open holds say {open_.likely}"


def holds_of_someone(session: Session) -> Iterator[str]:
    """A hold is of a person who is there, on their own wallet or on what the company pays for them."""
    query = (
        sa.select(_h.source, _h.id, _h.person_id, people.c.id, accounts.c.code)
        .outerjoin(people, people.c.id == _h.person_id)
        .outerjoin(accounts, accounts.c.id == _h.account_id)
    )
    own = sa.or_(
        accounts.c.code == sa.literal("wallet:") + _h.person_id,
        accounts.c.code == sa.literal("company:") + _h.person_id,
    )
    for source, id_, person_id, there, code in session.execute(
        query.where(sa.or_(people.c.id.is_(None), ~own, accounts.c.id.is_(None)))
    ):
        yield f"hold {source}/{id_} of {there or person_id}: on the account {code}"


def cap_sums_as_used(session: Session) -> Iterator[str]:
    """What a cap's sum says was used is what the days' roll-up says, and what it holds is what open holds claim."""
    held, likely = Counter[SumKey](), Counter[SumKey]()
    totals = (sa.func.sum(_h.nano_usd), sa.func.sum(_h.likely_nano_usd))
    query = sa.select(_c.scope, _c.key, _c.span, _c.first_day, *totals)
    query = query.join_from(hold_claims, holds, sa.and_(_c.source == _h.source, _c.hold_id == _h.id)).where(_open)
    for *parts, most, usual in session.execute(query.group_by(_c.scope, _c.key, _c.span, _c.first_day)):
        held[SumKey(*parts)], likely[SumKey(*parts)] = int(most), int(usual)
    for (scope, span, first_day), known in sorted(sums.by_window(session).items()):
        used = sums.spent(session, scope, days_of(span, first_day))
        for key, said in sorted(known.items()):
            name = f"cap sum {scope} {key or '*'} of the {span} from {first_day}"
            if said.used != used.get(key, 0):
                yield f"{name}: {said.used} used, the days say {used.get(key, 0)}"
            part = SumKey(scope, key, span, first_day)
            claimed = held.pop(part, 0)
            if said.held != claimed:
                yield f"{name}: {said.held} held, the open holds say {claimed}"
            if said.likely != likely[part]:
                yield f"{name}: {said.likely} likely, the open holds say {likely[part]}"
    for left, total in sorted(held.items()):
        if total:
            yield f"cap sum {left.scope} {left.key or '*'} of {left.first_day}: {total} is held, and there is no sum"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (held_on_accounts, holds_of_someone, cap_sums_as_used)
