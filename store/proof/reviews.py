"""Whether a review's proposal follows from what was kept for it, worked out again with the rules on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy import handbook
from policy.reasons import Refusal
from policy.reviews import proposal
from policy.reviews.adjustment import FEW_IN_TEAM, FEW_WEEKS, THOUSANDTH, carried
from policy.reviews.proposal import AMENDED
from store.handbook import reference
from store.reviews import drafts
from store.tables.audit import audit_log
from store.tables.reviews import reviews as table
from views import codec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.parameters.grants import SizingRules
    from policy.reasons import Reason
    from policy.reviews.proposal import Case
    from store.engine import Session
    from views.reviews import Review, ReviewedCase

NOT_ENOUGH = "not_enough_data"
TELLS = {FEW_WEEKS: "weeks", FEW_IN_TEAM: "team_size"}
DRAFTED = "review.draft"
"""The action by which the audit log tells of a draft, with the digest of its inputs."""


def differences(session: Session, kept: Review) -> Iterator[str]:
    """A sentence for each figure that does not follow."""
    quarter = kept.quarter
    inputs = drafts.inputs(session, quarter)
    digests = (drafts.digest(kept.basis, inputs), drafts.digest_before_rates(kept.basis, inputs))
    if kept.inputs_digest not in digests:
        yield f"review {quarter}: its inputs are not those that it was drafted from"
    cases = drafts.cases(session, quarter)
    audited = _audited(session, str(quarter))
    if audited.get("inputs_digest") != kept.inputs_digest:
        yield f"review {quarter}: the audit log tells of a draft from other inputs"
    if audited.get("cases_digest") != drafts.digest_of_cases(one.case for one in cases):
        yield f"review {quarter}: the audit log tells of a draft of other cases"
    yield from _frame(session, kept)
    bodies = [reference.handbook_body(session, version) for version in (kept.basis.handbook, kept.basis.sized_by)]
    if None in bodies:
        yield f"review {quarter}: its handbook is gone"
        return
    by_thresholds, by_sizing = (handbook.parse(body) for body in bodies if body is not None)
    try:
        expected = proposal.proposed(kept.basis, inputs, by_thresholds.adjustment, by_sizing.sizing)
        resize = proposal.resize(kept.basis, inputs, by_thresholds.adjustment, by_sizing.sizing)
    except (ValueError, Refusal) as error:
        yield f"review {quarter}: nothing follows from its inputs: {error}"
        return
    if codec.plain(resize) != kept.summary.get("resize"):
        yield f"review {quarter}: the share of compensation that it proposes does not follow from its inputs"
    yield from _cases(cases, expected, by_sizing.sizing, str(quarter))


def _audited(session: Session, quarter: str) -> dict[str, Any]:
    """What the log tells of the draft; nothing where there is no row."""
    query = sa.select(audit_log.c.after).where(audit_log.c.action == DRAFTED, audit_log.c.subject == quarter)
    after: dict[str, Any] | None = session.execute(query.order_by(audit_log.c.seq).limit(1)).scalar_one_or_none()
    return after or {}


def _frame(session: Session, kept: Review) -> Iterator[str]:
    """Month, handbook and value stand beside the inputs for queries and foreign keys."""
    c, basis = table.c, kept.basis
    query = sa.select(c.quarter, c.handbook_version, c.value_version, c.month).where(c.quarter == str(kept.quarter))
    found = tuple(session.execute(query).one())
    expected = (basis.quarter, basis.handbook, basis.value_version, basis.month)
    if found != expected:
        yield f"review {kept.quarter}: {found}, its inputs say {expected}"
    value = reference.values_by_version(session).get(basis.value_version)
    if value is None or (value.nano_usd_per_token, value.buffer_permille) != (
        basis.nano_usd_per_token,
        basis.buffer_permille,
    ):
        yield f"review {kept.quarter}: value {basis.value_version} is not what its inputs say"


def _figures(value: object) -> object:
    """Reasons without their words, which a later release may choose better: those that were kept are in the digest."""
    if isinstance(value, tuple):
        return [(one.code, _told(one)) for one in value]
    return value


def _told(reason: Reason) -> dict[str, str]:
    """The figures that a reason tells. Of those that it only carries, releases have counted some otherwise."""
    told = TELLS.get(reason.figures.get("missing", ""))
    beside = {name for name in TELLS.values() if name != told} if reason.code == NOT_ENOUGH else set()
    return {name: figure for name, figure in reason.figures.items() if name not in beside}


def _cases(kept: list[ReviewedCase], expected: list[Case], sizing: SizingRules, quarter: str) -> Iterator[str]:
    found = {one.case.person_id: one for one in kept}
    for case in expected:
        one = found.pop(case.person_id, None)
        if one is None:
            yield f"review {quarter} of {case.person_id}: its inputs say {case.delta}, there is no case"
            continue
        for name in case.__dataclass_fields__:
            if _figures(getattr(one.case, name)) != _figures(getattr(case, name)):
                yield f"review {quarter} of {case.person_id}: {name} does not follow from its inputs"
        if one.decision == AMENDED and one.factor != carried(
            one.case.factor_before, one.delta_thousandths * THOUSANDTH, sizing
        ):
            yield f"review {quarter} of {case.person_id}: the amended factor does not follow from the amended change"
    for person_id in found:
        yield f"review {quarter} of {person_id}: its inputs know nothing of this case"
