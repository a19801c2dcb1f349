"""`tokens-bot doctor`: is everything in place, and if not, what to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot import access, wiring
from bot.findings import Finding
from bot.manifest import BOT_SCOPES
from handlers.slack import board_group
from policy.exceptions import ALTERNATE, MEMBER
from policy.reasons import Refusal
from programme import vitals
from programme.people import board, linking
from programme.usage import second_opinion
from scheduler import remedies, slack_delivery, troubles
from store import pulses, runs, schema, time_zones
from store.outbox import backlog, messages
from store.people import directory
from store.usage import events as usage_store
from store.usage import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from slack_sdk.web import SlackResponse

    from bot.settings import Settings
    from programme.app import App

GREATEST_CLOCK_SKEW = timedelta(seconds=60)
"""Slack's signatures are good for five minutes; a clock that is a minute off will be five off one day."""
PATIENCE_SECONDS = 10
LATE = timedelta(hours=1)
"""A message that waits longer than that after it was due is late."""
LATELY = timedelta(days=7)
"""So long it is told that usage was refused."""
MOST_NAMED = 5
"""So many people, or reasons, are named in one finding."""
SILENT = timedelta(minutes=3)
"""Some pulses; the tick's own patience is longer."""
PULSES = {
    vitals.BOT: "The bot has not been connected to Slack",
    vitals.COURIER: "The courier has not made a pass",
    vitals.TICK: "The calendar has not ticked",
}


def examine(settings: Settings, app: App) -> Iterator[Finding]:
    """Everything, in the order in which it has to work."""
    ready = True
    for finding in _database(app):
        ready = ready and finding.level != "problem"
        yield finding
    yield from access.files(app)
    yield from _slack(settings, app)
    if ready:
        yield from access.keys_of_gateways(app)
        yield from _board(settings, app)
        yield from _zones(app)
        yield from _parts(settings, app)
        yield from _quarantine(app)
        yield from _answers(app)
        yield from _differences(app)
        yield from _calendar(app)
        yield from _outbox(app)


def _database(app: App) -> Iterator[Finding]:
    try:
        wiring.require_ready(app)
    except Refusal as refusal:
        yield Finding("problem", refusal.text, refusal.next_step)
    except sa.exc.OperationalError as error:
        yield Finding("problem", f"The database does not answer: {error.orig}", "Check TOKENS_DATABASE_URL.")
    else:
        yield Finding("good", f"The database ({app.database.dialect}) is at revision {schema.head_revision()}.")


def _slack(settings: Settings, app: App) -> Iterator[Finding]:
    if not settings.slack_bot_token:
        yield Finding("problem", "SLACK_BOT_TOKEN is not set.", "Install the app and copy its bot token (xoxb-…).")
        return
    client = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=PATIENCE_SECONDS)
    try:
        answer = slack_delivery.answer_of(client.auth_test)
    except SlackApiError as error:
        yield Finding(
            "problem",
            f"SLACK_BOT_TOKEN is refused: {error.response['error']}.",
            "Install the app again and copy its token.",
        )
        return
    except (SlackClientError, OSError) as error:
        remedy = remedies.remedy("certificate") if troubles.is_certificate(error) else "Check the network."
        yield Finding("problem", f"Slack does not answer at {settings.slack_api_url}: {error}", remedy)
        return
    yield Finding("good", f"SLACK_BOT_TOKEN belongs to {answer['user']} in {answer['team']}.")
    yield from _scopes(answer)
    yield from _clock(answer, app)
    yield from _mode(settings)
    yield from _channels(settings, client)


def _header(answer: SlackResponse, name: str) -> str | None:
    return next((str(value) for key, value in answer.headers.items() if key.lower() == name), None)


def _scopes(answer: SlackResponse) -> Iterator[Finding]:
    header = _header(answer, "x-oauth-scopes")
    if header is None:
        yield Finding("warning", "Slack didn't say which scopes the token has.", "Check them in the app's settings.")
        return
    granted = {scope.strip() for scope in header.split(",")}
    missing = [scope for scope in BOT_SCOPES if scope not in granted]
    if missing:
        remedy = "Paste `tokens-bot manifest` into the app's settings and install it again."
        yield Finding("problem", f"The bot token lacks {', '.join(missing)}.", remedy)
    else:
        yield Finding("good", "The bot token has every scope it needs.")


def _clock(answer: SlackResponse, app: App) -> Iterator[Finding]:
    header = _header(answer, "date")
    if header is None:
        return
    skew = abs(parsedate_to_datetime(header) - app.clock())
    if skew > GREATEST_CLOCK_SKEW:
        yield Finding(
            "problem", f"The clock is {skew.total_seconds():.0f} s off Slack's.", "Switch time synchronisation on."
        )
    else:
        yield Finding("good", "The clock agrees with Slack's.")


