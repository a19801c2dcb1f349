"""Recomputing the ledger from its entries, and the entries from the usage: every figure that does not hold.

Each check yields sentences; an empty result means that the figure was proved. SQL does the sums; prices are applied
again in Python, with the rules that made them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from policy import exceptions
from policy.kinds import EntryKind
from policy.metering import OUTPUT_METERS, UnpricedMeterError, input_tokens
from policy.period import day_of
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import worth
from store import audit, time_zones
from store.exceptions import requests as requests_store
from store.exceptions import votes as votes_store
from store.handbook import proposals as proposals_store
from store.handbook import reference
from store.ledger import ledger
from store.proof import appeals, corrections, lapses, quarantine, review_votes, reviews
from store.proof import exceptions as proof_exceptions
from store.proof import value as proof_value
from store.reviews import drafts
from store.tables.audit import audit_log
from store.tables.exceptions import request_votes, requests
from store.tables.grants import grants
from store.tables.handbook import handbooks
from store.tables.ledger import accounts, entries, lot_movements, lots, postings
from store.tables.people import people
from store.tables.usage import usage_days, usage_events, usage_reversals
from store.tables.value import token_values, usd_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from policy.metering import Price
    from policy.value.valuation import TokenValue
    from store.engine import Session
    from views.handbook import Proposal

ROWS_AT_A_TIME = 10_000
PROPOSAL_ACTIONS = {
    "propose": "open",
    "confirm": "confirmed",
    "decline": "declined",
    "withdraw": "withdrawn",
    "lapse": "lapsed",
}
"""What the audit log calls it, and the state that it leaves."""


_PAYS = sa.or_(accounts.c.person_id.is_not(None), accounts.c.code.startswith(ledger.COMPANY))
"""Wallets, and the company outside the programme."""


def balanced_entries(session: Session) -> Iterator[str]:
    """Every entry has postings, and they sum to zero."""
    total = sa.func.sum(postings.c.amount)
    query = (
        sa.select(entries.c.id, entries.c.idempotency_key, total)
        .join_from(entries, postings, isouter=True)
        .group_by(entries.c.id, entries.c.idempotency_key)
        .having(sa.or_(total.is_(None), total != 0))
    )
    for row in session.execute(query):
        yield f"entry {row[0]} ({row[1]}): postings sum to {row[2]}"


def running_balances(session: Session) -> Iterator[str]:
    """Every posting carries its account's next version and the balance after it."""
    p = postings.c
    nth = sa.func.row_number().over(partition_by=p.account_id, order_by=p.version).label("nth")
    total = sa.func.sum(p.amount).over(partition_by=p.account_id, order_by=p.version).label("total")
    lines = sa.select(p.account_id, p.version, p.balance, nth, total).subquery()
    wrong = sa.or_(lines.c.version != lines.c.nth, lines.c.balance != lines.c.total)
    for row in session.execute(sa.select(lines).where(wrong)):
        yield (
            f"account {row.account_id} version {row.version}: balance {row.balance}, the postings say"
            f" {row.total} at version {row.nth}"
        )


def account_balances(session: Session) -> Iterator[str]:
    """Every account's balance and version are those of its postings."""
    sums = (
        sa.select(postings.c.account_id, sa.func.sum(postings.c.amount).label("total"), sa.func.count().label("lines"))
        .group_by(postings.c.account_id)
        .subquery()
    )
    total, lines = sa.func.coalesce(sums.c.total, 0), sa.func.coalesce(sums.c.lines, 0)
    query = sa.select(accounts.c.code, accounts.c.balance, accounts.c.version, total, lines).outerjoin_from(
        accounts, sums, sums.c.account_id == accounts.c.id
    )
    for row in session.execute(query.where(sa.or_(accounts.c.balance != total, accounts.c.version != lines))):
        yield f"account {row[0]}: balance {row[1]} at version {row[2]}, the postings say {row[3]} at {row[4]}"


def lots_remaining(session: Session) -> Iterator[str]:
    """What remains of a lot is its amount less what was taken and not given back."""
    taken = (
        sa.select(lot_movements.c.lot_id, sa.func.sum(lot_movements.c.amount).label("total"))
        .group_by(lot_movements.c.lot_id)
        .subquery()
    )
    expected = lots.c.amount - sa.func.coalesce(taken.c.total, 0)
    query = sa.select(lots.c.id, lots.c.remaining, expected).outerjoin_from(lots, taken, taken.c.lot_id == lots.c.id)
    for row in session.execute(query.where(lots.c.remaining != expected)):
        yield f"lot {row[0]}: {row[1]} remaining, its movements say {row[2]}"


