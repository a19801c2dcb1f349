"""What operators ask: whether the process is alive and what it runs, whether it can answer, and how it is doing.

(No postponed annotations here: FastAPI reads those of the routes.)
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from handlers import metrics
from programme.app import App
from programme.vitals import BOT, Vitals
from store import schema

Answer = dict[str, Any]


def routes(app: App, parts: Sequence[str]) -> APIRouter:
    """`parts` are what this process runs of the bot."""
    router = APIRouter(tags=["operations"])
    everything = metrics.of(app)

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> Answer:
        return {"status": "alive", "runs": list(parts)}

    @router.get("/readyz", summary="Can it answer?")
    def readyz(response: Response) -> Answer:
        """503 while the database does not answer or stands at another revision.

        `parts` says how those are doing that can fall silent. None of them keeps usage from being taken in, so they
        leave the status alone.
        """
        try:
            with app.database.reading() as session:
                revision = schema.current_revision(session)
        except (sa.exc.OperationalError, sa.exc.InterfaceError):
            response.status_code = 503
            return {"status": "database away"}
        if revision != schema.head_revision():
            response.status_code = 503
            return {"status": "database at another revision", "revision": str(revision)}
        return {"status": "ready", "runs": list(parts), "parts": _parts(app.vitals)}

    @router.get("/metrics", summary="Counts and durations for Prometheus")
    def prometheus(request: Request) -> Response:
        """In OpenMetrics for whoever accepts that, else in Prometheus' older text format."""
        written, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(written(everything), headers={"Content-Type": media_type})

    return router


def _parts(vitals: Vitals) -> dict[str, dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = {
        vital.part: {
            "well": vital.is_well,
            "last_success_seconds": round(vital.age, 1),
            "problem": vital.problem,
            "failures": vital.failures,
            "owed_since": vital.owed_since.isoformat() if vital.owed_since else None,
        }
        for vital in vitals.read()
    }
    if (link := vitals.link()) is not None:
        age = link.envelope_age
        shown[BOT] |= {
            "connected": link.connected,
            "reconnects": link.reconnects,
            "last_envelope_seconds": None if age is None else round(age, 1),
        }
    return shown
