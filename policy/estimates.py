"""What a call will cost at most, before it runs: what a gateway counted, or what can be told from its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from policy.metering import OUTPUT_METERS, input_tokens
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from policy.metering import Meters
    from policy.parameters.holds import HoldRules


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gateway says of a call to come; what it leaves out is estimated."""

    meters: Meters
    input_bytes: int | None = None
    most_output: int | None = None
    """The output limit that was asked for."""
    usd: NanoUSD | None = None


def tokens_in(size: int, bytes_per_token: Decimal) -> int:
    """Input tokens of so many bytes, rounded up."""
    return math.ceil(Fraction(size) / Fraction(bytes_per_token))


def worst_case(asked: Asked, rules: HoldRules, usual_output: int | None) -> Meters:
    """What a call may use at most; `usual_output` is the quantile of its model's calls, None where none is known."""
    meters = dict(asked.meters)
    if asked.input_bytes is not None and not input_tokens(meters):
        meters["input_uncached"] = tokens_in(asked.input_bytes, rules.bytes_per_token)
    if not OUTPUT_METERS.intersection(meters):
        limit = asked.most_output
        meters["output"] = (usual_output or rules.output_tokens) if limit is None else limit
    return meters


def quantile(sizes: Sequence[int], share: Decimal) -> int | None:
    """The smallest of some sizes that this share of them does not exceed; None where there are none."""
    if not sizes:
        return None
    rank = math.ceil(Fraction(share) * len(sizes))
    return sorted(sizes)[max(rank, 1) - 1]


def usual(calls: int, cost: int, rules: HoldRules) -> NanoUSD | None:
    """What a call costs on average, rounded up: so much for each of many is what they cost together.

    None where there were too few to say.
    """
    return NanoUSD(-(-cost // calls)) if calls >= rules.usual_calls else None


def likely(worst: NanoUSD, usual: NanoUSD | None, rules: HoldRules) -> NanoUSD:
    """What a call counts as where worst cases do not fit: the usual, if the worst case is far above it."""
    if usual is None or Fraction(int(worst)) <= Fraction(rules.false_stop_factor) * int(usual):
        return worst
    return usual


def of_job(cost: NanoUSD, rules: HoldRules) -> NanoUSD:
    """What is held for a training job whose estimate is so much."""
    return NanoUSD(math.ceil(Fraction(rules.job_factor) * int(cost)))


def lease(spent: NanoUSD, seconds: int, room: NanoUSD, rules: HoldRules) -> NanoUSD | None:
    """What a gateway may decide on by itself for a while: the person's own pace, within bounds; None if too little.

    `spent` is what they spent in the last `seconds`, `room` the least that any cap has left. Never more than a share of
    what there is, so that several gateways can lease at once.
    """
    pace = math.ceil(Fraction(int(spent) * rules.lease_seconds, max(seconds, 1)))
    wanted = max(pace, int(rules.lease_least_usd))
    most = int(Fraction(rules.lease_share) * int(room))
    return NanoUSD(min(wanted, most)) if most >= int(rules.lease_least_usd) else None
