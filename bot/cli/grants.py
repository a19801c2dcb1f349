"""`grants give`, `grants run`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from bot import settings
from bot.cli import common
from policy.period import Month, first_instant
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.grants import by_hand as programme_grants
from programme.grants import monthly, nobody, sizing
from store.people import directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from policy.sizing import Factors
    from policy.units import MicroTokens
    from programme.grants.monthly import MonthlyRun
    from programme.grants.sizing import Plan


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
    with common.app() as app:
        try:
            with app.transaction() as moment:
                given = programme_grants.give(
                    moment,
                    email=email,
                    amount=amount,
                    reason=reason,
                    expires_at=first_instant(expires + timedelta(days=1), app.zone),
                    actor=common.actor(),
                    key=key,
                )
        except Refusal as refusal:
            with app.transaction() as moment:
                programme_grants.record_refusal(moment, refusal, key=key, actor=common.actor())
            raise
    if as_json:
        common.print_json(
            {
                "person_id": given.person_id,
                "entry_id": given.entry_id,
                "amount_tokens": common.token_text(amount),
                "expires_at": given.expires_at.isoformat(),
                "again": given.again,
            }
        )
    else:
        before = "had already been given under this key" if given.again else "given"
        click.echo(f"{amount.decimal:,f} tokens {before} to {email}, until the end of {expires}.")


@grants.command("run")
@click.option("--month", type=common.MonthType(), required=True)
@click.option("--dry-run", is_flag=True, help="Show what would be granted, person by person; post nothing.")
@common.json_option
def run_grants(month: Month, *, dry_run: bool, as_json: bool) -> None:
    """Make MONTH's grants to everyone in the programme; running it again changes nothing."""
    with common.app() as app:
        if dry_run:
            with app.undone() as moment:
                planned = sizing.plan(moment, month)
                if planned.phase and not planned.sizing.grants:
                    click.echo(f"No one gets a grant for {month}:\n{nobody.of_month(moment, planned)}", err=True)
                _show_plan(planned, as_json=as_json, mails=directory.emails(moment.session, planned.unsized))
            return
        announce_in = settings.load().announce_channel
        with app.transaction() as moment:
            posted = monthly.run(moment, month, announce_in=announce_in)
            mails = directory.emails(moment.session, posted.unsized) if posted else {}
    if as_json:
        common.print_json(_posted(month, posted))
    elif posted is None:
        click.echo(f"The grants for {month} are already posted.")
    else:
        click.echo(
            f"{posted.people} people were granted {posted.granted.decimal:,f} tokens; {posted.lapsed.decimal:,f} over "
            f"the carry-over limit lapsed into the pool."
        )
        _warn_of_unsized(posted.unsized, mails)


def _posted(month: Month, posted: MonthlyRun | None) -> dict[str, object]:
    if posted is None:
        return {"month": str(month), "posted": False}
    return {
        "month": str(month),
        "posted": True,
        "people": posted.people,
        "granted_tokens": common.token_text(posted.granted),
        "lapsed_tokens": common.token_text(posted.lapsed),
        "unsized": dict(posted.unsized),
    }


def _show_plan(plan: Plan, *, as_json: bool, mails: Mapping[str, str]) -> None:
    rows = [_plan_row(plan.people[person_id].name, factors) for person_id, factors in plan.sizing.grants.items()]
    issued = sum((factors.usd for factors in plan.sizing.grants.values()), NanoUSD(0))
    if as_json:
        lines = [
            {"person_id": person_id} | dict(zip(PLAN_HEADING, row, strict=True))
            for person_id, row in zip(plan.sizing.grants, rows, strict=True)
        ]
        common.print_json(
            {
                "month": str(plan.month),
                "phase": plan.phase,
                "value_version": plan.value.version,
                "budget_usd": common.usd_text(plan.budget) if plan.budget is not None else None,
                "issued_usd": common.usd_text(issued),
                "granted_tokens": common.token_text(plan.sizing.total),
                "budget_share": str(plan.sizing.budget_share),
                "grants": lines,
                "unsized": dict(plan.unsized),
            }
        )
        return
    if rows:
        common.print_table(PLAN_HEADING, rows)
    budget = f"of USD {plan.budget.decimal:,.2f}" if plan.budget is not None else "without a budget"
    click.echo(
        f"{len(rows)} people, {plan.sizing.total.decimal:,f} tokens, USD {issued.decimal:,.2f} {budget}; "
        f"everyone's share {plan.sizing.budget_share}. Nothing was posted."
    )
    _warn_of_unsized(plan.unsized, mails)


PLAN_HEADING = ("name", "level", "entitled", "fte", "days", "S", "P", "H", "weight", "bound", "band", "usd", "tokens")


def _plan_row(name: str, f: Factors) -> tuple[str, ...]:
    return (
        name,
        f.level,
        f"{f.entitlement.decimal:.2f}",
        f"{Decimal(f.fte_permille) / 1000:f}",
        f"{f.days_active}/{f.days_in_month}",
        str(f.seniority),
        str(f.complexity),
        str(f.history),
        str(f.weight),
        f.bound or "-",
        _band(f),
        f"{f.usd.decimal:.2f}",
        f"{f.amount.decimal:f}",
    )


def _band(f: Factors) -> str:
    """What the midpoint came from: bands that count as one, or the band itself where too few share it."""
    if f.band is None:
        return "-"
    return "exact" if f.band.is_small else "+".join(f.band.merged)


def _warn_of_unsized(unsized: Mapping[str, str], mails: Mapping[str, str]) -> None:
    for person_id, missing in unsized.items():
        click.echo(
            f"{mails[person_id]} gets nothing: {missing}. See `tokens-bot people import` and `bands set`.", err=True
        )
