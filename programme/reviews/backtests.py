"""What other thresholds would have made of a review: worked out on what was frozen for it, before any decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from policy import handbook
from policy.reviews import proposal
from store.handbook import proposals
from store.people import directory as people_store
from store.reviews import drafts
from views.review_figures import BackTest

if TYPE_CHECKING:
    from policy.handbook import Handbook
    from policy.parameters.reviews import AdjustmentRules
    from programme.moment import Moment
    from views.reviews import Review


MOST_KNOWN = 32
_known: dict[tuple[str, AdjustmentRules], BackTest] = {}


def of(moment: Moment, kept: Review, rules: AdjustmentRules) -> BackTest:
    """How a review's cases would have come out by other thresholds."""
    inputs = drafts.inputs(moment.session, kept.quarter)
    before = {one.case.person_id: one.case.delta for one in drafts.cases(moment.session, kept.quarter)}
    after = {person_id: one.delta for person_id, one in proposal.adjusted(kept.basis, inputs, rules).items()}
    differ = sum(before.get(person_id) != delta for person_id, delta in after.items())
    return BackTest(proposal.counted(before.values()), proposal.counted(after.values()), differ)


def to_come(moment: Moment, kept: Review, book: Handbook) -> dict[str, BackTest]:
    """What later and proposed versions of the handbook with other thresholds would have made of it, by version."""
    versions = moment.handbooks.versions
    over = kept.quarter.next().first_day
    later = {one.version: (one.adjustment, "") for one in versions if one.effective_from >= over}
    waiting = proposals.all_open(moment.session)
    names = people_store.names(moment.session, {one.proposed_by for one in waiting})
    for one in waiting:
        rules = handbook.parse(one.body).adjustment
        if rules != versions[-1].adjustment:
            later[one.version] = (rules, names[one.proposed_by].name)
    return {
        version: replace(_worked_out_once(moment, kept, rules), proposed_by=name)
        for version, (rules, name) in later.items()
        if rules != book.adjustment
    }


def _worked_out_once(moment: Moment, kept: Review, rules: AdjustmentRules) -> BackTest:
    """What was frozen and what was proposed never change."""
    key = (kept.inputs_digest, rules)
    if (known := _known.get(key)) is None:
        # Every copy of the pack asks again after every vote; few reviews and rules are asked about.
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        known = _known[key] = of(moment, kept, rules)
    return known
