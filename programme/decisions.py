"""What every decision has in common, be it on a request, a proposed handbook, a review or an appeal.

What is decided is held meanwhile, and decided once and in time. A topic says only its states and its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from policy.reasons import Refusal
from store.people import directory as people_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from programme.moment import Moment

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topic:
    """The words for one kind of thing that is decided.

    `said` tells what became of it, by state; `by` comes before the name of whoever decided; `see` is where to look.
    """

    noun: str
    undecided: frozenset[str]
    said: Mapping[str, str]
    by: str = "by"
    see: str = ""


def require_known(found: T | None, topic: Topic, name: object) -> T:
    """What was found; a Refusal where there is no such thing."""
    if found is None:
        raise Refusal(f"unknown_{topic.noun}", f"There is no {topic.noun} {str(name)!r}.")
    return found


def require_undecided(
    moment: Moment,
    topic: Topic,
    state: str,
    decided_by: str | None,
    *,
    until: datetime | None,
    silence: str = "It lapses",
) -> None:
    """A Refusal where there is nothing left to decide, or it is too late; `silence` says what comes of it then."""
    require_open(moment, topic, state, decided_by)
    require_in_time(moment, topic, until, silence)


def require_open(moment: Moment, topic: Topic, state: str, decided_by: str | None) -> None:
    """A Refusal that says what became of it, and who decided it if a person did."""
    if state in topic.undecided:
        return
    person = people_store.by_id(moment.session, decided_by) if decided_by else None
    who = f" {topic.by} {person.name}" if person else ""
    text = f"This {topic.noun} {topic.said[state]}{who}, so your click changed nothing."
    raise Refusal("decided", text, next_step=topic.see)


def require_in_time(moment: Moment, topic: Topic, until: datetime | None, silence: str = "It lapses") -> None:
    if until is not None and moment.now >= until:
        text = f"The time for this {topic.noun} is over. {silence}, so your click changed nothing."
        raise Refusal("too_late", text)


def require_first(moved: T | None) -> T:
    """What a change made of it; a Refusal where it is not any more what was read."""
    if moved is None:
        raise Refusal("moved", "Someone else got there first.", next_step="The message shows where it stands now.")
    return moved


def require_one_vote(voted_for: Mapping[str, str], voter_id: str, seat: str) -> None:
    """A Refusal for those who voted for another seat already; `voted_for` is the seat by voter."""
    if voted_for.get(voter_id, seat) != seat:
        raise Refusal("voted_already", "You have already voted on this, and no one has two votes.")
