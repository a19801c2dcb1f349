"""The addresses that the page in the browser asks."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox import files, page
from sandbox.controls import ControlFailed, ControlRefused, Controls
from sandbox.platform_state import Platform
from sandbox.workspace import WorkspaceError


def routes(platform: Platform, feed: page.Feed, controls: Controls) -> list[Route]:
    async def state(request: Request) -> Response:
        return await _state(platform, controls, request)

    async def order(request: Request) -> Response:
        return await _order(platform, request)

    async def control(request: Request) -> Response:
        return await _control(controls, request)

    async def file(request: Request) -> Response:
        return await _file(platform, request)

    async def events(request: Request) -> Response:
        return _events(feed, request)

    async def now(_: Request) -> Response:
        """For a shell: what time it is in the workspace."""
        return PlainTextResponse(platform.clock().isoformat(timespec="seconds"))

    return [
        Route("/page/state", state),
        Route("/page/messages", order, methods=["POST"]),
        Route("/page/actions", order, methods=["POST"]),
        Route("/page/modals", order, methods=["POST"]),
        Route("/page/home", order, methods=["POST"]),
        Route("/page/controls", control, methods=["POST"]),
        Route("/page/files/{file}", file),
        Route("/page/events", events),
        Route("/page/now", now),
    ]


async def _state(platform: Platform, controls: Controls, request: Request) -> Response:
    reader = request.query_params.get("as") or _first_person(platform)
    try:
        return JSONResponse(page.state(platform, controls, reader))
    except WorkspaceError as why:
        return JSONResponse({"error": str(why)}, 404)


async def _order(platform: Platform, request: Request) -> Response:
    """Messages, commands, clicks, and what is done in modals and on the Home tab.

    Only JSON is taken, so that a foreign page cannot post in a person's name.
    """
    if not request.headers.get("content-type", "").startswith("application/json"):
        return JSONResponse({"error": "send JSON"}, 415)
    try:
        order = await request.json()
        user = str(order["as"])
        if "home" in order:
            outcome = await page.on_home(platform, user=user, order=order)
        elif "view" in order:
            outcome = await page.in_modal(platform, user=user, order=order)
        elif "action_id" in order:
            outcome = await page.press(platform, user=user, order=order)
        else:
            channel, text, thread = (str(order.get(key, "")) for key in ("channel", "text", "thread_ts"))
            outcome = await page.send(platform, user=user, channel=channel, text=text, thread_ts=thread)
    except (WorkspaceError, AttributeError, LookupError, TypeError, ValueError) as why:
        return JSONResponse({"error": str(why)}, 400)
    return JSONResponse(
        {
            "error": outcome.error,
            "messages": [page.message_json(platform, message) for message in outcome.messages],
            "options": list(outcome.options),
        }
    )


async def _control(controls: Controls, request: Request) -> Response:
    """A click on a button of the calendar; the answer comes when its work is done."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return JSONResponse({"error": "send JSON"}, 415)
    try:
        order = await request.json()
    except ValueError:
        order = None
    if not isinstance(order, dict) or set(order) != {"name"} or not isinstance(order["name"], str):
        return JSONResponse({"error": "send the name of a control, and nothing else"}, 400)
    try:
        return JSONResponse({"text": await controls.press(order["name"])})
    except ControlRefused as why:
        return JSONResponse({"error": str(why)}, 409)
    except ControlFailed as why:
        return JSONResponse({"error": str(why)}, 500)


async def _file(platform: Platform, request: Request) -> Response:
    """A file, for readers of a message or Home that shows it; for everyone else it does not exist."""
    name, reader = request.path_params["file"], request.query_params.get("as", "")
    file = platform.workspace.find_file(name)
    if file is None or not _may_see(platform, name, reader):
        return JSONResponse({"error": "there is no such file"}, 404)
    headers = {"x-content-type-options": "nosniff", "cache-control": "private, max-age=3600"}
    if not file.kind:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    mime = files.MIME.get(file.kind, "application/octet-stream")
    return Response(platform.workspace.file_content(name), media_type=mime, headers=headers)


def _may_see(platform: Platform, file_id: str, reader: str) -> bool:
    workspace = platform.workspace
    if workspace.find_member(reader) is None:
        return False
    if file_id in platform.homes.pictures_of(reader):
        return True
    places = workspace.channels_of(reader)
    return any(file_id in files.shown_in(said) for place in places for said in workspace.messages(place.id, reader))


def _events(feed: page.Feed, request: Request) -> Response:
    reader = request.query_params.get("as", "")
    return StreamingResponse(feed.stream(reader), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _first_person(platform: Platform) -> str:
    people = (m.id for m in platform.workspace.members if not (m.is_bot or m.deleted))
    return next(people, "")
