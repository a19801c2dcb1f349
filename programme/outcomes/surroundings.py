"""What has to be known to say what some days' outcomes count: what they carry, what carried it before, what reverts."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from policy.outcomes import copy_of, into, out_of
from store.outcomes import records as store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from policy.arrivals import Key
    from policy.outcomes import Outcome
    from store.engine import Session


def of(session: Session, begin: date, end: date, *, arrival_days: int) -> list[Outcome]:
    """All outcomes of some days, and those of other days that bear on what they count.

    Takes a look-up for each step that work took on its way, whatever the number of pull requests.
    """
    search = _Search(session, begin - timedelta(days=arrival_days))
    window = search.add(store.counting(session, begin, end))
    reverts = search.add(store.reverting(session, begin))
    inside = search.inside([one for one in window if one.merge and not one.merge.target_branch])
    search.above([*inside, *reverts])
    search.named([*window, *inside], reverts)
    return list(search.known.values())


class _Search:
    def __init__(self, session: Session, since: date) -> None:
        self.known: dict[Key, Outcome] = {}
        self._session = session
        self._since = since

    def add(self, found: Iterable[Outcome]) -> list[Outcome]:
        """Those of some outcomes that were not known before."""
        new = [one for one in found if one.key not in self.known]
        self.known.update((one.key, one) for one in new)
        return new

    def inside(self, carriers: Sequence[Outcome]) -> list[Outcome]:
        """What was merged into the branches of some pull requests before, and into the branches of that."""
        found: list[Outcome] = []
        seen: set[Key] = set()
        while carriers:
            originals = {name for one in carriers if one.merge for name in one.merge.copies}
            parts = [*self._merged_into(carriers), *self._linked(originals, self._since)]
            self.add(parts)
            carriers = [one for one in parts if one.merge and one.key not in seen]
            seen.update(one.key for one in carriers)
            found += carriers
        return found

    def above(self, parts: Sequence[Outcome]) -> None:
        """What took some pull requests further than their branches, by whichever way."""
        seen: set[str] = set()
        while parts:
            links = {out_of(one.merge.target_branch) for one in parts if one.merge and one.merge.target_branch}
            links |= {copy_of(name) for one in parts if one.merge for name in (one.outcome_id, *one.merge.names)}
            found = self._linked(links - seen, self._since)
            seen |= links
            self.add(found)
            parts = [one for one in found if one.merge and one.merge.target_branch]

    def named(self, parts: Sequence[Outcome], reverts: Sequence[Outcome]) -> None:
        """What has commits in common with some pull requests; what reverts may mean by a title."""
        shas = {sha for one in parts if one.merge for sha in (one.merge.head, one.merge.commit) if sha}
        titles = {name for one in reverts for name in one.reverts if name.startswith("title:")}
        twins = self.add(self._linked({f"sha:{sha}" for sha in shas}, self._since))
        self.add(self._linked(titles, self._since))
        self.above(twins)

    def _merged_into(self, carriers: Sequence[Outcome]) -> list[Outcome]:
        """What went into the branches of some pull requests since these were last merged where they are merged now."""
        branches = {one.merge.source_branch for one in carriers if one.merge and one.merge.source_branch}
        others = self._linked(map(out_of, branches), self._since)
        self.add(others)
        last: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
        for one in others:
            if one.merge:
                last[one.merge.source_branch, one.merge.target_branch].append(one)
        spans: defaultdict[tuple[date, date], set[str]] = defaultdict(set)
        for one in carriers:
            if one.merge and one.merge.source_branch:
                same = last[one.merge.source_branch, one.merge.target_branch]
                before = max((other.day for other in same if other.order < one.order), default=self._since)
                spans[before, one.day].add(into(one.merge.source_branch))
        return [part for span, links in spans.items() for part in store.linked(self._session, links, *span)]

    def _linked(self, links: Iterable[str], since: date) -> list[Outcome]:
        return store.linked(self._session, links, since)
