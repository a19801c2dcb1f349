"""A quarter's review: what everyone's grant would become, as it follows from what was kept for it.

Nothing else goes in: the same inputs give the same proposal to the last digit, whatever is known later. (Types of what
is kept are imported at run time: they are read again by their annotations.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping  # noqa: TC003 - see above
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from policy.outcomes import THOUSANDTHS
from policy.period import DAYS_PER_WEEK, Quarter, Week
from policy.reasons import Reason  # noqa: TC001 - see above
from policy.reviews.adjustment import THOUSANDTH, adjust, carried, measures_of
from policy.reviews.persons import Person
from policy.reviews.reasons import because, would_change
from policy.reviews.use import proposed_share, too_large
from policy.sizing import WHOLE, Claim, size
from policy.units import MicroTokens, NanoUSD, Permille
from policy.value.valuation import TokenValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.parameters.grants import SizingRules
    from policy.parameters.reviews import AdjustmentRules
    from policy.reviews.adjusted import Adjustment
    from policy.reviews.efficiency import Measures
    from policy.reviews.persons import Weekly
    from policy.sizing import Factors, Sizing

PROPOSED, HELD, AMENDED = "proposed", "held", "amended"
"""What becomes of a case: the package decides, or the board decides about it alone."""
SCORE = Decimal("0.000001")
Figures = tuple[int | None, ...]
"""A whole figure for each week; None where the person was not there, or nothing can be known."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a review follows from and is the same for everyone.

    `weeks` are the Mondays of the quarter's weeks. `handbook` has the thresholds; `sized_by` sizes the grants of
    `month`, with the value and budget given. `team_output` is in thousandths by team, None where people are measured.
    `read_up_to` names the last rows that were there to be read. `above` has the managers of those by whom teams are
    called, and `share` is that of compensation with which the quarter began; a draft of before has neither, and is
    judged by the rules of then.
    """

    quarter: str
    weeks: tuple[date, ...]
    month: str
    handbook: str
    sized_by: str
    value_version: str
    nano_usd_per_token: int
    buffer_permille: int
    on_top: bool
    budget: NanoUSD | None
    weighted: bool
    team_output: Mapping[str, Figures] | None
    read_up_to: Mapping[str, int]
    above: Mapping[str, str] | None = None
    share: Decimal | None = None

    @property
    def value(self) -> TokenValue:
        quarter = Quarter.parse(self.value_version.partition(".")[0])
        return TokenValue(
            quarter,
            self.value_version,
            self.nano_usd_per_token,
            buffer_permille=self.buffer_permille,
            on_top=self.on_top,
        )


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one person's case follows from: `policy.adjustment.Person` and `policy.sizing.Claim` in whole figures.

    Part 0 is the team at the end; weeks in earlier teams are parts of their own, which count for those. Someone without
    a case (a leaver, a later joiner) counts in what their team made and spent, or in what the budget is shared by.
    `output` is in thousandths, `debits` in micro-tokens, `deltas` in thousandths.
    """

    person_id: str
    part: int
    is_case: bool
    role_family: str
    level: str
    fte_permille: Permille
    wave: int | None
    team: str
    output: Figures
    debits: Figures
    utilisation: tuple[Decimal | None, ...]
    state: str
    deltas: tuple[int, ...]
    factor: Decimal
    claim: Claim | None = None

    @property
    def key(self) -> str:
        """Parts of one person are told apart; that which is decided about has the person's own id."""
        return f"{self.person_id}/{self.part}" if self.part else self.person_id


@dataclass(frozen=True, slots=True)
class Case:
    """What is proposed for a person, and why. Grants are those of the month, None where there is none."""

    person_id: str
    unit: str
    team: str
    peers: str | None
    peers_size: int | None
    utilisation_permille: int | None
    state_before: str
    state_after: str
    theta: Decimal | None
    lcb: Decimal | None
    missing: str
    delta_thousandths: int
    factor_before: Decimal
    factor_after: Decimal
    grant_before: MicroTokens | None
    grant_after: MicroTokens | None
    bound: str
    reasons: tuple[Reason, ...]
    would_change: tuple[Reason, ...]

    @property
    def delta(self) -> Decimal:
        return self.delta_thousandths * THOUSANDTH


@dataclass(frozen=True, slots=True)
class Resize:
    """What a review proposes where the grants are too large: another share of compensation.

    `people` had a grant, `below` used little of theirs. Grants and USD are those of the month within its budget, with
    the share that holds then and with the proposed one. Where that is no smaller, there is nothing to propose.
    """

    people: int
    below: int
    share: Decimal
    proposed: Decimal
    grants_before: MicroTokens
    grants_after: MicroTokens
    usd_before: NanoUSD
    usd_after: NanoUSD

    @property
    def is_smaller(self) -> bool:
        return self.proposed < self.share


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """How many are raised, cut, and left as they are."""

    raised: int
    cut: int
    unchanged: int


def weeks_of(quarter: Quarter) -> tuple[date, ...]:
    """The Mondays of the weeks that end in a quarter: each week is one quarter's, whole, and over when that is over."""
    week = Week.containing(quarter.first_day)
    mondays = []
    while (last := week.first_day + timedelta(days=DAYS_PER_WEEK - 1)) < quarter.next().first_day:
        if quarter.contains(last):
            mondays.append(week.first_day)
        week = week.next()
    return tuple(mondays)


def adjusted(basis: Basis, inputs: Iterable[Inputs], rules: AdjustmentRules) -> dict[str, Adjustment]:
    """The adjustment of everyone who is a case, by person id."""
    rules, counting = _rules_of(basis, rules), _counting(inputs)
    found = adjust(map(_person, counting), rules, team_output=_made(basis), above=basis.above)
    return {one.person_id: found[one.key] for one in counting if one.is_case}


