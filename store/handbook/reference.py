"""What usage is judged by: handbook versions, services, prices that were used, values of quarters."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy import bills
from policy.metering import METERS, Price, UnitPrice
from policy.period import Month, Quarter
from policy.value.valuation import TokenValue
from store import bulk, locks
from store.locks import Lock
from store.tables.gates import rollout_pauses
from store.tables.handbook import handbooks, programme
from store.tables.ledger import accounts
from store.tables.usage import prices, services, usage_events
from store.tables.value import token_values, usd_entries, value_proposals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from policy.handbook import Service
    from policy.units import MicroTokens, NanoUSD
    from store.engine import Session

ADOPTED_FIRST, ADOPTED = "value.adopt_first", "value.adopt"
"""In the audit log: a value was adopted by the first of two people, and by whoever made it the value."""
LATEST_FIRST = (
    token_values.c.adopted_at.desc(),
    sa.func.length(token_values.c.version).desc(),
    token_values.c.version.desc(),
)
"""Of the versions of one quarter's value: `.10` comes after `.9`."""


def handbook_bodies(session: Session) -> list[str]:
    """Every version's text in the order in which they take effect; the later application wins a tie."""
    return [body for (body,) in _bodies.execute(session, {})]


_bodies = bulk.Prepared(sa.select(handbooks.c.body).order_by(handbooks.c.effective_from, handbooks.c.applied_at))


_still = sa.select(sa.func.aggregate_strings(rollout_pauses.c.month, ",")).scalar_subquery()
_bodies_and_pauses = bulk.Prepared(
    sa.select(handbooks.c.body, _still).order_by(handbooks.c.effective_from, handbooks.c.applied_at)
)
"""Built once: every transaction that judges anything asks it."""


def handbook_bodies_and_pauses(session: Session) -> tuple[list[str], list[date]]:
    """The same, with the first days of the months in which the roll-out stands still; one query for both."""
    rows = _bodies_and_pauses.execute(session, {})
    return [body for body, _ in rows], _first_days(rows[0][1] if rows else None)


def _first_days(months: str | None) -> list[date]:
    return [Month.parse(one).first_day for one in (months or "").split(",") if one]


def handbook_body(session: Session, version: str) -> str | None:
    return session.execute(sa.select(handbooks.c.body).where(handbooks.c.version == version)).scalar_one_or_none()


def add_handbook(
    session: Session, *, version: str, effective_from: date, body: str, applied_by: str, now: datetime
) -> None:
    session.execute(
        sa.insert(handbooks).values(
            version=version, effective_from=effective_from, body=body, applied_at=now, applied_by=applied_by
        )
    )


def upsert_services(session: Session, approved: Iterable[Service]) -> None:
    """Keep a row for every service that is or was approved, under its present name."""
    known = set(session.execute(sa.select(services.c.key)).scalars())
    for service in approved:
        if service.key in known:
            statement = sa.update(services).where(services.c.key == service.key)
            session.execute(statement.values(name=service.name, kind=service.kind))
        else:
            session.execute(sa.insert(services).values(key=service.key, name=service.name, kind=service.kind))


def service_names(session: Session) -> dict[str, str]:
    return {key: name for key, name in session.execute(sa.select(services.c.key, services.c.name))}


_rows: dict[int, tuple[Price, tuple[str, ...]]] = {}
"""The row of each price that was used lately, by its identity: prices are few, live long, and cannot be changed."""
MOST_ROWS = 1_000


def price_id(price: Price) -> str:
    """A digest of a price's content."""
    return _row_of(price)[0]


def _row_of(price: Price) -> tuple[str, ...]:
    """A price as it is stored, under its digest."""
    known = _rows.get(id(price))
    if known is not None and known[0] is price:
        return known[1]
    names, meters = (price.provider, price.model, price.tier, price.source), _meters_to_json(price)
    digest = hashlib.sha256(json.dumps([*names, meters], sort_keys=True).encode()).hexdigest()[:16]
    row = (digest, *names, json.dumps(meters))
    if len(_rows) >= MOST_ROWS:
        _rows.clear()
    _rows[id(price)] = (price, row)
    return row


def _meters_to_json(price: Price) -> dict[str, list[object]]:
    return {meter: [unit.nano_usd, unit.per, [list(t) for t in unit.tiers]] for meter, unit in price.meters.items()}


def keep_prices(session: Session, used: dict[str, Price]) -> None:
    """Store the prices that a batch used, unless they are kept already."""
    rows = [_row_of(price) for _, price in sorted(used.items())]
    bulk.insert_missing(session, prices, ("id", "provider", "model", "tier", "source", "meters"), rows)


