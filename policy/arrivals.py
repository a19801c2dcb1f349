"""On which day, and with how many lines, a pull request reaches the default branch: its lines count once.

Everything is worked out from what is known when figures are read, never from the order in which it was told
(docs/decisions/0028).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from policy.outcomes import Merge, Outcome, OutcomeRules

    RulesOn = Callable[[date], OutcomeRules]
    Order = tuple[datetime, int, str]

Key = tuple[str, str]


def counted(outcomes: Iterable[Outcome], rules_on: RulesOn) -> list[Outcome]:
    """What counts of some outcomes: pull requests on the day and with the lines with which they arrived.

    What never arrived, was reverted in time or came with something that was, is left out.
    """
    told = list(outcomes)
    ways = Ways(told, rules_on)
    gone = undone(ways, rules_on)
    lines = _Division(ways, gone).lines
    is_lost = _Lost(ways, gone)
    kept: list[Outcome] = []
    for one in told:
        last = ways.last(one)
        if last is None or is_lost(one):
            continue
        kept.append(one._replace(day=max(one.day, last.day), lines=lines.get(one.key, 0)) if one.merge else one)
    return kept


class Ways:
    """What brought each pull request to the default branch: the next that carried it (`via`), and the last of all."""

    def __init__(self, outcomes: Iterable[Outcome], rules_on: RulesOn) -> None:
        self._told = sorted(outcomes, key=lambda one: one.order)
        done = [one for one in self._told if one.kind == "pull_request" and one.state == "done"]
        self.pulls = {one.key: one for one in done}
        self.merges: dict[Key, Merge] = {key: one.merge for key, one in self.pulls.items() if one.merge}
        self.via: dict[Key, Outcome] = {}
        self._rules_on = rules_on
        self._last: dict[Key, Outcome | None] = {}
        held = self._merged_with()
        # From the latest on: where what carries a pull request ended is then known before it.
        for one in reversed(self.pulls.values()):
            if one.key not in held:
                self._follow(one)
        for key, holder in held.items():
            self._last[key], self.via[key] = self._last[holder.key], holder

    def last(self, one: Outcome) -> Outcome | None:
        """What an outcome came to the default branch with, which may be itself; None while it is not there."""
        return self._last.get(one.key, one)

    def path(self, one: Outcome) -> Iterator[Outcome]:
        """An outcome, and what carried it, one after the other."""
        step: Outcome | None = one
        while step is not None:
            yield step
            step = self.via.get(step.key)

    def arrival(self, one: Outcome) -> tuple[Order, Order] | None:
        """Where an outcome stands among all that arrived."""
        last = self.last(one)
        return (last.order, one.order) if last else None

    def named(self, source: str, name: str) -> Sequence[Outcome]:
        """What goes by a name, the earliest first."""
        return self._by_name.get((source, name), ())

    def carrier_before(self, one: Outcome, merge: Merge) -> Outcome | None:
        """What merged the same branch into the same one the last time before."""
        same = self._out_of.get((one.source, merge.source_branch), {}).get(merge.target_branch, [])
        # It is one of them itself.
        place = _place(same, one) - 1
        return same[place - 1] if place > 0 else None

    def _follow(self, one: Outcome) -> None:
        merge = self.merges.get(one.key)
        if merge is None or not merge.target_branch:
            self._last[one.key] = one
            return
        days = self._rules_on(one.day).arrival_days
        best: Outcome | None = None
        for carriers in self._takers(one, merge):
            # What is merged later into the same branch cannot arrive earlier: the first that arrives will do.
            for carrier in carriers[_place(carriers, one) :]:
                last = self._last.get(carrier.key) if (carrier.day - one.day).days <= days else None
                if last is not None and (best is None or last.order < best.order):
                    best, self.via[one.key] = last, carrier
                if last is not None:
                    break
        self._last[one.key] = best

    def _takers(self, one: Outcome, merge: Merge) -> Iterator[Sequence[Outcome]]:
        """What may have taken a pull request further: out of its branch into each other, or by cherry-picking it."""
        yield from self._out_of.get((one.source, merge.target_branch), {}).values()
        for name in (one.outcome_id, *merge.names):
            yield from ([copy] for copy in self._copies.get((one.source, name), ()))

    def _merged_with(self) -> dict[Key, Outcome]:
        """Of those that one commit merged, such as a stack by its top, the largest holds the others."""
        together: defaultdict[tuple[str, str, str], list[Outcome]] = defaultdict(list)
        for key, merge in self.merges.items():
            if merge.commit:
                together[key[0], merge.commit, merge.target_branch].append(self.pulls[key])
        held: dict[Key, Outcome] = {}
        for some in together.values():
            holder = max(some, key=lambda one: (one.lines or 0, one.order))
            held |= {one.key: holder for one in some if one is not holder}
        return held

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[Outcome]]:
        found: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
        for one in self._told:
            for name in (one.outcome_id, *(one.merge.names if one.merge else ())):
                found[one.source, name].append(one)
        return found

    @cached_property
    def _out_of(self) -> dict[tuple[str, str], dict[str, list[Outcome]]]:
        """By the branch they come from and then by the one they go into, the earliest first."""
        found: defaultdict[tuple[str, str], dict[str, list[Outcome]]] = defaultdict(dict)
        for key, merge in self.merges.items():
            if merge.source_branch:
                found[key[0], merge.source_branch].setdefault(merge.target_branch, []).append(self.pulls[key])
        return found

    @cached_property
    def _copies(self) -> dict[tuple[str, str], list[Outcome]]:
        found: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
        for key, merge in self.merges.items():
            for name in merge.copies:
                found[key[0], name].append(self.pulls[key])
        return found


def _place(some: Sequence[Outcome], one: Outcome) -> int:
    """How many of some, the earliest first, were before another one; itself counts in."""
    return bisect_right(some, one.order, key=lambda other: other.order)


def undone(ways: Ways, rules_on: RulesOn) -> dict[Key, Outcome]:
    """What was reverted in time, each with the revert that holds: one that was not itself reverted in time."""
    gone: dict[Key, Outcome] = {}
    reverts = [(at, one) for one in ways.pulls.values() if one.reverts and (at := ways.arrival(one))]
    # From the latest on: whether a revert holds is then known before what it takes back is judged.
    for at, revert in sorted(reverts, key=lambda pair: pair[0], reverse=True):
        if any(step.key in gone for step in ways.path(revert)):
            continue
        for name in revert.reverts:
            for original in _meant(ways, revert, name):
                before, last = ways.arrival(original), ways.last(original)
                if before is None or last is None or before >= at:
                    continue
                days = (_day(ways, revert) - last.day).days
                if days <= rules_on(last.day).revert_days:
                    gone.setdefault(original.key, revert)
    return gone


class _Lost:
    """Whether an outcome was undone, or came with something that was; each step of a way is looked at once."""

    def __init__(self, ways: Ways, gone: Mapping[Key, Outcome]) -> None:
        self._ways = ways
        self._known = dict.fromkeys(gone, True)

    def __call__(self, one: Outcome) -> bool:
        steps: list[Key] = []
        found = False
        for step in self._ways.path(one):
            if step.key in self._known:
                found = self._known[step.key]
                break
            steps.append(step.key)
        self._known |= dict.fromkeys(steps, found)
        return found


def _day(ways: Ways, one: Outcome) -> date:
    return (ways.last(one) or one).day


def _meant(ways: Ways, revert: Outcome, name: str) -> Sequence[Outcome]:
    """What a revert means by a name: of several with one title the last before it."""
    found = ways.named(revert.source, name)
    if not name.startswith("title:"):
        return found
    return [one for one in found if one.order < revert.order and one.key != revert.key][-1:]


class _Inside(NamedTuple):
    """What a pull request brings with it: what arrives by it, and lines that are known not to be its own."""

    new: list[Outcome]
    old_lines: int


class _Division:
    """The lines of what was merged into the default branch, divided among those whose they are.

    What it carries counts first, in proportion where it is more than arrived; what had counted before is taken off the
    rest; and what then remains is its own. So what is counted is never more than what arrived.
    """

    def __init__(self, ways: Ways, gone: Mapping[Key, Outcome]) -> None:
        self._ways = ways
        self._gone = gone
        self._repeated = _repeated(ways)
        self._carried: defaultdict[Key, list[Outcome]] = defaultdict(list)
        for key, carrier in ways.via.items():
            self._carried[carrier.key].append(ways.pulls[key])
        self.lines: dict[Key, int] = {}
        for key in ways.merges:
            one = ways.pulls[key]
            if ways.last(one) is one:
                self._divide(one, 0 if key in self._repeated else one.lines or 0)

    def _divide(self, root: Outcome, lines: int) -> None:
        todo = [(root, lines)]
        while todo:
            one, amount = todo.pop()
            inside = self._inside(one)
            asked = sum(part.lines or 0 for part in inside.new)
            rest = amount
            for part in inside.new:
                share = part.lines or 0 if asked <= amount else (part.lines or 0) * amount // asked
                todo.append((part, share))
                rest -= share
            self.lines[one.key] = max(0, rest - inside.old_lines)

    def _inside(self, one: Outcome) -> _Inside:
        new: list[Outcome] = []
        old = {part.key: part.lines or 0 for part in self._had_before(one)}
        for part in self._carried.get(one.key, ()):
            if part.reverts:
                # A revert and what it takes back are not in what arrives, if they come together.
                together = any(self._comes_with(key, part) for key, by in self._gone.items() if by is part)
                old[part.key] = 0 if together else part.lines or 0
            elif part.key in self._repeated:
                old[part.key] = part.lines or 0
            elif not ((by := self._gone.get(part.key)) and self._comes_with(part.key, by)):
                new.append(part)
        for part in self._carried.get(one.key, ()):
            self.lines.setdefault(part.key, 0)
        return _Inside(new, sum(old.values()))

    def _comes_with(self, key: Key, other: Outcome) -> bool:
        return self._ways.last(self._ways.pulls[key]) is self._ways.last(other)

    def _had_before(self, one: Outcome) -> Iterator[Outcome]:
        """What is in a pull request though it arrived before: by another way, or as what it was copied from."""
        merge = self._ways.merges[one.key]
        at = self._ways.arrival(one)
        inside = [*self._merged_into(one, merge)]
        inside += [found for name in merge.copies for found in self._ways.named(one.source, name)]
        for part in inside:
            before = self._ways.arrival(part)
            if part.key != one.key and before and at and before[0] < at[0] and self._ways.via.get(part.key) is not one:
                yield part

    def _merged_into(self, one: Outcome, merge: Merge) -> list[Outcome]:
        """What was merged into the branch of a pull request since that branch was last merged where this one was."""
        if not merge.source_branch:
            return []
        parts = self._into.get((one.source, merge.source_branch), [])
        before = self._ways.carrier_before(one, merge)
        return parts[_place(parts, before) if before else 0 : _place(parts, one)]

    @cached_property
    def _into(self) -> dict[tuple[str, str], list[Outcome]]:
        found: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
        for key, merge in self._ways.merges.items():
            if merge.target_branch:
                found[key[0], merge.target_branch].append(self._ways.pulls[key])
        return found


def _repeated(ways: Ways) -> set[Key]:
    """What brings nothing new: another pull request of the same commits arrived first, or they came from there."""
    of_head: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    on_default: dict[tuple[str, str], Order] = {}
    for key, merge in ways.merges.items():
        one = ways.pulls[key]
        if merge.head and ways.last(one):
            of_head[key[0], merge.head].append(one)
        if merge.commit and not merge.target_branch:
            on_default[key[0], merge.commit] = one.order
    repeated: set[Key] = set()
    for head, some in of_head.items():
        first = min(some, key=lambda one: ways.arrival(one) or (one.order, one.order))
        repeated |= {one.key for one in some if one is not first}
        if head in on_default:
            repeated |= {one.key for one in some if on_default[head] < one.order}
    return repeated
