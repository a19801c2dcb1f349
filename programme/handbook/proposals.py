"""Changing the handbook, which takes two people: one proposes, another one of the board confirms or declines."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from policy import handbook, texts
from policy.changes import Difference, differences
from policy.exceptions import ALTERNATE, MEMBER, RESERVE
from policy.period import Month
from policy.reasons import Refusal
from programme.handbook import applying
from programme.handbook import notices as handbook_notices
from programme.people import board
from programme.reviews import drafting
from programme.reviews import notices as reviews_notices
from store import audit, locks, runs
from store.audit import NOWHERE, POLICY, Place
from store.exceptions import requests as requests_store
from store.handbook import proposals as store
from store.handbook import reference
from store.locks import Lock
from store.people import board as board_store
from store.people import directory as people_store
from store.reviews import drafts as reviews_store
from views.handbook import CONFIRMED, DECLINED, LAPSED, OPEN, WITHDRAWN, Card, Proposal, Tried
from views.people import Named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from policy.exceptions import Seat
    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.people.directory import Person

__all__ = ["Card", "Difference", "cards", "confirm", "decline", "differences", "lapse", "of", "propose", "withdraw"]

OPEN_FOR = timedelta(days=30)
"""Closes by time what no person decided."""
GRANTS = "grants"
"""The job whose runs are judged by the handbook of their month's first day."""
NO_BOARD, OWN_FIRST = "no_board", "own_first"
"""Why one person may apply a handbook: no one else could confirm it, or the company has none of its own yet."""
SAID = {CONFIRMED: "was confirmed", DECLINED: "was declined", WITHDRAWN: "was withdrawn", LAPSED: "has lapsed"}


# --- What is shown -------------------------------------------------------------------------------------------------


def of(moment: Moment, proposal_id: str) -> Card:
    """A proposal as it stands."""
    proposal = store.get(moment.session, proposal_id)
    if proposal is None:
        raise _unknown(proposal_id)
    card = _card(moment, proposal)
    return replace(card, tried=_tried(moment, card)) if proposal.is_open and card.moves_thresholds else card


def _tried(moment: Moment, card: Card) -> Tried | None:
    kept = reviews_store.latest(moment.session)
    if kept is None:
        return None
    return Tried(kept.quarter, drafting.backtest(moment, kept.quarter, handbook.parse(card.proposal.body).adjustment))


def cards(moment: Moment) -> list[Card]:
    """What waits for a second person, in the order in which it would hold."""
    return [_card(moment, proposal) for proposal in store.all_open(moment.session)]


def _card(moment: Moment, proposal: Proposal) -> Card:
    base = _base(moment, proposal)
    old = reference.handbook_body(moment.session, base)
    assert old is not None  # noqa: S101 - a version that was applied
    named = requests_store.names(moment.session, {proposal.proposed_by, proposal.decided_by or ""})
    by = named.get(proposal.decided_by or "")
    return Card(
        proposal=proposal,
        base=base,
        changes=differences(old, proposal.body),
        proposer=Named(*named[proposal.proposed_by]),
        decided_by=Named(*by) if by else None,
        lapse_at=proposal.proposed_at + OPEN_FOR,
    )


def _base(moment: Moment, proposal: Proposal) -> str:
    """The version that a proposal follows, or would follow: what it is compared with."""
    versions = [book.version for book in moment.handbooks.versions]
    if proposal.state == CONFIRMED and proposal.version in versions[1:]:
        return versions[versions.index(proposal.version) - 1]
    return versions[-1]


# --- Who may -------------------------------------------------------------------------------------------------------


def deciders(moment: Moment, proposed_by: str) -> tuple[Seat, ...]:
    """Who may confirm: members of the board but not the proposer; alternates, then chair and finance, without any.

    Administrators and auditors have no seat, and no one sits in for anyone else here.
    """
    sitting = [seat for seat in board.seats(moment) if seat.person_id != proposed_by]
    for kind in (MEMBER, ALTERNATE, RESERVE):
        if able := tuple(seat for seat in sitting if seat.kind == kind):
            return able
    return ()


def may_decide(moment: Moment, proposal: Proposal, person_id: str) -> bool:
    return any(seat.person_id == person_id for seat in deciders(moment, proposal.proposed_by))


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


# --- Proposing -----------------------------------------------------------------------------------------------------


