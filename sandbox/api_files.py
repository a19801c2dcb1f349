"""`files.*`: uploads in three steps, as they are since the platform gave up the single one."""

import json
from typing import cast

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox import content, destinations, files, message_events
from sandbox.api_call import ApiError, Call, Method, invalid_arguments
from sandbox.files import Upload, UploadRefused
from sandbox.model import Channel, File, Json, Message
from sandbox.payloads import file_json
from sandbox.platform_state import Platform

LONGEST_ALT_TEXT = 1000
LARGEST_FILE = 1_000_000_000
MOST_CHANNELS = 100


def upload_url(call: Call) -> Json:
    name = call.text("filename")
    alt_text = str(call.args.get("alt_txt") or "")
    if len(alt_text) > LONGEST_ALT_TEXT:
        raise ApiError("alt_txt_too_large")
    ticket, upload = call.platform.uploads.issue(name=name, length=_length(call), alt_text=alt_text)
    return {"upload_url": f"{call.platform.base_url}/upload/v1/{ticket}", "file_id": upload.id}


async def receive(platform: Platform, request: Request) -> Response:
    """The second step: the bytes, raw or as a form. No token is asked for; the address is the secret."""
    if (fault := platform.faults.take("upload")) is not None and fault.spoils_answer:
        return PlainTextResponse(fault.body or "", fault.status)
    try:
        sent = files.sent_bytes(request.headers.get("content-type", ""), await request.body())
        upload = platform.uploads.receive(request.path_params["ticket"], sent)
    except UploadRefused as why:
        return PlainTextResponse(str(why), 400)
    return PlainTextResponse(f"OK - {upload.length}")


def complete(call: Call) -> Json:
    """All or nothing: what can be refused is refused before anything is kept or posted."""
    titles = _titles(call)
    uploads = call.platform.uploads.find(tuple(titles))
    if len(uploads) != len(titles):
        raise ApiError("file_not_found")
    drafts = [_draft(call, channel, tuple(titles)) for channel in _channels(call)]
    kept = [_keep(call, upload, titles[upload.id]) for upload in uploads]
    for draft in drafts:
        message = call.platform.workspace.post(draft, now=call.platform.clock())
        call.platform.soon(message_events.said_by_app(call.platform, message))
    return {"files": [file_json(call.platform, file) for file in kept]}


def info(call: Call) -> Json:
    file = call.platform.workspace.find_file(call.text("file"))
    if file is None:
        raise ApiError("file_not_found")
    return {"file": file_json(call.platform, file), "comments": [], "response_metadata": {"next_cursor": ""}}


def _length(call: Call) -> int:
    given = call.args.get("length")
    if given in (None, "", 0, "0"):
        raise ApiError("missing_argument")
    try:
        length = int(str(given))
    except ValueError:
        length = 0
    if length < 1:
        raise invalid_arguments("must provide a number [json-pointer:/length]")
    if length > LARGEST_FILE:
        raise ApiError("file_upload_size_restricted")
    return length


def _titles(call: Call) -> dict[str, str]:
    """The files by their ids; one without a title keeps its name."""
    given = call.args.get("files")
    try:
        listed = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        listed = None
    if not listed or not isinstance(listed, list):
        raise invalid_arguments("must provide an array [json-pointer:/files]")
    titles: dict[str, str] = {}
    for place, entry in enumerate(cast("list[object]", listed)):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise invalid_arguments(f"missing required field: id [json-pointer:/files/{place}]")
        if entry["id"] in titles:
            raise ApiError("file_not_found")
        titles[entry["id"]] = str(entry.get("title") or "")
    return titles


def _channels(call: Call) -> list[Channel]:
    """None at all leaves the files private; `channels` also takes people, `channel_id` does not."""
    several = [name.strip() for name in str(call.args.get("channels") or "").split(",") if name.strip()]
    if len(several) > MOST_CHANNELS:
        raise ApiError("channels_limit_exceeded")
    found = [_place(call, name) for name in several]
    if one := str(call.args.get("channel_id") or ""):
        found.insert(0, destinations.of_file(call, one))
    unique = list({channel.id: channel for channel in found}.values())
    if len(unique) > 1 and call.args.get("thread_ts"):
        raise invalid_arguments("only one channel is allowed with thread_ts [json-pointer:/channels]")
    return unique


def _place(call: Call, name: str) -> Channel:
    if name.startswith(("U", "W")):
        return destinations.of_person(call, name)
    return destinations.of_file(call, name)


def _draft(call: Call, channel: Channel, shared: tuple[str, ...]) -> Message:
    """Blocks are passed over when there is a comment."""
    comment = str(call.args.get("initial_comment") or "")
    said = content.Content(text=comment, blocks=())
    if call.args.get("blocks") and not comment:
        said = content.read({"blocks": call.args["blocks"]}, can_show=call.platform.can_show)
    return Message(
        channel=channel.id,
        ts="",
        author=call.platform.workspace.app.bot_user,
        text=said.text,
        blocks=said.blocks,
        thread_ts=destinations.thread_in(call, channel),
        from_app=True,
        files=shared,
    )


def _keep(call: Call, upload: Upload, title: str) -> File:
    sent = upload.content or b""
    file = File(
        id=upload.id,
        name=upload.name,
        title=title or upload.name,
        size=upload.length,
        owner=call.platform.workspace.app.bot_user,
        completed_at=call.platform.clock(),
        alt_text=upload.alt_text,
        kind=files.kind_of(sent),
    )
    call.platform.workspace.add_file(file, sent)
    call.platform.uploads.forget(upload)
    return file


METHODS = {
    "files.getUploadURLExternal": Method(run=upload_url, scopes=("files:write",)),
    "files.completeUploadExternal": Method(run=complete, scopes=("files:write",)),
    "files.info": Method(run=info, scopes=("files:read",)),
}
