"""Everyone's grant of a month as it would come out: gathered from the records, sized by the policy, nothing posted."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from policy import bands, rollout
from policy.period import first_instant
from policy.sizing import FACTOR, NEUTRAL, Claim, Factors, Sizing, size
from policy.units import NanoUSD
from policy.weights import Assignment
from programme.grants import annual, used
from programme.people.participation import participant
from programme.value import rates, valuation
from store.grants import monthly
from store.people import terms
from store.reviews import drafts
from views import codec

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from policy.bands import Cell, Width
    from policy.handbook import Handbook
    from policy.period import Month
    from policy.rollout import Participant
    from policy.units import MicroTokens
    from policy.value.valuation import TokenValue
    from programme.moment import Moment
    from programme.value.rates import Midpoints
    from store.people.terms import Participant as Person

Utilisation = tuple[Decimal, Decimal]
"""(one's own, that of one's level)"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A month's grants before they are posted, and what they follow from.

    `unsized` says for each person who cannot be sized what is missing; `adjusted` has what reviews make of the grants.
    """

    month: Month
    phase: int
    book: Handbook
    value: TokenValue
    budget: NanoUSD | None
    sizing: Sizing
    people: Mapping[str, Person]
    unsized: Mapping[str, str] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    adjusted: Mapping[str, Decimal] = field(default_factory=dict)


def plan(
    moment: Moment,
    month: Month,
    *,
    leave_out: Container[str] = (),
    share: int | None = None,
    adjusted_in: Month | None = None,
) -> Plan:
    """Size the grants of everyone who takes part in a month, but for those to `leave_out`.

    `share` (millionths) bounds the budget's share for those who come after the month's run; the plan's budget is then
    what is left of the month's, below zero where more was issued. `adjusted_in` is a later month as whose the reviews
    adjust it.
    """
    books = moment.handbooks
    book = books.on(month.first_day)
    value = valuation.value_of(moment, month.quarter, books)
    leaves = terms.leaves(moment.session, month)
    everybody = [
        (p, participant(p, leaves.get(p.id, ())))
        for p in terms.participants(moment.session, month, book.rollout.role_families)
    ]
    # Bands are as wide as all who take part make them, also when only a few are sized.
    taking_part = [(p, who) for p, who in everybody if rollout.takes_part(who, month, book.rollout)]
    midpoints = rates.in_usd(moment, terms.midpoints(moment.session, month.first_day), month.quarter)
    wide = bands.widened(
        Counter((p.level, p.pay_band) for p, _ in taking_part if p.pay_band in midpoints.usd and p.pay_band),
        midpoints.usd,
        book.sizing.people_per_band,
        book.sizing.band_distance,
    )
    adjusted = drafts.factors_on(moment.session, adjusted_in or month)
    claims, unsized = _claims(moment, month, taking_part, wide, midpoints, adjusted, book, leave_out)
    budget = terms.budget(moment.session, month)
    if budget is not None and share is not None:
        budget = NanoUSD(int(budget) - int(monthly.totals(moment.session, month).issued))
    phase = rollout.phase(month, book.rollout) or 0
    sizing = size(claims, book.sizing, value, budget=budget, weighted=phase > 1, most_share=share)
    people = {p.id: p for p, _ in taking_part}
    if book.sizing.band_distance is not None:
        sizing = _with_bands(sizing, people, wide)
    return Plan(month, phase, book, value, budget, sizing, people, unsized, tuple(claims), adjusted)


def _with_bands(sizing: Sizing, people: Mapping[str, Person], wide: Mapping[Cell, Width]) -> Sizing:
    """With what each midpoint came from, where that is not simply the band's own."""
    grants = dict(sizing.grants)
    for person_id, factors in grants.items():
        width = wide[people[person_id].level, people[person_id].pay_band or ""]
        if width.moves or width.is_small:
            grants[person_id] = replace(factors, band=width)
    return replace(sizing, grants=grants)


