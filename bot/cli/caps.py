"""`caps`: what limits someone's calls, and whether one would run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from bot.cli import common, listing
from policy.estimates import Asked
from policy.reasons import Refusal
from programme.holds import limits, pricing
from programme.holds.pricing import Ask
from store.holds.records import CALL
from store.people import directory
from templates import holds as words

if TYPE_CHECKING:
    from policy.units import NanoUSD
    from programme.moment import Moment
    from views.holds import CapTold, Denial, Limits

person_option = click.option("--person", "email", required=True, metavar="EMAIL", help="Whose calls.")


@click.group()
def caps() -> None:
    """What limits people's calls."""


@caps.command()
@person_option
@common.json_option
def show(*, email: str, as_json: bool) -> None:
    """Show the caps that someone's calls meet now, the tightest first."""
    with common.app() as app, app.reading() as moment:
        shown = limits.of(moment, pricing.known(moment, _person_id(moment, email)))
    if as_json:
        common.print_json(_limits(email, shown))
        return
    if shown.balance is None:
        click.echo("The company pays for their use: no wallet limits it.")
    else:
        figures = (listing.written(one) for one in (shown.balance, shown.held, shown.overdraft))
        click.echo("balance {} tokens, held {}, may go below zero by {}".format(*figures))
    rows = [
        (
            cap.name,
            cap.scope,
            cap.window,
            cap.action,
            listing.written(cap.left),
            listing.written(cap.limit),
            _resets(cap) or "–",
        )
        for cap in shown.caps
    ]
    if rows:
        common.print_table(("cap", "scope", "window", "action", "USD left", "USD limit", "resets at"), rows)


@caps.command(name="try")
@person_option
@click.option("--service", required=True, metavar="KEY", help="The service that would be called.")
@click.option("--usd", type=common.UsdType(), required=True, help="What the call may cost at most.")
@click.option("--project", default="", metavar="KEY", help="The project that it would be for.")
@common.json_option
def attempt(*, email: str, service: str, usd: NanoUSD, project: str, as_json: bool) -> None:
    """Say whether a call would run; exit 1 when a cap stops it. Nothing is held, and nobody is told."""
    # The first to ask for a quarter's value adopts it: whoever only looks takes that back.
    with common.app() as app, app.undone() as moment:
        buyer = pricing.known(moment, _person_id(moment, email))
        asked = Ask(*("command line", uuid4().hex, CALL, (), "", "", service, project), Asked({}, usd=usd), None, b"")
        tried = limits.attempt(moment, asked, app.usual_calls, buyer=buyer)
        sentence = words.sentence(tried.denial, app.zone) if tried.denial else ""
    if as_json:
        common.print_json(_tried(email, tried.denial, tried.cost, sentence))
    else:
        click.echo(sentence or f"It would run, and hold USD {listing.written(tried.cost)}.")
    sys.exit(1 if tried.denial else 0)


def _person_id(moment: Moment, email: str) -> str:
    person = directory.by_email(moment.session, email)
    if person is None:
        raise Refusal(
            "unknown_person", f"No one has the e-mail {email!r}.", next_step="See `tokens-bot people import`."
        )
    return person.id


def _usd(amount: NanoUSD) -> str:
    return common.usd_text(amount)


def _resets(cap: CapTold) -> str | None:
    return cap.resets_at.isoformat() if cap.resets_at else None


def _limits(email: str, shown: Limits) -> dict[str, Any]:
    return {
        "email": email.lower(),
        "balance_tokens": None if shown.balance is None else common.token_text(shown.balance),
        "held_tokens": common.token_text(shown.held),
        "available_tokens": None if shown.available is None else common.token_text(shown.available),
        "overdraft_tokens": common.token_text(shown.overdraft),
        "wallet_stops": shown.stops,
        "caps": [_cap(cap) for cap in shown.caps],
    }


def _cap(cap: CapTold) -> dict[str, Any]:
    return {
        "name": cap.name,
        "scope": cap.scope,
        "window": cap.window,
        "action": cap.action,
        "limit_usd": _usd(cap.limit),
        "used_usd": _usd(cap.used),
        "held_usd": _usd(cap.held),
        "left_usd": _usd(cap.left),
        "resets_at": _resets(cap),
    }


def _tried(email: str, denial: Denial | None, cost: NanoUSD, sentence: str) -> dict[str, Any]:
    said: dict[str, Any] = {"email": email.lower(), "admitted": denial is None, "usd": _usd(cost)}
    return said | ({"code": denial.code, "message": sentence, "cap": _cap(denial.cap)} if denial else {})
