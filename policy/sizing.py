"""How large everyone's monthly grant is: entitlement × seniority × complexity × history, adjusted, within a budget.

    M = .25 × midpoint ÷ 12 × post × days active ÷ days in the month
    grant = clip(k × M × clip(S·P·H·A, .70, 1.40) × adjustment, .60·M, 1.50·M)    k ≤ 1: Σ grants ≤ budget

The figures are those of the packaged handbook. Everything is counted in whole numbers: USD in nano-USD, grants in
micro-tokens, factors in ten-thousandths, the budget's share in millionths.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from policy.bands import Width  # noqa: TC001 - factors are kept, and read again by their annotations
from policy.reasons import Reason, Refusal
from policy.units import MICRO_PER_TOKEN, MicroTokens, NanoUSD, Permille, divide_half_even
from policy.value.currencies import PAR, Rate
from policy.weights import Annual, Assignment, annual_factor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.parameters.grants import SizingRules
    from policy.value.valuation import TokenValue

MONTHS_PER_YEAR = 12
TEN_THOUSAND, MILLION = 10_000, 1_000_000
WHOLE = 1_000
"""Permille of a full post, of a project's share, of a buffer's base."""
FACTOR = Decimal("0.0001")
NEUTRAL = Decimal(1)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one person's grant follows from; `utilisation` and `peers` are None where history does not count yet.

    `adjustment` is what the quarterly adjustments so far make together (policy/reviews/adjustment.py).
    """

    person_id: str
    level: str
    midpoint: NanoUSD
    fte_permille: Permille
    days_active: int
    days_in_month: int
    projects: tuple[Assignment, ...] = ()
    utilisation: Decimal | None = None
    peers: Decimal | None = None
    adjustment: Decimal = NEUTRAL
    rate: Rate = PAR
    """That of the pay band's currency; the midpoint is converted already."""
    annual: Annual | None = None