def measures(basis: Basis, inputs: Iterable[Inputs], rules: AdjustmentRules) -> Measures:
    """What the units of a review delivered and spent, as it was frozen."""
    people = map(_person, _counting(inputs))
    return measures_of(people, _rules_of(basis, rules), team_output=_made(basis), above=basis.above)


def _counting(inputs: Iterable[Inputs]) -> list[Inputs]:
    return [one for one in inputs if one.is_case or any(week is not None for week in one.debits)]


def _made(basis: Basis) -> dict[str, Weekly] | None:
    output = basis.team_output
    return None if output is None else {team: _weekly(weeks) for team, weeks in output.items()}


def _rules_of(basis: Basis, rules: AdjustmentRules) -> AdjustmentRules:
    return rules.first_edition if basis.above is None else rules


def _person(one: Inputs) -> Person:
    return Person(
        one.key,
        one.role_family,
        one.level,
        one.team,
        _weekly(one.output),
        tuple(one.debits),
        # Whoever is no case is nobody's peer in use; of a person's parts one is.
        one.utilisation if one.is_case else (),
        one.state,
        tuple(delta * THOUSANDTH for delta in one.deltas),
        one.fte_permille,
    )


def _weekly(thousandths: Figures) -> Weekly:
    return tuple(None if week is None else week / THOUSANDTHS for week in thousandths)


def proposed(basis: Basis, inputs: Sequence[Inputs], thresholds: AdjustmentRules, sizing: SizingRules) -> list[Case]:
    """Every case in the order of the person ids; grants are sized for all, within the budget, before and after."""
    changes = adjusted(basis, inputs, thresholds)
    factors = {
        one.person_id: carried(one.factor, changes[one.person_id].delta, sizing) if one.is_case else one.factor
        for one in inputs
        if not one.part
    }
    claims = [one.claim for one in inputs if one.claim is not None]
    before = sized(claims, basis, sizing)
    after = sized([_with(claim, factors) for claim in claims], basis, sizing)
    cases = [one for one in inputs if one.is_case]
    return [
        _case(
            one,
            changes[one.person_id],
            factors[one.person_id],
            before.grants.get(one.person_id),
            after.grants.get(one.person_id),
        )
        for one in sorted(cases, key=lambda one: one.person_id)
    ]


def resize(basis: Basis, inputs: Sequence[Inputs], thresholds: AdjustmentRules, sizing: SizingRules) -> Resize | None:
    """Another share of compensation, where people's use says that the grants are too large; None where it does not.

    What people used was of grants with the share of then. If a smaller one holds by now, that may be enough already.
    """
    rules = _rules_of(basis, thresholds)
    last = [one.utilisation[-1] for one in inputs if one.is_case and one.utilisation]
    found = too_large([used for used in last if used is not None], rules)
    if found is None or rules.resize is None or basis.share is None:
        return None
    share = sizing.share_of_compensation
    wanted = min(proposed_share(basis.share, found, rules.resize), share)
    claims = [one.claim for one in inputs if one.claim is not None]
    before, after = (
        sized(claims, basis, dataclasses.replace(sizing, share_of_compensation=one)) for one in (share, wanted)
    )
    return Resize(
        people=found.people,
        below=found.below,
        share=share,
        proposed=wanted,
        grants_before=before.total,
        grants_after=after.total,
        usd_before=_usd(before),
        usd_after=_usd(after),
    )


def _usd(found: Sizing) -> NanoUSD:
    return NanoUSD(sum(int(one.usd) for one in found.grants.values()))


def sized(claims: Iterable[Claim], basis: Basis, sizing: SizingRules) -> Sizing:
    """The grants of a review's month, with its value and within its budget."""
    return size(claims, sizing, basis.value, budget=basis.budget, weighted=basis.weighted)


def _with(claim: Claim, factors: Mapping[str, Decimal]) -> Claim:
    return dataclasses.replace(claim, adjustment=factors[claim.person_id])


def _case(one: Inputs, change: Adjustment, factor: Decimal, before: Factors | None, after: Factors | None) -> Case:
    used = one.utilisation[-1] if one.utilisation else None
    peers = change.score.peers if change.score else None
    return Case(
        person_id=one.person_id,
        unit=change.unit,
        team=one.team,
        peers=peers.key if peers else None,
        peers_size=peers.size if peers else None,
        utilisation_permille=None if used is None else int((used * WHOLE).to_integral_value(ROUND_HALF_EVEN)),
        state_before=change.before,
        state_after=change.state,
        theta=_six(change.theta),
        lcb=_six(change.lcb),
        missing=change.missing,
        delta_thousandths=int(change.delta / THOUSANDTH),
        factor_before=one.factor,
        factor_after=factor,
        grant_before=before.amount if before else None,
        grant_after=after.amount if after else None,
        bound=after.bound if after else "",
        reasons=because(change),
        would_change=would_change(change),
    )


def _six(score: float | None) -> Decimal | None:
    """With the six decimals to which scores are rounded already."""
    return None if score is None else Decimal(repr(score)).quantize(SCORE, ROUND_HALF_EVEN)


def counted(deltas: Iterable[int | Decimal]) -> ChangeCounts:
    """How many of some changes are raises, cuts and none."""
    known = list(deltas)
    raised, cut = sum(delta > 0 for delta in known), sum(delta < 0 for delta in known)
    return ChangeCounts(raised, cut, len(known) - raised - cut)
