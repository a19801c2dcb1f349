"""A review as its board sees it: one view of its state for every copy of the pack, and its cases page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from policy.reviews import votes as reviews_votes
from programme.reviews import case_filters, drafting, effects, token_value, voting
from programme.roi import reports
from programme.value import standing
from store.people import directory as people_store
from store.reviews import drafts as reviews_store
from store.reviews import standings
from store.reviews import votes as store
from views import codec
from views.people import PersonName
from views.review_figures import QuarterFigures
from views.reviews import DRAFT, EVERY_CASE, CaseLine, Pack, Page, VoteLine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from policy.period import Quarter
    from programme.moment import Moment
    from store.people.directory import Person
    from store.reviews.votes import StoredVote
    from views.review_figures import Money, Summary
    from views.reviews import CaseFilter, Review, ReviewedCase
    from views.value import Histogram

PAGE = 8
"""Cases of a page of the modal: each takes three of its hundred blocks."""


def of(moment: Moment, quarter: Quarter) -> Pack:
    """The pack as it stands."""
    kept = drafting.require(moment, quarter)
    panel = voting.panel_of(moment, quarter)
    votes = store.votes(moment.session, quarter)
    summary = drafting.summary(moment, quarter)
    told = _named(moment, kept, summary, votes, (seat.person_id for seat in panel.electorate.seats))
    voted = {one.seat for one in votes if one.package == panel.package}
    until = kept.vote_until or moment.now
    changes = summary.counted
    return Pack(
        review=kept,
        summary=summary,
        package=panel.package,
        tally=voting.tally_of(panel, votes),
        votes=tuple(_vote(one, panel.package, told) for one in votes),
        awaited=tuple(told[s.person_id] for s in panel.electorate.voting(panel.stage) if s.person_id not in voted),
        decided_by=told.get(kept.decided_by or ""),
        cases=changes.raised + changes.cut + changes.unchanged,
        holds_from=kept.holds_from or effects.effect_month(moment.at(until), quarter),
        names={person_id: one.name for person_id, one in told.items()},
        value=token_value.standing(moment, kept),
        superseded_by=voting.superseded_by(moment, kept),
        brings=reports.of_quarter(moment, quarter),
    )


def shown_to(moment: Moment, reader: Person, quarter: Quarter, *, channel: str | None) -> Pack:
    """The pack for whoever presses one of its buttons: in the board's channel anyone, elsewhere those with a vote."""
    if channel is None or channel != moment.governance_channel:
        panel = voting.panel_of(moment, quarter)
        voting.seat_of(moment, panel, reader.id, votes=store.votes(moment.session, quarter))
    return of(moment, quarter)


def _named(
    moment: Moment, kept: Review, summary: Summary, votes: Iterable[StoredVote], seats: Iterable[str]
) -> dict[str, PersonName]:
    teams = {group.name for one in summary.fairness if one.kind == "team" for group in one.groups if group.name}
    voters = {who for one in votes for who in (one.seat, one.cast_by)}
    ids = teams | voters | set(seats) | ({kept.decided_by} if kept.decided_by else set())
    return {person_id: PersonName(*name) for person_id, name in people_store.names(moment.session, ids).items()}


def _vote(one: StoredVote, package: int, told: Mapping[str, PersonName]) -> VoteLine:
    stands_for = told[one.seat] if one.seat != one.cast_by else None
    return VoteLine(told[one.cast_by], stands_for, one.adopts, one.reason, one.package == package)


def use(moment: Moment, quarter: Quarter) -> Histogram:
    """How much of their grants people used in the quarter, as far as it may be told."""
    book = moment.handbooks.named(drafting.require(moment, quarter).basis.handbook)
    used = standings.used(moment.session, quarter)
    first = quarter.first_month
    found = standing.histogram(used, book, first)
    return replace(found, months=standing.named_months(first, first.plus(2)))


def money(moment: Moment, quarter: Quarter) -> Money:
    """What the quarter came to in USD, as it was known at the draft."""
    return codec.read(QuarterFigures, drafting.require(moment, quarter).summary).money


def awaits(moment: Moment, quarter: Quarter, person_id: str) -> bool:
    """Whether a review still waits for someone's vote on the package as it stands."""
    kept = drafting.require(moment, quarter)
    panel = voting.panel_of(moment, quarter)
    votes = store.votes(moment.session, quarter)
    try:
        voting.require_undecided(moment, kept)
        seat = voting.seat_of(moment, panel, person_id, votes=votes)
    except Refusal:
        return False
    return seat.person_id not in {vote.seat for vote in votes if vote.package == panel.package}


# --- Cases ---------------------------------------------------------------------------------------------------------


def page(moment: Moment, reader: Person, quarter: Quarter, number: int, narrowed: CaseFilter = EVERY_CASE) -> Page:
    """Some of the cases for a member of the board; a Refusal for everyone else."""
    kept = drafting.require(moment, quarter)
    panel = voting.panel_of(moment, quarter)
    seat = voting.seat_of(moment, panel, reader.id, votes=store.votes(moment.session, quarter))
    totals = standings.totals(moment.session, quarter)
    readers = (reader.id, seat.person_id)
    among = case_filters.of(moment, quarter, readers, narrowed) if narrowed.is_set else None
    found = totals.cases if among is None else len(among)
    pages = max(-(-found // PAGE), 1)
    number = min(max(number, 0), pages - 1)
    shown = ordered(moment, quarter, readers, offset=number * PAGE, limit=PAGE, among=among)
    names = people_store.names(moment.session, [one.case.person_id for one, _ in shown])
    return Page(
        quarter=quarter,
        lines=tuple(_line(one, names[one.case.person_id][0], conflict) for one, conflict in shown),
        number=number,
        pages=pages,
        counted=totals.counted,
        cases=totals.cases,
        is_open=kept.state == DRAFT,
        narrowed=narrowed,
        found=found,
    )


def ordered(
    moment: Moment,
    quarter: Quarter,
    readers: Sequence[str],
    *,
    offset: int = 0,
    limit: int | None = None,
    among: Collection[str] | None = None,
) -> list[tuple[ReviewedCase, str]]:
    """Cases in the order of the lists, each with why one of its readers has no say in it.

    Where they may not see what is proposed, it is last: else the place in the order would tell it.
    """
    reports = people_store.reports_of(moment.session, readers)
    found = reviews_store.ordered(
        moment.session, quarter, last=[*readers, *reports], last_teams=readers, offset=offset, limit=limit, among=among
    )
    return [(one, _conflict(one, deciding=readers, reports=reports)) for one in found]


def _conflict(one: ReviewedCase, deciding: Iterable[str], reports: frozenset[str]) -> str:
    person_id = one.case.person_id
    for who in deciding:
        above = {one.case.team} | ({who} if person_id in reports else set())
        if conflict := reviews_votes.conflict(who, person_id, frozenset(above)):
            return conflict
    return ""


def _line(one: ReviewedCase, name: str, conflict: str) -> CaseLine:
    return CaseLine(one.case.person_id, name, None if conflict else one, conflict)
