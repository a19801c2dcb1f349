"""The draft of a permanent policy: a handbook's text after a year, with its reasons; two people adopt it, as any."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import tomlkit

from policy import handbook
from policy.period import Quarter
from policy.reasons import Refusal
from policy.reviews import permanent
from policy.reviews.permanent import YearFigures
from programme.grants import used
from programme.handbook import thresholds
from store.handbook import reference
from store.reviews import drafts
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.parameters.grants import AnnualGroup
    from policy.period import Month
    from policy.reviews.permanent import PermanentPolicy
    from programme.moment import Moment

QUARTERS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A handbook to be proposed, and what it follows from."""

    version: str
    body: str
    figures: YearFigures
    policy: PermanentPolicy


def draft(moment: Moment, year: int, month: Month) -> PolicyDraft:
    """What a year calls for from a month on; a Refusal while the year is not over, or where it had no grants."""
    if Quarter(year, QUARTERS[-1]).bounds(moment.zone)[1] > moment.now:
        raise Refusal("year_not_over", f"{year} is not over.", next_step="Draft the permanent policy in January.")
    last = moment.handbooks.versions[-1]
    if month.first_day <= max(moment.today, last.effective_from):
        raise Refusal("handbook_past", f"{month} has begun, or is before version {last.version!r}.")
    figures = of_year(moment, year)
    if not figures.quarters:
        raise Refusal("no_grants", f"No grants were made in {year}, so there is nothing to draft from.")
    policy = permanent.drafted(figures, last)
    taken = {book.version for book in moment.handbooks.versions}
    version = next(name for number in count(1) if (name := f"{month.year}.{number}") not in taken)
    old = reference.handbook_body(moment.session, last.version) or ""
    changed = {} if policy.share == last.sizing.share_of_compensation else {thresholds.SHARE.key: policy.share}
    body = thresholds.edited(old, changed, version=version, effective_from=month.first_day)
    body = _with_groups(body, policy.groups) if policy.groups else body
    handbook.parse(body)
    return PolicyDraft(version, body, figures, policy)


def of_year(moment: Moment, year: int) -> YearFigures:
    """What a year showed of use and reviews; of everyone, including those who have left since."""
    by_person: defaultdict[str, list[Decimal]] = defaultdict(list)
    quarters = [Quarter(year, number) for number in QUARTERS]
    books = {quarter: moment.handbooks.on(quarter.first_day) for quarter in quarters}
    share = books[quarters[-1]].sizing.share_of_compensation
    granted = 0
    for quarter, book in books.items():
        found = used.of_quarter(moment, quarter, book.adjustment.use)
        granted += bool(found)
        # Use of grants of another size says nothing of these.
        for person_id, one in found.items() if book.sizing.share_of_compensation == share else ():
            by_person[person_id].append(one)
    means = sorted(sum(of_one, Decimal(0)) / len(of_one) for of_one in by_person.values())
    adopted = [one for one in drafts.all_of(moment.session) if one.quarter.year == year and one.state == ADOPTED]
    deltas = [case.delta_thousandths for one in adopted for case in drafts.cases(moment.session, one.quarter)]
    raised, cut = (sum(1 for one in deltas if sign * one > 0) for sign in (1, -1))
    return YearFigures(year, granted, share, tuple(means), len(adopted), raised, cut)


def _with_groups(body: str, groups: Iterable[AnnualGroup]) -> str:
    document = tomlkit.parse(body)
    if "sizing" not in document:
        # A handbook of before the table: what it leaves out is as packaged, and has to be written to be changed.
        document["sizing"] = tomlkit.parse(handbook.packaged())["sizing"]
    tables = tomlkit.aot()
    for group in groups:
        table = tomlkit.table()
        table["name"], table["factor"] = group.name, tomlkit.value(f"{group.factor:f}")
        tables.append(table)
    sizing: Any = document["sizing"]
    sizing["annual"] = tables
    return tomlkit.dumps(document)


def reasons(made: PolicyDraft) -> str:
    """The page of reasons, in Markdown."""
    year = made.figures.year
    because = [f"* {reason.text}" for reason in made.policy.because]
    open_ = [f"* {text}" for text in made.policy.not_shown]
    return "\n".join([
        f"# Version {made.version}: what {year} calls for",
        "",
        "## Why",
        *because,
        "",
        f"## What {year} does not show",
        *open_,
        "",
        "Propose it with `tokens-bot handbook propose FILE`; another member of the board confirms it.",
    ])  # fmt: skip