def load_prices(session: Session, ids: Iterable[str] | None = None) -> dict[str, Price]:
    """Kept prices by id; all of them when no ids are given."""
    query = sa.select(prices)
    if ids is not None:
        query = query.where(prices.c.id.in_(sorted(set(ids))))
    return {
        row.id: Price(
            row.provider,
            row.model,
            row.source,
            {m: UnitPrice(usd, per, tuple((s, p) for s, p in tiers)) for m, (usd, per, tiers) in row.meters.items()},
            row.tier,
        )
        for row in session.execute(query)
    }


_values = sa.select(
    token_values.c.quarter,
    token_values.c.version,
    token_values.c.nano_usd_per_token,
    token_values.c.price_index,
    token_values.c.buffer_permille,
)
"""Without the calculations, which only `verify` and a proposal need."""


def value_of(session: Session, quarter: Quarter) -> TokenValue | None:
    """The value that was adopted for a quarter, the latest version of it."""
    rows = _latest_value.execute(session, {"quarter": str(quarter)})
    return _value(*rows[0]) if rows else None


_of_quarter = (
    _values.where(token_values.c.quarter == sa.bindparam("quarter"))
    .order_by(*LATEST_FIRST)
    .limit(sa.literal_column("1"))
)
_latest_value = bulk.Prepared(_of_quarter)


_bodies_pauses_and_value = bulk.Prepared(
    sa.select(handbooks.c.body, _still, bulk.as_json(_of_quarter)).order_by(
        handbooks.c.effective_from, handbooks.c.applied_at
    )
)


def rules(session: Session, quarter: Quarter) -> tuple[list[str], list[date], TokenValue | None]:
    """Handbooks and pauses, and the value that was adopted for a quarter; one query for all."""
    rows = _bodies_pauses_and_value.execute(session, {"quarter": str(quarter)})
    _, still, value = rows[0] if rows else ("", None, None)
    found = [_value(*one) for one in bulk.of_json(value)]
    return [body for body, _, _ in rows], _first_days(still), found[0] if found else None


_values_until = bulk.Prepared(
    _values.where(token_values.c.quarter <= sa.bindparam("quarter")).order_by(
        token_values.c.quarter.desc(), *LATEST_FIRST
    )
)


def _value(quarter: str, version: str, nano_usd: int, price_index: str, buffer: int) -> TokenValue:
    return TokenValue(
        Quarter.parse(quarter), version, nano_usd, price_index=Decimal(price_index), buffer_permille=buffer
    )


def values_until(session: Session, quarter: Quarter) -> list[TokenValue]:
    """The value of each quarter up to one, oldest first; the latest version of each."""
    rows = _values_until.execute(session, {"quarter": str(quarter)})
    return list({row[0]: _value(*row) for row in reversed(rows)}.values())


def count_values(session: Session, quarter: Quarter) -> int:
    query = sa.select(sa.func.count()).where(token_values.c.quarter == str(quarter))
    return session.execute(query).scalar_one()


def calculations(session: Session) -> list[tuple[TokenValue, dict[str, Any]]]:
    """Adopted values that were worked out, with how, oldest first."""
    query = _values.add_columns(token_values.c.calculation).where(token_values.c.calculation.is_not(None))
    rows = session.execute(query.order_by(token_values.c.quarter, token_values.c.adopted_at))
    return [(_value(*row[:-1]), row.calculation) for row in rows]


class AdoptedValue(NamedTuple):
    """A value that was worked out, with how, and the people who adopted it."""

    version: str
    calculation: dict[str, Any]
    adopted_by: str
    confirmed_by: str | None


def adoptions(session: Session, quarter: Quarter) -> list[AdoptedValue]:
    """The values of a quarter that were worked out, the latest first."""
    c = token_values.c
    query = sa.select(*(c[name] for name in AdoptedValue._fields)).where(c.quarter == str(quarter))
    rows = session.execute(query.where(c.calculation.is_not(None)).order_by(*LATEST_FIRST))
    return [AdoptedValue(*row) for row in rows]


class ValueProposal(NamedTuple):
    """What was last worked out for a quarter; `first_adopter` waits for a second person."""

    quarter: str
    digest: str
    calculation: dict[str, Any]
    first_adopter: str | None


def proposal(session: Session, quarter: Quarter) -> ValueProposal | None:
    p = value_proposals.c
    query = sa.select(p.quarter, p.digest, p.calculation, p.first_adopter).where(p.quarter == str(quarter))
    row = session.execute(query).one_or_none()
    return ValueProposal(*row) if row else None


