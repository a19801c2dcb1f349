"""The `response_url` of commands and clicks: thirty minutes, five uses."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.model import Message

LIFETIME = timedelta(minutes=30)
USES = 5


class UrlRefused(Exception):  # noqa: N818 - the platform's word for it is its code
    """The address is unknown, too old or used up; the argument is the platform's error code."""


@dataclass(kw_only=True)
class ResponseUrl:
    channel: str
    user: str
    issued_at: datetime
    prompt: str = ""
    original: Message | None = None
    uses: int = 0


class ResponseUrls:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, issued: ResponseUrl) -> str:
        """The secret part of its address."""
        key = secrets.token_urlsafe(18)
        with self._lock:
            self._issued[key] = issued
        return key

    def set_original(self, key: str, original: Message) -> None:
        """The message that `replace_original` means: what the command was answered with."""
        with self._lock:
            self._issued[key].original = original

    def use(self, key: str, *, now: datetime) -> ResponseUrl:
        with self._lock:
            issued = self._issued.get(key)
            if issued is None or now - issued.issued_at > LIFETIME:
                raise UrlRefused("expired_url")
            if issued.uses >= USES:
                raise UrlRefused("used_url")
            issued.uses += 1
            return issued
