"""A review's pack for the file: what the board's pack says and, for those who audit it, every case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme import anchors
from programme.people import directory
from programme.reviews import drafting, packs
from programme.reviews.annual_export import FINANCE
from store import audit
from store.people import directory as people_store
from views.reviews import CaseRow, Cases, ReviewFile

if TYPE_CHECKING:
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
    rows = _rows(moment, review.quarter, reader, audits=AUDITOR in roles)
    after = {"cases": len(rows), "not_shown": sum(one.case is None for one in rows), "package": found.pack.package}
    audit.note(moment.session, reader.id, ACTION, str(review.quarter), at=moment.now, after=after)
    anchors.owe(moment, anchors.EXPORT)
    return ReviewFile(found.pack, found.use, Cases(rows, reader.name), moment.now)


def _rows(moment: Moment, quarter: Quarter, reader: Person, *, audits: bool) -> tuple[CaseRow, ...]:
    """Auditors decide nothing and see everything; others see what the board's lists would show them."""
    found = packs.ordered(moment, quarter, () if audits else (reader.id,))
    people_of = {one.case.person_id for one, _ in found} | {one.decided_by for one, _ in found if one.decided_by}
    names = {person_id: name for person_id, (name, _) in people_store.names(moment.session, people_of).items()}
    return tuple(
        CaseRow(names[one.case.person_id], None if conflict else one, names.get(one.decided_by or "", ""))
        for one, conflict in found
    )
