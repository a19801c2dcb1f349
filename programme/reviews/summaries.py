"""A review's figures for the board's pack: the quarter as it was known at the draft, the cases as they stand.

Groups of few people are told of as little as in reports (docs/decisions/0013). (Types of what is kept are imported at
run time: msgspec reads the annotations.)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

from policy import disclosure
from policy.appeals import LAPSED, OPEN, REJECTED, UPHELD
from policy.parameters.grants import LEVELS
from policy.reviews import proposal
from policy.reviews.adjustment import THOUSANDTH
from policy.sizing import WHOLE
from policy.units import MicroTokens, NanoUSD
from policy.value import reserve
from programme.reconciliation import showing
from programme.reviews import grounds
from store.appeals import records
from store.exceptions import requests as requests_store
from store.grants import monthly
from store.handbook import reference
from store.outcomes import records as outcomes_store
from store.people import directory as people_store
from store.reviews import drafts, sources, standings
from views import codec
from views.review_figures import (
    Appealed,
    Billed,
    Exceptions,
    Fairness,
    Group,
    LargestProvider,
    LastReview,
    Money,
    QuarterFigures,
    Summary,
    Value,
)
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from policy.handbook import Handbook
    from policy.period import Month, Quarter
    from policy.reviews.proposal import Resize
    from policy.value.records import Calculation
    from programme.grants.sizing import Plan
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.reviews.standings import CaseFigures
    from views.review_figures import BackTest
    from views.reviews import Review

TENTH = Decimal("0.1")
SECONDS_PER_MINUTE = 60
NO_WAVE = "none"


# --- At the draft --------------------------------------------------------------------------------------------------


def figures(
    moment: Moment, quarter: Quarter, planned: Plan, book: Handbook, note: str, *, resize: Resize | None
) -> dict[str, Any]:
    """The quarter's figures as plain values, to be kept with the draft."""
    begin, end = quarter.bounds(moment.zone)
    months = [quarter.first_month.plus(i) for i in range(3)]
    found = QuarterFigures(
        money=_money(moment, quarter, planned, book),
        value=_value(moment, planned, note),
        bounds=sources.bounds_of_grants(moment.session, months),
        exceptions=_exceptions(requests_store.made_between(moment.session, begin, end)),
        quarantined_events=sources.count_quarantined(moment.session, begin, end),
        unknown_outcomes=outcomes_store.count_waiting(moment.session),
        resize=resize,
        billed=_billed(moment, months),
    )
    plain: dict[str, Any] = codec.plain(found)
    return plain


