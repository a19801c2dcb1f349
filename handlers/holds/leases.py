"""`/v1/allowances`: leases, and the long poll that tells a gateway which of them to give back.

(No postponed annotations here: FastAPI reads those of the routes, which name local dependencies.)
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from handlers import bodies
from handlers.batches import Guard
from handlers.holds import answers, asked, routes
from policy.reasons import Refusal
from programme.app import App
from programme.holds import ending, leasing
from store.usage.keys import ApiKey

LEASE = routes.documented(asked.LEASES.schema(asked.LEASE_EXAMPLE))
MOST_WAITERS, LONGEST_WAIT, EVERY = 64, 30, 0.5
"""So many gateways wait at once in a process, for so many seconds; who is one too many is answered at once."""


def build(app: App, key_with: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1/allowances", tags=["holds"])
    require_key = key_with(routes.SCOPE)
    waiting = asyncio.Semaphore(MOST_WAITERS)

    @router.post("", summary="Lease a small part of what someone has", **LEASE)
    async def lease(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """With it a gateway decides on that person's calls by itself for a while, and reports them with `hold`.

        `"ask": true` says that too little is left to share: then each call asks `/v1/holds`.
        """
        body = await bodies.read(request)
        return await run_in_threadpool(_leased, app, key.source, body)

    @router.delete("/{lease_id:path}", summary="Give back what is left of a lease")
    def give_back(lease_id: str, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        return routes.release(app, key.source, routes.known(lease_id))

    @router.get("/changes", summary="Wait for leases that are recalled")
    async def changes(
        key: Annotated[ApiKey, Depends(require_key)],
        since: Annotated[int, Query(ge=0, le=2**62)] = 0,
        wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 20,
    ) -> Response:
        """Leases to be dropped, because their person got or lost tokens or the caps changed; ask with `cursor` next.

        It answers as soon as there is one, or with none after `wait` seconds, or when the bot stops.
        """
        if waiting.locked():
            wait = 0
        async with waiting:
            return await _changes(app, key.source, since, wait)

    return router


def _leased(app: App, source: str, body: bytes) -> Response:
    wanted, returned = routes.parsed(asked.parse_lease(body, source))
    try:
        if returned is not None:
            _take_back(app, source, returned)
        leased = routes.once_more(app, lambda moment: leasing.lease(moment, wanted, app.usual_calls))
    except Refusal as refusal:
        raise answers.refused(refusal) from refusal
    return bodies.as_json(answers.lease(leased))


def _take_back(app: App, source: str, lease_id: str) -> None:
    """In a transaction of its own: two accounts or sums in one would not be locked in their order."""
    try:
        with app.transaction() as moment:
            ending.release(moment, (source, lease_id))
    except Refusal as refusal:
        if refusal.code not in {ending.UNKNOWN, ending.SETTLED_ALREADY}:
            raise


async def _changes(app: App, source: str, since: int, wait: int) -> Response:
    for _ in range(max(int(wait / EVERY), 1)):
        cursor, recalled = await run_in_threadpool(_look, app, source, since)
        if recalled or not wait or app.vitals.is_stopping:
            break
        await asyncio.sleep(EVERY)
    return bodies.as_json({"cursor": cursor, "recalled": recalled})


def _look(app: App, source: str, since: int) -> tuple[int, list[str]]:
    with app.reading() as moment:
        return leasing.recalled(moment, source, since)
