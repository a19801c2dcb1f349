"""`balance EMAIL`, `statement EMAIL`: what administrators may ask on a person's behalf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cli import common, listing
from policy.period import Month, day_of
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.balance import balance as programme_balance
from programme.balance import history
from programme.people import directory

if TYPE_CHECKING:
    from views.balance import BalanceCard


@click.command()
@click.argument("email")
@common.json_option
def balance(email: str, *, as_json: bool) -> None:
    """Show what a person has left."""
    with common.app() as app, app.reading() as moment:
        card = programme_balance.of_email(moment, email)
    if card is None:
        raise Refusal(
            "unknown_person", f"No one has the e-mail {email!r}.", next_step="See `tokens-bot people import`."
        )
    if as_json:
        common.print_json(_card(email, card))
        return
    click.echo(f"{card.name}: {listing.written(card.available)} tokens, USD {listing.written(card.worth)}")
    if card.held:
        calls = f"{card.held_calls} running {'call' if card.held_calls == 1 else 'calls'}"
        click.echo(f"of which {listing.written(card.held)} are held by {calls}")
    rows = [
        (
            lot.kind,
            listing.written(lot.remaining),
            listing.written(lot.amount),
            listing.brief(lot.expires_at),
            lot.reason,
        )
        for lot in card.lots
    ]
    if card.paid_by_company is not None:
        paid = card.paid_by_company
        click.echo(f"paid by the company in {card.month}: {listing.written(paid)} tokens, outside the programme")
    if rows:
        common.print_table(("lot", "remaining", "amount", "expires", "reason"), rows)


def _card(email: str, card: BalanceCard) -> dict[str, Any]:
    return {
        "person_id": card.person_id,
        "email": email.lower(),
        "balance_tokens": common.token_text(card.available),
        "held_tokens": common.token_text(card.held),
        "held_by_calls": card.held_calls,
        "available_tokens": common.token_text(card.available - card.held),
        "balance_usd": common.usd_text(card.worth),
        "granted_tokens": common.token_text(card.granted),
        "debt_tokens": common.token_text(card.debt),
        "spent_this_month_tokens": common.token_text(card.spent_this_month),
        "paid_by_company_this_month_tokens": common.token_text(card.paid_by_company or MicroTokens(0)),
        "month": str(card.month),
        "value_version": card.value.version,
        "usd_per_token": common.usd_text(card.value.per_token),
        "lasts_until": card.outlook.lasts_until if card.outlook else None,
        "lapsing_tokens": common.token_text(MicroTokens(card.outlook.lapsing)) if card.outlook else None,
        "lapses_tokens": common.token_text(card.lapse.amount if card.lapse else MicroTokens(0)),
        "lapses_on": card.lapse.on if card.lapse else None,
        "lots": [
            {
                "kind": lot.kind,
                "reason": lot.reason,
                "amount_tokens": common.token_text(lot.amount),
                "remaining_tokens": common.token_text(lot.remaining),
                "expires_at": lot.expires_at.isoformat(),
                "lapses": lot.lapses,
            }
            for lot in card.lots
        ],
    }


@click.command()
@click.argument("email")
@click.option("--month", type=common.MonthType(), help="This month when left out.")
@common.json_option
def statement(email: str, *, month: Month | None, as_json: bool) -> None:
    """Show every line that was posted to a person's wallet in a month, with the balance after it."""
    with common.app() as app, app.reading() as moment:
        asked = month or Month.containing(day_of(app.clock(), app.zone))
        person = directory.require(moment, email)
        lines = history.statement(moment, person.id, asked)
    rows = [
        (m.posted_at.isoformat(), m.kind, m.memo, common.token_text(m.amount), common.token_text(m.balance))
        for m in lines.movements
    ]
    heading = ("posted_at", "kind", "memo", "amount_tokens", "balance_tokens")
    if as_json:
        common.print_json(
            {
                "person_id": person.id,
                "month": str(asked),
                "opening_tokens": common.token_text(lines.opening),
                "closing_tokens": common.token_text(lines.closing),
                "lines": [dict(zip(heading, row, strict=True)) for row in rows],
            }
        )
        return
    click.echo(f"{person.name}, {asked}: opening balance {listing.written(lines.opening)}")
    told = [
        (listing.brief(m.posted_at), m.kind, m.memo, listing.written(m.amount), listing.written(m.balance))
        for m in lines.movements
    ]
    common.print_table(("posted_at", "kind", "memo", "amount", "balance"), told)
    click.echo(f"closing balance {listing.written(lines.closing)}")
