"""People who never wrote to the bot are known by the e-mail of their Slack account, looked up now and then."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handlers.slack import users
from handlers.slack.accounts import A_PAGE
from programme.people import linking, slack_accounts
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk import WebClient

    from programme.app import App

logger = logging.getLogger(__name__)
PAGES_AT_ONCE = 15
"""Slack allows twenty such calls a minute. A larger workspace is read on from there the next time."""


class Unlinked:
    """Reads the workspace's accounts, while there is anybody to find; one that goes wrong goes on the next time."""

    def __init__(self, app: App, client: WebClient) -> None:
        self._app = app
        self._client = client
        self._cursor = ""

    def __call__(self) -> int:
        """Link those whose e-mail is somebody's who has no account yet, and never had one; how many."""
        with self._app.reading() as moment:
            wanted = people_store.without_account(moment.session, moment.today)
        if not wanted:
            return 0
        try:
            return self._read(wanted)
        except (SlackApiError, SlackClientError, OSError) as error:
            logger.warning("accounts were not read: %s", error)
            return 0

    def _read(self, wanted: set[str]) -> int:
        found = self._page(wanted)
        for _ in range(PAGES_AT_ONCE - 1):
            if self._cursor:
                found += self._page(wanted)
        return found

    def _page(self, wanted: set[str]) -> int:
        page = self._client.users_list(limit=A_PAGE, cursor=self._cursor or None)
        self._cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        return sum(self._link(user) for user in page["members"] if _email(user) in wanted)

    def _link(self, user: Mapping[str, Any]) -> bool:
        """As at the first contact; who is of another workspace, a guest or a bot is nobody's, and is not told so."""
        now = self._app.clock()
        home = slack_accounts.home_of(user)
        is_ours = self._app.own_team.includes(home, lambda: users.own_team(self._client), now)
        account = slack_accounts.account_of(user, is_ours=is_ours)
        if account.barred:
            return False
        with self._app.transaction(now) as moment:
            return linking.link(moment, account).person is not None


def _email(user: Mapping[str, Any]) -> str:
    return str(user.get("profile", {}).get("email") or "").lower()
