"""`/v1/otlp/v1/traces`: the intake that an OpenTelemetry Collector or SDK exports traces to.

(No postponed annotations here: FastAPI reads those of the route, which name local dependencies.)
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from handlers import bodies
from handlers.batches import MOST_ITEMS, Guard, Intake
from handlers.usage import otlp, otlp_wire
from handlers.usage.formats import Versioned
from programme.app import App
from store.usage.keys import ApiKey

GRPC_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14}
"""What google.rpc.Code calls our errors: INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED and
UNAVAILABLE."""
AWAY = HTTPException(503, "The database does not answer. Nothing was taken in.", {"Retry-After": "5"})
MESSAGE = {"schema": {"type": "string", "format": "binary"}}
IN_JSON = {"schema": {"type": "object"}}
DESCRIBED: dict[str, Any] = {
    "openapi_extra": {
        "requestBody": {"required": True, "content": {otlp_wire.PROTOBUF: MESSAGE, otlp_wire.JSON: IN_JSON}},
    },
    "responses": {
        200: {
            "description": "An ExportTraceServiceResponse; `partialSuccess` tells which spans were not taken in.",
            "content": {otlp_wire.PROTOBUF: MESSAGE, otlp_wire.JSON: IN_JSON},
        },
        400: {"description": "The body is no ExportTraceServiceRequest. Like all errors, as a google.rpc.Status."},
        401: {"description": "No key in force."},
        403: {"description": "The key lacks the scope."},
        413: {"description": f"More than {MOST_ITEMS} calls, or more than {bodies.LARGEST} bytes, decompressed."},
        415: {"description": "Neither protobuf nor JSON, or a Content-Encoding other than gzip."},
        429: {"description": "The key sends too many requests; exporters wait for `Retry-After`."},
        503: {"description": "The database does not answer; exporters send it again."},
    },
}


class _OtlpRoute(APIRoute):
    """Answers errors as OTLP wants them, also those of its dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_otlp(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                return _failed(request, error)
            except (sa.exc.OperationalError, sa.exc.ProgrammingError):
                return _failed(request, AWAY)

        return handle_as_otlp


def routes(app: App, key_with: Guard, intake: Intake[Any, Any], scope: str) -> APIRouter:
    """The route, which takes what it finds into `intake`."""
    router = APIRouter(prefix="/v1/otlp/v1", tags=["usage"], route_class=_OtlpRoute)
    require_key = key_with(scope)

    @router.post("/traces", summary="Export OpenTelemetry traces (OTLP/HTTP)", **DESCRIBED)
    async def export_traces(request: Request, key: Annotated[ApiKey, Depends(require_key)]) -> Response:
        """Spans of calls of models become usage, known by their trace and span; everything else is ignored."""
        media_type = _media_type(request)
        if media_type not in {otlp_wire.PROTOBUF, otlp_wire.JSON}:
            raise HTTPException(415, f"Send {otlp_wire.PROTOBUF} or {otlp_wire.JSON}.")
        body = await bodies.read(request)

        def parse() -> list[Versioned]:
            return otlp.parse(otlp_wire.spans(body, media_type, otlp.is_wanted), source=key.source)

        fates = await run_in_threadpool(intake.fates, app, parse, sender=key.source)
        return Response(otlp_wire.answer(media_type, *otlp.reasons(fates)), media_type=media_type)

    return router


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _failed(request: Request, error: HTTPException) -> Response:
    media_type = otlp_wire.JSON if _media_type(request) == otlp_wire.JSON else otlp_wire.PROTOBUF
    status = otlp_wire.error(media_type, GRPC_CODES.get(error.status_code, 2), str(error.detail))
    return Response(status, error.status_code, error.headers, media_type=media_type)
