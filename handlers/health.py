"""What operators ask: whether the process is alive and what it runs, whether it can answer, and how it is doing.

(No postponed annotations here: FastAPI reads those of the routes.)
"""

from collections.abc import Sequence

import sqlalchemy as sa
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from handlers import metrics
from programme.app import App
from store import schema

Answer = dict[str, str | list[str]]


def routes(app: App, parts: Sequence[str]) -> APIRouter:
    """`parts` are what this process runs of the bot."""
    router = APIRouter(tags=["operations"])
    kept = metrics.kept_by(app)

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> Answer:
        return {"status": "alive", "runs": list(parts)}

    @router.get("/readyz", summary="Can it answer?")
    def readyz(response: Response) -> Answer:
        """503 while the database does not answer or stands at another revision."""
        try:
            with app.database.reading() as session:
                revision = schema.current_revision(session)
        except sa.exc.OperationalError:
            response.status_code = 503
            return {"status": "database away"}
        if revision != schema.head_revision():
            response.status_code = 503
            return {"status": "database at another revision", "revision": str(revision)}
        return {"status": "ready", "runs": list(parts)}

    @router.get("/metrics", summary="Counts and durations for Prometheus")
    def prometheus() -> Response:
        return Response(generate_latest() + generate_latest(kept), media_type=CONTENT_TYPE_LATEST)

    return router
