"""Reversals and new debits: usage that was posted wrongly is undone, and posted as it is right, in one step of many."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.kinds import EntryKind, LotKind
from policy.metering import OUTPUT_METERS, UsageEvent, input_tokens
from policy.period import day_of
from policy.units import MicroTokens, NanoUSD
from programme.balance import warnings
from programme.funding import PRIORITY
from programme.people import merging
from programme.usage import cap_sums as sums
from programme.usage.posting import accounts_of
from programme.usage.rating import RatedEvent, Rating, Tariff
from store.finance import days as charge_days
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.usage import events as usage_store
from store.usage import versions as store
from store.usage.events import DayKey, EventPosting
from store.usage.versions import Reversal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from policy.metering import Price
    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from programme.usage.rating import UnratedEvent
    from store.usage.versions import Key, Posted

ACTOR = "correction"
REASON = "Returned by a correction of usage"
NOTHING = UsageEvent("", "", datetime.min.replace(tzinfo=UTC), (), "", "", "", {}, "", store.UNREPORTED)


class Change(NamedTuple):
    """An event as it stands, and what it is to be: a revision, another content (None: the same), or withdrawn."""

    before: Posted
    revision: int
    event: UsageEvent | None
    withdrawn: bool = False

    @property
    def key(self) -> Key:
        return self.before.key

    @property
    def content(self) -> UsageEvent:
        return self.event or self.before.event


class Kept(NamedTuple):
    """What stays of an event's debit; None is worked out anew."""

    person_id: str | None = None
    price: Price | None = None
    value: TokenValue | None = None


class _Repricing(Rating):
    """Rates events by what they keep."""

    def __init__(self, moment: Moment, kept: Mapping[Key, Kept]) -> None:
        super().__init__(moment)
        self._kept = kept

    def _rate_one(self, event: UsageEvent, person_id: str | None, day: date) -> RatedEvent | UnratedEvent:
        kept = self._kept.get((event.source, event.event_id), Kept())
        return super()._rate_one(event, kept.person_id or person_id, day)

    def _priced(
        self, event: UsageEvent, person_id: str, service_key: str, day: date, tariff: Tariff
    ) -> RatedEvent | UnratedEvent:
        kept = self._kept.get((event.source, event.event_id), Kept())
        valued = tariff._replace(value=kept.value or tariff.value)
        if kept.price is not None:
            rated = super()._priced(event, person_id, service_key, day, valued._replace(negotiated=kept.price))
            if isinstance(rated, RatedEvent):
                return rated
        # The price that was used has no rate for a meter that only the correction names.
        return super()._priced(event, person_id, service_key, day, valued)


class _Use(NamedTuple):
    """What an event is debited as; its line of the roll-up, and what that adds up."""

    event: UsageEvent
    service_key: str
    day: date
    value_version: str | None
    posting: EventPosting

    @property
    def paid(self) -> tuple[object, ...]:
        """The same for two debits of which one can stand for the other."""
        debit = self.posting.debit_micro_tokens
        return (self.posting.account_id, self.service_key, self.day, debit, self.value_version) if debit else ()

    @property
    def line(self) -> DayKey:
        return DayKey(self.day, self.posting.account_id, self.service_key, self.event.model, self.event.project)

    @property
    def figures(self) -> tuple[int, ...]:
        meters = self.event.meters
        output = sum(count for meter, count in meters.items() if meter in OUTPUT_METERS)
        return (1, input_tokens(meters), output, self.posting.cost_nano_usd, self.posting.debit_micro_tokens)


class _Move(NamedTuple):
    """A change with what it was debited as, and what it is to be debited as; None where it is not."""

    change: Change
    before: _Use | None
    after: _Use | None

    @property
    def reversed(self) -> _Use | None:
        """What is undone of the old debit."""
        return self.before if self.before and self.before.paid and not self._stays else None

    @property
    def corrected(self) -> int | None:
        """The entry that is corrected."""
        return self.reversed.posting.entry_id if self.reversed else None

    @property
    def payment(self) -> _Payment | None:
        """What the new debit is part of."""
        use = self.after
        if use is None or not use.paid or self._stays:
            return None
        return _Payment(use.posting.account_id, use.service_key, use.day, use.value_version, self.corrected)

    @property
    def differs(self) -> bool:
        """Whether it is another line of the roll-up, or one of another price."""
        told = [use and (use.line, use.figures, use.posting.price_id) for use in (self.before, self.after)]
        return told[0] != told[1]

    @property
    def is_news(self) -> bool:
        return self.differs or self.change.event is not None or self.change.revision != self.change.before.revision

    @property
    def is_silent(self) -> bool:
        """Whether what was paid says something else from now on, and nothing is posted."""
        return self._stays and self.after is not None and bool(self.after.paid)

    @property
    def _stays(self) -> bool:
        return (self.before.paid if self.before else ()) == (self.after.paid if self.after else ())


