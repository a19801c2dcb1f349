"""The board: whether there is one, and whether it is known by all of its members."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.checks import slack
from bot.findings import Finding
from handlers.slack import board_group
from policy.counting import many
from policy.exceptions import ALTERNATE, MEMBER
from programme.cash import calendar as cash
from programme.gates import calendar as gates
from programme.people import board, linking
from programme.reviews import calendar as reviews

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Settings
    from programme.app import App
    from programme.moment import Moment


def examine(settings: Settings, app: App) -> Iterator[Finding]:
    group = settings.board_usergroup
    where = "role `board`" if group is None else "Slack user group"
    if group is not None and (why := _unread(settings, app, group)):
        yield Finding("warning", f"The board's group cannot be looked up: {why}.", "Check TOKENS_BOARD_USERGROUP.")
        return
    if group is not None:
        yield from _unknown_members(settings, app, group)
    with replace(app, board_usergroup=group).reading() as moment:
        seats, unasked = board.seats(moment), list(_unasked(moment))
    kinds = Counter(seat.kind for seat in seats)
    found = f"The board has {many(kinds[MEMBER], 'member')} and {many(kinds[ALTERNATE], 'alternate')} ({where})."
    if kinds[MEMBER] < board.LEAST_MEMBERS or kinds[ALTERNATE] < board.LEAST_ALTERNATES:
        remedy = (
            f"{board.LEAST_MEMBERS} members and {board.LEAST_ALTERNATES} alternates keep exceptions moving when people"
            " are away. Roles `board` and `alternate` are set with `tokens-bot people import`."
        )
        yield Finding("warning", found, remedy)
    else:
        yield Finding("good", found)
    if not seats:
        remedy = "With a board, a change takes two people: `tokens-bot handbook propose`, confirmed in Slack."
        yield Finding("warning", "Without a board, one person alone can change the handbook.", remedy)
    for role, able in (("chair", any(s.is_chair for s in seats)), ("finance", any(s.is_finance for s in seats))):
        if not able:
            remedy = "Large exceptions need one: set the role with `tokens-bot people import`."
            yield Finding("warning", f"No one on the board has the role `{role}`.", remedy)

    for matter in unasked:
        what = f"{matter}, and the board is too small to be asked."
        yield Finding("problem", what, "Give more people the role `board`: once there are enough, they are asked.")


def _unasked(moment: Moment) -> Iterator[str]:
    """What waits for a board that is large enough to decide."""
    for cap in cash.unasked(moment):
        yield f"The month's cash ({cap.rule.name}) is reached"
    for quarter in reviews.unasked(moment):
        yield f"The review of {quarter} is drafted"
    for phase, month in gates.unasked(moment):
        yield f"Phase {phase} of the roll-out is to begin with {month}"


def _unknown_members(settings: Settings, app: App, usergroup: str) -> Iterator[Finding]:
    """Members of the board's group whom nobody is known by: they have no vote, and may not know it."""
    client = slack.client(settings)
    for account, met in board_group.unknown(app, client, usergroup):
        name = f"{account.id} ({account.email})" if account.email else account.id
        if met.other is not None:
            why = f"their e-mail is {met.other.name}'s, whom we know by {met.other.slack_user_id or 'no account'}"
            remedy = f"If it is them, `{linking.command(met.other.email, account.id)}`."
        else:
            why = linking.WHY.get(account.barred, "no one in the programme has their e-mail")
            remedy = "Add them with `tokens-bot people import`, or take them out of the group."
        yield Finding("warning", f"{name} is in the board's group and known by nobody: {why}.", remedy)


def _unread(settings: Settings, app: App, usergroup: str) -> str:
    """Why the board's user group cannot be read; nothing when it was."""
    client = slack.client(settings)
    try:
        board_group.read(app, client, usergroup)
    except SlackApiError as error:
        return str(error.response["error"])
    except (SlackClientError, OSError) as error:
        return str(error)
    return ""
