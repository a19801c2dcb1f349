"""Socket Mode: the app connects to us, and each envelope goes to exactly one of its connections.

Everything here runs on the server's event loop; other threads come in through `Sandbox`.
"""

import asyncio
import contextlib
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.model import Json

MOST_CONNECTIONS = 10


class NotDelivered(Exception):  # noqa: N818 - the code is the platform's word for it
    """No answer came; the argument is the platform's error code.

    `reason` is what the next attempt of an event says of this one; after one that is final there is no next.
    """

    def __init__(self, code: str, *, reason: str = "timeout", is_final: bool = False) -> None:
        super().__init__(code)
        self.reason = reason
        self.is_final = is_final


@dataclass(eq=False)
class Connection:
    socket: WebSocket
    delivered: list[str] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)


class SocketHub:
    def __init__(self, *, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._tickets: set[str] = set()
        self._connections: list[Connection] = []
        self._turn = 0

    @property
    def connections(self) -> tuple[Connection, ...]:
        return tuple(self._connections)

    def ticket(self) -> str:
        """Admits one connection."""
        ticket = secrets.token_urlsafe(18)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, socket: WebSocket, app_id: str) -> None:
        if socket.query_params.get("ticket") not in self._tickets:
            await socket.close(code=1008)
            return
        self._tickets.discard(socket.query_params["ticket"])
        await socket.accept()
        if len(self._connections) >= MOST_CONNECTIONS:
            await _disconnect(socket, "too_many_websockets")
            return
        connection = Connection(socket)
        self._connections.append(connection)
        try:
            await socket.send_text(json.dumps(self._hello(app_id)))
            while True:
                self._receive(connection, await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            self._drop(connection)

    async def deliver(self, kind: str, payload: Json, *, seconds: float, **more: object) -> Json:
        """Sends one envelope and waits for its acknowledgement; returns the payload of that. `more` is beside it."""
        if not self._connections:
            raise NotDelivered("dispatch_failed")
        connection = self._connections[self._turn % len(self._connections)]
        self._turn += 1
        envelope_id = str(uuid.uuid4())
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = answer
        connection.delivered.append(envelope_id)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": True,
            "payload": payload,
            **more,
        }
        try:
            async with asyncio.timeout(seconds):
                await connection.socket.send_text(json.dumps(envelope))
                return await answer
        except TimeoutError as why:
            raise NotDelivered("operation_timeout") from why
        except (WebSocketDisconnect, RuntimeError) as why:
            raise NotDelivered("dispatch_failed") from why
        finally:
            connection.waiting.pop(envelope_id, None)

    async def shut_down(self) -> None:
        """Tells every connection to go, as the platform does before it takes a server away."""
        for connection in self.connections:
            await _disconnect(connection.socket, "link_disabled")

    def _hello(self, app_id: str) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": app_id},
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
        }

    def _receive(self, connection: Connection, text: str) -> None:
        try:
            frame = json.loads(text)
            envelope_id, payload = frame["envelope_id"], frame.get("payload") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            self._warn("a frame that is no acknowledgement came through the socket")
            return
        answer = connection.waiting.pop(envelope_id, None)
        if answer is None:
            self._warn(f"envelope {envelope_id} was acknowledged twice, too late, or never sent to this connection")
        elif not answer.done():
            answer.set_result(payload)

    def _drop(self, connection: Connection) -> None:
        """What the connection still owed is lost: the platform does not send it again."""
        self._connections.remove(connection)
        for answer in connection.waiting.values():
            if not answer.done():
                answer.set_exception(NotDelivered("dispatch_failed"))
        connection.waiting.clear()


async def _disconnect(socket: WebSocket, reason: str) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}))
        await socket.close()
