"""What `verify` finds about rates of currencies: who froze them, and that grants were made with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.sizing import Factors
from policy.units import NanoUSD
from policy.value.currencies import USD
from store.handbook import rates
from store.tables.audit import audit_log
from store.tables.grants import grants
from store.tables.value import token_values
from views import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def rates_by_two(session: Session) -> Iterator[str]:
    """Every frozen rate is what two different people adopted, as the audit log tells; none that they froze is gone."""
    a = audit_log.c
    query = sa.select(a.action, a.subject, a.actor, a.after).where(a.action.in_((rates.ADOPTED_FIRST, rates.ADOPTED)))
    told = session.execute(query.order_by(a.seq)).all()
    firsts = {(row.subject, row.after["digest"], row.actor) for row in told if row.action == rates.ADOPTED_FIRST}
    adopted = {
        (row.subject, currency): (row, usd)
        for row in told
        if row.action == rates.ADOPTED
        for currency, usd in row.after["rates"].items()
    }
    for kept in rates.all_of(session):
        if kept.frozen_at is None:
            continue
        name = f"rate of {kept.currency} for {kept.quarter}"
        row, usd = adopted.pop((kept.quarter, kept.currency), (None, ""))
        if row is None or row.actor != kept.confirmed_by:
            yield f"{name}: that {kept.confirmed_by} adopted it is not in the audit log"
            continue
        if NanoUSD.parse(usd) != kept.rate.per_unit:
            yield f"{name}: it is USD {kept.rate.per_unit.decimal:f}, but USD {usd} was adopted"
        digest = rates.digest(kept.quarter, row.after["rates"])
        if kept.adopted_by == kept.confirmed_by or (kept.quarter, digest, kept.adopted_by) not in firsts:
            yield f"{name}: {kept.adopted_by} is not known as the first of two"
    for quarter, currency in sorted(adopted):
        yield f"rate of {currency} for {quarter}: it was frozen, and is gone"


def grants_at_their_rate(session: Session) -> Iterator[str]:
    """A grant that follows from a pay band in another currency was made with its quarter's frozen rate."""
    frozen = {(kept.quarter, kept.currency): kept.rate for kept in rates.all_of(session) if kept.frozen_at is not None}
    g, v = grants.c, token_values.c
    query = sa.select(g.month, g.person_id, g.factors, v.quarter).join(token_values, v.version == g.value_version)
    foreign = g.factors["rate"]["currency"].as_string()
    for month, person_id, factors, quarter in session.execute(query.where(foreign != USD)):
        rate = codec.read(Factors, factors).rate
        if frozen.get((quarter, rate.currency)) != rate:
            yield f"grant of {month} for {person_id}: made at another rate of {rate.currency} than that of {quarter}"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (rates_by_two, grants_at_their_rate)
