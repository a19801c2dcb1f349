"""Uploads under way, and what kind of file the bytes are."""

import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message as Headers

from sandbox.model import Json, Message

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "gif": b"GIF8"}
MIME = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}


class UploadRefused(Exception):  # noqa: N818 - the answer is a sentence, not a code
    """The bytes are not those that were announced; the argument is a sentence."""


@dataclass(kw_only=True)
class Upload:
    id: str
    name: str
    length: int
    alt_text: str = ""
    content: bytes | None = None


class Uploads:
    """From the address that was asked for until the upload is completed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_ticket: dict[str, Upload] = {}

    def issue(self, *, name: str, length: int, alt_text: str) -> tuple[str, Upload]:
        """The secret part of the address to send the bytes to, and the upload."""
        ticket = secrets.token_urlsafe(18)
        upload = Upload(id=f"F{secrets.token_hex(5).upper()}", name=name, length=length, alt_text=alt_text)
        with self._lock:
            self._by_ticket[ticket] = upload
        return ticket, upload

    def receive(self, ticket: str, content: bytes) -> Upload:
        """May be repeated until the upload is completed: the first answer can get lost."""
        with self._lock:
            upload = self._by_ticket.get(ticket)
            if upload is None:
                raise UploadRefused("this address is unknown, or its upload was completed")
            if len(content) != upload.length:
                raise UploadRefused(f"{upload.length} bytes were announced and {len(content)} came")
            upload.content = content
            return upload

    def find(self, ids: Sequence[str]) -> tuple[Upload, ...]:
        """Those of the ids whose bytes are there."""
        with self._lock:
            ready = {upload.id: upload for upload in self._by_ticket.values() if upload.content is not None}
        return tuple(ready[name] for name in ids if name in ready)

    def forget(self, upload: Upload) -> None:
        with self._lock:
            self._by_ticket = {ticket: kept for ticket, kept in self._by_ticket.items() if kept is not upload}


def kind_of(content: bytes) -> str:
    """Which of the pictures that can be shown this is, by its first bytes; nothing for everything else."""
    return next((kind for kind, first in MAGIC.items() if content.startswith(first)), "")


def sent_bytes(content_type: str, body: bytes) -> bytes:
    """The file itself, whether it came raw or as the file of a form."""
    if not content_type.lower().startswith("multipart/form-data"):
        return body
    headers = Headers()
    headers["content-type"] = content_type
    for part in (b"\r\n" + body).split(f"\r\n--{headers.get_boundary('')}".encode()):
        about, _, content = part.partition(b"\r\n\r\n")
        if b"filename=" in about.lower():
            return content
    raise UploadRefused("the form has no file")


def id_in(slack_file: Mapping[str, object]) -> str:
    """The id of the file that a block names by id or by address."""
    if "id" in slack_file:
        return str(slack_file["id"])
    found = re.search(r"\bF[0-9A-Z]{10}\b", str(slack_file.get("url", "")))
    return found[0] if found else ""


def shown_in(message: Message) -> set[str]:
    """The ids of the files that whoever sees the message sees with it."""
    return {*message.files, *pictures_in(message.blocks)}


def pictures_in(blocks: Sequence[Json]) -> set[str]:
    """The ids of the files that the blocks show."""
    return set(_pictures(list(blocks)))


def _pictures(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("type") == "image" and isinstance(value.get("slack_file"), Mapping):
            yield id_in(value["slack_file"])
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _pictures(part)


def as_drawn(value: object) -> object:
    """Blocks as the page draws them: a picture names its `file`."""
    if isinstance(value, list | tuple):
        return [as_drawn(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    drawn: Json = {key: as_drawn(part) for key, part in value.items() if key != "slack_file"}
    return drawn | ({"file": id_in(value["slack_file"])} if "slack_file" in value else {})
