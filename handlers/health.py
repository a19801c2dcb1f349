"""What operators ask: whether the process is alive, whether it can answer, and how it is doing.

(No postponed annotations here: FastAPI reads those of the routes.)
"""

import sqlalchemy as sa
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from programme.app import App
from store import schema


def routes(app: App) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Is the process alive?")
    def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Can it answer?")
    def readyz(response: Response) -> dict[str, str]:
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
        return {"status": "ready"}

    @router.get("/metrics", summary="Counts and durations for Prometheus")
    def prometheus() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
