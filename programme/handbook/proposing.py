"""Proposing a handbook, and when one person may apply it alone."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from policy import handbook
from policy.changes import differences
from policy.reasons import Refusal
from programme.handbook import applying, deciding, notices
from programme.people import board
from store import locks
from store.handbook import proposals as store
from store.handbook import reference
from store.locks import Lock
from store.people import board as board_store
from store.people import directory as people_store
from views.handbook import OPEN, Proposal

if TYPE_CHECKING:
    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.people.directory import Person

NO_BOARD, OWN_FIRST = "no_board", "own_first"
"""Why one person may apply a handbook: no one else could confirm it, or the company has none of its own yet."""


def why_alone(moment: Moment) -> str:
    """Why one person may apply a handbook by themselves; a Refusal that says how two do it where they may not."""
    bodies = reference.handbook_bodies(moment.session)
    if not bodies or (len(bodies) == 1 and not differences(bodies[0], handbook.packaged())):
        return OWN_FIRST
    if not board.seats(moment):
        return NO_BOARD
    raise Refusal(
        "two_people",
        "A change to the handbook takes two people.",
        next_step="Run `tokens-bot handbook propose FILE`; a member of the board then confirms it in Slack.",
    )


def proposer(moment: Moment, email: str | None, login: str) -> Person:
    """Who proposes, or adopts: the person of an e-mail or, without one, whose e-mail begins with the login's name."""
    if email is not None:
        person = people_store.by_email(moment.session, email)
    else:
        known = [one for one in people_store.all_by_email(moment.session) if one.partition("@")[0] == login.lower()]
        person = people_store.by_email(moment.session, known[0]) if len(known) == 1 else None
    if person is None:
        raise Refusal(
            "proposer_unknown",
            f"No one in the programme goes by {email or login!r}.",
            next_step="Say who you are with `--by EMAIL`, as in `people import`.",
        )
    if board_store.left(moment.session, [person.id], moment.today):
        raise Refusal("proposer_left", f"{person.name} has left the company.", next_step="Someone else can propose it.")
    if "auditor" in people_store.roles_of(moment.session, person.id):
        raise Refusal("proposer_audits", f"{person.name} audits the programme, so they can only read.")
    return person


def propose(moment: Moment, body: str, by: Person, *, actor: str) -> Proposal:
    """Put a version before the board, once; a Refusal for what could never be confirmed."""
    locks.hold(moment.session, Lock.HANDBOOKS)
    new = applying.checked(moment, body)
    if reference.handbook_body(moment.session, new.version) is not None:
        raise Refusal("handbook_applied", f"Version {new.version!r} is already applied with this very text.")
    deciding.require_to_come(moment, new.effective_from)
    proposal = _proposal(moment, new, body, by)
    if (waiting := _waiting(moment, proposal)) is not None:
        return waiting
    called = deciding.deciders(moment, by.id)
    if not called:
        raise Refusal(
            "nobody_to_confirm",
            f"No one but {by.name} is on the board to confirm it.",
            next_step="Give someone the role `board` with `tokens-bot people import`.",
        )
    store.insert(moment.session, proposal)
    notices.tell_of_new(moment, proposal, called)
    notices.renew_pack(moment, proposal)
    deciding.note(moment, proposal, actor, "propose", proposed_by=by.id, digest=proposal.digest)
    return proposal


def _proposal(moment: Moment, new: Handbook, body: str, by: Person) -> Proposal:
    return Proposal(
        id=f"hp_{secrets.token_hex(8)}",
        version=new.version,
        effective_from=new.effective_from,
        body=body,
        digest=hashlib.sha256(body.encode()).hexdigest(),
        proposed_by=by.id,
        proposed_at=moment.now,
        state=OPEN,
        decided_by=None,
        decided_at=None,
        reason=None,
    )


def _waiting(moment: Moment, proposal: Proposal) -> Proposal | None:
    """The same proposal, where it waits already; a Refusal where another one of that version does."""
    for waiting in store.all_open(moment.session):
        if waiting.version == proposal.version:
            if waiting.digest == proposal.digest and waiting.proposed_by == proposal.proposed_by:
                return waiting
            raise Refusal(
                "proposal_waits",
                f"A proposal of version {proposal.version!r} is already waiting for the board.",
                next_step="Give yours another `version`, or have its proposer withdraw it with `/tokens policy`.",
            )
    return None