class _Payment(NamedTuple):
    """What shares an entry: one wallet, service and day, at one value, instead of one entry if of any."""

    account_id: int
    service_key: str
    day: date
    value_version: str | None
    corrected: int | None


class _Entries(NamedTuple):
    """What was posted: reversals by the entry that they correct, and debits."""

    reversals: Mapping[int, int]
    debits: Mapping[_Payment, int]


@dataclass(frozen=True, slots=True)
class Reposted:
    """What became of some events: how many are debited otherwise, from what to what; why some have to wait."""

    changed: int
    was: Amounts
    became: Amounts
    waiting: Mapping[Key, str]


class Amounts(NamedTuple):
    cost: NanoUSD
    debit: MicroTokens


def repost(
    moment: Moment,
    changes: Sequence[Change],
    waiting: Mapping[Key, bool],
    kept: Mapping[Key, Kept],
    *,
    leave: bool = False,
) -> Reposted:
    """Make events what they are to be.

    The locks of the events' sources and quarantine are held; `waiting` says which of them are or were there. What
    cannot be priced or attributed has to wait, or is left as it is.
    """
    rated, held = _Repricing(moment, kept).rate([change.content for change in changes if not change.withdrawn])
    if leave:
        stay = {(one.event.source, one.event.event_id) for one in held}
        changes, held = [change for change in changes if change.key not in stay], []
    moves = [move for move in _moves(moment, changes, rated) if move.is_news]
    entries = _post(moment, moves)
    charge_days.note_changes(
        moment.session, {move.after.day for move in moves if move.after and move.is_silent}, now=moment.now
    )
    store.fill(moment.session, [change.event for change in changes if change.event is not None])
    store.settle(moment.session, [_settled(move, entries) for move in moves])
    store.note_reversals(moment.session, _reversals(moves, entries))
    store.take_back(moment.session, [move.change.key for move in moves if move.change.key in waiting])
    store.hold(moment.session, held, waiting, now=moment.now)
    why = {(one.event.source, one.event.event_id): one.detail for one in held}
    store.let_go(moment.session, [key for key in _gone(moves, why) if waiting.get(key)], now=moment.now)
    changed = [move for move in moves if move.differs]
    return Reposted(len(changed), _sum(move.before for move in changed), _sum(move.after for move in changed), why)


def _sum(uses: Iterable[_Use | None]) -> Amounts:
    postings = [use.posting for use in uses if use is not None]
    cost, debit = (sum(one.cost_nano_usd for one in postings), sum(one.debit_micro_tokens for one in postings))
    return Amounts(NanoUSD(cost), MicroTokens(debit))


def _gone(moves: Iterable[_Move], held: Mapping[Key, str]) -> list[Key]:
    return [move.change.key for move in moves if move.change.key not in held]


def _moves(moment: Moment, changes: Sequence[Change], rated: Sequence[RatedEvent]) -> list[_Move]:
    right = {(one.event.source, one.event.event_id): one for one in rated}
    payer_of, _, _ = accounts_of(moment, [(one.person_id, one.service_key, one.day) for one in rated])
    before = _as_posted(moment, [change.before for change in changes])
    return [
        _Move(change, before.get(change.key), _rightly(one, payer_of[one.person_id, one.day]) if one else None)
        for change in changes
        for one in [right.get(change.key)]
    ]


def _rightly(one: RatedEvent, wallet: int) -> _Use:
    posting = EventPosting(wallet, one.price_id, one.cost, one.debit, None)
    return _Use(one.event, one.service_key, one.day, one.value.version, posting)


def _as_posted(moment: Moment, some: Iterable[Posted]) -> dict[Key, _Use]:
    """What events are debited as; the service of those that were free is looked up in the roll-up."""
    done = [(one, one.posting, day_of(one.event.occurred_at, moment.zone)) for one in some if one.posting is not None]
    free = store.services_on(
        moment.session, {(day, posting.account_id) for _, posting, day in done if posting.entry_id is None}
    )
    found: dict[Key, _Use] = {}
    for one, posting, day in done:
        service = one.service_key
        if service is None:
            offered = free[day, posting.account_id, one.event.model, one.event.project]
            approved = moment.handbooks.on(day).service_of(one.event.provider, day)
            service = approved.key if approved and approved.key in offered else min(offered)
        found[one.key] = _Use(one.event, service, day, one.value_version, posting)
    return found


