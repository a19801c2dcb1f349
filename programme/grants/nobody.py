"""Why a month or a quarter concerns nobody: the reason of everyone who works here, by e-mail address."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from policy import rollout
from programme.people.participation import participant
from store.people import directory, terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.parameters.grants import RolloutRules
    from policy.period import Month, Quarter
    from programme.grants.sizing import Plan
    from programme.moment import Moment

AWAY = "on leave all month"
NAMED = 20
"""People who are named of each reason; the others are counted."""


def of_month(moment: Moment, planned: Plan) -> str:
    """Why each person gets no grant of a month."""
    return _told(moment, left_out(moment, planned), str(planned.month))


def left_out(moment: Moment, planned: Plan) -> dict[str, str]:
    """Why each person who works here in a month gets no grant of it, by id."""
    out = _outside(moment, planned.month, planned.book.rollout)
    sized = planned.sizing.grants.keys()
    away = {person_id: AWAY for person_id in planned.people if person_id not in sized}
    return out | away | dict(planned.unsized)


def of_quarter(moment: Moment, quarter: Quarter, rules: RolloutRules) -> str:
    """Why each person has no case in a quarter's review: who takes part in its last month, and stays, has one."""
    last = quarter.next().first_month.previous()
    left = {
        one.id: f"left on {one.left_on}"
        for one in terms.participants(moment.session, last, None)
        if one.left_on is not None and one.left_on < last.next().first_day
    }
    return _told(moment, left | _outside(moment, last, rules), str(quarter))


def _outside(moment: Moment, month: Month, rules: RolloutRules) -> dict[str, str]:
    everybody = terms.participants(moment.session, month, None)
    found = ((one.id, rollout.why_out(participant(one), month, rules)) for one in everybody)
    return {person_id: why for person_id, why in found if why}


def _told(moment: Moment, reasons: Mapping[str, str], period: str) -> str:
    if not reasons:
        return f"No one is employed in {period}."
    mails = directory.emails(moment.session, reasons)
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for person_id, why in reasons.items():
        by_reason[why].append(mails[person_id])
    return "\n".join(f"{why}: {_some(sorted(who))}." for why, who in sorted(by_reason.items()))


def _some(mails: list[str]) -> str:
    more = len(mails) - NAMED
    return ", ".join(mails[:NAMED]) + (f" and {more} more" if more > 0 else "")
