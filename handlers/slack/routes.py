"""`/slack/events`: where Slack sends its requests in HTTP mode.

(No postponed annotations here: FastAPI reads those of the routes.)
"""

import re

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from slack_bolt import App as Bolt
from slack_bolt import BoltRequest

from handlers import bodies


def routes(bolt: Bolt) -> APIRouter:
    router = APIRouter(tags=["slack"])

    @router.post("/slack/events", include_in_schema=False)
    async def slack_events(request: Request) -> Response:
        # Bolt would take a timestamp that is no number for a failure of ours.
        if not re.fullmatch(r"\d{1,15}", request.headers.get("x-slack-request-timestamp", "")):
            return bodies.as_json({"error": "invalid request"}, status=401)
        # Bolt's own adapter dispatches on the event loop, where one slow command would hold up all others.
        bolt_request = BoltRequest(
            body=(await bodies.read(request)).decode(errors="replace"),
            query=str(request.query_params),
            headers={name: [value] for name, value in request.headers.items()},
        )
        answer = await run_in_threadpool(bolt.dispatch, bolt_request)
        return Response(answer.body, answer.status, headers=answer.first_headers_without_set_cookie())

    return router