def _mode(settings: Settings) -> Iterator[Finding]:
    if settings.slack_app_token:
        client = WebClient(base_url=settings.slack_api_url, timeout=PATIENCE_SECONDS)
        try:
            slack_delivery.answer_of(client.apps_connections_open, app_token=settings.slack_app_token)
        except SlackApiError as error:
            remedy = "Create an app-level token with connections:write, and switch Socket Mode on."
            yield Finding("problem", f"SLACK_APP_TOKEN is refused: {error.response['error']}.", remedy)
        except (SlackClientError, OSError) as error:
            yield Finding("problem", f"Socket Mode cannot be tried: {error}", "Check the network.")
        else:
            yield Finding("good", "Socket Mode can connect.")
    elif settings.slack_signing_secret:
        yield Finding("good", f"HTTP mode: Slack must reach {settings.http_host}:{settings.http_port}/slack/events.")
    else:
        remedy = "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP."
        yield Finding("problem", "Neither Socket Mode nor HTTP mode is set up.", remedy)


def _channels(settings: Settings, client: WebClient) -> Iterator[Finding]:
    channels = {
        "TOKENS_GOVERNANCE_CHANNEL": settings.governance_channel,
        "TOKENS_ANNOUNCE_CHANNEL": settings.announce_channel,
    }
    if settings.recruiters_channel is not None:
        # Without one, recruiters are told in private.
        channels["TOKENS_RECRUITERS_CHANNEL"] = settings.recruiters_channel
    for name, channel in channels.items():
        if channel is None:
            yield Finding("warning", f"{name} is not set.", "Set it to the id of the channel (C…).")
            continue
        try:
            info = slack_delivery.answer_of(client.conversations_info, channel=channel)["channel"]
        except SlackApiError as error:
            code = error.response["error"]
            if code == "missing_scope":
                yield Finding(
                    "warning", f"{name} cannot be looked up without channels:read.", "Add the optional scope."
                )
            else:
                yield Finding("problem", f"{name} = {channel}: {code}.", "Check the id, and invite the bot there.")
            continue
        except (SlackClientError, OSError) as error:
            yield Finding("problem", f"{name} cannot be looked up: {error}", "Check the network.")
            continue
        if info.get("is_archived"):
            yield Finding("problem", f"{name} = {channel} is archived.", "Choose another channel.")
        elif info.get("is_ext_shared"):
            remedy = "Choose a channel of your own: cards and reports there are for the company alone."
            yield Finding("warning", f"{name} = {channel} is shared with another organization.", remedy)
        elif not info.get("is_member"):
            yield Finding("problem", f"The bot is not in #{info['name']} ({name}).", f"/invite it to #{info['name']}.")
        else:
            yield Finding("good", f"{name} is #{info['name']}, and the bot is in it.")


def _board(settings: Settings, app: App) -> Iterator[Finding]:
    group = settings.board_usergroup
    where = "role `board`" if group is None else "Slack user group"
    if group is not None and (why := _unread(settings, app, group)):
        yield Finding("warning", f"The board's group cannot be looked up: {why}.", "Check TOKENS_BOARD_USERGROUP.")
        return
    if group is not None:
        yield from _unknown_members(settings, app, group)
    with replace(app, board_usergroup=group).reading() as moment:
        seats = board.seats(moment)
    kinds = Counter(seat.kind for seat in seats)
    found = f"The board has {kinds[MEMBER]} members and {kinds[ALTERNATE]} alternates ({where})."
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


def _unknown_members(settings: Settings, app: App, usergroup: str) -> Iterator[Finding]:
    """Members of the board's group whom nobody is known by: they have no vote, and may not know it."""
    slack = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=PATIENCE_SECONDS)
    for account, met in board_group.unknown(app, slack, usergroup):
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
    slack = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url, timeout=PATIENCE_SECONDS)
    try:
        board_group.read(app, slack, usergroup)
    except SlackApiError as error:
        return str(error.response["error"])
    except (SlackClientError, OSError) as error:
        return str(error)
    return ""


def _zones(app: App) -> Iterator[Finding]:
    """People whose zone the packaged `tzdata` has no longer: their hours are the programme's until it is corrected."""
    with app.database.reading() as session:
        lost = {name: some for name, some in directory.by_zone(session).items() if time_zones.known(name) is None}
    for name, emails in sorted(lost.items()):
        who = ", ".join(emails[:MOST_NAMED]) + (
            f" and {len(emails) - MOST_NAMED:,} more" if len(emails) > MOST_NAMED else ""
        )
        what = f"There is no time zone {name!r}; {who} are treated as in {app.zone.key}."
        yield Finding("warning", what, "Correct their time_zone with `tokens-bot people import`.")


def _parts(settings: Settings, app: App) -> Iterator[Finding]:
    """How the parts do that some process runs, or ran, on this database."""
    with app.database.reading() as session:
        known = pulses.latest(session)
    expected = [part for part in PULSES if part != vitals.BOT or settings.socket_mode]
    if known.keys().isdisjoint(expected):
        yield Finding("good", "No part of the bot has run on this database yet.")
        return
    now = app.clock()
    silent = [part for part in expected if part not in known or not _is_fresh(known[part].well_at, now)]
    for part in silent:
        yield _silent(part, known.get(part), now)
    if not silent:
        yield Finding("good", f"Running and well: {', '.join(expected)}.")


def _is_fresh(at: datetime | None, now: datetime) -> bool:
    """Also of an instant that is still to come: the clock was put back since."""
    return at is not None and abs(now - at) <= SILENT


