"""Whether what became of a review follows from its votes, and those from what the audit log tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy import exceptions
from policy.reviews.proposal import PROPOSED
from store.audit import POLICY
from store.proof.reviews import DRAFTED
from store.reviews import drafts
from store.reviews import votes as reviews_votes
from store.reviews.votes import ADOPTED_BY, ASKED, DECIDED_CASE, LAPSED_BY, VOTED
from store.tables.audit import audit_log
from views.reviews import ADOPTED, DRAFT, LAPSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from policy.period import Quarter
    from store.engine import Session
    from store.reviews.votes import Panel
    from views.reviews import Review

ENDINGS = {ADOPTED: ADOPTED_BY, LAPSED: LAPSED_BY}
Told = dict[str, list[Any]]
"""Rows of the audit log about one review, by action, oldest first."""


def differences(session: Session, kept: Review) -> Iterator[str]:
    """A sentence for each vote and each decision that is not what the audit log tells."""
    told = _told(session, kept.quarter)
    panel = reviews_votes.panel(session, kept.quarter)
    yield from _votes(session, kept.quarter, told[VOTED])
    yield from _cases(session, kept.quarter, told[DECIDED_CASE])
    if panel is not None:
        yield from _panel(panel, told)
    yield from _ending(kept, told)
    if kept.state == ADOPTED:
        yield from _adoption(session, kept, panel, told)
        yield from _in_time(session, kept, told)


def _told(session: Session, quarter: Quarter) -> Told:
    a = audit_log.c
    told: Told = {action: [] for action in (ASKED, VOTED, DECIDED_CASE, *ENDINGS.values())}
    query = sa.select(a.seq, a.action, a.actor, a.at, a.after).where(a.action.in_(told), a.subject == str(quarter))
    for row in session.execute(query.order_by(a.seq)):
        told[row.action].append(row)
    return told


def _votes(session: Session, quarter: Quarter, told: Sequence[Any]) -> Iterator[str]:
    """The votes that are kept are the last that the log tells of, one a seat."""
    last = {row.after["seat"]: (row.actor, row.after.get("adopts"), row.after.get("package"), row.at) for row in told}
    for vote in reviews_votes.votes(session, quarter):
        if last.pop(vote.seat, None) != (vote.cast_by, vote.adopts, vote.package, vote.cast_at):
            yield f"review {quarter}: the vote of {vote.seat} is not the one in the audit log"
    for seat in last:
        yield f"review {quarter}: the vote of {seat} is in the audit log only"


def _cases(session: Session, quarter: Quarter, told: Sequence[Any]) -> Iterator[str]:
    """What became of each case is what the last row about it says, by whom it says."""
    last = {row.after["person"]: row for row in told}
    for case in drafts.cases(session, quarter):
        row = last.pop(case.case.person_id, None)
        found = (case.decision, case.delta_thousandths, case.decided_by, case.decided_at)
        expected: tuple[object, ...] = (PROPOSED, case.case.delta_thousandths, None, None)
        if row is not None:
            by = (None, None) if row.after["decision"] == PROPOSED else (row.actor, row.at)
            expected = (row.after["decision"], row.after["delta_thousandths"], *by)
        if found != expected:
            yield (
                f"review {quarter} of {case.case.person_id}: {case.decision} by {case.decided_by}, the audit log says"
                f" {expected[0]} by {expected[2]}"
            )
    for person_id in last:
        yield f"review {quarter} of {person_id}: the audit log tells of a decision, there is no case"


def _panel(panel: Panel, told: Told) -> Iterator[str]:
    """Those who were asked, and how many it takes, are as they were when they were asked."""
    asked = [row.after for row in told[ASKED]]
    if [(one.get("needed"), one.get("stage"), one.get("seats")) for one in asked] != [
        (panel.electorate.needed, panel.stage, reviews_votes.plain_seats(panel.electorate))
    ]:
        yield f"review {panel.quarter}: those who decide it are not those who were asked"
    if panel.package != 1 + len(told[DECIDED_CASE]):
        yield f"review {panel.quarter}: package {panel.package}, cases were decided {len(told[DECIDED_CASE])} times"


def _ending(kept: Review, told: Told) -> Iterator[str]:
    """A review ended once, as the log tells, at that instant and by whom it tells; or it is still open."""
    ended = [(row.action, row.actor, row.at) for action in ENDINGS.values() for row in told[action]]
    expected = [] if kept.state == DRAFT else [(ENDINGS[kept.state], kept.decided_by, kept.decided_at)]
    if ended != expected:
        yield f"review {kept.quarter}: {kept.state} by {kept.decided_by}, the audit log says {_words(ended)}"
    if kept.state == LAPSED and kept.decided_by != POLICY:
        yield f"review {kept.quarter}: lapsed by {kept.decided_by}, but no person lets a review lapse"


def _words(ended: Sequence[tuple[str, str, object]]) -> str:
    return ", ".join(f"{action} by {actor}" for action, actor, _ in ended) or "nothing"


def _adoption(session: Session, kept: Review, panel: Panel | None, told: Told) -> Iterator[str]:
    """Votes on the package as it stands adopt it, counted again; the last of them decided it."""
    if panel is None:
        yield f"review {kept.quarter}: adopted, but no one was asked"
        return
    votes = reviews_votes.votes(session, kept.quarter)
    current = [one.vote for one in votes if one.package == panel.package]
    counted = exceptions.tally(panel.electorate, panel.stage, current)
    if counted.outcome != exceptions.APPROVED:
        yield f"review {kept.quarter}: adopted, its votes say {counted.outcome}"
    last = told[VOTED][-1] if told[VOTED] else None
    if last is None or (last.actor, last.after.get("adopts")) != (kept.decided_by, True):
        yield f"review {kept.quarter}: {kept.decided_by} decided it, the last vote is another one"
    said = [(row.after.get("package"), row.after.get("holds_from")) for row in told[ADOPTED_BY]]
    if said != [(panel.package, str(kept.holds_from))]:
        yield f"review {kept.quarter}: package {panel.package} from {kept.holds_from}, the audit log says {said}"


def _in_time(session: Session, kept: Review, told: Told) -> Iterator[str]:
    """No later review was drafted before: it would have been sized without this one."""
    a = audit_log.c
    query = sa.select(a.subject).where(a.action == DRAFTED, a.subject > str(kept.quarter))
    for row in told[ADOPTED_BY]:
        for later in session.execute(query.where(a.seq < row.seq)).scalars():
            yield f"review {kept.quarter}: adopted after that of {later} was drafted without it"
