"""Who may call: from a lease without a round trip, else by a hold of the bot's, else by what was last known.

One gate a worker, in the proxy's event loop. The clock is given, so that an outage takes no time in tests.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import denials
from .denials import Denial
from .wire import Away, Granted, Mistaken

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from .journal import Journal
    from .leases import Lease, Model
    from .outage import Outage
    from .settings import Settings
    from .wire import Ask, Bot, Held, Person

log = logging.getLogger("tokens_bot")

PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0)
"""Seconds between looks at a wallet of which something is left that only running calls hold."""
ASKING_SECONDS = 5
"""How long a person's calls ask one by one, before a lease is tried again."""
UNLEASED_SECONDS = 600
"""How long a model for which there was no lease is not asked for again: its calls ask for themselves."""
ARRIVAL_LOOKS, ARRIVAL_PAUSE = 20, 0.05
MOST_MODELS = 50
"""A lease has prices for so many models at most; calls of others ask for themselves."""


@dataclass
class Running:
    """A call that was let through: by a lease, by a hold of its own, or by `counted` while the bot was away."""

    id: str
    ask: Ask
    lease: Lease | None = None
    hold: str = ""
    counted: int = 0
    extended_at: float = 0
    over_at: float | None = None
    request: asyncio.Task[Any] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Gate:
    """Decides about calls, and remembers those that run."""

    settings: Settings
    bot: Bot
    journal: Journal
    outage: Outage
    clock: Callable[[], float]
    running: dict[str, Running] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    _retired: dict[str, Lease] = field(default_factory=dict)
    _asking_until: dict[str, float] = field(default_factory=dict)
    _returned: Counter[str] = field(default_factory=Counter)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _models: dict[str, set[Model]] = field(default_factory=dict)
    _unleased: dict[Model, float] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- Before a call -----------------------------------------------------------------------------------------------

    async def admit(self, ask: Ask) -> Running:
        """Let a call through, with what it may cost reserved; Denial otherwise."""
        call = Running(_named("call"), ask)
        self._note_models(ask)
        if not self._from_lease(call):
            await self._from_bot(call)
        self.running[call.id] = call
        return call

    def _note_models(self, ask: Ask) -> None:
        """The person's next lease is for this model as well, unless the bot would not have it lately."""
        models = self._models.setdefault(ask.person.name, set())
        if len(models) < MOST_MODELS:
            models.update(model for model in ask.models if self._unleased.get(model, 0) <= self.clock())

    async def check(self, ask: Ask) -> None:
        """Whether somebody may begin what nobody can size beforehand; Denial if not."""
        if not self.outage.away:
            try:
                await self.bot.authorize(ask)
            except Away as reason:
                self._lose(reason)
            except Mistaken as reason:
                log.warning("nothing was asked for a call: tokens-bot answers %s", reason)

    def _from_lease(self, call: Running) -> bool:
        """Take it from the person's lease, if that does; the next lease is fetched before this one is used up."""
        lease = self.leases.get(call.ask.person.name)
        if lease is None or not lease.usable(self.clock()):
            return False
        taken = lease.take(call.id, call.ask.models, call.ask.estimate)
        if taken:
            call.lease, call.hold = lease, lease.id
            if lease.runs_low(self.clock()) and not self.outage.away and not self._lock(lease.person).locked():
                self.spawn(self._renew(call.ask.person, lease))
        return taken

    async def _from_bot(self, call: Running) -> None:
        if not self.outage.away and self._wants_lease(call.ask.person):
            await self._renew(call.ask.person, self.leases.get(call.ask.person.name))
            if self._from_lease(call):
                return
        if self.outage.away or not await self._was_decided(call):
            await self._count(call)

    async def _was_decided(self, call: Running) -> bool:
        """Let the bot decide; False if it is away."""
        try:
            await self._hold(call)
        except (Away, asyncio.CancelledError) as reason:
            # It may have been heard: what is held for a call that knows nothing of it is to be given back.
            self.journal.release(call.id, now=self.clock())
            if not isinstance(reason, Away):
                raise
            self._lose(reason)
            return False
        except Mistaken as reason:
            # Nobody's work stops for what the operator has to put right.
            log.warning("nothing is held for a call: tokens-bot answers %s", reason)
        return True

    async def _count(self, call: Running) -> None:
        """Go by what was last known. Before anybody is refused for that, the bot is looked for once more."""
        try:
            call.counted = self.outage.admit(call.ask)
        except Denial as denial:
            if denial.code != denials.SPENT or not await self.bot.is_there():
                raise
            # Under its first id it may be about to be given back.
            call.id = _named("call")
            if not await self._was_decided(call):
                raise

    def _wants_lease(self, person: Person) -> bool:
        if not self.settings.leases or self.clock() < self._asking_until.get(person.name, 0):
            return False
        lease = self.leases.get(person.name)
        return lease is None or not lease.usable(self.clock()) or lease.runs_low(self.clock())

    async def _renew(self, person: Person, old: Lease | None) -> None:
        """A new lease in place of `old`; who comes meanwhile waits for it instead of asking as well."""
        async with self._lock(person.name):
            if self.leases.get(person.name) is not old or self.outage.away:
                return
            lease_id, models = _named("lease"), sorted(self._models.get(person.name, ()))
            try:
                found = await self.bot.lease(lease_id, person, models) if models else Granted(None)
            except Denial:
                found = Granted(None)
            except Mistaken as reason:
                log.warning("no lease: tokens-bot answers %s", reason)
                self._doubt(person, models)
                found = Granted(None)
            except (Away, asyncio.CancelledError) as reason:
                self.journal.release(lease_id, now=self.clock())
                if not isinstance(reason, Away):
                    raise
                self._lose(reason)
                return
            self.outage.met()
            self._take_up(person, old, found)

    def _doubt(self, person: Person, models: list[Model]) -> None:
        """The bot would not have these models: one of them has no price. Alone, it is known which."""
        if len(models) == 1:
            self._unleased[models[0]] = self.clock() + UNLEASED_SECONDS
        self._models[person.name] = set()

    def _take_up(self, person: Person, old: Lease | None, found: Granted) -> None:
        if old is not None:
            self.retire(old)
        if found.lease is None:
            self._asking_until[person.name] = self.clock() + ASKING_SECONDS
        else:
            self.leases[person.name] = found.lease
            self.outage.prices.update(found.lease.prices)
        if found.available is not None:
            self.journal.know(person.name, found.available, now=self.clock())

    async def _hold(self, call: Running) -> None:
        """A hold of its own. Nobody is refused for what this worker's own lease keeps back."""
        returned = self._returned[call.ask.person.name]
        try:
            found = await self.bot.hold(call.id, call.ask, waits=True)
        except Denial as denial:
            await self._return_lease(call.ask.person)
            is_returned = self._returned[call.ask.person.name] != returned
            if not is_returned and not denial.is_only_held:
                raise
            found = await self._hold_later(call, (0, *PAUSES) if is_returned else PAUSES)
        self.outage.met()
        if found is not None:
            call.hold, call.extended_at = found.id, self.clock()
            if found.available is not None:
                self.journal.know(call.ask.person.name, found.available, now=self.clock())

    async def _hold_later(self, call: Running, pauses: Sequence[float]) -> Held | None:
        """Ask again in a moment: what is left is only held, for worst cases that calls do not reach as a rule."""
        *first, last = pauses
        for pause in first:
            await asyncio.sleep(pause)
            try:
                return await self.bot.hold(call.id, call.ask, waits=True)
            except Denial as denial:
                if not denial.is_only_held:
                    raise
        await asyncio.sleep(last)
        return await self.bot.hold(call.id, call.ask)

    async def _return_lease(self, person: Person) -> None:
        lease = self.leases.pop(person.name, None)
        if lease is None:
            return
        self._asking_until[person.name] = self.clock() + ASKING_SECONDS
        if lease.reserved or lease.left <= 0 or not await self._arrived(lease):
            self.retire(lease)
            return
        lease.replaced = True
        try:
            await self.bot.give_back(lease.id)
        except Away:
            self.journal.release(lease.id, now=self.clock())
            raise
        self._returned[person.name] += 1

    async def _arrived(self, lease: Lease) -> bool:
        """Whether the bot has all events of a lease: what is still under way is to be paid from it."""
        for _ in range(ARRIVAL_LOOKS):
            if not self.journal.owes(lease.id):
                return True
            await asyncio.sleep(ARRIVAL_PAUSE)
        return False

    def _lose(self, reason: Away) -> None:
        self.outage.begin(reason)
        if not self.outage.probing:
            # Here, and not once it runs: as many calls find out as are under way.
            self.outage.probing = True
            self.spawn(self.outage.probe())

    # --- After a call ------------------------------------------------------------------------------------------------

    def finish(self, call_id: str, amount: int | None) -> Running | None:
        """The end of a call that used `amount` (None: all that it had reserved); the call, the first time only."""
        call = self.running.pop(call_id, None)
        if call is None:
            return None
        call.ended.set()
        if call.lease is not None:
            call.lease.settle(call.id, amount)
            self._close(call.lease)
        elif call.counted and amount is not None:
            self.journal.respend(call.ask.person.name, amount - call.counted)
        return call

    def drop(self, call_id: str) -> None:
        """The end of a call that used nothing."""
        call = self.running.pop(call_id, None)
        if call is None:
            return
        call.ended.set()
        if call.lease is not None:
            call.lease.release(call.id)
            self._close(call.lease)
        elif call.hold:
            self.journal.release(call.hold, now=self.clock())
        elif call.counted:
            self.journal.respend(call.ask.person.name, -call.counted)

    # --- Leases that end ---------------------------------------------------------------------------------------------

    def recall(self, lease_ids: Iterable[str]) -> None:
        """The bot takes leases back: the next call of each person asks anew."""
        gone = set(lease_ids)
        for lease in [one for one in self.leases.values() if one.id in gone]:
            del self.leases[lease.person]
            self._asking_until.pop(lease.person, None)
            self.retire(lease)

    def retire(self, lease: Lease) -> None:
        """No further call is taken from it; it is given back behind the last one that runs on it."""
        if self.leases.get(lease.person) is lease:
            del self.leases[lease.person]
        lease.replaced = True
        self._retired[lease.id] = lease
        self._close(lease)

    def _close(self, lease: Lease) -> None:
        if lease.replaced and not lease.reserved and self._retired.pop(lease.id, None) is not None:
            self.journal.release(lease.id, now=self.clock())

    # --- What goes on beside -----------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # The loop keeps only weak references to its tasks.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bot.close()

    def _lock(self, person: str) -> asyncio.Lock:
        return self._locks.setdefault(person, asyncio.Lock())


def _named(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"