def _silent(part: str, pulse: pulses.Pulse | None, now: datetime) -> Finding:
    since = f"since {pulse.well_at:%Y-%m-%d %H:%M} UTC" if pulse and pulse.well_at else "yet"
    what = f"{PULSES[part]} {since}"
    if pulse is None or not _is_fresh(pulse.ailing_at, now):
        return Finding("problem", f"{what}.", f"Is `tokens-bot run` up, with the part {part}?")
    problem = pulse.problem or ""
    known = problem in remedies.REMEDIES
    remedy = remedies.remedy(problem) if known else "The log of that process has more; /readyz says how it is now."
    return Finding("problem", f"{what}: {problem}.", remedy)


def _quarantine(app: App) -> Iterator[Finding]:
    with app.database.reading() as session:
        held = usage_store.count_held(session)
    if held:
        total = ", ".join(f"{count:,} {reason}" for reason, count in sorted(held.items()))
        yield Finding("warning", f"Usage is waiting in quarantine: {total}.", "See `tokens-bot quarantine list`.")
    else:
        yield Finding("good", "No usage is waiting in quarantine.")


def _answers(app: App) -> Iterator[Finding]:
    """What gateways were told and may not have read."""
    with app.reading() as moment:
        lately = refusals.totals(moment.session, since=moment.today - LATELY)
        conflicts = refusals.count_conflicts(moment.session)
    ways_out = {
        "rejected": "`tokens-bot usage rejected list` names them; correct what sends them, then send them again.",
        "conflict": "`tokens-bot usage conflicts list` shows what stands and what was offered.",
    }
    for status, remedy in ways_out.items():
        if some := [f"{one.events:,} of {one.source} ({one.reason})" for one in lately if one.status == status]:
            more = f", and {len(some) - MOST_NAMED:,} more reasons" if len(some) > MOST_NAMED else ""
            named = f"{', '.join(some[:MOST_NAMED])}{more}"
            yield Finding("warning", f"Answered with {status} in the last {LATELY.days} days: {named}.", remedy)
    if not lately:
        ever = f"; {conflicts:,} conflicts are on record" if conflicts else ""
        yield Finding("good", f"No usage was refused in the last {LATELY.days} days{ever}.")


def _differences(app: App) -> Iterator[Finding]:
    with app.reading() as moment:
        apart = second_opinion.count(moment)
    if apart:
        what = f"Gateways reckon with another price for {apart:,} {'event' if apart == 1 else 'events'}."
        yield Finding("warning", what, "See `tokens-bot usage differences`.")
    else:
        yield Finding("good", "Gateways reckon with the same prices as we do, as far as they name any.")


def _calendar(app: App) -> Iterator[Finding]:
    with app.database.reading() as session:
        failed = runs.failures(session)
    for failure in failed:
        what = f"{failure.job} of {failure.period} failed {failure.attempts} times: {failure.reason}"
        yield Finding("problem", what, "Fix the cause; the next tick tries again.")
    if not failed:
        yield Finding("good", "All scheduled runs are done.")


def _outbox(app: App) -> Iterator[Finding]:
    with app.database.reading() as session:
        parked = messages.parked_by_problem(session)
        late = messages.overdue(session, app.clock() - LATE)
        bare = messages.count_bare(session, since=app.clock() - LATELY)
    for problem, count in sorted(parked.items()):
        yield Finding("problem", f"{_messages(count, 'is', 'are')} parked: {problem}.", remedies.remedy(problem))
    for problem, count in sorted(late.items()):
        said = f": {problem}" if problem else ""
        remedy = remedies.remedy(problem) if problem else "Is the bot running? `tokens-bot deliver` sends them now."
        what = f"{_messages(count, 'has', 'have')} waited for more than an hour{said}."
        yield Finding("warning", what, remedy)
    if bare:
        what = f"In the last week {_messages(bare, 'went', 'went')} out without a picture."
        yield Finding("warning", what, remedies.remedy(messages.WITHOUT_PICTURE))
    if not parked and not late:
        yield Finding("good", "Every message that was due is delivered.")


def _messages(count: int, one: str, several: str) -> str:
    return f"1 message {one}" if count == 1 else f"{count:,} messages {several}"


def measure(app: App) -> dict[str, object]:
    """What a monitoring system keeps: counts and instants, no name and no amount; nothing of a database that is away.

    Ages are seconds; `well_at` and `ailing_at` are when a process last told the one or the other of its part.
    """
    try:
        with app.database.reading() as session:
            owed, now = backlog.read(session, app.clock()), app.clock()
            return {
                "at": now,
                "parts": {part: pulse._asdict() for part, pulse in sorted(pulses.latest(session).items())},
                "outbox": {
                    **owed._asdict(),
                    "oldest_due_seconds": (now - owed.oldest_due_at).total_seconds() if owed.oldest_due_at else 0,
                    "parked_by_problem": messages.parked_by_problem(session),
                },
                "failed_runs": len(runs.failures(session)),
                "quarantine": usage_store.count_held(session),
            }
    except sa.exc.DBAPIError:
        return {}
