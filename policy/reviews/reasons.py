"""The words of an adjustment: what it follows from, and what would have to be different for another outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.reasons import Reason
from policy.reviews.adjusted import WIDER
from policy.reviews.adjustment import quarters_below
from policy.reviews.efficiency import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from policy.reviews.adjusted import Adjustment
    from policy.reviews.efficiency import Peers, Score

OWNERS = {"team": "your team's", WIDER: "your wider team's", "person": "your"}
UNITS = {"team": "teams", WIDER: "teams", "person": "people"}


def because(a: Adjustment) -> tuple[Reason, ...]:
    """Inputs, peers, state, each term, the bounds, the outcome: as sentences with their figures."""
    return tuple(_because(a))


def would_change(a: Adjustment) -> tuple[Reason, ...]:
    """What would have to be different for another outcome."""
    return tuple(_would_change(a))


def _because(a: Adjustment) -> Iterator[Reason]:
    if a.score is None:
        yield _not_enough(a)
    else:
        yield from _efficiency(a, a.score)
    yield _use(a)
    if a.spared:
        yield _spared(a)
    yield from _terms(a)
    yield Reason("delta", f"your grant changes by {_signed(a.delta)}", {"delta": f"{a.delta:f}"})


def _not_enough(a: Adjustment) -> Reason:
    """Why there is no score, which is said outright."""
    figures = {"missing": a.missing, "weeks": str(a.weeks), "team_size": str(a.team_size)}
    return Reason("not_enough_data", f"not enough data for an efficiency score: {_what_is_missing(a)}", figures)


def _what_is_missing(a: Adjustment) -> str:
    rules, weeks, team = a.rules, _counted(a.weeks, "week"), _counted(a.team_size, "person", "people")
    return {
        "few_weeks": f"there are figures for {weeks}, and a score needs {rules.least_weeks}",
        "few_in_team": f"your team has {team}, and a score needs {rules.least_team}",
        "few_peers": f"there are fewer than the {rules.least_peers} peers with figures that a score needs",
        "no_output": f"nothing is known about {OWNERS[a.unit]} output",
    }[a.missing]


def _efficiency(a: Adjustment, score: Score) -> Iterator[Reason]:
    own = OWNERS[a.unit]
    figures = {"weeks": str(score.weeks)}
    if a.unit == WIDER:
        yield Reason(
            "wider_team",
            f"your team has {_counted(a.team_size, 'person', 'people')}, and a score needs {a.rules.least_team}, so"
            f" that of your wider team counts: {_counted(a.unit_size, 'person', 'people')} under a manager above yours",
            {"team_size": str(a.team_size), "unit_size": str(a.unit_size)},
        )
    else:
        # A wider team's figures less those of the teams in it would tell what a few people did.
        figures |= {"output": f"{score.output:.2f}", "tokens": f"{score.tokens:.0f}"}
    yield Reason(
        "inputs",
        f"based on {own} output and tokens in {_counted(score.weeks, 'week')}, scaled to full time and a whole quarter",
        figures,
    )
    yield Reason(
        "peers",
        f"compared with {peers_named(score.peers, a.unit)}",
        {"peers": score.peers.key, "size": str(score.peers.size)},
    )
    yield Reason(
        "score",
        f"{own} efficiency scores {_to_hundredths(score.z)}; 0 is their median, and 1 is a typical distance from it",
        {"e": f"{score.residual:.4f}", "z": f"{score.z:.4f}", "elasticity": f"{score.elasticity:.4f}"},
    )
    yield Reason(
        "shrinkage",
        f"after allowing for chance ({score.believed * 100:.0f} % reliable), {_to_hundredths(score.theta)} remains;"
        f" the cautious lower bound is {_to_hundredths(score.lcb)}",
        {
            "noise": f"{score.noise:.4f}",
            "between": f"{score.between:.4f}",
            "believed": f"{score.believed:.4f}",
            "theta": f"{score.theta:.4f}",
            "lcb": f"{score.lcb:.4f}",
        },
    )


def peers_named(peers: Peers, unit: str) -> str:
    """Such as `12 people of engineering (junior, mid)`; where a family has too few, people of all kinds of work."""
    units = UNITS[unit]
    if peers.role_family == EVERYBODY:
        return f"{peers.size} {units} of all kinds of work, because there are too few of yours"
    return f"{peers.size} {units} of {peers.role_family}" + (f" ({', '.join(peers.levels)})" if peers.levels else "")


def _use(a: Adjustment) -> Reason:
    used = a.utilisation[-1] if a.utilisation else None
    figures = {"state": a.state, "before": a.before, "utilisation": "" if used is None else f"{used:f}"}
    if used is None:
        return Reason("use", "how much you used of your regular grants is not known, so it changes nothing", figures)
    if not a.rules.use.is_relative:
        return Reason("use", f"you used {_percent(used)} of your regular grants, {_state(a)}", figures)
    before, peers = _figure(a.utilisation, 2), _figure(a.peers, 1)
    figures |= {"used_before": _plain(before), "peers": _plain(peers), "peers_before": _plain(_figure(a.peers, 2))}
    return Reason("use", f"what you used was {_percent(used)} of your regular grants{_beside(a)}: {_state(a)}", figures)


def _beside(a: Adjustment) -> str:
    """The quarter before, and the middle of the peers in both."""
    before, peers, peers_before = _figure(a.utilisation, 2), _figure(a.peers, 1), _figure(a.peers, 2)
    own = "" if before is None else f" ({_percent(before)} in the quarter before)"
    if peers is None:
        return f"{own}, and you have too few peers to compare that with"
    middle = "" if before is None or peers_before is None else f" ({_percent(peers_before)} in the quarter before)"
    return f"{own}; the middle of your peers was {_percent(peers)}{middle}"


def _figure(of_quarters: Sequence[Decimal | None], back: int) -> Decimal | None:
    return of_quarters[-back] if len(of_quarters) >= back else None


def _plain(share: Decimal | None) -> str:
    return "" if share is None else f"{share:f}"


def _spared(a: Adjustment) -> Reason:
    resize = a.rules.resize
    assert resize is not None  # noqa: S101 - who is spared is so by these rules
    return Reason(
        "spared",
        f"more than one person in {resize.one_in} used less than {_percent(a.rules.use.low_enter)}, so the grants are"
        " too large rather than the use too small; this time LOW cuts only people who used less than"
        f" {_percent(resize.idle_below)} in each of {_counted(a.rules.use.low_quarters, 'quarter')}",
        {"one_in": str(resize.one_in)},
    )


def _state(a: Adjustment) -> str:
    if a.state == "usual":
        return "neither LOW nor HIGH"
    return f"{'still' if a.before == a.state else 'which counts as'} {a.state.upper()}"


def _terms(a: Adjustment) -> Iterator[Reason]:
    change = a.change
    yield Reason("efficiency", "for efficiency", {"delta": f"{change.efficiency:f}"})
    yield Reason("low", "for unused allowance", {"delta": f"{change.low:f}"})
    yield Reason("high", "for allowance used up", {"delta": f"{change.high:f}"})
    if change.bounded:
        rules = a.rules.change
        yield Reason(
            "bounded",
            f"kept within ±{_percent(rules.most_quarter)} a quarter and ±{_percent(rules.most_year)} a year",
            {"delta": f"{change.bounded:f}"},
        )


def _would_change(a: Adjustment) -> Iterator[Reason]:
    if a.score is None:
        yield Reason(
            "not_enough_data",
            f"a raise for efficiency needs a score, but {_what_is_missing(a)}",
            {"missing": a.missing},
        )
    elif not a.change.efficiency:
        yield Reason(
            "lcb",
            "for a raise for efficiency, the cautious lower bound would have to be above 0; it is"
            f" {_to_hundredths(a.score.lcb)}",
            {"lcb": f"{a.score.lcb:.4f}"},
        )
    yield from {"low": _out_of_low, "usual": _out_of_usual, "high": _out_of_high}[a.state](a)
    if a.change.bounded:
        yield Reason("bounded", f"without the limits the change would be {_signed(a.delta - a.change.bounded)}", {})


def _out_of_low(a: Adjustment) -> Iterator[Reason]:
    rules, peers = a.rules.use, _figure(a.peers, 1)
    leave = _percent(rules.low_leave)
    if rules.low_leave_of_peers is not None and peers is not None:
        leave = _percent(min(rules.low_leave, rules.low_leave_of_peers * peers))
    yield Reason("low", f"use above {leave} of the regular grants ends LOW; {_last_used(a)}", {})


def _out_of_usual(a: Adjustment) -> Iterator[Reason]:
    rules = a.rules.use
    below = quarters_below(a.utilisation, a.peers, rules)
    if below:
        yield Reason(
            "low",
            f"use below {_percent(rules.low_enter)}{_and_of_peers(a)} in"
            f" {_counted(rules.low_quarters, 'quarter')} in a row leads to a cut; {_last_used(a)}, and has been below"
            f" in {below} so far",
            {"quarters": str(below)},
        )
    yield Reason("high", f"use above {_percent(rules.high_enter)} counts as HIGH; {_last_used(a)}", {})


def _and_of_peers(a: Adjustment) -> str:
    share = a.rules.use.low_of_peers
    return "" if share is None else f" and below {_percent(share)} of the middle of your peers"


def _out_of_high(a: Adjustment) -> Iterator[Reason]:
    rules = a.rules
    if a.score is not None and not a.change.high:
        yield Reason(
            "theta",
            f"for a raise for use, what remains of the score would have to be above −{rules.change.least_score_high}; "
            f"it is {_to_hundredths(a.score.theta)}",
            {"theta": f"{a.score.theta:.4f}"},
        )
    yield Reason("high", f"use below {_percent(rules.use.high_leave)} ends HIGH; {_last_used(a)}", {})


def _last_used(a: Adjustment) -> str:
    used = a.utilisation[-1] if a.utilisation else None
    return "it is not known" if used is None else f"it was {_percent(used)}"


def _counted(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _percent(share: Decimal) -> str:
    return f"{float(share) * 100:.3g} %"


def _signed(share: Decimal) -> str:
    return f"{share * 100:+.1f} %".replace("-", "−") if share else "nothing"


def _to_hundredths(score: float) -> str:
    """With its sign, and no sign where nothing is left of it."""
    text = f"{score:+.2f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
