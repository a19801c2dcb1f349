"""What a month's grants would be, person by person: for people as a table, for programs with every figure exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from bot.cli import common, listing
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.sizing import Factors
    from programme.grants.sizing import Plan


def show(plan: Plan) -> None:
    """The plan as a table for people, with its sum against the budget."""
    rows = [
        (*_row(plan.people[person_id].name, factors), f"{factors.usd.decimal:,.2f}", listing.written(factors.amount))
        for person_id, factors in plan.sizing.grants.items()
    ]
    if rows:
        common.print_table(PLAN_HEADING, rows)
    budget = f"of USD {plan.budget.decimal:,.2f}" if plan.budget is not None else "without a budget"
    click.echo(f"USD {_issued(plan).decimal:,.2f} {budget}; everyone's share {plan.sizing.budget_share}.")


def plain(plan: Plan) -> dict[str, object]:
    """The plan for programs, with every figure exact."""
    lines = []
    for person_id, factors in plan.sizing.grants.items():
        exact = (common.usd_text(factors.usd), common.token_text(factors.amount))
        row = (*_row(plan.people[person_id].name, factors), *exact)
        lines.append({"person_id": person_id} | dict(zip(PLAN_HEADING, row, strict=True)))
    return {
        "phase": plan.phase,
        "value_version": plan.value.version,
        "budget_usd": common.usd_text(plan.budget) if plan.budget is not None else None,
        "issued_usd": common.usd_text(_issued(plan)),
        "budget_share": str(plan.sizing.budget_share),
        "grants": lines,
    }


def _issued(plan: Plan) -> NanoUSD:
    return sum((factors.usd for factors in plan.sizing.grants.values()), NanoUSD(0))


PLAN_HEADING = ("name", "level", "entitled", "fte", "days", "S", "P", "H", "weight", "bound", "band", "usd", "tokens")


def _row(name: str, f: Factors) -> tuple[str, ...]:
    """All but the amounts."""
    return (
        name,
        f.level,
        f"{f.entitlement.decimal:,.2f}",
        f"{Decimal(f.fte_permille) / 1000:f}",
        f"{f.days_active}/{f.days_in_month}",
        str(f.seniority),
        str(f.complexity),
        str(f.history),
        str(f.weight),
        f.bound or "-",
        _band(f),
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
