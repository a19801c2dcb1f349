"""One call of the Web API: what a method is given, and how it refuses."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from sandbox.model import Channel, Json
from sandbox.platform_state import Platform

T = TypeVar("T")


class ApiError(Exception):
    """The error code, and what else the answer says beside it."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class RateLimited(Exception):  # noqa: N818 - an answer, not a mistake
    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Call:
    platform: Platform
    args: Mapping[str, object]

    def text(self, key: str) -> str:
        """An argument that must be there."""
        value = self.args.get(key)
        if value in (None, ""):
            raise invalid_arguments(f"missing required field: {key}")
        return str(value)

    def flag(self, key: str) -> bool:
        """Forms say 1 and 0 where JSON says true and false."""
        return self.args.get(key) in (True, "true", "1", 1)

    def has_scope(self, *scopes: str) -> bool:
        return any(scope in self.platform.workspace.app.scopes for scope in scopes)

    def require_scope(self, *scopes: str) -> None:
        """Any one of them will do."""
        if not self.has_scope(*scopes):
            provided = ",".join(sorted(self.platform.workspace.app.scopes))
            raise ApiError("missing_scope", needed=",".join(scopes), provided=provided)


@dataclass(frozen=True, kw_only=True)
class Method:
    """`scopes`: any one of them is enough. `token`: the kind that the method takes."""

    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app", "none"] = "bot"  # noqa: S105 - a kind, not a token


def invalid_arguments(*problems: str) -> ApiError:
    messages = [f"[ERROR] {problem}" for problem in problems]
    return ApiError("invalid_arguments", response_metadata={"messages": messages})


def known_channel(call: Call, channel_id: str) -> Channel:
    """A channel that the app may know of: a public one, or one that it belongs to."""
    workspace = call.platform.workspace
    channel = workspace.find_channel(channel_id)
    if channel is None or not channel.open_to(workspace.app.bot_user):
        raise ApiError("channel_not_found")
    return channel


def page_of(items: Sequence[T], call: Call, *, most: int = 1000) -> tuple[list[T], Json]:
    """One page of a long list, and the cursor of the next."""
    try:
        limit = int(str(call.args.get("limit") or most))
        start = int(base64.b64decode(str(call.args.get("cursor") or "")).decode() or 0)
    except ValueError as why:
        raise ApiError("invalid_cursor") from why
    end = start + max(1, min(limit, most))
    cursor = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"next_cursor": cursor}
