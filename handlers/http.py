"""Our HTTP side: intake of usage and of outcomes, people by SCIM, health, metrics, and Slack's requests in HTTP mode.

The work of a route happens in a thread, because the database is synchronous. Nothing of a body is logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import sqlalchemy as sa
from fastapi import FastAPI

from handlers import batches, bodies, health, note_failure, rates, reference
from handlers.holds import forwarded, guardrail, leases
from handlers.holds import routes as holds
from handlers.offers import routes as offers
from handlers.outcomes import routes as outcomes
from handlers.scim import routes as scim
from handlers.slack import routes as slack_events
from handlers.usage import otlp_routes
from handlers.usage import routes as usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request, Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from programme.app import App

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "5"
AWAY = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    # All connections are busy, and stayed so.
    sa.exc.TimeoutError,
    # PostgreSQL's way to say that a table is missing: the database is not migrated.
    sa.exc.ProgrammingError,
    # And that it only reads: another server took over.
    sa.exc.InternalError,
)
INTAKE = "http"
"""The part of the bot that takes in what programs report."""


def build(
    app: App,
    *,
    slack: slack_events.Endpoint | None = None,
    github_secret: str | None = None,
    parts: Sequence[str] = (INTAKE,),
) -> FastAPI:
    """The application; with `slack`, also the endpoint of HTTP mode; with GitHub's secret, its webhooks are taken.

    `parts` are what this process runs of the bot: without intake among them there is health alone.
    """
    api = FastAPI(
        title="tokens-bot",
        description="Intake of usage and outcomes for the company's AI token allowance.",
        version="1",
        # Theirs load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_tags=[
            {"name": "usage", "description": "What gateways report."},
            {"name": "holds", "description": "What gateways ask before a call: may it run, and at what cost at most?"},
            {"name": "outcomes", "description": "What came of the work, as trackers report it."},
            {"name": "listing", "description": "What job listings say of the allowance, for careers pages."},
        ],
    )
    if INTAKE in parts:
        key_with = batches.guard(app)
        api.include_router(usage.routes(app, key_with))
        api.include_router(otlp_routes.routes(app, key_with, usage.SPANS, usage.SCOPE))
        api.include_router(outcomes.routes(app, key_with, github_secret))
        api.include_router(scim.build(app, key_with))
        of_calls = batches.guard(app, rates.OF_CALLS)
        api.include_router(holds.routes(app, of_calls))
        api.include_router(leases.build(app, of_calls))
        api.include_router(forwarded.build(app, of_calls))
        api.include_router(guardrail.build(app, of_calls))
        api.include_router(offers.routes(app))
    api.include_router(health.routes(app, parts))
    api.include_router(reference.routes(api.openapi))
    if slack is not None:
        api.include_router(slack_events.routes(slack))
    for kind in AWAY:
        api.add_exception_handler(kind, _database_away)
    api.add_middleware(_LastResort)
    return api


def _database_away(_request: Request, error: Exception) -> Response:
    logger.error("the database does not answer: %s", type(error).__name__)
    detail = {"detail": "The database does not answer. Send it again: what was taken in without a word counts once."}
    return bodies.as_json(detail, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})


class _LastResort:
    """Answers what no one foresaw.

    A handler of `Exception` would not do: Starlette raises it again after the answer, and the server logs it whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - whatever it is, the gateway gets an answer
            failure_id = note_failure(logger, str(scope.get("path")), error)
            detail = f"Unforeseen failure {failure_id}. Nothing was taken in; send the batch again."
            await bodies.as_json({"detail": detail}, status=500)(scope, receive, send)