def lots_as_granted(session: Session) -> Iterator[str]:
    """A lot is as large as what its entry put into its wallet, less what that gave back to other lots."""
    p, m = postings.c, lot_movements.c
    given = sa.select(sa.func.coalesce(sa.func.sum(p.amount), 0)).where(
        p.entry_id == lots.c.entry_id, p.account_id == lots.c.account_id
    )
    back = sa.select(sa.func.coalesce(sa.func.sum(m.amount), 0)).where(m.entry_id == lots.c.entry_id, m.amount < 0)
    put = given.scalar_subquery() + back.scalar_subquery()
    query = sa.select(lots.c.id, lots.c.amount, put.label("given")).subquery()
    for row in session.execute(sa.select(query).where(query.c.amount != query.c.given)):
        yield f"lot {row.id}: its amount is {row.amount}, its entry put {row.given} into the wallet"


def wallets_covered(session: Session) -> Iterator[str]:
    """No wallet's balance exceeds what remains of its lots: every token in it came with a lot."""
    remaining = (
        sa.select(lots.c.account_id, sa.func.sum(lots.c.remaining).label("total"))
        .group_by(lots.c.account_id)
        .subquery()
    )
    held = sa.func.coalesce(remaining.c.total, 0)
    query = sa.select(accounts.c.code, accounts.c.balance, held).outerjoin_from(
        accounts, remaining, remaining.c.account_id == accounts.c.id
    )
    for row in session.execute(query.where(accounts.c.person_id.is_not(None), accounts.c.balance > held)):
        yield f"account {row[0]}: balance {row[1]} is more than the {row[2]} in its lots"


def grants_as_sized(session: Session) -> Iterator[str]:
    """A monthly grant is what its entry put into its person's wallet, and what its factors say."""
    wallet = sa.select(postings.c.entry_id, postings.c.amount, accounts.c.person_id).join_from(
        postings, accounts, accounts.c.id == postings.c.account_id
    )
    paid = wallet.where(accounts.c.person_id.is_not(None)).subquery()
    g = grants.c
    query = sa.select(g.month, g.person_id, g.amount, g.factors, paid.c.amount, paid.c.person_id).outerjoin_from(
        grants, paid, paid.c.entry_id == g.entry_id
    )
    for row in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)):
        month, person_id, amount, factors, entered, owner = row
        if (amount, person_id) != (entered, owner):
            yield f"grant {month} of {person_id}: {amount}, its entry put {entered} into the wallet of {owner}"
        if factors["amount"] != amount:
            yield f"grant {month} of {person_id}: {amount}, its factors say {factors['amount']}"


def buffers_book(session: Session) -> Iterator[str]:
    """What each month's issue held back is tokens x value x buffer, each grant for itself."""
    g, v = grants.c, token_values.c
    query = sa.select(g.amount, v.nano_usd_per_token, v.buffer_permille).join_from(
        grants, token_values, v.version == g.value_version
    )
    held = sum(
        int(worth(MicroTokens(amount), NanoUSD(nano_usd))) * permille // 1_000
        for amount, nano_usd, permille in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME))
    )
    total = sa.select(sa.func.coalesce(sa.func.sum(usd_entries.c.amount_nano_usd), 0))
    booked = int(session.execute(total.where(usd_entries.c.kind == "held_back")).scalar_one())
    if booked != held:
        yield f"the buffer's book: {booked} nano-USD were held back, the grants say {held}"


def usage_entries(session: Session) -> Iterator[str]:
    """A usage entry debits who pays by exactly the sum of its events, those included that were undone since."""
    e, undone = usage_events.c, usage_reversals.c
    standing = sa.select(e.entry_id, e.debit_micro_tokens.label("debit")).where(e.entry_id.is_not(None))
    both = sa.union_all(standing, sa.select(undone.entry_id, undone.debit_micro_tokens)).subquery()
    used = sa.select(both.c.entry_id, sa.func.sum(both.c.debit).label("total")).group_by(both.c.entry_id).subquery()
    paid = (
        sa.select(entries.c.id, sa.func.sum(-postings.c.amount).label("total"))
        .select_from(entries.join(postings).join(accounts, accounts.c.id == postings.c.account_id))
        .where(entries.c.kind == EntryKind.USAGE, _PAYS)
        .group_by(entries.c.id)
        .subquery()
    )
    query = sa.select(paid.c.id, paid.c.total, used.c.total).outerjoin_from(paid, used, used.c.entry_id == paid.c.id)
    for row in session.execute(query.where(paid.c.total != sa.func.coalesce(used.c.total, 0))):
        yield f"entry {row[0]}: {row[1]} were paid, its events say {row[2]}"


