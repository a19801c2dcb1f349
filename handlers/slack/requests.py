"""What a request of Slack's looks like from outside: enough of it for Bolt and for us to work on.

Bolt looks into whatever it is given, and takes what it does not find there for a failure of the app.
"""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

MOST_FIELDS = 100
"""Of a form: a command has a dozen."""

_Text = Annotated[str, Meta(min_length=1)]
_Address = Annotated[str, Meta(pattern="^https?://")]
_Object = dict[str, Any]
_Named = _Object | str | None
"""Teams, users and channels are told by their ids here, by an object with an id there."""


class _Surroundings(Struct, kw_only=True):
    """Where any request may say who it is about."""

    team: _Named = None
    user: _Named = None
    channel: _Named = None
    enterprise: _Named = None
    team_id: str | None = None
    enterprise_id: str | None = None
    authorizations: list[_Object] | None = None
    message: _Object | None = None
    previous_message: _Object | None = None
    item: _Object | None = None
    response_url: _Address | None = None
    response_urls: list[_Object] = []
    function_data: _Object | None = None


class _User(Struct):
    id: _Text


class _Block(Struct):
    type: _Text
    block_id: _Text


class _View(Struct, kw_only=True):
    id: _Text
    type: _Text
    callback_id: str = ""
    blocks: list[_Block] = []
    private_metadata: str = ""
    hash: str = ""
    state: _State | None = None
    previous_view_id: str | None = None


class _State(Struct):
    values: dict[str, dict[str, _Entry]] = {}


class _Entry(Struct, kw_only=True):
    """What is in one element of a form."""

    type: str = ""
    value: str | None = None
    selected_date: str | None = None
    selected_option: _Option | None = None
    selected_options: list[_Option] = []
    selected_users: list[str] = []


class _Option(Struct):
    value: str


class _Action(_Entry, kw_only=True):
    type: _Text
    action_id: _Text
    block_id: _Text


class _Container(Struct, kw_only=True):
    type: str = ""
    channel_id: str | None = None
    message_ts: str | None = None


class _Event(_Surroundings, kw_only=True):
    type: _Text
    tab: str | None = None
    subtype: str | None = None
    text: str | None = None
    subteam: _Object = {}


class _EventCallback(_Surroundings, kw_only=True, tag="event_callback"):
    event: _Event
    event_id: str = ""


class _Handshake(Struct, tag="url_verification"):
    challenge: str


class _Interaction(_Surroundings, kw_only=True):
    user: _User  # type: ignore[assignment]  # narrower: who it is must be told
    trigger_id: str | None = None


class _Actions(_Interaction, kw_only=True, tag="block_actions"):
    actions: Annotated[list[_Action], Meta(min_length=1)]
    trigger_id: _Text
    container: _Container = msgspec.field(default_factory=_Container)
    view: _View | None = None


class _Suggestion(_Interaction, kw_only=True, tag="block_suggestion"):
    action_id: _Text
    block_id: _Text
    value: str
    view: _View | None = None


class _Submission(_Interaction, kw_only=True, tag="view_submission"):
    view: _View
    trigger_id: _Text


class _Closed(_Interaction, kw_only=True, tag="view_closed"):
    view: _View


class _Command(_Surroundings, kw_only=True):
    command: _Text
    user_id: _Text
    trigger_id: _Text
    text: str = ""


_KINDS = _EventCallback | _Handshake | _Actions | _Suggestion | _Submission | _Closed
_TAGS = {kind.__struct_config__.tag for kind in _KINDS.__args__}


def is_sound(body: str, content_type: str) -> bool:
    """Whether a body has the shape that its kind has; kinds that we know nothing of need no more than a name."""
    try:
        content = _content(body, content_type)
        if not isinstance(content, dict):
            return False
        kind = content.get("type")
        if "command" in content:
            msgspec.convert(content, _Command)
        elif kind in _TAGS:
            msgspec.convert(content, _KINDS)
        else:
            msgspec.convert(content, _Surroundings)
            return isinstance(kind, str) and bool(kind)
    except (ValueError, RecursionError, TypeError):
        return False
    return True


def _content(body: str, content_type: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """As Bolt reads it."""
    if body.startswith("{") or content_type.partition(";")[0].strip() == "application/json":
        return json.loads(body)
    fields = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    return json.loads(fields["payload"]) if "payload" in fields else fields
