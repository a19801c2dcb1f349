"""Who sits on the board today, and who stands in for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.exceptions import ALTERNATE, MEMBER, RESERVE, Seat
from policy.period import day_of
from policy.reasons import Refusal
from store import audit
from store.handbook import reference
from store.people import board
from store.people import directory as people_store
from store.people.board import Delegation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from programme.app import Desk
    from store.engine import Session
    from store.people.board import Roled
    from store.people.directory import Person

LEAST_MEMBERS, LEAST_ALTERNATES = 3, 2
"""With fewer, recusals and absences soon leave no one to decide (RULES 5)."""
LONGEST_DELEGATION_DAYS = 92


def seats(session: Session, *, desk: Desk, now: datetime) -> tuple[Seat, ...]:
    """The board as it is now: members, alternates, and the chair and finance where they are neither.

    A Refusal while the user group that names the members has never been read.
    """
    usergroup = desk.board_usergroup
    if usergroup is not None and reference.fact(session, _read_fact(usergroup)) is None:
        raise Refusal(
            "board_unknown", "The board's user group has not been read from Slack yet.",
            next_step="Please try again in a minute.",
        )  # fmt: skip
    everybody = board.roled(session, usergroup, day_of(now, desk.zone))
    bystanders = board.bystanders(session)
    found = [(_kind(one, usergroup), one) for one in everybody if one.person_id not in bystanders]
    return tuple(
        Seat(one.person_id, kind, is_chair="chair" in one.roles, is_finance="finance" in one.roles)
        for kind, one in found
        if kind
    )


def _kind(one: Roled, usergroup: str | None) -> str:
    if "alternate" in one.roles:
        return ALTERNATE
    if one.in_group if usergroup is not None else "board" in one.roles:
        return MEMBER
    return RESERVE if one.roles & {"chair", "finance"} else ""


def _read_fact(usergroup: str) -> str:
    return f"board_group_read:{usergroup}"


def refresh(session: Session, usergroup: str, slack_user_ids: Iterable[str], *, now: datetime) -> bool:
    """Keep the members of the board's user group as Slack told them; whether that changed anything."""
    members = set(slack_user_ids)
    before = board.group_members(session, usergroup)
    known = reference.fact(session, _read_fact(usergroup)) is not None
    if known and members == before:
        return False
    board.replace_group(session, usergroup, members)
    if not known:
        reference.record_fact(session, _read_fact(usergroup), now.isoformat())
    was, is_now = {"members": sorted(before)}, {"members": sorted(members)}
    audit.note(session, "slack", "board.read", usergroup, at=now, before=was, after=is_now)
    return True


def has_seat(session: Session, person_id: str, *, desk: Desk, now: datetime) -> bool:
    """Whether someone is a member or an alternate, or stands in for one, or is the chair or of finance."""
    sitting = {seat.person_id for seat in seats(session, desk=desk, now=now)}
    represented = delegates(session, desk=desk, now=now)
    return person_id in sitting or any(delegate == person_id and m in sitting for m, delegate in represented.items())


def delegates(session: Session, *, desk: Desk, now: datetime) -> dict[str, str]:
    """Who stands in for whom today: delegate by member. A person who left, or now administers, stands in for no one."""
    today = day_of(now, desk.zone)
    in_force = {member: one.delegate_id for member, one in board.delegations_on(session, today).items()}
    if not in_force:
        return {}
    unable = board.left(session, in_force.values(), today) | board.bystanders(session)
    return {member: delegate for member, delegate in in_force.items() if delegate not in unable}


def delegate(session: Session, member: Person, to: Person, last_day: date, *, desk: Desk, now: datetime) -> Delegation:
    """Hand a member's vote to someone until the end of a day; what was handed over before ends."""
    today = day_of(now, desk.zone)
    sitting = {seat.person_id: seat for seat in seats(session, desk=desk, now=now)}
    if member.id not in sitting:
        raise Refusal("not_on_board", "You have no vote on the board to hand over.")
    _require_able(session, member, to, sitting, today)
    if not today <= last_day or (last_day - today).days > LONGEST_DELEGATION_DAYS:
        raise Refusal(
            "until", f"until = {last_day}: choose a day from today to {LONGEST_DELEGATION_DAYS} days ahead.",
            next_step="Try `/tokens delegate @who until 2026-12-24`.",
        )  # fmt: skip
    made = Delegation(member.id, to.id, last_day)
    board.end_delegation(session, member.id, now=now)
    board.delegate(session, made, now=now)
    after = {"delegate": to.id, "last_day": last_day.isoformat()}
    audit.note(session, member.id, "board.delegate", member.id, at=now, after=after)
    return made


def _require_able(session: Session, member: Person, to: Person, sitting: dict[str, Seat], today: date) -> None:
    if to.id == member.id:
        raise Refusal("delegate_self", "You can't hand your vote to yourself.")
    if to.left_on is not None and to.left_on < today:
        raise Refusal("delegate_left", f"{to.name} has left the company.")
    if to.id in sitting and sitting[to.id].kind == MEMBER:
        raise Refusal(
            "delegate_has_vote", f"{to.name} already has a vote, and no one has two.",
            next_step="Choose an alternate, or someone who is not on the board.",
        )  # fmt: skip
    if {"admin", "auditor"} & people_store.roles_of(session, to.id):
        raise Refusal(
            "delegate_role", f"{to.name} administers or audits the programme, so they can't decide requests.",
            next_step="Choose someone else.",
        )  # fmt: skip
    in_force = board.delegations_on(session, today)
    others = [m for m, d in in_force.items() if d.delegate_id == to.id and m != member.id and m in sitting]
    if others:
        raise Refusal(
            "delegate_taken", f"{to.name} already stands in for another member, and no one has two votes.",
            next_step="Choose someone else.",
        )  # fmt: skip


def take_back(session: Session, member: Person, *, now: datetime) -> bool:
    """End what a member handed over; False when there was nothing."""
    if not board.end_delegation(session, member.id, now=now):
        return False
    audit.note(session, member.id, "board.delegate_end", member.id, at=now)
    return True
