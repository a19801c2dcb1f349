"""Which Slack accounts may be somebody's, and the bot's own workspace, to which they have to belong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

OUTSIDER, BOT, DELETED, GUEST, UNCONFIRMED = "outsider", "bot", "deleted", "guest", "unconfirmed"
"""Why an account can be nobody's."""

USUAL_AGE, AGE_IN_DOUBT = timedelta(hours=1), timedelta(minutes=1)
"""So long the bot's own workspace is taken to be what Slack said; of somebody from elsewhere it is asked sooner, since
a workspace can have joined an organization a moment ago."""


class Team(NamedTuple):
    """A workspace (`T…`) and the organization (`E…`) that it is part of, each where there is one."""

    id: str | None
    enterprise: str | None

    def includes(self, other: Team) -> bool:
        """Whether someone who belongs to `other` belongs here: to the same workspace or the same organization."""
        ours = {name for name in self if name}
        return bool(ours & {name for name in other if name})


class OwnTeam:
    """The workspace that the bot is installed in, as `auth.test` tells it.

    Safe in any thread: what was read is replaced whole, and two who ask at once get the same answer.
    """

    def __init__(self) -> None:
        self._read: tuple[Team, datetime] | None = None

    def includes(self, other: Team, ask: Callable[[], Any], now: datetime) -> bool:
        """Whether someone of another workspace is one of ours. Asks Slack at first, and again in doubt.

        Raises what `ask` raises, unless an older answer is there.
        """
        return any(self.get(ask, now, not_older=age).includes(other) for age in (USUAL_AGE, AGE_IN_DOUBT))

    def get(self, ask: Callable[[], Any], now: datetime, *, not_older: timedelta = USUAL_AGE) -> Team:
        read = self._read
        # A clock may have been put back meanwhile.
        if read is not None and abs(now - read[1]) < not_older:
            return read[0]
        try:
            answer = ask()
        except Exception:
            if read is None:
                raise
            return read[0]
        team = Team(answer.get("team_id"), answer.get("enterprise_id"))
        self.note(team, now)
        return team

    def note(self, team: Team, now: datetime) -> None:
        self._read = team, now

    def seed(self, team: Team, now: datetime) -> None:
        """Take an answer that somebody else got just now, if there is none yet."""
        if self._read is None:
            self.note(team, now)


@dataclass(frozen=True, slots=True)
class SlackAccount:
    """A user of Slack as `users.info` describes them; `barred` says why they can be nobody's account, if so.

    One that is not known to Slack, or hidden from the bot, has nothing but its id.
    """

    id: str
    email: str | None = None
    barred: str = ""
    is_known: bool = True


def home_of(user: Mapping[str, Any]) -> Team:
    """Where a user belongs, from their description. In an organization a person may have another workspace than we."""
    enterprise = user.get("enterprise_user") or {}
    team = user.get("team_id") or user.get("profile", {}).get("team")
    return Team(team, enterprise.get("enterprise_id") or user.get("enterprise_id"))


def account_of(user: Mapping[str, Any], *, is_ours: bool) -> SlackAccount:
    """The account that a description is of. What Slack leaves out is not held against anyone, but where they belong."""
    email = user.get("profile", {}).get("email")
    return SlackAccount(str(user["id"]), str(email) if email else None, _barred(user, is_ours=is_ours))


def _barred(user: Mapping[str, Any], *, is_ours: bool) -> str:
    if user.get("is_stranger") or not is_ours:
        return OUTSIDER
    if user.get("is_bot") or user.get("is_workflow_bot") or user["id"] == "USLACKBOT":
        return BOT
    if user.get("deleted"):
        return DELETED
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return GUEST
    if user.get("is_email_confirmed") is False or user.get("is_invited_user"):
        return UNCONFIRMED
    return ""
