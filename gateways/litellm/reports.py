"""A finished call, once: into the journal, out of what runs, off the lease that it was taken from."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from . import payloads
from .leases import NANO, Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .gate import Gate
    from .journal import Journal

REMEMBERED = 10_000
"""LiteLLM tells of a call more than once, within a moment: so many of the last ones are known."""


class Reports:
    """What this worker has reported."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal, self._clock = journal, clock
        self._known: OrderedDict[str, None] = OrderedDict()
        self._first: dict[str, str] = {}
        """The first accounts that the journal has, by the call."""

    def take(self, payload: Mapping[str, Any], gate: Gate | None, call_id: str) -> bool:
        """Keep what a payload tells; False where there is nothing to keep, or it is kept already."""
        event_id = payloads.event_id(payload)
        if event_id in self._known or not payloads.used_anything(payload):
            return False
        first_id = self._first.pop(call_id, "") if payload.get("status") != "failure" else ""
        # A failed attempt leaves the hold to the one that follows it.
        ends = payload.get("status") != "failure"
        running = gate.running.get(call_id) if gate and ends else None
        settles = running is not None and payloads.counted_anything(payload)
        hold = running.hold if running and settles else ""
        body = payloads.encoded(payloads.trimmed(payload), hold)
        if first_id:
            kept = self._journal.complete(first_id, event_id, body)
        else:
            kept = self._journal.keep(event_id, hold, body, now=self._clock())
        self._remember(event_id)
        # Behind the event: what is given back of a lease is what its events have left.
        if gate and settles:
            gate.finish(call_id, _cost(gate, payload))
        elif gate and running:
            gate.drop(call_id)
        return kept

    def take_first(self, account: Mapping[str, Any], gate: Gate, call_id: str) -> None:
        """Keep the first account of a call that runs, until `take` has the whole one."""
        running, event_id = gate.running.get(call_id), payloads.event_id(account)
        if running is None or call_id in self._first:
            return
        body = payloads.encoded(account, running.hold)
        if self._journal.keep(event_id, running.hold, body, now=self._clock(), provisional=True):
            self._first[call_id] = event_id

    def _remember(self, event_id: str) -> None:
        self._known[event_id] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def model_of(provider: object, model: object) -> Model:
    """The provider and its name of the model, as usage is reported."""
    where = str(provider or "").lower()
    return Model(where, str(model or "").removeprefix(f"{where}/"))


def _cost(gate: Gate, payload: Mapping[str, Any]) -> int | None:
    """Nano-USD, near enough to know what is left of a lease; None where nothing tells."""
    if payload.get("cache_hit"):
        return 0
    model = model_of(payload.get("custom_llm_provider"), payload.get("model"))
    if prices := gate.outage.prices.get(model):
        return prices.used(payloads.use(payload))
    quoted = payload.get("response_cost")
    return round(quoted * NANO) if isinstance(quoted, int | float) and quoted > 0 else None
