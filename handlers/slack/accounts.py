"""Slack accounts as an administrator names them: by their handle or their id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers.slack import users
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slack_sdk import WebClient

    from programme.app import App
    from programme.people.slack_accounts import SlackAccount

_ID = re.compile(r"<?@?([UW][A-Z0-9]{2,})(?:\|[^>]*)?>?")
A_PAGE = 200


def named(app: App, client: WebClient, text: str) -> SlackAccount:
    """The account with an id such as U012AB3CD, or with a handle such as @ada; a Refusal where there is not just one.

    A handle costs a call for every 200 users of the workspace.
    """
    found = _ID.fullmatch(text.strip())
    return users.account_of(app, client, found[1] if found else _with_handle(client, text.strip()), app.clock())


def _with_handle(client: WebClient, text: str) -> str:
    handle = text.removeprefix("@").casefold()
    try:
        ids = [user for user, names in _handles(client) if handle in names]
    except (SlackApiError, SlackClientError, OSError) as error:
        raise Refusal("slack_silent", f"Slack does not list its users: {error}", next_step="Name the id.") from error
    if len(ids) != 1:
        said = f"{len(ids)} accounts are called {text!r}: {', '.join(ids)}" if ids else f"No account is called {text!r}"
        how = "Name the id: in Slack, open the person's profile and choose “Copy member ID”."
        raise Refusal("no_such_account", f"{said}.", next_step=how)
    return ids[0]


def _handles(client: WebClient) -> Iterator[tuple[str, set[str]]]:
    """Every active account with what it is called."""
    cursor = ""
    while True:
        page = client.users_list(limit=A_PAGE, cursor=cursor or None)
        for user in page["members"]:
            if not user.get("deleted"):
                names = (user.get("name"), user.get("profile", {}).get("display_name"))
                yield str(user["id"]), {name.casefold() for name in names if name}
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
