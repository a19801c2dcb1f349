"""From rated events to the ledger: one entry for each payer, service and day, and the days' roll-up."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from policy.kinds import EntryKind
from policy.metering import INPUT_METERS, OUTPUT_METERS
from programme.usage import cap_sums as sums
from programme.usage import payers
from store.balance import warnings as warnings_store
from store.holds import records as holds_store
from store.ledger import ledger
from store.ledger.drafts import Draft
from store.usage import events as usage_store
from store.usage.events import DayKey, EventPosting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from policy.metering import UsageEvent
    from programme.moment import Moment
    from programme.usage.rating import RatedEvent
    from programme.usage.settling import Settling

ACTOR = "intake"


def post(
    moment: Moment, rated: Sequence[RatedEvent], settling: Settling | None = None
) -> list[tuple[UsageEvent, EventPosting]]:
    """Post one entry for each payer, service and day, add to the days' roll-up, and say what each event became.

    What `settling` frees is freed under the same locks.
    """
    groups: dict[tuple[str, str, date], list[RatedEvent]] = {}
    for one in rated:
        groups.setdefault((one.person_id, one.service_key, one.day), []).append(one)
    payer_of, service_of, wallets = accounts_of(moment, groups)
    drafts: list[Draft] = []
    for (person_id, service_key, day), group in groups.items():
        payer = payer_of[person_id, day]
        if total := sum([one.debit for one in group]):
            drafts.append(_draft(group, payer, service_of[service_key], total))
    held = None
    if settling:
        # All at once: locked one after the other, they would not be taken in the order of their ids.
        touched = {account_id for draft in drafts for account_id, _ in draft.amounts}
        held = ledger.lock(moment.session, touched | settling.account_ids).values()
        holds_store.free(moment.session, settling.tokens)
    entry_ids = iter(ledger.post(moment.session, drafts, now=moment.now, holding=held))
    days = _lines(rated, payer_of)
    sums.add(moment, days, settling.sums if settling else {})
    usage_store.add_to_days(moment.session, days)
    warnings_store.note(moment.session, wallets.intersection(draft.amounts[0][0] for draft in drafts))
    # A group that cost nothing has no entry, and a free event belongs to none.
    entry_of = {use: next(entry_ids) for use, group in groups.items() if any(one.debit for one in group)}
    posted: list[tuple[UsageEvent, EventPosting]] = []
    for one in rated:
        entry_id = entry_of[one.person_id, one.service_key, one.day] if one.debit else None
        payer = payer_of[one.person_id, one.day]
        posted.append((one.event, EventPosting(payer, one.price_id, one.cost, one.debit, entry_id)))
    return posted


def accounts_of(
    moment: Moment, groups: Iterable[tuple[str, str, date]]
) -> tuple[dict[payers.Use, int], dict[str, int], set[int]]:
    """The ids of the accounts that pay, of those of the services, and which of the first are wallets."""
    codes = payers.codes(moment, ((person_id, day) for person_id, _, day in groups))
    services = {service_key: ledger.service_code(service_key) for _, service_key, _ in groups}
    account_of = ledger.open_accounts(moment.session, [*codes.values(), *services.values()])
    return (
        {use: account_of[code] for use, code in codes.items()},
        {service_key: account_of[code] for service_key, code in services.items()},
        {account_of[code] for code in codes.values() if code.startswith(ledger.wallet_code(""))},
    )


def _draft(group: Sequence[RatedEvent], payer: int, service: int, total: int) -> Draft:
    digest = hashlib.blake2b(digest_size=16)
    for one in group:
        digest.update(one.event.fingerprint)
    first = group[0]
    return Draft(
        kind=EntryKind.USAGE,
        # The events have the keys: each is posted once.
        idempotency_key=None,
        fingerprint=digest.digest(),
        effective_at=max(one.event.occurred_at for one in group),
        memo=first.service_key,
        actor=ACTOR,
        amounts=((payer, -total), (service, total)),
        value_version=first.value.version,
    )


def _lines(rated: Sequence[RatedEvent], payer_of: dict[payers.Use, int]) -> dict[DayKey, list[int]]:
    """(calls, input tokens, output tokens, cost, debit) of each line of the days' roll-up."""
    sums: dict[tuple[str, date, str, str, str], list[int]] = {}
    for one in rated:
        event = one.event
        key = (one.person_id, one.day, one.service_key, event.model, event.project)
        figures = sums.get(key)
        if figures is None:
            figures = sums[key] = [0, 0, 0, 0, 0]
        figures[0] += 1
        for meter, count in event.meters.items():
            if meter in INPUT_METERS:
                figures[1] += count
            elif meter in OUTPUT_METERS:
                figures[2] += count
        figures[3] += one.cost
        figures[4] += one.debit
    return {DayKey(day, payer_of[person_id, day], *rest): figures for (person_id, day, *rest), figures in sums.items()}