def keep_proposal(
    session: Session, quarter: Quarter, *, digest: str, calculation: dict[str, Any], actor: str, now: datetime
) -> None:
    """Replace what was worked out before for a quarter; anyone who had adopted another one has to look again."""
    p = value_proposals
    known = proposal(session, quarter)
    if known is not None and known.digest == digest:
        return
    session.execute(sa.delete(p).where(p.c.quarter == str(quarter)))
    session.execute(
        sa.insert(p).values(
            quarter=str(quarter), digest=digest, calculation=calculation, proposed_at=now, proposed_by=actor
        )
    )


def note_first_adopter(session: Session, quarter: Quarter, actor: str) -> None:
    changed = sa.update(value_proposals).where(value_proposals.c.quarter == str(quarter))
    session.execute(changed.values(first_adopter=actor))


def outstanding(session: Session) -> int:
    """Micro-tokens in all wallets together, debts taken off."""
    query = sa.select(sa.func.coalesce(sa.func.sum(accounts.c.balance), 0)).where(accounts.c.person_id.is_not(None))
    return int(session.execute(query).scalar_one())


def revalue(
    session: Session, *, value: TokenValue, change: NanoUSD, tokens: MicroTokens, actor: str, now: datetime
) -> None:
    """Note in the buffer's book what a new value changes about the liability; nothing where nothing changes."""
    if not change:
        return
    rises = change > 0
    session.execute(
        sa.insert(usd_entries).values(
            kind="revaluation",
            idempotency_key=f"revaluation:{value.version}",
            posted_at=now,
            memo=f"{tokens.decimal:f} tokens outstanding",
            actor=actor,
            value_version=value.version,
            debit_account="buffer" if rises else "liability",
            credit_account="liability" if rises else "buffer",
            amount_nano_usd=abs(int(change)),
        )
    )


def spend_by_meter(session: Session, begin: datetime, end: datetime) -> dict[tuple[str, str, str, str], Fraction]:
    """What was spent between two instants, in nano-USD, by (provider, model, tier, meter); bills name no meters."""
    e = usage_events.c
    counts = [sa.func.coalesce(sa.func.sum(e.meters[meter].as_integer()), 0).label(meter) for meter in METERS]
    query = sa.select(e.provider, e.model, e.tier, e.price_id, *counts)
    query = query.where(e.occurred_at >= begin, e.occurred_at < end, e.price_id.is_not(None))
    query = query.where(~e.source.startswith(bills.SOURCE))
    rows = session.execute(query.group_by(e.provider, e.model, e.tier, e.price_id)).all()
    kept = load_prices(session, {row.price_id for row in rows})
    spend: dict[tuple[str, str, str, str], Fraction] = {}
    for row in rows:
        price = kept[row.price_id]
        for meter, unit in price.meters.items():
            if count := int(getattr(row, meter)):
                # The price's name of the provider: gateways have several for one.
                key = (price.provider, row.model, row.tier, meter)
                spend[key] = spend.get(key, Fraction(0)) + Fraction(count * unit.nano_usd, unit.per)
    return spend


def values_by_version(session: Session) -> dict[str, TokenValue]:
    return {row.version: _value(*row) for row in session.execute(_values)}


def adopt_value(
    session: Session,
    value: TokenValue,
    *,
    handbook_version: str,
    now: datetime,
    calculation: dict[str, Any] | None = None,
    adopted_by: str = "system",
    confirmed_by: str | None = None,
) -> None:
    """Note a quarter's value; another session may have noted the same one first."""
    # One session at a time: two that note several quarters would else wait for each other in a circle.
    locks.hold(session, Lock.VALUES)
    row = (
        value.version,
        str(value.quarter),
        value.nano_usd_per_token,
        handbook_version,
        bulk.instant_codec(session)(now),
        str(value.price_index),
        value.buffer_permille,
        None if calculation is None else json.dumps(calculation),
        adopted_by,
        confirmed_by,
    )
    columns = (
        "version",
        "quarter",
        "nano_usd_per_token",
        "handbook_version",
        "adopted_at",
        "price_index",
        "buffer_permille",
        "calculation",
        "adopted_by",
        "confirmed_by",
    )
    bulk.insert_missing(session, token_values, columns, [row])


def fact(session: Session, key: str) -> str | None:
    """A fact of the whole ledger, such as `time_zone`."""
    return session.execute(sa.select(programme.c.value).where(programme.c.key == key)).scalar_one_or_none()


def record_fact(session: Session, key: str, value: str) -> None:
    """Note a fact once; it does not change afterwards."""
    bulk.insert_missing(session, programme, ("key", "value"), [(key, value)])