def _money(moment: Moment, quarter: Quarter, planned: Plan, book: Handbook) -> Money:
    months = [quarter.first_month.plus(i) for i in range(3)]
    totals = [monthly.totals(moment.session, month) for month in months]
    worst_case = planned.value.worth(MicroTokens(max(reference.outstanding(moment.session), 0)))
    shares = monthly.utilisation(moment.session, *quarter.bounds(moment.zone)).values()
    used = [burnt * reserve.WHOLE // granted for burnt, granted in shares if granted]
    # What few people used is not told by the reserve either.
    permille = reserve.share(used if len(used) >= book.disclosure.least_people else (), book.reserve)
    return Money(
        entitled=NanoUSD(sum(int(entitled) for entitled, _ in totals)),
        issued=NanoUSD(sum(int(issued) for _, issued in totals)),
        consumed=NanoUSD(sum(int(monthly.cost(moment.session, month)) for month in months)),
        funded=reserve.funded(worst_case, permille),
        worst_case=worst_case,
        buffer_held=sources.buffer_held(moment.session),
    )


def _value(moment: Moment, planned: Plan, note: str) -> Value:
    proposed = reference.proposal(moment.session, planned.value.quarter)
    kept = proposed.calculation if proposed else None
    return Value(
        version=planned.value.version,
        per_token=planned.value.per_token,
        index=planned.value.price_index,
        buffer_permille=planned.value.buffer_permille,
        proposed=NanoUSD(kept["nano_usd_per_token"]) if kept else None,
        proposed_index=Decimal(kept["index"]) if kept else None,
        proposed_buffer_permille=kept["buffer_permille"] if kept else None,
        divergence=Decimal(kept["divergence"]) if kept and kept["divergence"] is not None else None,
        note=note,
        largest=_largest(kept) if kept else None,
    )


def _largest(kept: Calculation) -> LargestProvider | None:
    if "largest_provider" not in kept:
        return None
    share, change = Decimal(kept["largest_share"]), Decimal(kept["largest_change"])
    return LargestProvider(kept["largest_provider"], share, change)


def _exceptions(requests: Iterable[Request]) -> tuple[Exceptions, ...]:
    by_class: defaultdict[str, list[Request]] = defaultdict(list)
    for request in requests:
        by_class[request.class_name].append(request)
    return tuple(_of_class(name, some) for name, some in sorted(by_class.items()))


def _of_class(name: str, requests: Sequence[Request]) -> Exceptions:
    took = [(one.decided_at - one.made_at).total_seconds() for one in requests if one.decided_at is not None]
    return Exceptions(
        class_name=name,
        made=len(requests),
        states=dict(sorted(Counter(one.state for one in requests).items())),
        outcomes=dict(sorted(Counter(one.outcome or "not_told" for one in requests if one.granted).items())),
        median_minutes=round(median(took) / SECONDS_PER_MINUTE) if took else None,
    )


def _billed(moment: Moment, months: Sequence[Month]) -> Billed | None:
    shown = [one for month in months for one in showing.of(moment, month)]
    if not shown:
        return None
    return Billed(
        charged=sum((one.sums.charged for one in shown), NanoUSD(0)),
        posted=sum((one.sums.posted for one in shown), NanoUSD(0)),
        open=sum(len(one.undecided) for one in shown),
    )


# --- As it stands --------------------------------------------------------------------------------------------------


def of(moment: Moment, kept: Review, book: Handbook, *, backtests: Mapping[str, BackTest]) -> Summary:
    """The summary of a review whose cases may have been held or amended since."""
    cases = _decided(moment, kept, standings.standings(moment.session, kept.quarter))
    least = book.disclosure.least_people
    used = [one.utilisation_permille for one in cases if one.utilisation_permille is not None]
    enough = len(used) >= least
    return Summary(
        quarter=str(kept.quarter),
        state=kept.state,
        month=kept.basis.month,
        figures=codec.read(QuarterFigures, kept.summary),
        counted=proposal.counted(one.delta_thousandths for one in cases),
        mean_percent=_mean([one.delta_thousandths for one in cases]),
        held=sum(one.decision == proposal.HELD for one in cases),
        amended=sum(one.decision == proposal.AMENDED for one in cases),
        states=dict(sorted(Counter(one.state_after for one in cases).items())),
        bounds=dict(sorted(Counter(one.bound for one in cases if one.bound).items())),
        grants_before=MicroTokens(sum(int(one.grant_before or 0) for one in cases)),
        grants_after=_after(kept, cases, least),
        utilisation=disclosure.counts(reserve.bins(used), least) if enough else (None,) * (reserve.BINS + 1),
        missing=dict(sorted(Counter(one.missing for one in cases if one.missing).items())),
        unknown_use=len(cases) - len(used),
        fairness=_fairness(moment, cases, least),
        backtests=backtests,
        last=_last(moment, kept.quarter),
        appealed=_appealed(moment, kept.quarter),
    )


def _decided(moment: Moment, kept: Review, cases: Sequence[CaseFigures]) -> Sequence[CaseFigures]:
    """The cases of an adopted review with the grants that the board's decisions make; of a draft, as proposed.

    Until then what was proposed stays told, or each decision about one person would show as a difference of totals.
    """
    if kept.state != ADOPTED or all(one.decision == proposal.PROPOSED for one in cases):
        return cases
    granted = grounds.grants_as_decided(moment, kept)
    return [
        one._replace(grant_after=found.amount, bound=found.bound)
        for one in cases
        for found in [granted.get(one.person_id, grounds.NO_GRANT)]
    ]


def _after(kept: Review, cases: Sequence[CaseFigures], least: int) -> MicroTokens | None:
    """What the grants come to; None where so few change, or were decided otherwise, that it would tell theirs."""
    changed = sum(one.grant_before != one.grant_after for one in cases)
    otherwise = sum(one.decision != proposal.PROPOSED for one in cases) if kept.state == ADOPTED else 0
    if 0 < changed < least or 0 < otherwise < least:
        return None
    return MicroTokens(sum(int(one.grant_after or 0) for one in cases))


def _mean(thousandths: Sequence[int]) -> Decimal:
    """In per cent, to the nearest tenth."""
    if not thousandths:
        return Decimal("0.0")
    return (sum(thousandths) * 100 * THOUSANDTH / len(thousandths)).quantize(TENTH, ROUND_HALF_EVEN)


def _fairness(moment: Moment, cases: Sequence[CaseFigures], least: int) -> tuple[Fairness, ...]:
    """By level, team and wave, the groups of each in the order in which a reader looks for them."""
    names = people_store.names(moment.session, {one.team for one in cases if one.team})
    kinds: dict[str, tuple[Callable[[CaseFigures], str], Callable[[str], Any]]] = {
        "level": (lambda one: one.level, _by_seniority),
        "team": (lambda one: one.team, lambda team: _by_name(names, team)),
        "wave": (lambda one: NO_WAVE if one.wave is None else str(one.wave), _by_number),
    }
    return tuple(
        _of_kind(kind, [(name(one), one.delta_thousandths) for one in cases], least, order)
        for kind, (name, order) in kinds.items()
    )


def _by_seniority(level: str) -> tuple[int, str]:
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS), level)


