"""`exceptions list|export`: what was asked for, how it was decided, what came of it."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bot.cli import common, listing
from handlers import tables
from handlers.tables import Column, Layout
from policy.counting import many
from policy.period import first_instant
from policy.units import MicroTokens
from programme import anchors
from programme.exceptions import cards
from programme.people import directory
from store.exceptions import requests as store

if TYPE_CHECKING:
    from datetime import date

    from handlers.tables import Format, Kind
    from programme.app import App
    from programme.exceptions.cards import Card

_WHOLE = ("approvals", "rejections", "needed")
_COLUMNS = (
    *("id", "made_at", "requester", "class", "state", "amount_tokens", "amount_usd", "last_day", "project", "service"),
    *("incident", *_WHOLE, "lapse_at", "decided_at", "decided_by", "granted_tokens", "granted_last_day"),
    *("left_tokens", "netted_tokens", "netted_month", "outcome", "outcome_note", "handbook"),
)


def _kind(name: str) -> Kind:
    if name.endswith(("_tokens", "_usd")):
        return "number"
    return "instant" if name.endswith("_at") else "whole" if name in _WHOLE else "text"


LAYOUT = Layout(tuple(Column(name, _kind(name)) for name in _COLUMNS))


@click.group()
def exceptions() -> None:
    """Requests for exceptions."""


@exceptions.command("list")
@click.option("--all", "everything", is_flag=True, help="Also show decided ones, the latest last.")
@click.option("--state", help="Only in this state, such as credited, rejected or lapsed; with decided ones.")
@click.option("--person", "email", metavar="EMAIL", help="Only what this person asked for; with decided ones.")
@click.option("--since", type=common.DayType(), help="Asked for on this day or later; with decided ones.")
@common.json_option
def list_exceptions(
    *, everything: bool, state: str | None, email: str | None, since: date | None, as_json: bool
) -> None:
    """List what is waiting for the board, the nearest deadline first."""
    everything = everything or any((state, email, since))
    with common.app() as app, app.reading() as moment:
        begin, _ = _bounds(app, since, None)
        found = store.made_between(moment.session, begin, None) if everything else store.undecided(moment.session)
        who = directory.require(moment, email).id if email else None
        found = [one for one in found if state in {None, one.state} and who in {None, one.person_id}]
        rows = [_row(card) for card in cards.of_many(moment, found).values()]
    if as_json:
        common.print_json(rows)
    elif rows:
        shown = ("id", "made_at", "requester", "class", "state", "amount_tokens", "approvals", "needed", "lapse_at")
        common.print_table(shown, [[_shown(name, row[name]) for name in shown] for row in rows])
    else:
        click.echo("No one has asked for tokens." if everything else "Nothing is waiting for the board.")


def _shown(name: str, value: Any) -> str:  # noqa: ANN401 - any column
    return listing.written(MicroTokens.parse(value)) if name == "amount_tokens" else _brief(value)


def _brief(value: Any) -> str:  # noqa: ANN401 - any column
    text = str(value)
    return text[:16].replace("T", " ") if text[10:11] == "T" else text


@exceptions.command("export")
@click.option("--from", "first", type=common.DayType(), help="Asked for on this day or later.")
@click.option("--until", "last", type=common.DayType(), help="Asked for on this day or before.")
@common.out_option
@common.format_options
def export_exceptions(*, first: date | None, last: date | None, out: BinaryIO, format_: Format) -> None:
    """Write requests, oldest first; amounts are decimal tokens and USD."""
    with common.app() as app, app.transaction() as moment:
        begin, end = _bounds(app, first, last)
        found = store.made_between(moment.session, begin, end)
        rows = [_row(card) for card in cards.of_many(moment, found).values()]
        anchors.note_export(moment, "exceptions.export", actor=common.actor(), lines=len(rows))
    tables.write(out, LAYOUT, tables.in_order(LAYOUT, rows), format_)
    click.echo(f"{many(len(found), 'request')}.", file=sys.stderr)


def _bounds(app: App, first: date | None, last: date | None) -> tuple[Any, Any]:
    begin = first_instant(first, app.zone) if first else None
    end = first_instant(last + timedelta(days=1), app.zone) if last else None
    return begin, end


def _row(card: Card) -> dict[str, Any]:
    request = card.request
    return {
        "id": request.id,
        "made_at": request.made_at.isoformat(),
        "requester": card.requester.name,
        "class": request.class_name,
        "state": request.state,
        "amount_tokens": common.token_text(request.amount),
        "amount_usd": common.usd_text(card.worth),
        "last_day": request.last_day.isoformat(),
        "project": request.project_key or "",
        "service": request.service_key or "",
        "incident": request.incident or "",
        "approvals": card.tally.approvals,
        "rejections": card.tally.rejections,
        "needed": request.needed,
        "lapse_at": request.lapse_at.isoformat(),
        "decided_at": request.decided_at.isoformat() if request.decided_at else "",
        "decided_by": card.decided_by.name if card.decided_by else request.decided_by or "",
        "granted_tokens": _tokens(request.granted),
        "granted_last_day": request.granted_last_day.isoformat() if request.granted_last_day else "",
        "left_tokens": _tokens(card.left if request.granted is not None else None),
        "netted_tokens": _tokens(request.netted),
        "netted_month": request.netted_month or "",
        "outcome": request.outcome or "",
        "outcome_note": request.outcome_note or "",
        "handbook": request.handbook_version,
    }


def _tokens(amount: MicroTokens | None) -> str:
    return "" if amount is None else common.token_text(amount)


@click.group()
def requests() -> None:
    """Requests for exceptions, by the word that people use: the same as `exceptions`."""


requests.add_command(list_exceptions)
requests.add_command(export_exceptions)
