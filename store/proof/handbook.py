"""Whether every handbook was applied and proposed by those who may."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from store.handbook import proposals as proposals_store
from store.handbook import reference
from store.tables.audit import audit_log
from store.tables.handbook import handbooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session
    from views.handbook import Proposal

PROPOSAL_ACTIONS = {
    "propose": "open",
    "confirm": "confirmed",
    "decline": "declined",
    "withdraw": "withdrawn",
    "lapse": "lapsed",
}
"""What the audit log calls it, and the state that it leaves."""


def handbooks_by_two(session: Session) -> Iterator[str]:
    """Every version was applied by the system, or by a second person who confirmed that very text.

    The audit log says where one person was enough, and why.
    """
    since = int(reference.fact(session, "two_hands_after") or 0)
    confirmed = {p.version: p for p in reversed(proposals_store.everything(session)) if p.state == "confirmed"}
    a, h = audit_log.c, handbooks.c
    told: dict[str, Any] = {}
    for row in session.execute(sa.select(a.seq, a.subject, a.actor, a.after).where(a.action == "handbook.apply")):
        told[row.subject] = row
    for version, body, applied_by in session.execute(sa.select(h.version, h.body, h.applied_by).order_by(h.applied_at)):
        log, proposal = told.get(version), confirmed.pop(version, None)
        if log is None or log.actor != applied_by:
            yield f"handbook {version}: that {applied_by} applied it is not in the audit log"
        elif proposal is not None:
            yield from _confirmed_by_another(proposal, body, applied_by)
        elif log.seq > since and applied_by != "system" and "alone" not in log.after:
            yield f"handbook {version}: {applied_by} applied it, but no one else confirmed it"
    for version in confirmed:
        yield f"handbook {version}: it was confirmed, but is not there"


def _confirmed_by_another(proposal: Proposal, body: str, applied_by: str) -> Iterator[str]:
    if hashlib.sha256(body.encode()).hexdigest() != proposal.digest:
        yield f"handbook {proposal.version}: its text is not the one that was proposed"
    if proposal.decided_by != applied_by or proposal.decided_by == proposal.proposed_by:
        yield (
            f"handbook {proposal.version}: proposed by {proposal.proposed_by}, confirmed by {proposal.decided_by},"
            f" applied by {applied_by}"
        )


def proposals_as_audited(session: Session) -> Iterator[str]:
    """Every proposal was made and decided as the audit log tells, by whom it tells."""
    a = audit_log.c
    actions = [f"handbook.{action}" for action in PROPOSAL_ACTIONS]
    told: dict[tuple[str, str], Any] = {}
    for row in session.execute(sa.select(a.action, a.subject, a.actor, a.after).where(a.action.in_(actions))):
        told[row.subject, row.action.removeprefix("handbook.")] = row
    for proposal in proposals_store.everything(session):
        made = told.pop((proposal.id, "propose"), None)
        if made is None or (made.after["proposed_by"], made.after["digest"]) != (proposal.proposed_by, proposal.digest):
            yield f"proposal {proposal.id}: its text and proposer are not those in the audit log"
        decided = {action: row.actor for (id_, action), row in told.items() if id_ == proposal.id}
        by = {action: proposal.decided_by for action, state in PROPOSAL_ACTIONS.items() if state == proposal.state}
        if decided != ({} if proposal.is_open else by):
            yield f"proposal {proposal.id}: {proposal.state}, the audit log says {decided}"


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (
    handbooks_by_two,
    proposals_as_audited,
)
