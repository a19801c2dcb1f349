"""What a month's grants would be, person by person: for people as a table, for programs with every figure exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from bot.cli import common
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.sizing import Factors
    from programme.grants.sizing import Plan


def show(plan: Plan, *, as_json: bool, mails: Mapping[str, str]) -> None:
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
    warn_of_unsized(plan.unsized, mails)


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


def warn_of_unsized(unsized: Mapping[str, str], mails: Mapping[str, str]) -> None:
    for person_id, missing in unsized.items():
        click.echo(
            f"{mails[person_id]} gets nothing: {missing}. See `tokens-bot people import` and `bands set`.", err=True
        )
