"""The parameters of the rules, as one version of the handbook gives them, and how each table of it is read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from policy.metering import METERS, Meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from policy.business_time import Span
    from policy.toml_table import Table
    from policy.units import NanoUSD

LEVELS = ("junior", "mid", "senior", "staff", "principal")
"""From the least to the most senior."""
COMPLEXITIES = ("routine", "usual", "demanding", "novel")
VALUE_METHODS = ("fixed", "basket")
FUNDINGS = ("inside", "on_top")
PILOTS = ("first_wave", "all_seniors")
MOST = Decimal(10)
"""No factor in a handbook is larger; one that is was mistyped."""


@dataclass(frozen=True, slots=True)
class IndexRules:
    """How the basket's index is kept: the cap of one provider's share, and two thresholds."""

    provider_cap: Decimal
    reweight_divergence: Decimal
    second_person_above: Decimal


@dataclass(frozen=True, slots=True)
class BufferRules:
    """What is held back at issue against price rises; `prior_*` is what is assumed before there is a history."""

    funding: str
    prior_quarters: int
    prior_sd: Decimal
    quantile: Decimal
    horizon_quarters: int
    least: Decimal
    most: Decimal
    announced_change: Decimal


@dataclass(frozen=True, slots=True)
class BasketItem:
    """A line of the starting basket: one meter of one model, its class, and its share of the spend.

    From `retired_on` on it has no price of its own, and takes the mean change of its class.
    """

    provider: str
    model: str
    tier: str
    meter: Meter
    class_: str
    share: Decimal
    retired_on: date | None


@dataclass(frozen=True, slots=True)
class ValueRules:
    """What a token is worth: `usd_per_token` in the base quarter, and how later quarters follow from it."""

    method: str
    usd_per_token: NanoUSD
    index: IndexRules
    buffer: BufferRules
    basket: tuple[BasketItem, ...]


@dataclass(frozen=True, slots=True)
class HistoryRules:
    """How much earlier utilisation moves a grant, and for how many quarters after the launch it does not."""

    slope: Decimal
    least: Decimal
    most: Decimal
    quiet_quarters: int


@dataclass(frozen=True, slots=True)
class SizingRules:
    """How a monthly grant follows from pay band, seniority, project complexity and history (RULES 3)."""

    share_of_compensation: Decimal
    least_weight: Decimal
    most_weight: Decimal
    floor_share: Decimal
    cap_share: Decimal
    floor_usd: NanoUSD
    round_to_tokens: int
    people_per_band: int
    leave_days: int
    seniority: Mapping[str, Decimal]
    complexity: Mapping[str, Decimal]
    history: HistoryRules


@dataclass(frozen=True, slots=True)
class LotRules:
    """How long a grant lives, how much of it is carried over, and when what lapses is announced.

    A lot that has ended is closed `settle_days` later: usage of its last days may still be on its way.
    """

    months: int
    carry_over: Decimal
    settle_days: int
    notice_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RolloutRules:
    """Who takes part from when, in months since the launch; without a launch date nobody does."""

    launched_on: date | None
    role_families: tuple[str, ...]
    pilot: str
    pilot_levels: tuple[str, ...]
    wave_months: tuple[int, ...]
    phase_2_month: int
    phase_3_month: int


@dataclass(frozen=True, slots=True)
class MessageRules:
    """When the bot may write to people of its own accord: working days, between two hours of their own time."""

    from_hour: int
    until_hour: int
    holidays: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When those who have not voted are reminded, when alternates are called in, and when a request lapses."""

    remind: Span
    escalate: Span
    lapse: Span


@dataclass(frozen=True, slots=True)
class ClassRules:
    """A class of requests: up to so many monthly grants (and USD), decided by so many members of the board."""

    grants: Decimal
    usd: NanoUSD | None
    members: int
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class MajorRules:
    """Requests above the standard class, or above a share of the quarter's budget: a majority and finance decide."""

    pool_share: Decimal
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class BreakGlassRules:
    """What is credited at once in an incident, how often, and by when so many members ratify it."""

    grants: Decimal
    usd: NanoUSD
    every_days: int
    members: int
    ratify: Span


