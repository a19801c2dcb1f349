"""Reports of the return: made once for a month, frozen with all that they follow from, shown to board and finance."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from policy.period import Month
from policy.reasons import Refusal
from policy.roi import report
from programme import handbooks
from programme.people import board
from programme.roi import gathering
from store import audit, runs
from store.handbook import reference
from store.roi import reports as store
from store.roi.reports import Kept
from views.roi import FrozenReport

if TYPE_CHECKING:
    from policy.period import Quarter
    from policy.roi.report import Basis, Report, TeamMonth, TeamWeek
    from programme.moment import Moment
    from store.people.directory import Person

JOB = "roi"


def make(moment: Moment, through: Month | None, *, actor: str) -> FrozenReport:
    """The report of a month that is over, the last one if none is named: frozen when it is first asked for."""
    month = require_over(moment, through)
    if not runs.claim(moment.session, JOB, str(month), now=moment.now):
        return _shown(moment, _require(moment, month))
    kept = _gathered(moment, month, actor)
    store.insert(moment.session, kept)
    after = {"inputs_digest": kept.digest, "teams": len({row.team for row in kept.rows})}
    version = kept.handbook_version
    audit.note(moment.session, actor, store.MADE, str(month), at=moment.now, after=after, handbook_version=version)
    return _shown(moment, kept)


def look(moment: Moment, through: Month | None, *, actor: str) -> FrozenReport:
    """What the report would say now; the frozen one where there is one."""
    month = require_over(moment, through)
    if (kept := store.get(moment.session, month)) is not None:
        return _shown(moment, kept)
    return _shown(moment, _gathered(moment, month, actor), is_kept=False)


def latest_for(moment: Moment, reader: Person) -> FrozenReport:
    """The last frozen report, for the board and finance."""
    if not board.has_seat(moment, reader.id):
        raise Refusal(
            "not_board",
            "What the programme brings is shown to the board and to finance.",
            next_step="For your own tokens, use `/tokens balance`.",
        )
    kept = store.latest(moment.session)
    if kept is None:
        raise Refusal(
            "no_report",
            "There is no report of the return yet.",
            next_step="Administrators make one with `tokens-bot roi report`.",
        )
    return _shown(moment, kept)


def of_quarter(moment: Moment, quarter: Quarter) -> FrozenReport | None:
    """The frozen report through the last month of a quarter that has one; None where none has."""
    first = quarter.first_month
    months = [first, first.next(), first.next().next()]
    kept = store.latest_of(moment.session, months)
    return None if kept is None else _shown(moment, kept)


def require_over(moment: Moment, through: Month | None) -> Month:
    month = through or Month.containing(moment.today).previous()
    if month.next().first_day > moment.today:
        raise Refusal("month_not_over", f"{month} is not over.", next_step="Name an earlier month.")
    return month


def _gathered(moment: Moment, month: Month, actor: str) -> Kept:
    basis, rows, weeks = gathering.gather(moment, month)
    digest = store.digest(basis, rows, weeks)
    return Kept(month, moment.now, actor, basis.handbook, basis, rows, weeks, digest)


def _require(moment: Moment, month: Month) -> Kept:
    kept = store.get(moment.session, month)
    assert kept is not None  # noqa: S101 - whoever claimed it has kept it
    return kept


def _shown(moment: Moment, kept: Kept, *, is_kept: bool = True) -> FrozenReport:
    """Worked out from what was frozen, with the assumptions of the handbook that held."""
    body = reference.handbook_body(moment.session, kept.handbook_version)
    assert body is not None  # noqa: S101 - a foreign key
    rules = handbooks.parsed(body).roi
    found = _worked_out(kept.basis, kept.rows, kept.weeks, body)
    return FrozenReport(found, rules, kept.made_at, kept.made_by, kept.digest, is_kept)


@lru_cache(maxsize=8)
def _worked_out(basis: Basis, rows: tuple[TeamMonth, ...], weeks: tuple[TeamWeek, ...], body: str) -> Report:
    """The permutations of a large company take a second, and the same report is asked for again and again."""
    return report.of(basis, rows, handbooks.parsed(body).roi, weeks=weeks)
