"""How grants are adjusted each quarter, and how the board and those concerned have their say."""

# ruff: noqa: TC001 - the types of fields are read at run time

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from policy.business_time import Span
from policy.declared import Between, Factor, OneOf, Share, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.parameters.exceptions import ExceptionRules
    from policy.toml_table import Table


@dataclass(frozen=True, slots=True)
class EfficiencyRules:
    """How output and spend become a score among peers, and how uncertain it is."""

    output_low: Share
    output_high: Share
    output_offset: Factor
    tokens_offset: Factor
    elasticity: Share
    least_elasticity: Share
    most_elasticity: Share
    refit_from: Annotated[int, Between(10, 1_000_000)]
    most_deviations: Factor
    draws: Annotated[int, Between(50, 10_000)]
    seed: Annotated[int, Between(0, 1_000_000_000)]
    confidence: Factor


@dataclass(frozen=True, slots=True)
class UseRules:
    """From which utilisation someone counts as LOW or HIGH, and until which.

    It `counts` what was used of the regular grants, or everything that was used. `low_of_peers` and
    `low_leave_of_peers` are shares of the peers' median: LOW is only who is below the first, until above the second.
    Under a handbook that has neither, peers do not matter.
    """

    low_enter: Factor
    low_quarters: Annotated[int, Between(1, 8)]
    low_leave: Factor
    high_enter: Factor
    high_leave: Factor
    counts: Annotated[str, OneOf(("grants", "everything"))] = "grants"
    low_of_peers: Factor | None = None
    low_leave_of_peers: Factor | None = None

    @property
    def is_relative(self) -> bool:
        return self.low_of_peers is not None


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """How score and utilisation change a grant, and by how much at most.

    HIGH raises only those whose score is above −`least_score_high`; those without one where `high_without_score`.
    """

    per_score: Share
    low: Share
    high: Share
    least_score_high: Factor
    most_quarter: Share
    most_year: Share
    high_without_score: Annotated[str, OneOf(("no", "yes"))] = "no"


@dataclass(frozen=True, slots=True)
class ResizeRules:
    """When the grants are too large, instead of the use too small, and how large they should be.

    More than one `one_in` of those with a grant used less than `low_enter`: then another share of compensation is
    proposed, `percentile` of the use + `headroom` of what it was, at least `least`; and LOW cuts only those who used
    less than `idle_below` in each of the quarters.
    """

    one_in: Annotated[int, Between(2, 100)]
    percentile: Share
    headroom: Share
    least: Share
    idle_below: Share


@dataclass(frozen=True, slots=True)
class AdjustmentRules:
    """How grants are adjusted each quarter.

    `small_teams` of fewer than `least_team` have no score, or that of the wider team. Without `resize` the grants'
    size is never in question.
    """

    unit: str
    weeks: Annotated[int, Between(2, 53)]
    least_weeks: Annotated[int, Between(2, 53)]
    least_peers: Annotated[int, Between(3, 1_000)]
    least_team: Annotated[int, Between(1, 1_000)]
    efficiency: EfficiencyRules
    use: UseRules
    change: ChangeRules
    small_teams: Annotated[str, OneOf(("none", "parent"))] = "none"
    resize: ResizeRules | None = None

    @property
    def first_edition(self) -> AdjustmentRules:
        """The same without everything that was not yet there at first, for what was drafted then.

        A handbook without the table has today's packaged one.
        """
        use = replace(self.use, counts="grants", low_of_peers=None, low_leave_of_peers=None)
        change = replace(self.change, high_without_score="no")
        return replace(self, use=use, change=change, small_teams="none", resize=None)


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """When members who have not voted on a review are reminded, when it lapses, and the working days of notice."""

    remind: Span
    lapse: Span
    notice_days: Annotated[int, Between(1, 60)]


@dataclass(frozen=True, slots=True)
class AppealRules:
    """Working days to appeal against a cut, and from an appeal to its reminder and to its escalation.

    So many days after that, an appeal that no one decided ends in the person's favour. Under a handbook that does not
    say how many it lapses at `decide_days`.
    """

    appeal_days: Annotated[int, Between(1, 60)]
    remind_days: Annotated[int, Between(1, 60)]
    decide_days: Annotated[int, Between(1, 60)]
    escalated_days: Annotated[int, Between(1, 60)] | None = None


def read_appeals(table: Table) -> AppealRules:
    rules = read(AppealRules, table)
    if rules.remind_days >= rules.decide_days:
        table.wrong("remind_days", rules.remind_days, f"fewer than decide_days, {rules.decide_days}")
    return rules


def adjustment_contradictions(rules: AdjustmentRules) -> Iterator[str]:
    """What each key of `[adjustment]` allows alone, and the whole does not."""
    if rules.least_weeks > rules.weeks:
        yield f"adjustment.least_weeks = {rules.least_weeks}: above adjustment.weeks"
    score = rules.efficiency
    for key in ("output_offset", "tokens_offset", "most_deviations"):
        if not getattr(score, key):
            yield f"adjustment.efficiency.{key} = 0: must be above zero"
    if score.output_low >= score.output_high:
        yield f"adjustment.efficiency.output_low = {score.output_low}: not below adjustment.efficiency.output_high"
    if not score.least_elasticity <= score.elasticity <= score.most_elasticity:
        yield f"adjustment.efficiency.elasticity = {score.elasticity}: not within its bounds"
    use = rules.use
    for lower, upper in (("low_enter", "low_leave"), ("low_leave", "high_leave"), ("high_leave", "high_enter")):
        if getattr(use, lower) > getattr(use, upper):
            yield f"adjustment.use.{lower} = {getattr(use, lower)}: above adjustment.use.{upper}"
    yield from _of_peers_contradictions(use)
    if rules.change.most_quarter > rules.change.most_year:
        yield f"adjustment.change.most_quarter = {rules.change.most_quarter}: above adjustment.change.most_year"


def _of_peers_contradictions(use: UseRules) -> Iterator[str]:
    enter, leave = use.low_of_peers, use.low_leave_of_peers
    if enter is None or leave is None:
        if enter is not leave:
            yield "adjustment.use: low_of_peers and low_leave_of_peers need each other"
    elif enter > leave:
        yield f"adjustment.use.low_of_peers = {enter}: above adjustment.use.low_leave_of_peers"


def review_contradictions(reviews: ReviewRules, exceptions: ExceptionRules) -> Iterator[str]:
    """What each key of `[reviews]` allows alone, and the whole does not."""
    a_day = exceptions.until_hour - exceptions.from_hour
    if reviews.remind.is_business != reviews.lapse.is_business:
        yield "reviews: business time and other time are mixed"
    elif a_day > 0 and not reviews.remind.hours(a_day) < reviews.lapse.hours(a_day):
        yield f"reviews.remind = {reviews.remind}: not before reviews.lapse"