@dataclass(frozen=True, slots=True)
class ExceptionRules:
    """How exceptions are asked for and decided (RULES 5)."""

    from_hour: int
    until_hour: int
    lot_days: int
    split_days: int
    notice_days: tuple[int, ...]
    outcome_days: int
    fast: ClassRules
    standard: ClassRules
    major: MajorRules
    break_glass: BreakGlassRules


@dataclass(frozen=True, slots=True)
class WarningRules:
    """At what percentages of what can be spent in a month people are warned, in ascending order."""

    percent: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReportRules:
    """When a team's week counts as unusual, and how many weeks before it must be known."""

    jump_deviations: Decimal
    jump_share: Decimal
    jump_of_week: Decimal
    jump_weeks: int


@dataclass(frozen=True, slots=True)
class ReserveRules:
    """What is put aside for outstanding tokens: the share that so many percent of people keep within, and a margin."""

    percentile: int
    months: int
    margin: Decimal


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
    """From which utilisation somebody counts as LOW or HIGH, and until which."""

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


@dataclass(frozen=True, slots=True)
class DigestRules:
    """What a digest may tell of groups, and when a month's last days count as a rush."""

    least_people: int
    rush_days: int
    rush_factor: Decimal


def read_value(table: Table) -> ValueRules:
    rules = ValueRules(
        method=table.choice("method", VALUE_METHODS),
        usd_per_token=table.usd("usd_per_token"),
        index=_read_index(table.table("index")),
        buffer=_read_buffer(table.table("buffer")),
        basket=tuple(_read_basket_item(t) for t in table.tables("basket")),
    )
    table.done()
    return rules


def _read_index(table: Table) -> IndexRules:
    rules = IndexRules(
        table.share("provider_cap"), table.share("reweight_divergence"), table.share("second_person_above")
    )
    table.done()
    return rules


def _read_buffer(table: Table) -> BufferRules:
    rules = BufferRules(
        funding=table.choice("funding", FUNDINGS),
        prior_quarters=table.count("prior_quarters", 1, 100),
        prior_sd=table.share("prior_sd"),
        quantile=table.share("quantile", MOST),
        horizon_quarters=table.count("horizon_quarters", 1, 8),
        least=table.share("least"),
        most=table.share("most"),
        announced_change=table.share("announced_change"),
    )
    table.done()
    return rules


def _read_basket_item(table: Table) -> BasketItem:
    item = BasketItem(
        provider=table.text("provider"),
        model=table.text("model"),
        tier=table.optional_text("tier"),
        meter=cast("Meter", table.choice("meter", METERS)),
        class_=table.text("class"),
        share=table.share("share"),
        retired_on=table.optional_day("retired_on"),
    )
    table.done()
    return item


def read_sizing(table: Table) -> SizingRules:
    rules = SizingRules(
        share_of_compensation=table.share("share_of_compensation"),
        least_weight=table.share("least_weight", MOST),
        most_weight=table.share("most_weight", MOST),
        floor_share=table.share("floor_share", MOST),
        cap_share=table.share("cap_share", MOST),
        floor_usd=table.usd("floor_usd"),
        round_to_tokens=table.count("round_to_tokens", 1, 1_000_000),
        people_per_band=table.count("people_per_band", 1, 1_000),
        leave_days=table.count("leave_days", 0, 366),
        seniority=_read_factors(table.table("seniority"), LEVELS),
        complexity=_read_factors(table.table("complexity"), COMPLEXITIES),
        history=_read_history(table.table("history")),
    )
    table.done()
    return rules


def _read_factors(table: Table, names: tuple[str, ...]) -> dict[str, Decimal]:
    factors = {name: table.share(name, MOST) for name in names}
    table.done()
    return factors


def _read_history(table: Table) -> HistoryRules:
    rules = HistoryRules(
        table.share("slope", MOST),
        table.share("least", MOST),
        table.share("most", MOST),
        table.count("quiet_quarters", 0, 100),
    )
    table.done()
    return rules


def read_lots(table: Table) -> LotRules:
    rules = LotRules(
        months=table.count("months", 1, 120),
        carry_over=table.share("carry_over", MOST),
        settle_days=table.count("settle_days", 0, 60),
        notice_days=tuple(sorted(set(table.counts("notice_days", 1, 60)), reverse=True)),
    )
    table.done()
    return rules