def services_paid(session: Session) -> Iterator[str]:
    """What usage entries paid to a service, less what was undone, is what the days' roll-up says it took."""
    paid = (
        sa.select(accounts.c.code, sa.func.sum(postings.c.amount))
        .select_from(entries.join(postings).join(accounts, accounts.c.id == postings.c.account_id))
        .where(entries.c.kind.in_((EntryKind.USAGE, EntryKind.REVERSAL)), ~_PAYS)
        .group_by(accounts.c.code)
    )
    rolled_up = sa.select(usage_days.c.service_key, sa.func.sum(usage_days.c.debit_micro_tokens))
    ledgers = {code: int(total) for code, total in session.execute(paid)}
    days = {
        f"service:{key}": int(total) for key, total in session.execute(rolled_up.group_by(usage_days.c.service_key))
    }
    for code in sorted(ledgers.keys() | days.keys()):
        if ledgers.get(code, 0) != days.get(code, 0):
            yield f"account {code}: usage paid {ledgers.get(code, 0)}, the roll-up says {days.get(code, 0)}"


def events_of_wallets(session: Session) -> Iterator[str]:
    """An event names the account that its entry debits; a free one names a payer that exists."""
    e = usage_events.c
    wallet = (
        sa.select(postings.c.entry_id, postings.c.account_id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(_PAYS)
        .subquery()
    )
    elsewhere = sa.select(e.source, e.event_id).join_from(usage_events, wallet, wallet.c.entry_id == e.entry_id)
    nowhere = sa.select(e.source, e.event_id).outerjoin_from(usage_events, accounts, accounts.c.id == e.account_id)
    queries = (
        elsewhere.where(wallet.c.account_id.is_distinct_from(e.account_id)),
        nowhere.where(e.entry_id.is_(None), e.cost_nano_usd.is_not(None), sa.or_(accounts.c.id.is_(None), ~_PAYS)),
    )
    for query in queries:
        for source, event_id in session.execute(query):
            yield f"event {source}/{event_id}: its wallet is not the one that paid for it"


def company_pays(session: Session) -> Iterator[str]:
    """The company's account has parts for people who exist, and for no one else."""
    known = sa.select(people.c.id).where(ledger.COMPANY + people.c.id == accounts.c.code).exists()
    ours = accounts.c.code.startswith(ledger.COMPANY)
    for code in session.execute(sa.select(accounts.c.code).where(ours, ~known)).scalars():
        yield f"account {code}: no such person"


def prices_as_kept(session: Session) -> Iterator[str]:
    """A kept price is known by the digest of its content, and every priced event names one."""
    kept = reference.load_prices(session)
    for id_, price in sorted(kept.items()):
        if reference.price_id(price) != id_:
            yield f"price {id_} of {price.provider}/{price.model} is not what it was"
    used = sa.select(usage_events.c.price_id).where(usage_events.c.price_id.is_not(None)).distinct()
    for id_ in session.execute(used).scalars():
        if id_ not in kept:
            yield f"price {id_} is gone, and events name it"


def quarantined_events(session: Session) -> Iterator[str]:
    """An event waits in quarantine exactly as long as it has no cost, unless someone discarded it."""
    yield from quarantine.waits_or_left(session)


def quarantine_as_audited(session: Session) -> Iterator[str]:
    """Who corrected or discarded events that waited, and how many, is in the audit log."""
    yield from quarantine.steps_as_audited(session)


def costs_and_days(session: Session, zone: ZoneInfo, tick: Callable[[int], None]) -> Iterator[str]:
    """Costs and debits follow from meters, kept prices and values; every day's roll-up from its events."""
    prices = reference.load_prices(session)
    values = reference.values_by_version(session)
    totals: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0] * 5)
    for row in _rated_events(session):
        tick(1)
        if row.price_id in prices:
            yield from _wrong_amounts(row, prices[row.price_id], values.get(row.value_version))
        figures = totals[day_of(row.occurred_at, zone), row.account_id, row.model, row.project]
        figures[0] += 1
        figures[1] += input_tokens(row.meters)
        figures[2] += sum(count for meter, count in row.meters.items() if meter in OUTPUT_METERS)
        figures[3] += row.cost_nano_usd
        figures[4] += row.debit_micro_tokens
    yield from _days_that_differ(session, totals)


