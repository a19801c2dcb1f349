"""What goes on beside calls: heartbeats for long ones, an end for lost ones, ears for leases that are recalled."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from .denials import Denial
from .wire import EXTENSION_SECONDS, Away, Mistaken

if TYPE_CHECKING:
    from .gate import Gate

log = logging.getLogger("tokens_bot")

BEAT_SECONDS = 10
HEARTBEAT_SECONDS = 300
"""Holds end after fifteen minutes unless somebody extends them."""
LOST_SECONDS = 60
"""A call whose request is over is given up after so long without any account of it."""
POLL_SECONDS = 20
PAUSE_SECONDS = 1


def start(gate: Gate) -> None:
    """Begin; once, in the loop of the proxy."""
    gate.spawn(_beat_on(gate))
    if gate.settings.leases:
        gate.spawn(_listen(gate))


async def _beat_on(gate: Gate) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        await beat(gate)


async def beat(gate: Gate) -> None:
    """Extend what long calls hold; give up calls that ended without any account of them."""
    give_up_lost(gate)
    if gate.outage.away:
        return
    try:
        await _extend_holds(gate)
        await _extend_leases(gate)
    except Away as reason:
        # The next call finds out for itself.
        log.info("nothing was extended: tokens-bot is away (%s)", reason)


def give_up_lost(gate: Gate) -> None:
    now = gate.clock()
    for call in list(gate.running.values()):
        if call.request is not None and call.request.done():
            call.over_at = call.over_at or now
            if now - call.over_at >= LOST_SECONDS:
                log.warning("%s ended without any account of it; what it held is given back", call.id)
                gate.drop(call.id)


async def _extend_holds(gate: Gate) -> None:
    for call in list(gate.running.values()):
        if call.hold and call.lease is None and gate.clock() - call.extended_at >= HEARTBEAT_SECONDS:
            call.extended_at = gate.clock()
            await _extend(gate, call.hold)


async def _extend_leases(gate: Gate) -> None:
    """A lease that is about to end while calls run on it is kept for them, and serves no others."""
    soon = gate.clock() + 2 * BEAT_SECONDS
    leases = {call.lease.id: call.lease for call in gate.running.values() if call.lease}
    for lease in leases.values():
        if lease.expires_at <= soon:
            gate.retire(lease)
            lease.expires_at = gate.clock() + EXTENSION_SECONDS
            await _extend(gate, lease.id)


async def _extend(gate: Gate, hold: str) -> None:
    try:
        await gate.bot.extend(hold)
    except (Denial, Mistaken) as reason:
        log.info("%s was not extended; its call goes on: %s", hold, reason)


async def _listen(gate: Gate) -> None:
    """Hear of recalled leases for as long as the proxy runs."""
    cursor = ""
    while True:
        if gate.outage.away or not gate.leases:
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        try:
            recalls = await gate.bot.recalls(cursor, wait=POLL_SECONDS)
        except (Away, Denial, Mistaken):
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            cursor = recalls.cursor
            gate.recall(recalls.leases)
