"""What `verify` finds about values of a token: that they follow from what is kept with them, and who adopted them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy import handbook
from policy.value import basket, buffer, concentration, records
from store.handbook import reference
from store.handbook.reference import ADOPTED, ADOPTED_FIRST
from store.tables.audit import audit_log
from store.tables.value import token_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def values_as_calculated(session: Session) -> Iterator[str]:
    """A value that was worked out follows from the prices, shares and levels on record, and so does its buffer."""
    for value, kept in reference.calculations(session):
        link_index = Decimal(kept["link_index"])
        level = basket.index(records.items(kept), records.prices(kept), link_index=link_index).level
        if level != value.price_index:
            yield f"value {value.version}: its index is {value.price_index}, its prices say {level}"
        if buffer.value_in_nano_usd(kept["base_nano_usd"], level) != value.nano_usd_per_token:
            yield f"value {value.version}: {value.nano_usd_per_token} nano-USD do not follow from its index"
        if "largest_provider" in kept:
            found = concentration.largest_share(records.items(kept))
            if found != (kept["largest_provider"], Decimal(kept["largest_share"])):
                yield f"value {value.version}: its largest provider is {found[0]} with {found[1]}, not as it says"
        body = reference.handbook_body(session, kept["handbook"])
        rules = handbook.parse(body).value.buffer if body else None
        levels = [*(Decimal(text) for text in kept["levels"]), level]
        if rules is None or buffer.buffer(levels, rules).permille != value.buffer_permille:
            yield f"value {value.version}: its buffer of {value.buffer_permille} does not follow from its levels"


def values_by_two(session: Session) -> Iterator[str]:
    """The person who adopted a worked-out value is in the audit log, as is the first of two, who is someone else."""
    a, v = audit_log.c, token_values.c
    log = sa.select(a.action, a.subject, a.actor, a.after).where(a.action.in_((ADOPTED_FIRST, ADOPTED)))
    told = session.execute(log).all()
    firsts = {(row.subject, row.after["digest"], row.actor) for row in told if row.action == ADOPTED_FIRST}
    adopted = {row.after["version"]: row for row in told if row.action == ADOPTED}
    query = sa.select(v.version, v.quarter, v.adopted_by, v.confirmed_by).where(v.calculation.is_not(None))
    for version, quarter, by, second in session.execute(query.order_by(v.version)):
        row = adopted.get(version)
        if row is None or row.actor != (second or by):
            yield f"value {version}: that {second or by} adopted it is not in the audit log"
        elif second is not None and (by == second or (quarter, row.after["digest"], by) not in firsts):
            yield f"value {version}: {second} confirmed it, but {by} is not known as the first of two"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (values_as_calculated, values_by_two)
