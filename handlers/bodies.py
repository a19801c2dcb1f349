"""Bodies of HTTP requests, read with a limit, and answers in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import HTTPException, Response
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from fastapi import Request

LARGEST = 32 * 1024 * 1024


async def read(request: Request, *, largest: int | None = None) -> bytes:
    """The body, unless it is too large or encoded; it is measured while it arrives, not by what it claims."""
    most = LARGEST if largest is None else largest
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "Send the body without Content-Encoding.")
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise HTTPException(413, f"The body is larger than {most} bytes; send smaller ones.")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise HTTPException(400, "The body ended early.") from error
    return b"".join(chunks)


def as_json(content: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")
