"""What no tag names, shared by the keys of the handbook, and credits given back to those whom tags name.

Shares follow from the bill as it stands and from what was used, other bills left out: neither the order nor the number
of files decides anything. What changes is posted as an adjustment of the month of the charge.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy import bills as policy
from policy.bills import PERSON, ROUNDING, Share
from policy.kinds import EntryKind, LotKind
from policy.parameters.invoices import BY_USE, EVENLY, TO_THE_POOL
from policy.period import Month
from policy.reasons import Refusal
from policy.units import MicroTokens, divide_half_even
from programme.balance import warnings
from programme.funding import PRIORITY
from programme.invoices import posting
from programme.people import participation
from programme.usage import payers
from programme.value import valuation
from store.invoices import bills as bills_store
from store.invoices import shares as store
from store.invoices.shares import Bearing, Posting, Standing
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.people import directory, terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from store.invoices.bills import Bill

REASON = "Returned, because a vendor's bill was less"
CLOSEST = timedelta(microseconds=1)


class Part(NamedTuple):
    """What is shared at once."""

    month: Month
    service_key: str
    bears: str
    project: str = ""
    person: str = ""


class Moved(NamedTuple):
    """What changes of a share."""

    bearing: Bearing
    standing: Standing
    becomes: Share

    @property
    def nano_usd(self) -> int:
        return self.becomes.nano_usd - self.standing.share.nano_usd

    @property
    def micro_tokens(self) -> int:
        return self.becomes.micro_tokens - self.standing.share.micro_tokens


def spread(moment: Moment, bill: Bill, *, actor: str) -> bool:
    """Post what changes of a bill's shares, and with that it is done.

    Not while usage of it is still to be posted: another file may have come for it meanwhile.
    """
    bills_store.lock(moment.session, bill.id)
    if bills_store.has_due(moment.session, bill.id):
        return False
    values: dict[Month, TokenValue] = {}
    wanted = _wanted(moment, bill, values)
    standing = store.standing(moment.session, bill.id)
    for one in standing.keys() - wanted.keys():
        wanted[one] = Share(0, 0)
    known = standing | store.open_(moment.session, bill.id, sorted(wanted.keys() - standing.keys()))
    moved = [Moved(one, known[one], share) for one, share in sorted(wanted.items()) if known[one].share != share]
    _post(moment, bill, moved, values, actor=actor)
    bills_store.settle(moment.session, bill.id, moment.now)
    return True


def parts(moment: Moment, bill_id: int) -> dict[Part, int]:
    """What is to be shared of a bill, in nano-USD; the roundings of all of its lines are the company's."""
    atto: defaultdict[Part, int] = defaultdict(int)
    for place, cost in store.untagged(moment.session, bill_id):
        atto[Part(Month.containing(place.day), place.service, place.bears, place.project, place.person)] += (
            cost.atto_usd
        )
    found = {part: divide_half_even(amount, policy.ATTO_PER_NANO) for part, amount in sorted(atto.items())}
    posted = store.posted(moment.session, bill_id)
    left = divide_half_even(posted.atto_usd, policy.ATTO_PER_NANO) - posted.usage_nano_usd - sum(found.values())
    if left and (dearest := store.dearest_service(moment.session, bill_id)):
        found[Part(Month.containing(dearest[1]), dearest[0], ROUNDING)] = left
    return {part: nano_usd for part, nano_usd in found.items() if nano_usd}


def _wanted(moment: Moment, bill: Bill, values: dict[Month, TokenValue]) -> dict[Bearing, Share]:
    shares: defaultdict[Bearing, Share] = defaultdict(lambda: Share(0, 0))
    for part, nano_usd in parts(moment, bill.id).items():
        value = values[part.month] = valuation.value_of(moment, part.month.quarter, moment.handbooks)
        tokens = value.micro_tokens(nano_usd)
        for account, share in policy.shares(nano_usd, tokens, _bearers(moment, bill, part)).items():
            bearing = Bearing(str(part.month), part.service_key, part.bears, part.project, account)
            before = shares[bearing]
            shares[bearing] = Share(before.nano_usd + share.nano_usd, before.micro_tokens + share.micro_tokens)
    return dict(shares)


def _bearers(moment: Moment, bill: Bill, part: Part) -> Mapping[int, int]:
    """The weights by which accounts bear a part; the company's alone where there is nobody to share it."""
    if part.bears == BY_USE:
        mark = (posting.source_of(bill.name), posting.id_begins(bill.name))
        bounds = part.month.bounds(moment.zone)
        used = store.weights(moment.session, part.service_key, part.month, bounds, mark)
        return _of_those_here(moment, used)
    if part.bears == EVENLY:
        return _of_those_here(moment, dict.fromkeys(_taking_part(moment, part.month), 1))
    if part.bears == PERSON and (wallet := _payer(moment, bill, part)) is not None:
        return _of_those_here(moment, {wallet: 1})
    code = ledger.POOL if part.bears == TO_THE_POOL else ledger.THE_COMPANY
    return dict.fromkeys(ledger.open_accounts(moment.session, [code]).values(), 1)


