"""A quarter's review as its board sees it: the one rendering of the pack, and words for its figures."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from templates import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from templates.render import Message

MOST_GROUPS = 12
"""Lines of each kind of groups: more would not fit into a message."""
MISSING_NAMES = {
    "few_weeks": "too few weeks of figures",
    "few_in_team": "too small a team",
    "few_peers": "too few peers",
    "no_output": "no output known",
}
STATES = {"low": "LOW", "usual": "usual", "high": "HIGH"}
KINDS = {"level": "by level", "team": "by team", "wave": "by wave"}


class Review(Protocol):
    """A review, as far as its buttons name it."""

    @property
    def quarter(self) -> object: ...


class Pack(Protocol):
    """The view of a review; the templates say what else they need of it."""

    @property
    def review(self) -> Review: ...
    @property
    def package(self) -> int: ...
    @property
    def names(self) -> Mapping[str, str]: ...


def pack(shown: Pack) -> Message:
    """A review for those who decide it: in the channel, in a conversation."""
    return render.message(
        "review/pack", pack=shown, button_value=button_value(shown), group_name=partial(group_name, names=shown.names),
        counts=counts, kinds=KINDS, most_groups=MOST_GROUPS, duration=duration, missing_names=MISSING_NAMES,
        states=STATES,
    )  # fmt: skip


def button_value(shown: Pack) -> str:
    """What a button carries: which review, and which package was shown."""
    return f"{shown.review.quarter}:{shown.package}"


def group_name(kind: str, name: str, *, names: Mapping[str, str]) -> str:
    """A level, a wave, or a team by whom it reports to."""
    if kind == "wave":
        return "in no wave" if name == "none" else f"wave {name}"
    if kind == "team":
        return f"{names[name]}'s reports" if name else "reporting to nobody"
    return name or "no level"


def change(thousandths: int) -> str:
    """A change: `+2.5 %`, `-10 %`, `no change`."""
    return f"{thousandths / 10:+g} %" if thousandths else "no change"


def counts(counted: Mapping[str, int], words: Mapping[str, str] | None = None) -> str:
    """`3 granted, 1 rejected`; with other words for some names."""
    said = words or {}
    return ", ".join(f"{count:,} {said.get(name, name.replace('_', ' '))}" for name, count in counted.items())


def duration(minutes: int) -> str:
    """How long a decision took: `40 minutes`, `6 hours`, `3 days`."""
    for size, name in ((1_440, "day"), (60, "hour")):
        if minutes >= 2 * size:
            return f"{round(minutes / size)} {name}s"
    return f"{minutes} minutes"


def pages(number: int, of: int) -> Iterator[tuple[str, int]]:
    """The buttons that turn the page: (words, number)."""
    if number > 0:
        yield "Previous", number - 1
    if number < of - 1:
        yield "Next", number + 1


def page(shown: object, lines: Sequence[object], *, turns: Sequence[tuple[str, int]]) -> dict[str, object]:
    """A page of the cases, as a modal."""
    return render.modal("review/cases", page=shown, lines=lines, turns=turns, change=change, states=STATES)
