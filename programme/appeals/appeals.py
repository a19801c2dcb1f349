"""An appeal against a cut of an adopted review: how it is found and held, whom it concerns, and who may decide it.

While it is open the person's grants are as before. Upheld, the cut is undone and what it took comes as a lot;
rejected, it holds from the next month. Where no one decides in time, the chair and finance are called in, and if they
do not decide either, it is upheld. One lock, on the case, orders all of it; another, on the
grants, keeps it out of a run that has sized a grant and not posted it yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import appeals as policy
from policy.appeals import LAPSED, OPEN, REJECTED, UPHELD
from policy.period import Quarter
from policy.reasons import Refusal
from programme import decisions
from programme.decisions import Topic
from programme.people import board
from store import audit, locks
from store.appeals import records as store
from store.audit import NOWHERE, Place
from store.grants import monthly
from store.locks import Lock
from store.people import directory as people_store
from store.reviews import drafts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.exceptions import Seat
    from policy.period import Month
    from programme.moment import Moment
    from views.appeals import Appeal, Silence
    from views.reviews import ReviewedCase

APPEAL = Topic(
    "appeal",
    undecided=frozenset({OPEN}),
    said={
        OPEN: "is still open",
        UPHELD: "was upheld",
        REJECTED: "was rejected",
        LAPSED: "lapsed undecided",
    },
)


def parse_id(appeal_id: str) -> tuple[Quarter, str]:
    """The quarter and the person of an appeal's id; a Refusal for anything else."""
    quarter, _, person_id = appeal_id.partition("/")
    try:
        return Quarter.parse(quarter), person_id
    except ValueError:
        raise Refusal("unknown_appeal", f"There is no appeal {appeal_id!r}.") from None


def require(moment: Moment, quarter: Quarter, person_id: str) -> Appeal:
    """An appeal as it stands, or a Refusal."""
    return decisions.require_known(store.get(moment.session, quarter, person_id), APPEAL, f"{quarter}/{person_id}")


def locked(moment: Moment, appeal_id: str) -> Appeal:
    """An appeal, held until the transaction ends."""
    quarter, person_id = parse_id(appeal_id)
    locks.hold(moment.session, Lock.GRANTS)
    store.lock_case(moment.session, quarter, person_id)
    return require(moment, quarter, person_id)


def move(moment: Moment, appeal: Appeal, **values: object) -> Appeal:
    """The appeal after a change; what was read is what is changed, or nothing is."""
    return decisions.require_first(store.change(moment.session, appeal, **values))


def after_grants(moment: Moment, person_id: str) -> Moment:
    """When something is done about an appeal: not before a run of grants for which it had to wait."""
    return moment.at(max(moment.now, monthly.last_posted_at(moment.session, person_id) or moment.now))


def case_of(moment: Moment, appeal: Appeal) -> ReviewedCase:
    case = drafts.case(moment.session, appeal.quarter, appeal.person_id)
    assert case is not None  # noqa: S101 - a foreign key
    return case


def holds_from(moment: Moment, appeal: Appeal) -> Month:
    """The month from which the review holds, and so its cut without an appeal."""
    review = drafts.get(moment.session, appeal.quarter)
    assert review is not None  # noqa: S101 - a foreign key
    assert review.holds_from is not None  # noqa: S101 - only adopted reviews can be appealed against
    return review.holds_from


def seats(moment: Moment) -> frozenset[str]:
    return frozenset(seat.person_id for seat in board.seats(moment))


def concerned(moment: Moment, appeal: Appeal) -> frozenset[str]:
    """The person, their manager at the time of the review, and whoever is it now."""
    manager = people_store.manager_of(moment.session, appeal.person_id)
    return _concerned(case_of(moment, appeal), manager)


def _concerned(case: ReviewedCase, manager: str | None) -> frozenset[str]:
    return frozenset(one for one in (case.case.person_id, case.case.team, manager) if one)


def deciders(moment: Moment, appeal: Appeal) -> frozenset[str]:
    """Who may decide an appeal now."""
    return deciders_of_each(moment, [appeal])[appeal.id]


def deciders_of_each(moment: Moment, some: Sequence[Appeal]) -> dict[str, frozenset[str]]:
    """Who may decide each of some appeals now, by its id; in as many statements however many they are."""
    if not some:
        return {}
    sitting = board.seats(moment)
    cases = drafts.cases_of(moment.session, [(one.quarter, one.person_id) for one in some])
    managers = people_store.managers_of(moment.session, {one.person_id for one in some})
    voted = store.voters_of(moment.session, {one.quarter for one in some})
    found = {}
    for one in some:
        case = cases[one.quarter, one.person_id]
        found[one.id] = policy.deciders(
            frozenset(seat.person_id for seat in sitting),
            concerned=_concerned(case, managers[one.person_id]),
            case_decided_by=case.decided_by,
            voted=voted[one.quarter],
            called_in=_called_in(one, sitting),
        )
    return found


def called_in(moment: Moment, appeal: Appeal) -> frozenset[str]:
    """The chair and finance, once no one had decided an appeal in time."""
    return _called_in(appeal, board.seats(moment))


def _called_in(appeal: Appeal, sitting: Iterable[Seat]) -> frozenset[str]:
    if appeal.escalated_at is None:
        return frozenset()
    return frozenset(seat.person_id for seat in sitting if seat.is_chair or seat.is_finance)


def silence(moment: Moment, appeal: Appeal) -> Silence:
    """What happens to an appeal if no one decides it in time."""
    if appeal.escalated_at is not None:
        return "favour"
    return "lapses" if moment.handbook.appeals.escalated_days is None else "escalates"


def note(moment: Moment, appeal: Appeal, actor: str, action: str, place: Place = NOWHERE, **more: object) -> None:
    """Record what was done about an appeal, with what it has come to by now."""
    cut_from = str(appeal.cut_from) if appeal.cut_from else None
    audit.note(
        moment.session,
        actor,
        action,
        appeal.id,
        at=moment.now,
        after={"state": appeal.state, "cut_from": cut_from, "entry_id": appeal.entry_id, **more},
        handbook_version=moment.handbook.version,
        place=place,
    )
