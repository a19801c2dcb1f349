"""Taking in outcomes of work, each version once; whose they are, and what a week's output is.

Where the handbook measures teams, an outcome keeps the team that its author was in on that day, and not its author
(docs/decisions/0014).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from policy.arrivals import counted
from policy.outcomes import batch_of, weekly_output, weekly_scores
from policy.period import day_of
from programme import clocks
from programme.outcomes import surroundings
from programme.people import teams
from store import locks
from store.outcomes import records as store
from store.outcomes.records import Owner
from store.people import directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from policy.metering import Identity
    from policy.outcomes import Outcome, OutcomeReport, OutcomeRules, WeekOutput, WeekScore
    from programme.moment import Moment
    from store.people.teams import Lines

Status = Literal["accepted", "corrected", "duplicate", "waiting", "ignored", "rejected"]
STATUSES: tuple[Status, ...] = ("accepted", "corrected", "duplicate", "waiting", "ignored", "rejected")
AT_A_TIME = 1_000


class Answer(NamedTuple):
    """What became of one outcome; `detail` says why, where the status does not."""

    source: str
    outcome_id: str
    status: Status
    detail: str = ""


class Attributed(NamedTuple):
    """How many outcomes found their person, and how many still wait."""

    attributed: int
    waiting: int


def take_in(moment: Moment, reported: Sequence[OutcomeReport]) -> list[Answer]:
    """Keep what is new, in the order of the reports: the same again changes nothing, other content is a new version.

    What is ahead of the clock is rejected: no later version of it could ever hold.
    """
    refused = [_ahead(one, moment) for one in reported]
    taken = iter(_take_in_timely(moment, [one for one, why in zip(reported, refused, strict=True) if not why]))
    return [
        Answer(one.source, one.outcome_id, "rejected", why) if why else next(taken)
        for one, why in zip(reported, refused, strict=True)
    ]


def _ahead(one: OutcomeReport, moment: Moment) -> str:
    told = {"occurred_at": one.occurred_at, "updated_at": one.as_of or one.occurred_at}
    return next((why for field, when in told.items() if (why := clocks.ahead(when, moment.now, field))), "")


def _take_in_timely(moment: Moment, reported: Sequence[OutcomeReport]) -> list[Answer]:
    ids: dict[str, list[str]] = {}
    for one in reported:
        ids.setdefault(one.source, []).append(one.outcome_id)
    locks.hold_sources(moment.session, "outcomes", ids)
    seen = {source: store.known(moment.session, source, some) for source, some in ids.items()}
    owner_of = _Owners(moment, ((one.source, one.user) for one in reported if one.counts))
    answers: list[Answer] = []
    fresh: list[tuple[OutcomeReport, date, Owner]] = []
    for one in reported:
        versions = seen[one.source].setdefault(one.outcome_id, set())
        if one.fingerprint in versions:
            answers.append(Answer(one.source, one.outcome_id, "duplicate"))
            continue
        day = day_of(one.occurred_at, moment.zone)
        owner = (
            owner_of(one.source, one.user, day, one.project, weighed=one.lines is not None) if one.counts else Owner()
        )
        fresh.append((one, day, owner))
        answers.append(Answer(one.source, one.outcome_id, *_fate(one, owner, is_known=bool(versions))))
        versions.add(one.fingerprint)
    store.insert(moment.session, fresh, now=moment.now)
    return answers


def _fate(one: OutcomeReport, owner: Owner, *, is_known: bool) -> tuple[Status, str]:
    if owner.waiting_for is not None:
        return "waiting", f"no person is known for user {owner.waiting_for!r}"
    if one.is_nobodys:
        return "ignored", "its author is no person; it counts only for those whose work it carries"
    return ("corrected" if is_known else "accepted"), _detail(one, owner)


def _detail(one: OutcomeReport, owner: Owner) -> str:
    if owner.unit and owner.unit_id is None:
        return "its author was in no one's team on that day"
    if one.kind == "pull_request" and one.state == "withdrawn" and one.merge:
        return "it brings the default branch back, whose lines have counted"
    is_on_its_way = one.merge and one.merge.target_branch and one.counts
    return "it counts when its branch reaches the default one" if is_on_its_way else ""


def attribute_waiting(moment: Moment) -> Attributed:
    """Say whose those outcomes are whose people are known by now, by the team of the day on which they happened."""
    attributed = still = after = 0
    while some := store.waiting(moment.session, limit=AT_A_TIME, after=after):
        owner_of = _Owners(moment, ((one.source, one.user) for one in some))
        for one in some:
            owner = owner_of(one.source, one.user, one.day, one.project, weighed=one.lines is not None)
            if owner.waiting_for is not None:
                still += 1
            elif store.attribute(moment.session, one.id, owner):
                attributed += 1
        after = some[-1].id
    return Attributed(attributed, still)


class _Owners:
    """Whose what was, by the name in its source. People and their managers are looked up once for all."""

    def __init__(self, moment: Moment, names: Iterable[tuple[str, str]]) -> None:
        wanted: dict[str, set[Identity]] = {}
        for source, user in names:
            # Names are case-insensitive at GitHub; what was mapped may be written either way.
            wanted.setdefault(source, set()).update({("user", user), ("user", user.lower())})
        self._persons = {source: directory.resolve(moment.session, source, some) for source, some in wanted.items()}
        self._lines: Lines = store.lines_of(
            moment.session, {id_ for some in self._persons.values() for id_ in some.values()}
        )
        self._rules = rules_on(moment) if wanted else None

    def __call__(self, source: str, user: str, day: date, project: str, *, weighed: bool) -> Owner:
        found: Mapping[Identity, str] = self._persons[source]
        person_id = found.get(("user", user)) or found.get(("user", user.lower()))
        if person_id is None or self._rules is None:
            return Owner(waiting_for=user)
        batch = batch_of(person_id, project, day) if weighed else None
        if self._rules(day).unit == "person":
            return Owner("person", person_id, batch)
        manager = teams.manager_on(self._lines, person_id, day) if person_id in self._lines else None
        return Owner("team", manager, batch)


def rules_on(moment: Moment) -> Callable[[date], OutcomeRules]:
    """The rules that hold on a day."""
    books = moment.handbooks
    return cache(lambda day: books.on(day).outcomes)


def weekly(moment: Moment, begin: date, end: date) -> list[WeekOutput]:
    """What each team or person brought about from a day until before another, by week and kind, in thousandths.

    A pull request is of the day on which it reached the default branch. What was reverted in time or reopened counts
    0, whenever that was told; a team is known by its manager. Who is in no row brought about nothing that is on record.
    Figures of few people are for whoever reads this to hold back.
    """
    return weekly_output(arrived(moment, begin, end), rules_on(moment))


def arrived(moment: Moment, begin: date, end: date) -> list[Outcome]:
    """What counts of some days: pull requests on the day and with the lines with which they reached the default branch.

    A window's figures are those of its days taken one by one: what bears on them is read with them.
    """
    rules = rules_on(moment)
    known = surroundings.of(moment.session, begin, end, arrival_days=rules(begin).arrival_days)
    return [one for one in counted(known, rules) if begin <= one.day < end]


def quality(moment: Moment, begin: date, end: date) -> list[WeekScore]:
    """The last score of each project, metric and week, in thousandths."""
    return weekly_scores(store.counting(moment.session, begin, end))