def read_rollout(table: Table) -> RolloutRules:
    rules = RolloutRules(
        launched_on=table.optional_day("launched_on"),
        role_families=tuple(table.texts("role_families")),
        pilot=table.choice("pilot", PILOTS),
        pilot_levels=tuple(table.texts("pilot_levels")),
        wave_months=table.counts("wave_months", 1, 120),
        phase_2_month=table.count("phase_2_month", 1, 120),
        phase_3_month=table.count("phase_3_month", 1, 120),
    )
    table.done()
    return rules


def read_messages(table: Table) -> MessageRules:
    rules = MessageRules(table.count("from_hour", 0, 23), table.count("until_hour", 1, 24), table.days("holidays"))
    table.done()
    return rules


def read_exceptions(table: Table) -> ExceptionRules:
    rules = ExceptionRules(
        from_hour=table.count("from_hour", 0, 23),
        until_hour=table.count("until_hour", 1, 23),
        lot_days=table.count("lot_days", 1, 366),
        split_days=table.count("split_days", 1, 366),
        notice_days=tuple(sorted(set(table.counts("notice_days", 1, 60)), reverse=True)),
        outcome_days=table.count("outcome_days", 1, 366),
        fast=_read_class(table.table("fast")),
        standard=_read_class(table.table("standard")),
        major=_read_major(table.table("major")),
        break_glass=_read_break_glass(table.table("break_glass")),
    )
    table.done()
    return rules


def _read_class(table: Table) -> ClassRules:
    rules = ClassRules(
        grants=table.share("grants", MOST),
        usd=table.usd("usd") if "usd" in table.entries else None,
        members=table.count("members", 1, 100),
        schedule=_read_schedule(table),
    )
    table.done()
    return rules


def _read_schedule(table: Table) -> Schedule:
    return Schedule(table.span("remind"), table.span("escalate"), table.span("lapse"))


def _read_major(table: Table) -> MajorRules:
    rules = MajorRules(table.share("pool_share"), _read_schedule(table))
    table.done()
    return rules


def _read_break_glass(table: Table) -> BreakGlassRules:
    rules = BreakGlassRules(
        grants=table.share("grants", MOST),
        usd=table.usd("usd"),
        every_days=table.count("every_days", 1, 366),
        members=table.count("members", 1, 100),
        ratify=table.span("ratify"),
    )
    table.done()
    return rules


def read_warnings(table: Table) -> WarningRules:
    percent = tuple(sorted(set(table.counts("percent", 1, 100))))
    if not percent:
        table.wrong("percent", list(percent), "at least one percentage")
    table.done()
    return WarningRules(percent)


def read_reports(table: Table) -> ReportRules:
    rules = ReportRules(
        jump_deviations=table.share("jump_deviations", MOST),
        jump_share=table.share("jump_share", MOST),
        jump_of_week=table.share("jump_of_week"),
        jump_weeks=table.count("jump_weeks", 3, 11),
    )
    table.done()
    return rules


def read_reserve(table: Table) -> ReserveRules:
    rules = ReserveRules(table.count("percentile", 50, 100), table.count("months", 1, 12), table.share("margin"))
    table.done()
    return rules


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


def read_digest(table: Table) -> DigestRules:
    rules = DigestRules(
        table.count("least_people", 1, 1_000), table.count("rush_days", 1, 27), table.share("rush_factor", MOST)
    )
    table.done()
    return rules


def value_contradictions(value: ValueRules) -> Iterator[str]:
    """What each key of `[value]` allows alone, and the whole does not."""
    if value.buffer.least > value.buffer.most:
        yield f"value.buffer.least = {value.buffer.least}: above value.buffer.most"
    if value.method == "basket" and sum(item.share for item in value.basket) != 1:
        yield f"value.basket: the shares add up to {sum(item.share for item in value.basket)}, not to 1"
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    seen: set[tuple[str, ...]] = set()
    for item in value.basket:
        shares[item.provider] += item.share
        key = (item.provider, item.model, item.tier, item.meter)
        if key in seen:
            yield f"value.basket: {item.meter} of {item.provider}/{item.model} is listed twice"
        seen.add(key)
    for provider, share in shares.items():
        if share > value.index.provider_cap:
            yield f"value.basket: {provider!r} has {share}, more than value.index.provider_cap"


