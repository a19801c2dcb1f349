"""Settling: usage that is posted frees what was held for it, in the same transaction (docs/decisions/0045).

Usage is posted truly whatever became of its hold: late, repeated, after a lapse, or larger than what was held.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from policy.caps import Reserved
from store.holds import records
from store.holds.records import LAPSED, LARGER, LATE, LEASE, QUARANTINED, SETTLED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from policy.caps import SumKey
    from policy.metering import HoldRef, UsageEvent
    from programme.moment import Moment
    from programme.usage.rating import RatedEvent
    from store.holds.records import Hold, Key


class Locked:
    """The holds that a batch of usage names, under lock, with the sums that each is part of."""

    def __init__(self, moment: Moment, events: Iterable[UsageEvent]) -> None:
        self.refs: Mapping[tuple[str, str], HoldRef] = {
            (one.source, one.event_id): one.remarks.hold for one in events if one.remarks and one.remarks.hold
        }
        keys = {(ref.source, ref.id) for ref in self.refs.values()}
        self.holds = records.lock(moment.session, keys) if keys else {}
        self.claims = records.claims(moment.session, self.holds) if self.holds else {}


class Settling:
    """What becomes of the holds of one batch; nothing is written before `keep`."""

    def __init__(self, locked: Locked) -> None:
        self._locked = locked
        self._holds = dict(locked.holds)
        self._changed: dict[Key, Hold] = {}
        self.tokens: defaultdict[int, Reserved] = defaultdict(Reserved)
        """Micro-tokens to be freed, by account."""
        self.sums: defaultdict[SumKey, Reserved] = defaultdict(Reserved)
        """Nano-USD to be freed, by the sum."""

    @property
    def account_ids(self) -> set[int]:
        return {hold.account_id for hold in self._holds.values()}

    def __bool__(self) -> bool:
        return bool(self._holds)

    def settle(
        self,
        moment: Moment,
        rated: Sequence[RatedEvent],
        waiting: Iterable[UsageEvent],
        again: Collection[tuple[str, str]],
    ) -> None:
        """Capture what events of the batch used, and free the rest where they are the last of their hold.

        What waits frees its hold as well: the call is over, and is posted once someone says whose it is. An event that
        was known before (`again`) changes nothing but that its hold is over.
        """
        for one in rated:
            self._capture(moment, one.event, one.debit, one.cost)
        for event in waiting:
            self._capture(moment, event, 0, 0, QUARANTINED)
        for key, ref in self._locked.refs.items():
            hold = self._holds.get((ref.source, ref.id))
            if key in again and ref.is_final and hold is not None and hold.is_open and hold.kind != LEASE:
                self._let_go(hold, hold.tokens, hold.usd)
                self._note(self._holds[hold.key]._replace(status=SETTLED, closed_at=moment.now))

    def _capture(self, moment: Moment, event: UsageEvent, debit: int, cost: int, *flags: str) -> None:
        ref = self._locked.refs.get((event.source, event.event_id))
        hold = self._holds.get((ref.source, ref.id)) if ref else None
        if ref is None or hold is None:
            return
        if not hold.is_open:
            flags += (LATE,)
        elif debit > hold.micro_tokens:
            flags += (LARGER,)
        # A lease is for many calls; its gateway gives it back, or its time is over.
        is_over = hold.is_open and ref.is_final and hold.kind != LEASE
        self._let_go(
            hold,
            hold.tokens if is_over else hold.tokens.up_to(debit),
            hold.usd if is_over else hold.usd.up_to(cost),
        )
        hold = self._holds[hold.key].flagged(*flags)
        if is_over or hold.status == LAPSED:
            # Usage says more than the clock did: the call was not lost, it was slow.
            hold = hold._replace(status=SETTLED, closed_at=moment.now)
        self._note(
            hold._replace(
                used_micro_tokens=hold.used_micro_tokens + debit,
                used_nano_usd=hold.used_nano_usd + cost,
            )
        )

    def _let_go(self, hold: Hold, tokens: Reserved, usd: Reserved) -> None:
        self.tokens[hold.account_id] = self.tokens[hold.account_id].plus(tokens)
        for key in self._locked.claims.get(hold.key, ()):
            self.sums[key] = self.sums[key].plus(usd)
        self._note(hold.holding(hold.tokens.less(tokens), hold.usd.less(usd)))

    def _note(self, hold: Hold) -> None:
        self._holds[hold.key] = self._changed[hold.key] = hold

    def keep(self, moment: Moment) -> None:
        records.change(moment.session, list(self._changed.values()))
