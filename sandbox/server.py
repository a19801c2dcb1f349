"""The running workspace: one server in a thread of its own, and the handles that tests and the demo need."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from sandbox import api_files, delivery, events, guard, home_delivery, homes, modal_delivery, page, page_http, web_api
from sandbox.content import Rejected
from sandbox.controls import Controls, Operate
from sandbox.faults import Faults
from sandbox.hold import Hold
from sandbox.model import SYSTEM, Answer, ApiCall, Clock, Control, Home, Json, Message, UserGroup, View
from sandbox.platform_state import Platform
from sandbox.rate_limit import PostLimit
from sandbox.response_urls import UrlRefused
from sandbox.workspace import Workspace

STATIC = Path(__file__).parent / "static"
Filling = Sequence[str] | None
T = TypeVar("T")
HEARTBEAT = 0.1
"""Seconds. The client library can only leave between two frames: the closer the beats, the faster it closes."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: http: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def utc_now() -> datetime:
    return datetime.now(UTC)


class _Server(uvicorn.Server):
    """Leaves as soon as it is told to, where its parent looks ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leave = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.leave.wait()


class Sandbox:
    """A workspace that listens.

    `post_burst` messages may be posted to a channel at once before the limit of one a second holds; `deadline` is how
    many real seconds the app has to answer what it is told, and, where that is more than three, to open a modal. An
    uploaded picture can be shown `file_delay` after its upload was completed. All other times come from `clock`. The
    page shows the `controls` as buttons beside the date; a click calls `operate` with the control's name in a thread,
    one at a time, and the sentence it returns is shown.

    With `held_for`, which says why and how long, nothing that people do reaches the app until `release`. The app is
    told of the address `reached_at` where something lies between the two.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock = utc_now,
        post_burst: int = 3,
        deadline: float = 3.0,
        file_delay: timedelta = timedelta(0),
        controls: Sequence[Control] = (),
        operate: Operate | None = None,
        held_for: str = "",
        reached_at: str = "",
    ) -> None:
        guard.require_loopback(host)
        self.workspace = workspace
        self._host, self._port, self._reached_at = host, port, reached_at
        posts = PostLimit(clock=clock, burst=post_burst, interval=timedelta(seconds=1))
        self._platform = Platform(
            workspace=workspace,
            clock=clock,
            posts=posts,
            deadline=deadline,
            file_delay=file_delay,
            hold=Hold(held_for),
        )
        self._feed = page.Feed(workspace)
        self._controls = Controls(
            controls, operate, clock=clock, hold=self._platform.hold, changed=self._feed.controls_changed
        )
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # Life

    def start(self) -> Self:
        listener = socket.create_server((self._host, self._port))
        self._platform.base_url = self._reached_at or f"http://{self._host}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            guard.Guard(_application(self._platform, self._feed, self._controls)),
            lifespan="off",
            log_config=None,
            date_header=False,
            server_header=False,
            access_log=False,
            ws_ping_interval=HEARTBEAT,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="sandbox", daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox's server did not start")
            time.sleep(0.005)
        self._stop_watching = self.workspace.watch(self._feed.changed)
        return self

    def stop(self) -> None:
        """Tells the app's connections to go, ends the pages' streams, and waits until the port is free."""
        if self._server is None or self._thread is None:
            return
        self._stop_watching()
        with contextlib.suppress(TimeoutError):
            self._run(self._say_goodbye(self._server), timeout=2)
        self._thread.join(timeout=10)
        self._server = self._thread = None
        self.workspace.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Addresses

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._platform.base_url

    @property
    def api_url(self) -> str:
        """What `SLACK_API_URL` should be."""
        return f"{self._platform.base_url}/api/"

    def page_url(self, user: str) -> str:
        return f"{self.url}/?as={user}"

    # What people do

    def command(self, user: str, channel: str, line: str) -> Answer:
        """Types a slash command and waits for the answer, as long as the platform would."""
        return self._run(page.send(self._platform, user=user, channel=channel, text=line))

    def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> Message:
        """Writes to the channel, or into a thread of it."""
        doing = page.send(self._platform, user=user, channel=channel, text=text, thread_ts=thread_ts)
        return self._run(doing).message

    def edit(self, user: str, message: Message, text: str) -> Message:
        """Changes what the person wrote."""
        return self._run(page.edit(self._platform, user=user, message=message, text=text))

    def press(
        self, user: str, where: Message | View | Home, action_id: str, *, value: str | Sequence[str] = ""
    ) -> Answer:
        """Clicks the button of that name, or chooses `value` in the menu of that name; where it asks first, agrees.

        A message is clicked as it was when it was looked at: screens show for a moment what is no longer so. On a
        Home the words of a button will do for its name.
        """
        if isinstance(where, Home):
            return self._run(page.on_home(self._platform, user=user, order=_on_home(where, action_id, value)))
        if isinstance(where, View):
            return self._run(page.in_modal(self._platform, user=user, order=_in_view(where, action_id, value)))
        order = {"channel": where.channel, "ts": where.ts, "action_id": action_id, "value": value}
        return self._run(page.press(self._platform, user=user, order=order, shown=where))

    def fill(self, user: str, values: Mapping[str, Filling] | None = None, /, **more: Filling) -> Answer:
        """Fills blocks of the person's modal, by block_id, in order; None clears one.

        What is told to the app at once is told: the answer says whether the app took it. A block that holds several
        things to fill in is named `block_id/action_id`. Raises `LookupError` where there is no such block or choice.
        """
        return self._run(modal_delivery.fill(self._platform, user=user, values={**(values or {}), **more}))

    def search(self, user: str, block_id: str, typed: str) -> dict[str, str]:
        """Types into a menu of the person's modal whose options the app keeps; the words that it offers, by value."""
        found = self._run(page.search(self._platform, user=user, block_id=block_id, typed=typed))
        if found.error:
            raise LookupError(found.error)
        return {option["value"]: option["text"]["text"] for option in found.options}

    def submit(self, user: str) -> Answer:
        """Submits the person's modal. Its error is `invalid_input` when nothing was sent because of the `errors`."""
        return self._run(modal_delivery.submit(self._platform, user=user))

    def dismiss(self, user: str) -> Answer:
        """Closes the person's modal without submitting it."""
        return self._run(modal_delivery.dismiss(self._platform, user=user))

    def open_home(self, user: str, *, tab: str = "home") -> Home | None:
        """Looks at the app's Home tab (or at "messages"), of which the app is told; the view that was there before."""
        before = self.home(user)
        self._run(home_delivery.enter(self._platform, user=user, tab=tab))
        return before

    def set_user_group(self, group_id: str, members: Iterable[str]) -> UserGroup:
        """Changes who is in the group, and tells the app if it subscribed to that."""
        return self._run(events.set_user_group(self._platform, group_id, tuple(members)))

    def tell_progress(self, text: str) -> None:
        """What open pages show while a control is at work, or until the release; from any thread."""
        self._controls.tell(text)

    def release(self) -> None:
        """The app is connected: hands over the commands and visits that were kept, and waits for their answers."""
        self._run(self._platform.hold.release())
        self._controls.released()

    def note(self, user: str, channel: str, text: str) -> Message:
        """What the workspace itself says to one person."""
        draft = Message(channel=channel, ts="", author=SYSTEM, text=text, ephemeral_to=user)
        return self.workspace.post(draft, now=self._platform.clock())

    # What can be seen

    def messages(self, channel: str, as_user: str) -> tuple[Message, ...]:
        """The channel without the replies of its threads, except those that were broadcast."""
        return self.workspace.main_flow(channel, as_user)

    def thread(self, channel: str, ts: str, as_user: str) -> tuple[Message, ...]:
        """The message of that `ts`, then its replies."""
        parents = (message for message in self.messages(channel, as_user) if message.ts == ts)
        return (*parents, *page.thread(self._platform, channel, ts, as_user))

    def modal(self, user: str) -> View | None:
        """The view that the person sees, if any."""
        return next(reversed(self.modals(user)), None)

    def modals(self, user: str) -> tuple[View, ...]:
        """The person's views, the one that they see last."""
        return tuple(modal.as_seen() for modal in self._platform.modals.stack(user))

    def home(self, user: str) -> Home | None:
        """What the app published on its Home tab for the person, if anything."""
        kept = self._platform.homes.of(user)
        return homes.as_seen(kept) if kept else None

    def dm(self, user: str) -> str:
        """The id of the person's direct conversation with the app."""
        return self.workspace.open_dm(self.workspace.app.bot_user, user).id

    def wait_for(self, condition: Callable[[], T | None], *, seconds: float = 5.0) -> T:
        """Waits until the condition gives something true, looking again after every change of the workspace."""
        changed = threading.Event()
        stop = self.workspace.watch(lambda _: changed.set())
        end = time.monotonic() + seconds
        try:
            while True:
                changed.clear()
                if found := condition():
                    return found
                if time.monotonic() > end:
                    raise TimeoutError(f"not within {seconds} seconds")
                changed.wait(0.05)
        finally:
            stop()

    @property
    def calls(self) -> tuple[ApiCall, ...]:
        return tuple(self._platform.calls)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the platform let pass but an app should not do, and answers that could not be shown."""
        return tuple(self._platform.warnings)

    @property
    def faults(self) -> Faults:
        return self._platform.faults

    @property
    def connections(self) -> int:
        return len(self._platform.sockets.connections)

    def deliveries(self) -> tuple[tuple[str, ...], ...]:
        """The envelopes that each live connection was given."""
        return tuple(tuple(connection.delivered) for connection in self._platform.sockets.connections)

    def disconnect_sockets(self) -> None:
        """Sends the app away, as the platform does every few hours; a good app comes back."""
        self._run(self._platform.sockets.shut_down())

    # Inside

    def _serve(self, listener: socket.socket) -> None:
        server = self._server
        if server is None:
            return
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(server.serve(sockets=[listener]))

    def _run(self, doing: Coroutine[Any, Any, T], *, timeout: float | None = None) -> T:
        if self._loop is None:
            doing.close()
            raise RuntimeError("start the sandbox first")
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(timeout)

    async def _say_goodbye(self, server: _Server) -> None:
        self._feed.close()
        try:
            await self._platform.sockets.shut_down()
        finally:
            server.leave.set()


def _application(platform: Platform, feed: page.Feed, controls: Controls) -> Starlette:
    async def api(request: Request) -> Response:
        return await web_api.answer(platform, request.path_params["method"], request)

    async def link(websocket: WebSocket) -> None:
        await platform.sockets.serve(websocket, platform.workspace.app.id)

    async def hook(request: Request) -> Response:
        return await _hook(platform, request)

    async def upload(request: Request) -> Response:
        return await api_files.receive(platform, request)

    async def index(_: Request) -> Response:
        return FileResponse(
            STATIC / "index.html", headers={"content-security-policy": POLICY, "cache-control": "no-cache"}
        )

    return Starlette(
        routes=[
            Route("/api/{method}", api, methods=["GET", "POST"]),
            WebSocketRoute("/link/", link),
            Route("/hooks/response/{key}", hook, methods=["POST"]),
            Route("/upload/v1/{ticket}", upload, methods=["POST"]),
            *page_http.routes(platform, feed, controls),
            Route("/", index),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
    )


def _in_view(view: View, action_id: str, value: str | Sequence[str]) -> Json:
    chosen = value if isinstance(value, str) else list(value)
    return {"view": view.id, "do": "act", "block_id": "", "action_id": action_id, "value": chosen}


def _on_home(home: Home, name: str, value: str | Sequence[str]) -> Json:
    chosen = value if isinstance(value, str) else list(value)
    return {"home": home.id, "do": "act", "name": name, "value": chosen}


async def _hook(platform: Platform, request: Request) -> Response:
    try:
        body = json.loads(await request.body())
        to = platform.response_urls.use(request.path_params["key"], now=platform.clock())
        delivery.respond(platform, to, body)
    except UrlRefused as why:
        return JSONResponse({"ok": False, "error": str(why)}, 404)
    except Rejected as why:
        platform.warnings.extend(why.problems or (why.code,))
        return JSONResponse({"ok": False, "error": why.code, "response_metadata": {"messages": why.problems}}, 400)
    except (ValueError, AttributeError):
        return PlainTextResponse("invalid_payload", 400)
    return PlainTextResponse("ok")
