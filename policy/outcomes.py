"""What counts as output of work, and for how much: merged pull requests by size, bugs, tasks; undone work counts 0."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple, cast, get_args

from policy.period import Week

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from policy.toml_table import Table

Kind = Literal["pull_request", "bug", "task", "quality"]
"""`quality` is a score of a project, not output; everything else adds up."""
State = Literal["done", "reopened", "withdrawn"]
Unit = Literal["team", "person"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STATES: tuple[State, ...] = get_args(State)
UNITS: tuple[Unit, ...] = get_args(Unit)

THOUSANDTHS = 1_000
MOST_WEIGHT = Decimal(10)
MOST_ARRIVAL_DAYS = 366


@dataclass(frozen=True, slots=True)
class OutcomeRules:
    """Whose output is measured, and what it counts, in thousandths.

    What one person merges in one project in one week is weighed together: √(lines ÷ `small_lines`), up to `most_lines`.
    """

    unit: Unit
    revert_days: int
    bug_labels: frozenset[str]
    bug_weight: int
    task_weight: int
    small_lines: int
    most_lines: int
    arrival_days: int
    """For so long something merged into another branch may be on its way to the default one."""

    def weight_of_lines(self, lines: int) -> int:
        return math.isqrt(min(lines, self.most_lines) * THOUSANDTHS**2 // self.small_lines)


def read_outcomes(table: Table) -> OutcomeRules:
    sizes = table.table("pull_request")
    rules = OutcomeRules(
        unit=cast("Unit", table.choice("unit", UNITS)),
        revert_days=table.count("revert_days", 0, 366),
        bug_labels=frozenset(label.casefold() for label in table.texts("bug_labels")),
        bug_weight=_thousandths(table, "bug_weight"),
        task_weight=_thousandths(table, "task_weight"),
        small_lines=sizes.count("small_lines", 1, 100_000),
        most_lines=sizes.count("most_lines", 1, 10_000_000),
        # Handbooks of before know nothing of it.
        arrival_days=sizes.count("arrival_days", 1, MOST_ARRIVAL_DAYS) if sizes.has("arrival_days") else 180,
    )
    sizes.done()
    table.done()
    return rules


def _thousandths(table: Table, key: str) -> int:
    weight = table.share(key, MOST_WEIGHT) * THOUSANDTHS
    if weight != int(weight):
        table.wrong(key, weight / THOUSANDTHS, "a number with at most three decimals")
    return int(weight)


def outcome_contradictions(rules: OutcomeRules) -> Iterable[str]:
    if rules.most_lines < rules.small_lines:
        yield f"outcomes.pull_request.most_lines = {rules.most_lines}: below outcomes.pull_request.small_lines"


class Merge(NamedTuple):
    """How a pull request came into its repository. Branches and the title are digests; empty where nobody told."""

    source_branch: str = ""
    target_branch: str = ""
    """Empty for the default branch: what was merged there has arrived."""
    head: str = ""
    """The last commit of what was merged."""
    commit: str = ""
    """The commit by which it was merged: a merge, a squash, or the last of those that were rebased."""
    is_single: bool = False
    """Whether its head is all of it."""
    title: str = ""
    copies: tuple[str, ...] = ()
    """Names of what it was cherry-picked from."""

    @property
    def names(self) -> tuple[str, ...]:
        """What others call it by, besides its id."""
        commits = {self.commit, self.head if self.is_single else ""} - {""}
        return (*map(commit_name, sorted(commits)), *((title_name(self.title),) if self.title else ()))

    @property
    def links(self) -> frozenset[str]:
        """What others that belong to it can be found by."""
        of_commits = {f"sha:{sha}" for sha in (self.head, self.commit) if sha}
        of_branches = {
            self.source_branch and out_of(self.source_branch),
            self.target_branch and into(self.target_branch),
        }
        named = {*self.names, *map(copy_of, self.copies)}
        return frozenset((of_commits | of_branches | named) - {""})


def out_of(branch: str) -> str:
    return f"out-of:{branch}"


def into(branch: str) -> str:
    return f"into:{branch}"


def copy_of(name: str) -> str:
    return f"copy:{name}"


def commit_name(sha: str) -> str:
    return f"commit:{sha}"


def title_name(title: str) -> str:
    return f"title:{title}"


def digest_of(*parts: str) -> str:
    """What equal texts have in common, and nobody can read them from."""
    return blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()


class OutcomeReport(NamedTuple):
    """An outcome as its source tells it. `reverts` name outcomes of the same source that it takes back."""

    source: str
    outcome_id: str
    kind: Kind
    occurred_at: datetime
    user: str
    project: str
    state: State = "done"
    lines: int | None = None
    figure: int | None = None
    """Its weight or, of quality, its score, in thousandths."""
    metric: str = ""
    reverts: tuple[str, ...] = ()
    as_of: datetime | None = None
    """When it was so, as the source says: of several versions the latest counts, whenever they arrive."""
    merge: Merge | None = None
    is_nobodys: bool = False
    """Work of no person: it may carry others' to the default branch, and counts for no one."""

    @property
    def counts(self) -> bool:
        """Whether it has to be someone's."""
        return _counts(self) and not self.is_nobodys

    @property
    def links(self) -> frozenset[str]:
        """What those that belong to it can be found by; only pull requests whose way is known have any."""
        return self.merge.links | {self.outcome_id} if self.merge else frozenset()

    @property
    def fingerprint(self) -> bytes:
        """Equal for equal content. It is stored: the encoding must stay as it is."""
        as_of = self.as_of and self.as_of.astimezone(UTC).isoformat()
        told = [None if name in _TIMES else value for name, value in zip(self._fields, self, strict=True)][:_FIRST]
        content = [*told, self.occurred_at.astimezone(UTC).isoformat(), as_of]
        # Added later: what has none of it must be known by what it was known by before.
        content += [self.merge, self.is_nobodys] if self.merge or self.is_nobodys else []
        return blake2b(json.dumps(content).encode(), digest_size=16).digest()


