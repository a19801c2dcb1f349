"""A review's pack for the file: what the board's pack says and, for those who audit it, every case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme import anchors
from programme.people import directory
from programme.reviews import drafting, notices, packs, voting
from programme.reviews.annual_export import FINANCE
from store import audit
from store.people import directory as people_store
from store.reviews import standings, votes
from views.reviews import CaseRow, Cases, ReviewFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.period import Quarter
    from programme.moment import Moment
    from store.people.directory import Person

AUDITOR = "auditor"
MAY_SEE_CASES = (AUDITOR, "chair", FINANCE)
ACTION = "review.file"


def of(moment: Moment, quarter: Quarter | None) -> ReviewFile:
    """The pack of a quarter, or of the latest review, without cases: nothing of it is about a single person."""
    which = drafting.require(moment, quarter).quarter
    pack = packs.of(moment, which)
    return ReviewFile(pack, packs.use(moment, which), None, moment.now)


def with_cases(moment: Moment, quarter: Quarter | None, *, by: str) -> ReviewFile:
    """The same with every case, for someone who may see them; that they took it is in the audit log."""
    reader = directory.require(moment, by)
    roles = people_store.roles_of(moment.session, reader.id)
    if not roles.intersection(MAY_SEE_CASES):
        raise Refusal(
            "may_not_see_cases",
            f"{by} has none of the roles {', '.join(f'`{one}`' for one in MAY_SEE_CASES)}.",
            next_step="Leave out --cases, or have someone with one of those roles export the file.",
        )
    found = of(moment, quarter)
    review = found.pack.review
    rows = _rows(moment, review.quarter, () if AUDITOR in roles else (reader.id,))
    after = {"cases": len(rows), "not_shown": sum(one.case is None for one in rows), "package": found.pack.package}
    audit.note(moment.session, reader.id, ACTION, str(review.quarter), at=moment.now, after=after)
    anchors.owe(moment, anchors.EXPORT)
    return ReviewFile(found.pack, found.use, Cases(rows, reader.name), moment.now)


def ask_for(moment: Moment, reader: Person, quarter: Quarter) -> bool:
    """Have the page with the cases sent to a member of the board; False where they have it as it is by now.

    That they took it is in the audit log. A Refusal for everyone else.
    """
    kept = drafting.require(moment, quarter)
    readers = _readers(moment, reader.id, quarter)
    package = voting.panel_of(moment, quarter).package
    if not notices.tell_of_cases(moment, kept, reader.id, package):
        return False
    rows = _rows(moment, quarter, readers)
    after = {"cases": len(rows), "not_shown": sum(one.case is None for one in rows), "package": package}
    audit.note(moment.session, reader.id, ACTION, str(quarter), at=moment.now, after=after)
    anchors.owe(moment, anchors.EXPORT)
    return True


def for_reader(moment: Moment, reader_id: str, quarter: Quarter) -> ReviewFile | None:
    """The page with the cases for whoever asked for it; None for someone who may not see them any more."""
    try:
        readers = _readers(moment, reader_id, quarter)
    except Refusal:
        return None
    name = people_store.names(moment.session, [reader_id])[reader_id][0]
    return replace(of(moment, quarter), cases=Cases(_rows(moment, quarter, readers), name))


def _readers(moment: Moment, reader_id: str, quarter: Quarter) -> tuple[str, str]:
    """Someone, and whose seat they have: of cases that concern either, they see nothing."""
    panel = voting.panel_of(moment, quarter)
    seat = voting.seat_of(moment, panel, reader_id, votes=votes.votes(moment.session, quarter))
    return reader_id, seat.person_id


def _rows(moment: Moment, quarter: Quarter, readers: Sequence[str]) -> tuple[CaseRow, ...]:
    """What the board's lists would show to such readers; everything where there are none: auditors decide nothing."""
    found = packs.ordered(moment, quarter, readers)
    levels = {one.person_id: one.level for one in standings.standings(moment.session, quarter)}
    people_of = {id_ for one, _ in found for id_ in (one.case.person_id, one.case.team, one.decided_by) if id_}
    names = {person_id: name for person_id, (name, _) in people_store.names(moment.session, people_of).items()}
    return tuple(
        CaseRow(
            names[one.case.person_id],
            None if conflict else one,
            names.get(one.decided_by or "", ""),
            team=names.get(one.case.team, ""),
            level=levels.get(one.case.person_id, ""),
        )
        for one, conflict in found
    )
