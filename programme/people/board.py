"""Who sits on the board today, and who stands in for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.exceptions import ALTERNATE, MEMBER, RESERVE, Seat
from policy.reasons import Refusal
from store import audit
from store.handbook import reference
from store.people import board
from store.people import directory as people_store
from store.people.board import Delegation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from programme.moment import Moment
    from store.people.board import Roled
    from store.people.directory import Person

LEAST_MEMBERS, LEAST_ALTERNATES = 3, 2
"""With fewer, recusals and absences soon leave no one to decide (RULES 5)."""
LONGEST_DELEGATION_DAYS = 92


def seats(moment: Moment) -> tuple[Seat, ...]:
    """The board as it is now: members, alternates, and the chair and finance where they are neither.

    A Refusal while the user group that names the members has never been read.
    """
    usergroup = moment.board_usergroup
    if usergroup is not None and reference.fact(moment.session, _read_fact(usergroup)) is None:
        raise Refusal(
            "board_unknown",
            "The board's user group has not been read from Slack yet.",
            next_step="Please try again in a minute.",
        )
    found = [(_kind(one, usergroup), one) for one in board.roled(moment.session, usergroup, moment.today)]
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


def refresh(moment: Moment, usergroup: str, slack_user_ids: Iterable[str]) -> bool:
    """Keep the members of the board's user group as Slack told them; whether that changed anything."""
    members = set(slack_user_ids)
    before = board.group_members(moment.session, usergroup)
    known = reference.fact(moment.session, _read_fact(usergroup)) is not None
    if known and members == before:
        return False
    board.replace_group(moment.session, usergroup, members)
    if not known:
        reference.record_fact(moment.session, _read_fact(usergroup), moment.now.isoformat())
    was, is_now = {"members": sorted(before)}, {"members": sorted(members)}
    audit.note(moment.session, "slack", "board.read", usergroup, at=moment.now, before=was, after=is_now)
    return True


def has_seat(moment: Moment, person_id: str) -> bool:
    """Whether someone is a member or an alternate, or stands in for one, or is the chair or of finance."""
    sitting = {seat.person_id for seat in seats(moment)}
    return person_id in sitting or any(one == person_id and m in sitting for m, one in delegates(moment).items())


def delegates(moment: Moment) -> dict[str, str]:
    """Who stands in for whom today: delegate by member. A person who left, or now administers, stands in for no one."""
    return board.delegates_on(moment.session, moment.today)


def delegate(moment: Moment, member: Person, to: Person, last_day: date) -> Delegation:
    """Hand a member's vote to someone until the end of a day; what was handed over before ends."""
    today = moment.today
    sitting = {seat.person_id: seat for seat in seats(moment)}
    if member.id not in sitting:
        raise Refusal("not_on_board", "You have no vote on the board to hand over.")
    _require_able(moment, member, to, sitting, today)
    if not today <= last_day or (last_day - today).days > LONGEST_DELEGATION_DAYS:
        raise Refusal(
            "until",
            f"until = {last_day}: choose a day from today to {LONGEST_DELEGATION_DAYS} days ahead.",
            next_step="Try `/tokens delegate @who until 2026-12-24`.",
        )
    made = Delegation(member.id, to.id, last_day)
    board.end_delegation(moment.session, member.id, now=moment.now)
    board.delegate(moment.session, made, now=moment.now)
    after = {"delegate": to.id, "last_day": last_day.isoformat()}
    audit.note(moment.session, member.id, "board.delegate", member.id, at=moment.now, after=after)
    return made


def _require_able(moment: Moment, member: Person, to: Person, sitting: dict[str, Seat], today: date) -> None:
    if to.id == member.id:
        raise Refusal("delegate_self", "You can't hand your vote to yourself.")
    if to.left_on is not None and to.left_on < today:
        raise Refusal("delegate_left", f"{to.name} has left the company.")
    if to.id in sitting and sitting[to.id].kind == MEMBER:
        raise Refusal(
            "delegate_has_vote",
            f"{to.name} already has a vote, and no one has two.",
            next_step="Choose an alternate, or someone who is not on the board.",
        )
    if {"admin", "auditor"} & people_store.roles_of(moment.session, to.id):
        raise Refusal(
            "delegate_role",
            f"{to.name} administers or audits the programme, so they can't decide requests.",
            next_step="Choose someone else.",
        )
    in_force = board.delegations_on(moment.session, today)
    others = [m for m, d in in_force.items() if d.delegate_id == to.id and m != member.id and m in sitting]
    if others:
        raise Refusal(
            "delegate_taken",
            f"{to.name} already stands in for another member, and no one has two votes.",
            next_step="Choose someone else.",
        )


def take_back(moment: Moment, member: Person) -> bool:
    """End what a member handed over; False when there was nothing."""
    if not board.end_delegation(moment.session, member.id, now=moment.now):
        return False
    audit.note(moment.session, member.id, "board.delegate_end", member.id, at=moment.now)
    return True