def proposer(moment: Moment, email: str | None, login: str) -> Person:
    """Who proposes: the person of an e-mail or, without one, whose e-mail begins with the login's name."""
    if email is not None:
        person = people_store.by_email(moment.session, email)
    else:
        known = [one for one in people_store.all_by_email(moment.session) if one.partition("@")[0] == login.lower()]
        person = people_store.by_email(moment.session, known[0]) if len(known) == 1 else None
    if person is None:
        raise Refusal(
            "proposer_unknown",
            f"No one in the programme goes by {email or login!r}.",
            next_step="Say who proposes it with `--by EMAIL`, as in `people import`.",
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
    _require_to_come(moment, new.effective_from, moment.today)
    digest = hashlib.sha256(body.encode()).hexdigest()
    for waiting in store.all_open(moment.session):
        if waiting.version == new.version:
            if waiting.digest == digest and waiting.proposed_by == by.id:
                return waiting
            raise Refusal(
                "proposal_waits",
                f"A proposal of version {new.version!r} is already waiting for the board.",
                next_step="Give yours another `version`, or have its proposer withdraw it with `/tokens policy`.",
            )
    called = deciders(moment, by.id)
    if not called:
        raise Refusal(
            "nobody_to_confirm",
            f"No one but {by.name} is on the board to confirm it.",
            next_step="Give someone the role `board` with `tokens-bot people import`.",
        )
    proposal = Proposal(
        f"hp_{secrets.token_hex(8)}",
        new.version,
        new.effective_from,
        body,
        digest,
        by.id,
        moment.now,
        OPEN,
        None,
        None,
        None,
    )
    store.insert(moment.session, proposal)
    handbook_notices.tell_of_new(moment, proposal, called)
    after = {"version": new.version, "proposed_by": by.id, "digest": digest}
    _renew_pack(moment, proposal)
    _note(moment, proposal, actor, "propose", after=after)
    return proposal


def _renew_pack(moment: Moment, proposal: Proposal) -> None:
    """The board's pack tells of proposed thresholds: its copies get a new face when those come and go."""
    kept = reviews_store.latest(moment.session)
    if kept is not None and _card(moment, proposal).moves_thresholds:
        reviews_notices.tell_of_change(moment, kept, occasion=f"{proposal.id}:{proposal.state}")


def _require_to_come(moment: Moment, effective_from: date, today: date) -> None:
    """What has been judged stays judged: no date that is over, and no month whose grants were run."""
    if effective_from < today:
        raise Refusal(
            "handbook_past",
            f"effective_from = {effective_from} is in the past.",
            next_step="Propose it again with a new date.",
        )
    ran = runs.last_periods(moment.session).get(GRANTS)
    if ran is not None and Month.parse(ran).first_day >= effective_from:
        raise Refusal(
            "month_granted",
            f"effective_from = {effective_from}: the grants for {ran} are already made under the version before.",
            next_step="Propose it again with a later date.",
        )


# --- Deciding ------------------------------------------------------------------------------------------------------


def confirm(moment: Moment, by: Person, proposal_id: str, mark: str, *, place: Place = NOWHERE) -> Handbook:
    """Apply what someone else proposed; `mark` is that of the card on which it was read."""
    locks.hold(moment.session, Lock.HANDBOOKS)
    proposal = _held(moment, proposal_id)
    _require_second(moment, proposal, by)
    card = _card(moment, proposal)
    if mark != card.mark:
        raise Refusal(
            "handbook_moved",
            f"The handbook has changed since this was shown; {card.base!r} now comes before it.",
            next_step="Look at the changes again in `/tokens policy`.",
        )
    _require_to_come(moment, proposal.effective_from, moment.today)
    applied = applying.apply(moment, proposal.body, actor=by.id)
    _close(moment, proposal, CONFIRMED, by.id, place=place)
    for other in store.all_open(moment.session):
        # It would follow another version now, and so changes something else.
        handbook_notices.renew(moment, other, f"after:{proposal.id}")
    return applied


def decline(moment: Moment, by: Person, proposal_id: str, reason: str, *, place: Place = NOWHERE) -> Proposal:
    """Turn down what someone else proposed, and say why."""
    proposal = _held(moment, proposal_id)
    _require_second(moment, proposal, by)
    said = texts.require("reason", reason, "Say why. The proposer will read it.")
    return _close(moment, proposal, DECLINED, by.id, place=place, reason=said)


def require_decidable(moment: Moment, by: Person, proposal_id: str) -> Card:
    """The card of a proposal that someone may decide; a Refusal says why not."""
    proposal = _require_open(moment, store.get(moment.session, proposal_id), proposal_id)
    _require_second(moment, proposal, by)
    return _card(moment, proposal)


def withdraw(moment: Moment, by: Person, proposal_id: str) -> Proposal:
    """Take one's own proposal back."""
    proposal = _held(moment, proposal_id)
    if proposal.proposed_by != by.id:
        raise Refusal("not_yours", "Someone else proposed this.", next_step="Only its proposer can withdraw it.")
    return _close(moment, proposal, WITHDRAWN, by.id)


def lapse(moment: Moment, proposal_id: str) -> bool:
    """Close a proposal that no one decided in time; False when someone did."""
    proposal = store.lock(moment.session, proposal_id)
    if proposal is None or not proposal.is_open or moment.now < proposal.proposed_at + OPEN_FOR:
        return False
    _close(moment, proposal, LAPSED, POLICY)
    return True


def to_lapse(moment: Moment) -> list[tuple[str, str, datetime]]:
    """(proposal, step, instant) of what the calendar has to do about proposals."""
    return [(id_, "lapse", at + OPEN_FOR) for id_, at in store.open_before(moment.session, moment.now - OPEN_FOR)]


def _held(moment: Moment, proposal_id: str) -> Proposal:
    """An open proposal, held until the transaction ends."""
    return _require_open(moment, store.lock(moment.session, proposal_id), proposal_id)


def _require_open(moment: Moment, proposal: Proposal | None, proposal_id: str) -> Proposal:
    if proposal is None:
        raise _unknown(proposal_id)
    if not proposal.is_open:
        by = people_store.by_id(moment.session, proposal.decided_by or "")
        who = f" by {by.name}" if by else ""
        raise Refusal(
            "proposal_decided",
            f"This proposal {SAID[proposal.state]}{who}, so your click changed nothing.",
            next_step="`/tokens policy` shows what is in force.",
        )
    if moment.now >= proposal.proposed_at + OPEN_FOR:
        raise Refusal("too_late", "The time for this proposal is over. It lapses, so your click changed nothing.")
    return proposal


def _unknown(proposal_id: str) -> Refusal:
    return Refusal("unknown_proposal", f"There is no proposal {proposal_id!r}.")


def _require_second(moment: Moment, proposal: Proposal, by: Person) -> None:
    if by.id == proposal.proposed_by:
        raise Refusal(
            "second_person",
            "You proposed this, and a change to the handbook takes two people.",
            next_step="Another member of the board decides it. You can withdraw it with `/tokens policy`.",
        )
    if by.id in board_store.bystanders(moment.session):
        raise Refusal("bystander", "Administrators and auditors can't decide on the handbook.")
    if not may_decide(moment, proposal, by.id):
        raise Refusal("not_on_board", "Only members of the board can decide on the handbook.")


def _close(
    moment: Moment, proposal: Proposal, state: str, by: str, *, place: Place = NOWHERE, reason: str | None = None
) -> Proposal:
    """Close it, once, and tell everyone who was told of it."""
    if not store.decide(moment.session, proposal.id, state=state, by=by, now=moment.now, reason=reason):
        raise Refusal("moved", "Someone else got there first.", next_step="The card shows where it stands now.")
    runs.forget_steps(moment.session, proposal.id)
    closed = store.get(moment.session, proposal.id)
    assert closed is not None  # noqa: S101 - proposals are never deleted
    handbook_notices.tell_of_decision(moment, closed)
    _renew_pack(moment, closed)
    action = {CONFIRMED: "confirm", DECLINED: "decline", WITHDRAWN: "withdraw", LAPSED: "lapse"}[state]
    _note(moment, closed, by, action, after={"state": state, "digest": proposal.digest}, place=place)
    return closed


def _note(
    moment: Moment, proposal: Proposal, actor: str, action: str, *, after: Mapping[str, object], place: Place = NOWHERE
) -> None:
    audit.note(
        moment.session,
        actor,
        f"handbook.{action}",
        proposal.id,
        at=moment.now,
        after={"version": proposal.version, **after},
        handbook_version=proposal.version,
        place=place,
    )