def _post(moment: Moment, moves: Sequence[_Move]) -> _Entries:
    """Post what is to be undone, and then what is right."""
    undone: defaultdict[int, list[_Use]] = defaultdict(list)
    right: defaultdict[_Payment, list[_Use]] = defaultdict(list)
    for move in moves:
        if move.reversed and move.corrected is not None:
            undone[move.corrected].append(move.reversed)
        if move.payment and move.after:
            right[move.payment].append(move.after)
    uses = [use for move in moves for use in (move.before, move.after) if use is not None]
    codes = {use.service_key: ledger.service_code(use.service_key) for use in uses}
    ids = ledger.open_accounts(moment.session, codes.values())
    service_of = {key: ids[code] for key, code in codes.items()}
    wallets = {use.posting.account_id for use in uses}
    heirs = merging.heirs(moment, wallets)
    # The lines of the roll-up are written under the locks of their wallets, also where no money moves.
    ledger.lock(moment.session, wallets | {heir.into for heir in heirs} | set(service_of.values()))
    drafts = [_reversal(moment, entry, some, service_of[some[0].service_key]) for entry, some in undone.items()]
    drafts += [_debit(payment, some, service_of[payment.service_key]) for payment, some in right.items()]
    entry_ids = ledger.post(moment.session, drafts, now=moment.now)
    posted = iter(entry_ids)
    _roll_up(moment, moves)
    if entry_ids:
        merging.follow(moment, heirs, entry_id=entry_ids[-1], actor=ACTOR)
    warnings.corrected(moment, wallets | {heir.into for heir in heirs})
    return _Entries({entry: next(posted) for entry in undone}, {payment: next(posted) for payment in right})


def _reversal(moment: Moment, corrected: int, some: Sequence[_Use], service: int) -> Draft:
    days = moment.handbooks.on(moment.today).lots.returned_days
    total = sum(use.posting.debit_micro_tokens for use in some)
    lot = NewLot(LotKind.RETURNED, PRIORITY, moment.now, moment.now + timedelta(days=days), REASON, ACTOR)
    draft = _draft(EntryKind.REVERSAL, some, ((some[0].posting.account_id, total), (service, -total)))
    return replace(draft, corrects_entry_id=corrected, lot=lot)


def _debit(payment: _Payment, some: Sequence[_Use], service: int) -> Draft:
    total = sum(use.posting.debit_micro_tokens for use in some)
    draft = _draft(EntryKind.USAGE, some, ((payment.account_id, -total), (service, total)))
    return replace(draft, corrects_entry_id=payment.corrected)


def _draft(kind: EntryKind, some: Sequence[_Use], amounts: tuple[tuple[int, int], ...]) -> Draft:
    digest = hashlib.blake2b(digest_size=16)
    for use in some:
        digest.update(repr((use.event.source, use.event.event_id, use.posting)).encode())
    return Draft(
        kind=kind,
        # As with usage, what is posted has the keys: each version of an event is taken in once.
        idempotency_key=None,
        fingerprint=digest.digest(),
        effective_at=max(use.event.occurred_at for use in some),
        memo=some[0].service_key,
        actor=ACTOR,
        amounts=amounts,
        value_version=some[0].value_version,
    )


def _roll_up(moment: Moment, moves: Iterable[_Move]) -> None:
    days: defaultdict[DayKey, list[int]] = defaultdict(lambda: [0] * 5)
    for move in moves:
        for use, sign in ((move.before, -1), (move.after, 1)):
            if use is not None:
                days[use.line] = [a + sign * b for a, b in zip(days[use.line], use.figures, strict=True)]
    changed = {key: figures for key, figures in days.items() if any(figures)}
    sums.add(moment, changed, {})
    usage_store.add_to_days(moment.session, changed)
    store.forget_empty_days(moment.session, {key.day for key in changed})


def _settled(move: _Move, entries: _Entries) -> tuple[Key, int, EventPosting | None]:
    """The version that holds, and its debit: by a new entry, or by the old one where no money moved."""
    use = move.after
    if use is None:
        return move.change.key, move.change.revision, None
    entry = None
    if move.payment:
        entry = entries.debits[move.payment]
    elif use.paid and move.before:
        entry = move.before.posting.entry_id
    return move.change.key, move.change.revision, use.posting._replace(entry_id=entry)


def _reversals(moves: Iterable[_Move], entries: _Entries) -> list[Reversal]:
    found: list[Reversal] = []
    for move in moves:
        if move.reversed and move.corrected is not None:
            account, price, cost, debit, _ = move.reversed.posting
            assert price is not None  # noqa: S101 - what was debited has a price
            revision, meters = move.change.before.revision, move.reversed.event.meters
            (source, event_id), done = move.change.key, entries.reversals[move.corrected]
            found.append(
                Reversal(source, event_id, done, revision, meters, account, price, cost, debit, move.corrected)
            )
    return found