def sizing_contradictions(sizing: SizingRules) -> Iterator[str]:
    if sizing.least_weight > sizing.most_weight:
        yield f"sizing.least_weight = {sizing.least_weight}: above sizing.most_weight"
    if sizing.floor_share > sizing.cap_share:
        yield f"sizing.floor_share = {sizing.floor_share}: above sizing.cap_share"
    if sizing.history.least > sizing.history.most:
        yield f"sizing.history.least = {sizing.history.least}: above sizing.history.most"
    for name, order in (("seniority", LEVELS), ("complexity", COMPLEXITIES)):
        factors = [getattr(sizing, name)[key] for key in order]
        if factors != sorted(factors):
            yield f"sizing.{name}: the factors must not fall from {order[0]} to {order[-1]}"


def rollout_contradictions(rollout: RolloutRules) -> Iterator[str]:
    launched = rollout.launched_on
    if launched and launched.day != 1:
        yield f"rollout.launched_on = {launched}: not the first of a month"
    for level in rollout.pilot_levels:
        if level not in LEVELS:
            yield f"rollout.pilot_levels: {level!r} is none of {', '.join(LEVELS)}"
    if list(rollout.wave_months) != sorted(set(rollout.wave_months)):
        yield f"rollout.wave_months = {list(rollout.wave_months)}: not in ascending order"
    if rollout.wave_months and rollout.wave_months[0] < rollout.phase_2_month:
        yield f"rollout.wave_months = {list(rollout.wave_months)}: before rollout.phase_2_month"
    if rollout.phase_3_month <= rollout.phase_2_month:
        yield f"rollout.phase_3_month = {rollout.phase_3_month}: not after rollout.phase_2_month"


def message_contradictions(messages: MessageRules) -> Iterator[str]:
    if messages.until_hour <= messages.from_hour:
        yield f"messages.until_hour = {messages.until_hour}: not after messages.from_hour"


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


def exception_contradictions(exceptions: ExceptionRules) -> Iterator[str]:
    if exceptions.until_hour <= exceptions.from_hour:
        yield f"exceptions.until_hour = {exceptions.until_hour}: not after exceptions.from_hour"
        return
    if exceptions.standard.grants < exceptions.fast.grants:
        yield f"exceptions.standard.grants = {exceptions.standard.grants}: below exceptions.fast.grants"
    if exceptions.standard.members < exceptions.fast.members:
        yield f"exceptions.standard.members = {exceptions.standard.members}: below exceptions.fast.members"
    a_day = exceptions.until_hour - exceptions.from_hour
    schedules = {
        "fast": exceptions.fast.schedule,
        "standard": exceptions.standard.schedule,
        "major": exceptions.major.schedule,
    }
    for name, schedule in schedules.items():
        spans = (schedule.remind, schedule.escalate, schedule.lapse)
        if len({span.is_business for span in spans}) > 1:
            yield f"exceptions.{name}: business time and other time are mixed"
        elif not (_hours(spans[0], a_day) < _hours(spans[1], a_day) < _hours(spans[2], a_day)):
            yield f"exceptions.{name}: remind, escalate and lapse must follow one another"


def review_contradictions(reviews: ReviewRules, exceptions: ExceptionRules) -> Iterator[str]:
    """What each key of `[reviews]` allows alone, and the whole does not."""
    a_day = exceptions.until_hour - exceptions.from_hour
    if reviews.remind.is_business != reviews.lapse.is_business:
        yield "reviews: business time and other time are mixed"
    elif a_day > 0 and not _hours(reviews.remind, a_day) < _hours(reviews.lapse, a_day):
        yield f"reviews.remind = {reviews.remind}: not before reviews.lapse"


def _hours(span: Span, a_day: int) -> int:
    return span.count * ({"hour": 1, "day": a_day} if span.is_business else {"hour": 1, "day": 24})[span.unit]
