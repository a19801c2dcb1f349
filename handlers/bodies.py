"""Bodies of HTTP requests, read with a limit, and answers in JSON."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec
from fastapi import HTTPException, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

LARGEST = 32 * 1024 * 1024
"""Bytes of a body, and of what it holds once it is decompressed."""

_GZIP = 16 + zlib.MAX_WBITS


async def read(request: Request, *, largest: int | None = None) -> bytes:
    """The body, decompressed, unless it is too large; it is measured while it arrives, not by what it claims."""
    most = LARGEST if largest is None else largest
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise HTTPException(415, f"Content-Encoding {encoding[:20]!r} is not understood; send gzip, or none.")
    chunks: list[bytes] = []
    await each_chunk(request, chunks.append, largest=most)
    body = b"".join(chunks)
    return body if encoding == "identity" else await run_in_threadpool(_decompressed, body, most)


async def each_chunk(request: Request, take: Callable[[bytes], None], *, largest: int = LARGEST) -> None:
    """Hand on a body as it arrives, unless it is too large."""
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > largest:
                raise HTTPException(413, f"The body is larger than {largest} bytes; send smaller ones.")
            take(chunk)
    except ClientDisconnect as error:
        raise HTTPException(400, "The body ended early.") from error


def _decompressed(body: bytes, most: int) -> bytes:
    """What a gzip holds, which may be several one after the other; never more in memory than is allowed."""
    parts: list[bytes] = []
    size = 0
    while body:
        member = zlib.decompressobj(_GZIP)
        try:
            parts.append(member.decompress(body, most + 1 - size))
        except zlib.error as error:
            raise HTTPException(400, "The body is not gzip, as its Content-Encoding says.") from error
        size += len(parts[-1])
        if size > most:
            raise HTTPException(413, f"The body holds more than {most} bytes; send smaller ones.")
        if not member.eof:
            raise HTTPException(400, "The body ended early: its gzip is not complete.")
        body = member.unused_data
    return b"".join(parts)


def as_json(content: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, media_type="application/json")
