"""`grants give`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from bot.cli import common
from policy.period import first_instant
from policy.reasons import Refusal
from programme import grants as programme_grants

if TYPE_CHECKING:
    from datetime import date

    from policy.units import MicroTokens


@click.group()
def grants() -> None:
    """Tokens for people."""


@grants.command("give")
@click.argument("email")
@click.argument("amount", type=common.TokensType())
@click.option("--reason", required=True, help="The person reads it beside the amount.")
@click.option("--expires", type=common.DayType(), required=True, help="The last day on which it can be used.")
@click.option("--key", help="Makes the call repeatable: the same key gives nothing twice.")
@common.json_option
def give_grant(email: str, amount: MicroTokens, *, reason: str, expires: date, key: str | None, as_json: bool) -> None:
    """Give a person AMOUNT tokens until the end of a day."""
    with common.desk() as desk:
        try:
            with desk.transaction() as session:
                given = programme_grants.give(
                    session,
                    email=email,
                    amount=amount,
                    reason=reason,
                    expires_at=first_instant(expires + timedelta(days=1), desk.zone),
                    actor=common.actor(),
                    now=desk.clock(),
                    key=key,
                )
        except Refusal as refusal:
            with desk.transaction() as session:
                programme_grants.record_refusal(session, refusal, key=key, actor=common.actor(), now=desk.clock())
            raise
    if as_json:
        common.print_json(
            {"person_id": given.person_id, "entry_id": given.entry_id, "amount_tokens": common.token_text(amount),
             "expires_at": given.expires_at.isoformat(), "again": given.again}
        )  # fmt: skip
    else:
        before = "had been given before under this key" if given.again else "given"
        click.echo(f"{amount.decimal:,f} tokens {before} to {email}, until the end of {expires}.")