@dataclass(frozen=True, slots=True)
class Factors:
    """A grant with everything that it follows from.

    `entitlement` is M, `weight` the clipped product of the three factors, on which `adjustment` comes, `budget_share`
    k, `bound` what held the result ("", "floor", "cap"), `usd` the grant in USD before the buffer, `per_token` and
    `buffer_permille` what turned it into tokens. `amount` is rounded.
    """

    level: str
    entitlement: NanoUSD
    fte_permille: Permille
    days_active: int
    days_in_month: int
    seniority: Decimal
    complexity: Decimal
    history: Decimal
    weight: Decimal
    budget_share: Decimal
    bound: str
    usd: NanoUSD
    per_token: NanoUSD
    buffer_permille: int
    amount: MicroTokens
    projects: tuple[Assignment, ...] = ()
    utilisation: Decimal | None = None
    peers: Decimal | None = None
    adjustment: Decimal = NEUTRAL
    rate: Rate = PAR
    """What the midpoint was converted at."""
    band: Width | None = None
    """What the midpoint came from; None where nothing is to be said of it."""
    annual: Annual | None = None

    @property
    def is_small_group(self) -> bool:
        """Whether so few share the midpoint that the grant would tell it: it is shown to nobody else."""
        return self.band is not None and self.band.is_small

    @property
    def because(self) -> tuple[Reason, ...]:
        """Each factor as a sentence with its figures."""
        return tuple(_reasons(self))

    @property
    def steps(self) -> Steps:
        """The figures on the way to the amount, by the same arithmetic that led to it."""
        weighted = _weighted(int(self.entitlement), self.weight, self.adjustment)
        issued = _issued(weighted, int(self.per_token), self.buffer_permille)
        return Steps(
            full=_full(self),
            product=(self.seniority * self.complexity * self.history * annual_factor(self.annual)).quantize(
                FACTOR, ROUND_HALF_EVEN
            ),
            weighted=NanoUSD(weighted),
            issued=MicroTokens(issued),
            scaled=MicroTokens(_scaled(issued, int(self.budget_share * MILLION))),
        )

    @property
    def whole_grant(self) -> MicroTokens:
        """The grant as it would be for the whole month: a part of a month is a smaller grant, not a smaller limit."""
        return MicroTokens(int(self.amount) * self.days_in_month // self.days_active)


@dataclass(frozen=True, slots=True)
class Steps:
    """What a grant went through between its factors and its amount.

    `full` is the entitlement of a full post and month. `product` is that of all factors before it was kept within
    its bounds. `weighted` is the entitlement × weight × adjustment, `issued` the tokens which that buys, `scaled` what
    the budget leaves of them: the amount before floor, cap and rounding.
    """

    full: NanoUSD
    product: Decimal
    weighted: NanoUSD
    issued: MicroTokens
    scaled: MicroTokens


@dataclass(frozen=True, slots=True)
class Sizing:
    """Everyone's grant by person id, in the order of the ids; `total` never exceeds what the budget buys."""

    grants: dict[str, Factors]
    budget_share: Decimal
    total: MicroTokens
    entitled: NanoUSD


@dataclass(frozen=True, slots=True)
class _Bounds:
    """One claim in the units of the budget: micro-tokens."""

    claim: Claim
    entitlement: int
    weight: Decimal
    factors: tuple[Decimal, Decimal, Decimal]
    adjustment: Decimal
    weighted: bool
    raw: int
    floor: int
    cap: int


def size(
    claims: Iterable[Claim],
    rules: SizingRules,
    value: TokenValue,
    *,
    budget: NanoUSD | None,
    weighted: bool = True,
    most_share: int | None = None,
) -> Sizing:
    """Everyone's grant within `budget` USD (None: no bound); `weighted=False` is the pilot, where w = 1.

    `most_share` (millionths) bounds k for people who come after the month's run, which had found it. Where a reserve is
    kept for them the run leaves it, and nothing else bounds theirs.

    A Refusal names the shortfall when already the floors exceed the budget.
    """
    step = rules.round_to_tokens * MICRO_PER_TOKEN
    bounds = [_bounds(claim, rules, value, weighted=weighted) for claim in sorted(claims, key=lambda c: c.person_id)]
    share = MILLION if most_share is None else most_share
    if budget is not None and (most_share is None or rules.joiner_reserve is None):
        share = _budget_share(bounds, _for_the_run(budget, rules), value, share)
    exact = [_clipped(b, share) for b in bounds]
    amounts = _rounded(exact, step)
    grants = {b.claim.person_id: _factors(b, share, amount, value) for b, amount in zip(bounds, amounts, strict=True)}
    return Sizing(
        grants, Decimal(share) / MILLION, MicroTokens(sum(amounts)), NanoUSD(sum(b.entitlement for b in bounds))
    )


def _for_the_run(budget: NanoUSD, rules: SizingRules) -> NanoUSD:
    """What a month's run may issue of its budget."""
    return NanoUSD(int(budget) - int(budget * (rules.joiner_reserve or 0)))


def bought(usd: NanoUSD, value: TokenValue) -> int:
    """Micro-tokens that are issued for an entitlement: USD ÷ (V × (1 + buffer)), rounded down."""
    return _issued(int(usd), value.nano_usd_per_token, value.issue_buffer_permille)


def _issued(usd: int, per_token: int, buffer_permille: int) -> int:
    return usd * MICRO_PER_TOKEN * WHOLE // (per_token * (WHOLE + buffer_permille))


def _weighted(entitled: int, weight: Decimal, adjustment: Decimal) -> int:
    return _part(_part(entitled, weight), adjustment)


def _scaled(issued: int, share: int) -> int:
    """What the budget's share, in millionths, leaves of what a grant would be."""
    return issued * share // MILLION


def entitlement(claim: Claim, rules: SizingRules) -> NanoUSD:
    """M: the share of the midpoint for a month, less for part of a post or of the month."""
    permille, parts = claim.fte_permille.as_integer_ratio()
    numerator = int(claim.midpoint) * int(rules.share_of_compensation * TEN_THOUSAND) * permille
    denominator = TEN_THOUSAND * MONTHS_PER_YEAR * WHOLE * parts * claim.days_in_month
    return NanoUSD(divide_half_even(numerator * claim.days_active, denominator))


def least(rules: SizingRules, fte_permille: Permille, days_active: int, days_in_month: int) -> NanoUSD:
    """The floor in USD that every grant has, less for part of a post or of the month."""
    permille, parts = fte_permille.as_integer_ratio()
    return NanoUSD(divide_half_even(int(rules.floor_usd) * permille * days_active, WHOLE * parts * days_in_month))


def _full(factors: Factors) -> NanoUSD:
    """The entitlement of a full post and month, of which a grant's is a part."""
    permille, parts = factors.fte_permille.as_integer_ratio()
    whole = int(factors.entitlement) * WHOLE * parts * factors.days_in_month
    return NanoUSD(divide_half_even(whole, permille * factors.days_active))


def weight(claim: Claim, rules: SizingRules) -> tuple[Decimal, Decimal, Decimal]:
    """S, P and H."""
    return rules.seniority[claim.level], _complexity(claim, rules), _history(claim, rules)


def _complexity(claim: Claim, rules: SizingRules) -> Decimal:
    total = sum(project.share_permille for project in claim.projects)
    if not total:
        return NEUTRAL
    weighted = sum((rules.complexity[p.complexity] * p.share_permille for p in claim.projects), Decimal(0))
    if rules.unassigned is not None and total < WHOLE:
        weighted += rules.unassigned * (WHOLE - total)
        total = WHOLE
    return (weighted / total).quantize(FACTOR, ROUND_HALF_EVEN)


def _history(claim: Claim, rules: SizingRules) -> Decimal:
    if claim.utilisation is None or claim.peers is None:
        return NEUTRAL
    h = rules.history
    moved = 1 + h.slope * (claim.utilisation - claim.peers)
    return min(max(moved, h.least), h.most).quantize(FACTOR, ROUND_HALF_EVEN)


def _bounds(claim: Claim, rules: SizingRules, value: TokenValue, *, weighted: bool) -> _Bounds:
    base = int(entitlement(claim, rules))
    factors = weight(claim, rules) if weighted else (NEUTRAL, NEUTRAL, NEUTRAL)
    product = factors[0] * factors[1] * factors[2] * annual_factor(claim.annual)
    clipped = min(max(product, rules.least_weight), rules.most_weight) if weighted else NEUTRAL
    clipped = clipped.quantize(FACTOR, ROUND_HALF_EVEN)
    lowest, highest = _limits(base, claim, rules, value)
    adjusted = claim.adjustment.quantize(FACTOR, ROUND_HALF_EVEN) if weighted else NEUTRAL
    raw = bought(NanoUSD(_weighted(base, clipped, adjusted)), value)
    return _Bounds(claim, base, clipped, factors, adjusted, weighted, raw, lowest, highest)


def _limits(base: int, claim: Claim | Factors, rules: SizingRules, value: TokenValue) -> tuple[int, int]:
    """Floor and cap of a grant, in micro-tokens."""
    step = rules.round_to_tokens * MICRO_PER_TOKEN
    lowest_usd = int(least(rules, claim.fte_permille, claim.days_active, claim.days_in_month))
    floor = max(_part(base, rules.floor_share), lowest_usd)
    cap = max(_part(base, rules.cap_share), floor)
    # Bounds are whole steps, floors rounded up and caps down, so that rounding a grant cannot carry it across one.
    lowest = -(-bought(NanoUSD(floor), value) // step) * step
    return lowest, max(bought(NanoUSD(cap), value) // step * step, lowest)


def readjusted(factors: Factors, adjustment: Decimal, rules: SizingRules, value: TokenValue) -> int:
    """What a grant at a value would have been with another adjustment and all else as it was, before rounding."""
    base = int(factors.entitlement)
    lowest, highest = _limits(base, factors, rules, value)
    raw = bought(NanoUSD(_weighted(base, factors.weight, adjustment)), value)
    return min(max(_scaled(raw, int(factors.budget_share * MILLION)), lowest), highest)


def _part(amount: int, factor: Decimal) -> int:
    return divide_half_even(amount * int(factor * TEN_THOUSAND), TEN_THOUSAND)


def _clipped(bounds: _Bounds, share: int) -> int:
    return min(max(_scaled(bounds.raw, share), bounds.floor), bounds.cap)


def _budget_share(bounds: Sequence[_Bounds], budget: NanoUSD, value: TokenValue, most: int) -> int:
    """The largest k up to `most`, in millionths, with which everyone's grants fit: found by bisection."""
    available = bought(budget, value)
    floors = sum(b.floor for b in bounds)
    if floors > available:
        needed = floors * value.nano_usd_per_token * (WHOLE + value.issue_buffer_permille)
        usd = NanoUSD(-(-needed // (MICRO_PER_TOKEN * WHOLE)))
        raise Refusal(
            "budget_below_floors",
            f"The floors of {len(bounds)} {'person' if len(bounds) == 1 else 'people'} need USD {usd.decimal:,.2f}; "
            f"the budget has USD {budget.decimal:,.2f} for them, "
            f"USD {NanoUSD(usd - budget).decimal:,.2f} short.",
            next_step="Raise it with `tokens-bot budgets set`, or lower the floors in the handbook.",
        )
    figures = [(b.raw, b.floor, b.cap) for b in bounds]
    low, high = 0, most
    if _total(figures, high) <= available:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if _total(figures, middle) <= available:
            low = middle
        else:
            high = middle
    return low


def _total(figures: Sequence[tuple[int, int, int]], share: int) -> int:
    return sum([min(max(raw * share // MILLION, floor), cap) for raw, floor, cap in figures])


def _rounded(exact: Sequence[int], step: int) -> list[int]:
    """Multiples of `step` by largest remainder, whose sum is the exact sum rounded down; ties go to the earlier."""
    amounts = [amount // step * step for amount in exact]
    spare = (sum(exact) - sum(amounts)) // step
    by_remainder = sorted(range(len(exact)), key=lambda i: (-(exact[i] % step), i))
    for i in by_remainder[:spare]:
        amounts[i] += step
    return amounts


def _factors(bounds: _Bounds, share: int, amount: int, value: TokenValue) -> Factors:
    claim = bounds.claim
    scaled = _scaled(bounds.raw, share)
    bound = "floor" if scaled < bounds.floor else "cap" if scaled > bounds.cap else ""
    usd = divide_half_even(
        amount * value.nano_usd_per_token * (WHOLE + value.issue_buffer_permille), MICRO_PER_TOKEN * WHOLE
    )
    return Factors(
        level=claim.level,
        entitlement=NanoUSD(bounds.entitlement),
        fte_permille=claim.fte_permille,
        days_active=claim.days_active,
        days_in_month=claim.days_in_month,
        seniority=bounds.factors[0],
        complexity=bounds.factors[1],
        history=bounds.factors[2],
        weight=bounds.weight,
        budget_share=Decimal(share) / MILLION,
        bound=bound,
        usd=NanoUSD(usd),
        per_token=value.per_token,
        buffer_permille=value.issue_buffer_permille,
        amount=MicroTokens(amount),
        projects=claim.projects,
        utilisation=claim.utilisation,
        peers=claim.peers,
        adjustment=bounds.adjustment,
        rate=claim.rate,
        annual=claim.annual if bounds.weighted else None,
    )


def _reasons(f: Factors) -> Iterable[Reason]:
    yield Reason("entitlement", "your entitlement for the month", {"usd": f"{f.entitlement.decimal:.2f}"})
    if f.fte_permille < WHOLE:
        yield Reason("part_time", "your share of a full-time post", {"permille": str(f.fte_permille)})
    if f.days_active < f.days_in_month:
        yield Reason("part_month", "days of the month that count", {"days": f"{f.days_active}/{f.days_in_month}"})
    yield Reason("seniority", f"{f.level} level", {"factor": f"{f.seniority:f}"})
    yield Reason("complexity", "your projects", {"factor": f"{f.complexity:f}"})
    yield Reason("history", "what you used of earlier grants", {"factor": f"{f.history:f}"})
    if f.annual is not None:
        yield f.annual.reason
    if f.adjustment != NEUTRAL:
        yield Reason("adjustment", "the quarterly adjustments", {"factor": f"{f.adjustment:f}"})
    if f.budget_share < 1:
        yield Reason(
            "budget", "the share of everyone's grants that the month's budget covers", {"factor": f"{f.budget_share:f}"}
        )
    if f.bound:
        yield Reason(f.bound, f"the {f.bound} applies instead", {})
    yield Reason(
        "conversion",
        "USD into tokens, less the buffer",
        {"usd_per_token": f"{f.per_token.decimal:f}", "buffer_permille": str(f.buffer_permille)},
    )