def _taking_part(moment: Moment, month: Month) -> list[int]:
    """The wallets of everyone who takes part in the programme in a month."""
    employed = {one.id for one in terms.participants(moment.session, month, None)}
    codes = {ledger.wallet_code(one) for one in employed - participation.outside(moment, month, employed)}
    return sorted(ledger.open_accounts(moment.session, codes).values()) if codes else []


def _payer(moment: Moment, bill: Bill, part: Part) -> int | None:
    """Who would have paid for a person's use; None for a stranger."""
    names = posting.identities(part.person)
    person_id = directory.resolve(moment.session, posting.source_of(bill.name), set(names)).who(names)
    if person_id is None:
        return None
    [code] = payers.codes(moment, [(person_id, part.month.first_day)]).values()
    [account] = ledger.open_accounts(moment.session, [code]).values()
    return account


def _of_those_here(moment: Moment, weights: Mapping[int, int]) -> dict[int, int]:
    """Whoever has left has no wallet to bear anything: the company does, as it does where there is nobody."""
    [company] = ledger.open_accounts(moment.session, [ledger.THE_COMPANY]).values()
    left = store.leavers(moment.session, weights, moment.today)
    found: defaultdict[int, int] = defaultdict(int)
    for account, weight in sorted(weights.items()):
        found[company if account in left else account] += weight
    return dict(found) or {company: 1}


def _post(moment: Moment, bill: Bill, moved: list[Moved], values: Mapping[Month, TokenValue], *, actor: str) -> None:
    codes = {ledger.service_code(one.bearing.service_key) for one in moved}
    services = ledger.open_accounts(moment.session, codes) if codes else {}
    months = {one.bearing.month: Month.parse(one.bearing.month) for one in moved}
    for month in months.values():
        if month not in values:
            values = {**values, month: valuation.value_of(moment, month.quarter, moment.handbooks)}
    with_entries = [one for one in moved if one.micro_tokens]
    _require_in_pool(moment, with_entries, services.values())
    drafts = [
        _draft(moment, bill, one, services[ledger.service_code(one.bearing.service_key)], values, actor)
        for one in with_entries
    ]
    entries = dict(zip(with_entries, ledger.post(moment.session, drafts, now=moment.now), strict=True))
    postings = [
        Posting(
            one.standing.id,
            entries.get(one),
            _booked_at(moment, months[one.bearing.month]),
            moment.now,
            one.nano_usd,
            one.micro_tokens,
            values[months[one.bearing.month]].version,
        )
        for one in moved
    ]
    became = {one.standing.id: Standing(one.standing.id, one.becomes, one.standing.revision + 1) for one in moved}
    store.note(moment.session, postings, became)
    wallets = {one.bearing.account_id for one in with_entries}
    warnings.corrected(moment, {id_ for id_ in wallets if ledger.is_wallet(moment.session, id_)})


def _require_in_pool(moment: Moment, moved: Iterable[Moved], services: Iterable[int]) -> None:
    """A Refusal where the pool has too little. All accounts are locked at once, in the order of their ids."""
    [pool] = ledger.open_accounts(moment.session, [ledger.POOL]).values()
    ledger.lock(moment.session, {pool, *services, *(one.bearing.account_id for one in moved)})
    wanted = sum(one.micro_tokens for one in moved if one.bearing.account_id == pool)
    require_pool(wanted, ledger.balance(moment.session, pool))


def require_pool(wanted: int, balance: int) -> None:
    """A Refusal where the shared pool, in micro-tokens, has less than a bill takes from it."""
    if wanted > max(balance, 0):
        raise Refusal(
            "pool_too_small",
            f"The pool has {MicroTokens(balance).decimal:,.0f} tokens, and this bill takes"
            f" {MicroTokens(wanted).decimal:,.0f} of it.",
            next_step='Choose another `rest` in the handbook\'s [[invoices.rules]], such as "to the company", and'
            " import the file again.",
        )


def _draft(  # noqa: PLR0917 - private, called once
    moment: Moment, bill: Bill, one: Moved, service: int, values: Mapping[Month, TokenValue], actor: str
) -> Draft:
    month = Month.parse(one.bearing.month)
    key = f"{policy.ENTRIES}{one.standing.id}:{one.standing.revision + 1}"
    owes = one.micro_tokens
    is_returned = owes < 0 and ledger.is_wallet(moment.session, one.bearing.account_id)
    return Draft(
        kind=EntryKind.ADJUSTMENT,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, owes),
        effective_at=_booked_at(moment, month),
        memo=f"Bill of {bill.name.account} for {bill.name.period:%Y-%m} ({one.bearing.bears})",
        actor=actor,
        amounts=((one.bearing.account_id, -owes), (service, owes)),
        value_version=values[month].version,
        lot=_lot(moment, actor) if is_returned else None,
    )


def _booked_at(moment: Moment, month: Month) -> datetime:
    """At the last instant of the charge's month; now while that runs.

    What comes after the month is closed is booked in the next one, where the journal names it (docs/decisions/0062).
    """
    return min(month.bounds(moment.zone)[1] - CLOSEST, moment.now)


def _lot(moment: Moment, actor: str) -> NewLot:
    days = moment.handbook.lots.returned_days
    return NewLot(LotKind.RETURNED, PRIORITY, moment.now, moment.now + timedelta(days=days), REASON, actor)