_TIMES = frozenset({"occurred_at", "as_of"})
_FIRST = OutcomeReport._fields.index("merge")


class Outcome(NamedTuple):
    """The version of an outcome that counts, and whose it is; what has the same `batch` is weighed together."""

    source: str
    outcome_id: str
    kind: Kind
    occurred_at: datetime
    day: date
    state: State
    project: str
    lines: int | None
    figure: int | None
    metric: str
    reverts: tuple[str, ...]
    unit: Unit | None
    unit_id: str | None
    batch: str | None
    merge: Merge | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.outcome_id

    @property
    def order(self) -> tuple[datetime, int, str]:
        # Among those of one instant, as numbers of pull requests count on.
        return self.occurred_at, len(self.outcome_id), self.outcome_id


class WeekOutput(NamedTuple):
    """What a team (known by its manager) or a person brought about in a week, in thousandths."""

    unit: Unit
    unit_id: str
    week: Week
    kind: Kind
    output: int


class WeekScore(NamedTuple):
    """The last score of a project in a week, in thousandths."""

    project: str
    week: Week
    metric: str
    score: int


def _counts(one: OutcomeReport | Outcome) -> bool:
    """A score is no output, and neither is what only takes back, or brings back, other work."""
    return one.kind != "quality" and one.state == "done" and not one.reverts


def batch_of(person_id: str, project: str, day: date) -> str:
    """What a person merges in a project in a week has this in common, and nothing else in the world has it."""
    content = json.dumps([person_id, project, Week.containing(day).first_day.isoformat()])
    return blake2b(content.encode(), digest_size=12).hexdigest()


def weekly_output(outcomes: Iterable[Outcome], rules_on: Callable[[date], OutcomeRules]) -> list[WeekOutput]:
    """What counts, added up by unit, week and kind; weights are those of the week's first day."""
    sums: Counter[tuple[Week, Kind, Unit, str]] = Counter()
    lines: Counter[tuple[Week, Kind, Unit, str, str]] = Counter()
    for one in outcomes:
        if one.unit is None or one.unit_id is None or not _counts(one):
            continue
        week = Week.containing(one.day)
        where = (week, one.kind, one.unit, one.unit_id)
        if one.figure is None and one.lines is not None:
            lines[*where, one.batch or ""] += one.lines
        else:
            sums[where] += _weight(one, rules_on(week.first_day))
    for (week, kind, unit, unit_id, _), count in lines.items():
        sums[week, kind, unit, unit_id] += rules_on(week.first_day).weight_of_lines(count)
    return [
        WeekOutput(unit, unit_id, week, kind, sums[week, kind, unit, unit_id])
        for week, kind, unit, unit_id in sorted(sums, key=lambda key: (key[0].first_day, *key[1:]))
    ]


def _weight(outcome: Outcome, rules: OutcomeRules) -> int:
    if outcome.figure is not None:
        return outcome.figure
    return rules.bug_weight if outcome.kind == "bug" else rules.task_weight


def weekly_scores(outcomes: Iterable[Outcome]) -> list[WeekScore]:
    """The last score of each project, metric and week, in this order."""
    last: dict[tuple[str, date, str], int] = {}
    for one in sorted(outcomes, key=lambda o: (o.occurred_at, o.source, o.outcome_id)):
        if one.kind == "quality" and one.state == "done" and one.figure is not None:
            last[one.project, Week.containing(one.day).first_day, one.metric] = one.figure
    return [
        WeekScore(project, Week(monday), metric, last[project, monday, metric])
        for project, monday, metric in sorted(last)
    ]
