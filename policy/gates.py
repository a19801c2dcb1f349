"""Gates between the phases of the roll-out: when the board is asked, what it is shown, and what its votes come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy import exceptions, rollout
from policy.exceptions import Vote
from policy.parameters.gates import ANYTHING, NOT_AGAINST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from policy.exceptions import Electorate, Tally
    from policy.parameters.gates import GateRules
    from policy.parameters.grants import RolloutRules
    from policy.period import Month
    from policy.roi.report import Report, TeamMonth

GO_ON, EXTEND, STOP = "go_on", "extend", "stop"
CHOICES = (GO_ON, EXTEND, STOP)
PHASES = (2, 3)
"""Those that begin behind a gate."""
USING, QUARANTINED, VERDICT = "using", "quarantined", "verdict"
NO_TEAM = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the handbook asks for and what was found; `met` is None where that is not known."""

    code: str
    wanted: str
    found: str
    met: bool | None


class Ballot(NamedTuple):
    """The choice of a seat."""

    seat: str
    choice: str


def begins(phase: int, rules: RolloutRules) -> Month | None:
    """The month in which a phase begins, as far as is known."""
    return rollout.month_at(rules.phase_2_month if phase == PHASES[0] else rules.phase_3_month, rules)


def asks_on(month: Month, rules: GateRules) -> date:
    """The day on which the board is asked whether a phase may begin with a month."""
    return month.first_day - timedelta(days=rules.days_before)


def stands_still(begins: Month, today: Month) -> Iterator[Month]:
    """The months up to now in which a phase would have begun or gone on, had its gate been passed."""
    while begins.first_day <= today.first_day:
        yield begins
        begins = begins.next()


def criteria(phase: int, report: Report | None, rows: Iterable[TeamMonth], rules: GateRules) -> tuple[Criterion, ...]:
    """What the handbook asks for before a phase, beside what a report and its rows tell; not known without one."""
    wanted = rules.verdict_before(phase)
    if report is None:
        return tuple(Criterion(code, "", "", None) for code in (VERDICT, USING, QUARANTINED))
    quarantined = dict(report.basis.missing).get("events_quarantined", 0)
    return (
        _of_verdict(wanted, report),
        _of_use(report.basis.through, rows, rules),
        Criterion(QUARANTINED, str(rules.most_quarantined), str(quarantined), quarantined <= rules.most_quarantined),
    )


def _of_verdict(wanted: str, report: Report) -> Criterion:
    met = wanted == ANYTHING or report.verdict == "pays" or (wanted == NOT_AGAINST and report.verdict != "does_not_pay")
    return Criterion(VERDICT, wanted, report.verdict, met)


def _of_use(last: str, rows: Iterable[TeamMonth], rules: GateRules) -> Criterion:
    """The share of the teams in the programme that used tokens in the last month."""
    inside = [row for row in rows if row.month == last and row.team != NO_TEAM and row.taking_part]
    using = sum(row.tokens > 0 for row in inside)
    met = using >= rules.teams_using * len(inside) if inside else None
    return Criterion(USING, str(rules.teams_using), f"{using}/{len(inside)}", met)


def tally(panel: Electorate, choice: str, votes: Iterable[Ballot]) -> Tally:
    """What the votes for one choice come to; one for another is one against it."""
    return exceptions.tally(panel, panel.stage, [Vote(one.seat, one.choice == choice) for one in votes])


def decided(panel: Electorate, votes: Iterable[Ballot]) -> str | None:
    """The choice that has its quorum; each takes that of a major exception, so no two can have it."""
    cast = list(votes)
    return next((one for one in CHOICES if tally(panel, one, cast).outcome == exceptions.APPROVED), None)