def _by_name(names: Mapping[str, tuple[str, str | None]], team: str) -> tuple[bool, str, str]:
    """By whom a team reports to; of two with one name the ids decide, and who reports to no one is last."""
    return (not team, names[team][0].casefold() if team else "", team)


def _by_number(wave: str) -> tuple[bool, int]:
    return (wave == NO_WAVE, 0 if wave == NO_WAVE else int(wave))


def _of_kind(kind: str, changes: Sequence[tuple[str, int]], least: int, order: Callable[[str], Any]) -> Fairness:
    """Groups of too few are left out, and those from which theirs could be worked out as a difference."""
    members: defaultdict[str, set[int]] = defaultdict(set)
    for place, (name, _) in enumerate(changes):
        members[name].add(place)
    told = disclosure.disclosed({name: frozenset(places) for name, places in members.items()}, least)
    groups = tuple(
        _group(name, [changes[place][1] for place in sorted(members[name])]) for name in sorted(told, key=order)
    )
    return Fairness(kind, groups, len(members) - len(groups))


def _group(name: str, deltas: Sequence[int]) -> Group:
    counted, people = proposal.counted(deltas), len(deltas)
    return Group(name, people, _mean(deltas), counted.raised * WHOLE // people, counted.cut * WHOLE // people)


def _last(moment: Moment, quarter: Quarter) -> LastReview | None:
    before = drafts.get(moment.session, quarter.previous())
    if before is None:
        return None
    totals = standings.totals(moment.session, before.quarter)
    return LastReview(str(before.quarter), before.state, totals.counted, totals.held, totals.amended)


def _appealed(moment: Moment, quarter: Quarter) -> Appealed | None:
    before = drafts.last_adopted(moment.session, before=quarter)
    return None if before is None else appealed_against(moment, before.quarter)


def appealed_against(moment: Moment, quarter: Quarter) -> Appealed:
    """The appeals against a review's cuts, by how they ended."""
    states = Counter(one.state for one in records.of_quarter(moment.session, quarter).values())
    cut = drafts.count_cut(moment.session, quarter)
    return Appealed(
        str(quarter), cut, sum(states.values()), states[UPHELD], states[REJECTED], states[LAPSED], states[OPEN]
    )