def _claims(  # noqa: PLR0917 - private, called once
    moment: Moment,
    month: Month,
    taking_part: list[tuple[Person, Participant]],
    wide: Mapping[Cell, Width],
    midpoints: Midpoints,
    adjusted: Mapping[str, Decimal],
    book: Handbook,
    leave_out: Container[str],
) -> tuple[list[Claim], dict[str, str]]:
    projects = terms.assigned(moment.session, month)
    history = _utilisation(moment, month, [p for p, _ in taking_part], book)
    days_in_month = sum(1 for _ in month.days())
    reviewed = annual.factors(moment, month, book)
    claims: list[Claim] = []
    unsized: dict[str, str] = {}
    for person, who in taking_part:
        if person.id in leave_out:
            continue
        days = _days_granted(who, month, book)
        if not days:
            continue
        width = wide.get((person.level, person.pay_band or ""))
        if width is None:
            unsized[person.id] = _no_midpoint(person.pay_band, midpoints, month)
            continue
        own, peers = history.get(person.id, (None, None))
        works_on = tuple(Assignment(p.project, p.complexity, p.share_permille) for p in projects.get(person.id, ()))
        factor = adjusted.get(person.id, NEUTRAL)
        claims.append(
            Claim(
                person.id,
                person.level,
                width.midpoint,
                person.fte_permille,
                days,
                days_in_month,
                works_on,
                own,
                peers,
                factor,
                midpoints.rates[person.pay_band or ""],
                reviewed.get(person.id),
            )
        )
    return claims, unsized


def _no_midpoint(band: str | None, midpoints: Midpoints, month: Month) -> str:
    """Why no grant follows from a pay band."""
    if not band:
        return "no pay band"
    if currency := midpoints.without_rate.get(band):
        return f"pay band {band!r} is in {currency}, which has no rate for {month.quarter}"
    return f"pay band {band!r} has no midpoint for {month.first_day}"


def _days_granted(who: Participant, month: Month, book: Handbook) -> int:
    """The days of a month that count. Most people's is whole, and need not be counted day by day."""
    left = who.left_on is not None and who.left_on < month.next().first_day
    if left or who.absences or who.hired_on > month.first_day:
        return rollout.active_days(who, month, book.sizing.leave_days, join=book.sizing.join_leaves)
    return sum(1 for _ in month.days())


def foreseen(moment: Moment, month: Month, book: Handbook, people: Iterable[str]) -> dict[str, MicroTokens]:
    """What some people's grants of a month to come would be for the whole of it, as their latest ones tell.

    Those who will get none are left out: they are away, their wave has not come, or they cannot be sized.
    """
    latest = monthly.latest(moment.session, people)
    leaves = terms.leaves(moment.session, month)
    midpoints = terms.midpoints(moment.session, month.first_day)
    found: dict[str, MicroTokens] = {}
    for person in terms.participants(moment.session, month, book.rollout.role_families, among=latest):
        who = participant(person, leaves.get(person.id, ()))
        takes_part = rollout.takes_part(who, month, book.rollout) and _days_granted(who, month, book) > 0
        if takes_part and person.pay_band in midpoints:
            found[person.id] = codec.read(Factors, latest[person.id]).whole_grant
    return found


def _utilisation(moment: Moment, month: Month, people: list[Person], book: Handbook) -> dict[str, Utilisation]:
    """How much of last quarter's grants each used, beside the mean of their level; empty while it is too early.

    In a level of few people the mean would tell each what another used: they have no history.
    """
    if not rollout.adjustment_counts(month, book.rollout, book.sizing.history.quiet_quarters):
        return {}
    figures = used.of_quarter(moment, month.quarter.previous(), book.adjustment.use)
    own = {p.id: figures[p.id] for p in people if p.id in figures}
    by_level: defaultdict[str, list[Decimal]] = defaultdict(list)
    for person in people:
        if person.id in own:
            by_level[person.level].append(own[person.id])
    means = {level: (sum(us, Decimal(0)) / len(us)).quantize(FACTOR, ROUND_HALF_EVEN) for level, us in by_level.items()}
    enough = {level for level, us in by_level.items() if len(us) >= book.sizing.people_per_band}
    return {p.id: (own[p.id], means[p.level]) for p in people if p.id in own and p.level in enough}


def begins_at(plan: Plan, person_id: str, zone: ZoneInfo) -> datetime:
    """When a person's grant can be used from: the first of the month, or the day they came."""
    return first_instant(max(plan.month.first_day, plan.people[person_id].hired_on), zone)
