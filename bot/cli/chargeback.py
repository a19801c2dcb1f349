"""`export chargeback`: what each cost centre bears of a month, as its owner is told it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bot.cli import common
from handlers import tables
from handlers.tables import Column, Layout
from policy.counting import many
from policy.reasons import Refusal
from programme.anchors import note_export
from programme.finance import chargeback
from programme.finance.months import Months
from store.people import cost_centres as store
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handlers.tables import Format
    from policy.period import Month
    from programme.moment import Moment
    from views.finance import CentreMonth, Part

LAYOUT = Layout(
    (
        *(Column(name) for name in ("month", "cost_centre", "name", "owner_email", "by", "key", "called")),
        *(Column(name, "number") for name in ("usd", "tokens", "before_usd")),
        Column("people", "whole"),
        Column("not_told"),
    )
)
TOTAL = "total"


@click.command("chargeback")
@click.option("--month", type=common.MonthType(), required=True)
@common.out_option
@common.format_options
def export_chargeback(*, month: Month, out: BinaryIO, format_: Format) -> None:
    """Write what each cost centre bears of a month: its total, and the same by service, by project and by kind.

    Kinds are use, corrections of earlier months, and what is shared out from vendors' bills. Cost centres that too few
    people used something for stand together as `other`.
    """
    with common.app() as app:
        with app.reporting(throughout=True) as copied:
            told = begun(copied, month)
            owners = emails(told.moment)
            found = chargeback.of_month(told.moment, month).values()
            rows = [row for one in found for row in _rows(one, owners.get(one.key, ""))]
            is_final, settled = told.is_final, told.settled_at(month).astimezone(told.moment.zone).date()
        with app.transaction() as moment:
            note_export(moment, "chargeback.export", actor=common.actor(), lines=len(rows))
    tables.write(out, LAYOUT, tables.in_order(LAYOUT, rows), format_)
    common.told_as_of(copied)
    click.echo(f"{many(len(rows), 'line')}.", file=sys.stderr)
    if not is_final:
        click.echo(f"{month} is not settled: what is posted before {settled} is still added to it.", file=sys.stderr)


def begun(moment: Moment, month: Month) -> Months:
    """A month that has begun, or a Refusal."""
    if month.first_day > moment.today:
        raise Refusal("month_ahead", f"{month} has not begun.", next_step="Name a month that has.")
    return Months(moment, month)


def emails(moment: Moment) -> dict[str, str]:
    """The e-mail of the owner of each cost centre that has one."""
    owned = {key: one.owner_id for key, one in store.all_of(moment.session).items() if one.owner_id}
    people = {id_: people_store.by_id(moment.session, id_) for id_ in set(owned.values())}
    return {key: person.email for key, id_ in owned.items() if (person := people[id_]) is not None}


def _rows(one: CentreMonth, owner: str) -> Iterator[dict[str, Any]]:
    about = {"month": one.month, "cost_centre": one.key, "name": one.name, "owner_email": owner}
    if one.hidden:
        yield about | {"by": TOTAL, "not_told": "few_people"}
        return
    before = "" if one.before is None else common.usd_text(one.before)
    yield about | {"by": TOTAL, **_amounts(one), "before_usd": before, "people": one.people}
    for by, parts in (("service", one.services), ("project", one.projects), ("kind", one.kinds)):
        for part in parts:
            yield about | {"by": by, "key": part.key, "called": part.name, **_amounts(part)}


def _amounts(one: CentreMonth | Part) -> dict[str, str]:
    return {"usd": common.usd_text(one.spent), "tokens": common.token_text(one.debited)}
