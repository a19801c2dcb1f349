"""How grants are adjusted each quarter, and how the board and those concerned have their say (RULES 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy.toml_table import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from policy.business_time import Span
    from policy.parameters.exceptions import ExceptionRules
    from policy.toml_table import Table


@dataclass(frozen=True, slots=True)
class EfficiencyRules:
    """How output and spend become a score among peers, and how uncertain it is."""

    output_low: Decimal
    output_high: Decimal
    output_offset: Decimal
    tokens_offset: Decimal
    elasticity: Decimal
    least_elasticity: Decimal
    most_elasticity: Decimal
    refit_from: int
    most_deviations: Decimal
    draws: int
    seed: int
    confidence: Decimal


@dataclass(frozen=True, slots=True)
class UseRules:
    """From which utilisation someone counts as LOW or HIGH, and until which."""

    low_enter: Decimal
    low_quarters: int
    low_leave: Decimal
    high_enter: Decimal
    high_leave: Decimal


@dataclass(frozen=True, slots=True)
class ChangeRules:
    """How score and utilisation change a grant, and by how much at most.

    HIGH raises only those whose score is above −`least_score_high`.
    """

    per_score: Decimal
    low: Decimal
    high: Decimal
    least_score_high: Decimal
    most_quarter: Decimal
    most_year: Decimal


@dataclass(frozen=True, slots=True)
class AdjustmentRules:
    """How grants are adjusted each quarter (RULES 6)."""

    unit: str
    weeks: int
    least_weeks: int
    least_peers: int
    least_team: int
    efficiency: EfficiencyRules
    use: UseRules
    change: ChangeRules


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """When members who have not voted on a review are reminded, when it lapses, and the working days of notice."""

    remind: Span
    lapse: Span
    notice_days: int


@dataclass(frozen=True, slots=True)
class AppealRules:
    """Working days to appeal against a cut, and from an appeal to its reminder and to its end."""

    appeal_days: int
    remind_days: int
    decide_days: int


def read_adjustment(table: Table, unit: str) -> AdjustmentRules:
    rules = AdjustmentRules(
        unit=unit,
        weeks=table.count("weeks", 2, 53),
        least_weeks=table.count("least_weeks", 2, 53),
        least_peers=table.count("least_peers", 3, 1_000),
        least_team=table.count("least_team", 1, 1_000),
        efficiency=_read_efficiency(table.table("efficiency")),
        use=_read_use(table.table("use")),
        change=_read_change(table.table("change")),
    )
    table.done()
    return rules


def _read_efficiency(table: Table) -> EfficiencyRules:
    rules = EfficiencyRules(
        output_low=table.share("output_low"),
        output_high=table.share("output_high"),
        output_offset=table.share("output_offset", MOST),
        tokens_offset=table.share("tokens_offset", MOST),
        elasticity=table.share("elasticity"),
        least_elasticity=table.share("least_elasticity"),
        most_elasticity=table.share("most_elasticity"),
        refit_from=table.count("refit_from", 10, 1_000_000),
        most_deviations=table.share("most_deviations", MOST),
        draws=table.count("draws", 50, 10_000),
        seed=table.count("seed", 0, 1_000_000_000),
        confidence=table.share("confidence", MOST),
    )
    table.done()
    return rules


def _read_use(table: Table) -> UseRules:
    rules = UseRules(
        low_enter=table.share("low_enter", MOST),
        low_quarters=table.count("low_quarters", 1, 8),
        low_leave=table.share("low_leave", MOST),
        high_enter=table.share("high_enter", MOST),
        high_leave=table.share("high_leave", MOST),
    )
    table.done()
    return rules


def _read_change(table: Table) -> ChangeRules:
    rules = ChangeRules(
        per_score=table.share("per_score"),
        low=table.share("low"),
        high=table.share("high"),
        least_score_high=table.share("least_score_high", MOST),
        most_quarter=table.share("most_quarter"),
        most_year=table.share("most_year"),
    )
    table.done()
    return rules


def read_reviews(table: Table) -> ReviewRules:
    rules = ReviewRules(table.span("remind"), table.span("lapse"), table.count("notice_days", 1, 60))
    table.done()
    return rules


def read_appeals(table: Table) -> AppealRules:
    rules = AppealRules(
        appeal_days=table.count("appeal_days", 1, 60),
        remind_days=table.count("remind_days", 1, 60),
        decide_days=table.count("decide_days", 1, 60),
    )
    if rules.remind_days >= rules.decide_days:
        table.wrong("remind_days", rules.remind_days, f"fewer than decide_days, {rules.decide_days}")
    table.done()
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
    if rules.change.most_quarter > rules.change.most_year:
        yield f"adjustment.change.most_quarter = {rules.change.most_quarter}: above adjustment.change.most_year"


def review_contradictions(reviews: ReviewRules, exceptions: ExceptionRules) -> Iterator[str]:
    """What each key of `[reviews]` allows alone, and the whole does not."""
    a_day = exceptions.until_hour - exceptions.from_hour
    if reviews.remind.is_business != reviews.lapse.is_business:
        yield "reviews: business time and other time are mixed"
    elif a_day > 0 and not reviews.remind.hours(a_day) < reviews.lapse.hours(a_day):
        yield f"reviews.remind = {reviews.remind}: not before reviews.lapse"