def _wrong_amounts(row: Any, price: Price, value: TokenValue | None) -> Iterator[str]:  # noqa: ANN401 - a row
    try:
        cost = price.cost(row.meters)
    except UnpricedMeterError as error:
        yield f"event {row.source}/{row.event_id}: cost {row.cost_nano_usd}, but {error}"
        return
    if cost != row.cost_nano_usd:
        yield f"event {row.source}/{row.event_id}: cost {row.cost_nano_usd}, its price says {int(cost)}"
    if value and value.debit(cost) != row.debit_micro_tokens:
        yield f"event {row.source}/{row.event_id}: debit {row.debit_micro_tokens} does not follow from its cost"


def _rated_events(session: Session) -> Iterator[Any]:
    e = usage_events.c
    query = (
        sa.select(
            e.source,
            e.event_id,
            e.occurred_at,
            e.model,
            e.project,
            e.meters,
            e.account_id,
            e.price_id,
            e.cost_nano_usd,
            e.debit_micro_tokens,
            entries.c.value_version,
        )
        .outerjoin_from(usage_events, entries, entries.c.id == e.entry_id)
        .where(e.cost_nano_usd.is_not(None))
    )
    return iter(session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)))


def _days_that_differ(session: Session, totals: dict[tuple[object, ...], list[int]]) -> Iterator[str]:
    d = usage_days.c
    columns = (d.calls, d.input_tokens, d.output_tokens, d.cost_nano_usd, d.debit_micro_tokens)
    sums = [sa.func.sum(column) for column in columns]
    query = sa.select(d.day, d.account_id, d.model, d.project, *sums)
    for row in session.execute(query.group_by(d.day, d.account_id, d.model, d.project)):
        key, figures = tuple(row[:4]), [int(figure) for figure in row[4:]]
        expected = totals.pop(key, [0] * 5)
        if figures != expected:
            yield f"usage of {key}: the day's roll-up says {figures}, its events say {expected}"
    for key, figures in totals.items():
        yield f"usage of {key}: no roll-up, its events say {figures}"


def exceptions_as_decided(session: Session) -> Iterator[str]:
    """Every exception in the ledger is that of one request, in its requester's wallet, as large as was granted."""
    r, e = requests.c, entries.c
    query = (
        sa.select(
            e.idempotency_key, lots.c.amount, accounts.c.person_id, r.id, r.granted, r.person_id.label("requester")
        )
        .select_from(entries)
        .outerjoin(lots, lots.c.entry_id == e.id)
        .outerjoin(accounts, accounts.c.id == lots.c.account_id)
        .outerjoin(requests, r.entry_id == e.id)
        .where(e.kind == EntryKind.EXCEPTION)
    )
    for row in session.execute(query):
        if row.idempotency_key != f"exception:{row.id}":
            yield f"entry {row.idempotency_key}: request {row.id} names it"
        elif (row.amount, row.person_id) != (row.granted, row.requester):
            yield f"request {row.id}: {row.granted} granted to {row.requester}, {row.amount} went to {row.person_id}"
    credited = sa.select(r.id, e.kind).join(entries, e.id == r.entry_id).where(e.kind != EntryKind.EXCEPTION)
    for request_id, kind in session.execute(credited):
        yield f"request {request_id}: its entry is of kind {kind}"


def votes_as_audited(session: Session) -> Iterator[str]:
    """The votes on every request are those that the audit log tells of, one a seat."""
    a, v = audit_log.c, request_votes.c
    told: dict[tuple[str, str], tuple[str, bool]] = {}
    log = sa.select(a.subject, a.actor, a.after).where(a.action == "request.vote").order_by(a.seq)
    for subject, actor, after in session.execute(log):
        told[subject, after["seat"]] = (actor, after["approves"])
    for request_id, seat, cast_by, approves in session.execute(sa.select(v.request_id, v.seat, v.cast_by, v.approves)):
        if told.pop((request_id, seat), None) != (cast_by, approves):
            yield f"request {request_id}: the vote of {seat} is not the one in the audit log"
    for request_id, seat in told:
        yield f"request {request_id}: the vote of {seat} is in the audit log only"


def decisions_as_counted(session: Session) -> Iterator[str]:
    """What was decided by votes follows from them, counted again."""
    zone = time_zones.zone(reference.fact(session, "time_zone"), ZoneInfo("UTC"))
    expected = {"approved": "approved", "ratified": "approved", "rejected": "rejected"}
    decided = [one for one in requests_store.made_between(session, None, None) if one.state in expected]
    polls = votes_store.polls(session, decided)
    for request in decided:
        if request.decided_at is None:
            continue
        day = day_of(request.decided_at, zone)
        panel, votes = polls[request.id]
        standing = [one.vote for one in votes if one.last_day is None or one.last_day >= day]
        counted = exceptions.tally(panel, request.stage, standing)
        if counted.outcome != expected[request.state]:
            yield f"request {request.id}: {request.state}, its votes say {counted.outcome}"


def handbooks_by_two(session: Session) -> Iterator[str]:
    """Every version was applied by the system, or by a second person who confirmed that very text.

    The audit log says where one person was enough, and why.
    """
    since = int(reference.fact(session, "two_hands_after") or 0)
    confirmed = {p.version: p for p in reversed(proposals_store.everything(session)) if p.state == "confirmed"}
    a, h = audit_log.c, handbooks.c
    told: dict[str, Any] = {}
    for row in session.execute(sa.select(a.seq, a.subject, a.actor, a.after).where(a.action == "handbook.apply")):
        told[row.subject] = row
    for version, body, applied_by in session.execute(sa.select(h.version, h.body, h.applied_by).order_by(h.applied_at)):
        log, proposal = told.get(version), confirmed.pop(version, None)
        if log is None or log.actor != applied_by:
            yield f"handbook {version}: that {applied_by} applied it is not in the audit log"
        elif proposal is not None:
            yield from _confirmed_by_another(proposal, body, applied_by)
        elif log.seq > since and applied_by != "system" and "alone" not in log.after:
            yield f"handbook {version}: {applied_by} applied it, but no one else confirmed it"
    for version in confirmed:
        yield f"handbook {version}: it was confirmed, but is not there"


def _confirmed_by_another(proposal: Proposal, body: str, applied_by: str) -> Iterator[str]:
    if hashlib.sha256(body.encode()).hexdigest() != proposal.digest:
        yield f"handbook {proposal.version}: its text is not the one that was proposed"
    if proposal.decided_by != applied_by or proposal.decided_by == proposal.proposed_by:
        yield (
            f"handbook {proposal.version}: proposed by {proposal.proposed_by}, confirmed by {proposal.decided_by},"
            f" applied by {applied_by}"
        )


def proposals_as_audited(session: Session) -> Iterator[str]:
    """Every proposal was made and decided as the audit log tells, by whom it tells."""
    a = audit_log.c
    actions = [f"handbook.{action}" for action in PROPOSAL_ACTIONS]
    told: dict[tuple[str, str], Any] = {}
    for row in session.execute(sa.select(a.action, a.subject, a.actor, a.after).where(a.action.in_(actions))):
        told[row.subject, row.action.removeprefix("handbook.")] = row
    for proposal in proposals_store.everything(session):
        made = told.pop((proposal.id, "propose"), None)
        if made is None or (made.after["proposed_by"], made.after["digest"]) != (proposal.proposed_by, proposal.digest):
            yield f"proposal {proposal.id}: its text and proposer are not those in the audit log"
        decided = {action: row.actor for (id_, action), row in told.items() if id_ == proposal.id}
        by = {action: proposal.decided_by for action, state in PROPOSAL_ACTIONS.items() if state == proposal.state}
        if decided != ({} if proposal.is_open else by):
            yield f"proposal {proposal.id}: {proposal.state}, the audit log says {decided}"


def reviews_as_frozen(session: Session) -> Iterator[str]:
    """What every review proposes follows, to the last digit, from the inputs that were kept for it."""
    for review in drafts.all_of(session):
        yield from reviews.differences(session, review)


def reviews_as_voted(session: Session) -> Iterator[str]:
    """What became of every review, and of each case, follows from votes and decisions that the audit log tells of."""
    for review in drafts.all_of(session):
        yield from review_votes.differences(session, review)


def appeals_as_decided(session: Session) -> Iterator[str]:
    """Every appeal was decided by someone who may, as the audit log tells, and gave back exactly what the cut took."""
    yield from appeals.differences(session)


def audit_chain(session: Session) -> Iterator[str]:
    """Every row of the audit log follows from the one before it."""
    yield from audit.broken_links(session)


def count_events(session: Session) -> int:
    return session.execute(sa.select(sa.func.count()).select_from(usage_events)).scalar_one()


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    balanced_entries,
    running_balances,
    account_balances,
    lots_remaining,
    lots_as_granted,
    wallets_covered,
    grants_as_sized,
    *lapses.CHECKS,
    proof_value.values_as_calculated,
    proof_value.values_by_two,
    buffers_book,
    usage_entries,
    services_paid,
    events_of_wallets,
    company_pays,
    prices_as_kept,
    quarantined_events,
    quarantine_as_audited,
    *corrections.CHECKS,
    exceptions_as_decided,
    proof_exceptions.unratified_as_spent,
    votes_as_audited,
    decisions_as_counted,
    handbooks_by_two,
    proposals_as_audited,
    reviews_as_frozen,
    reviews_as_voted,
    appeals_as_decided,
    audit_chain,
)
