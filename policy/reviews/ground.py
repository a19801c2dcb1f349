"""The one ground of a change at a review, and what would undo it: the figures of two quarters, without statistics."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.parameters.reviews import AdjustmentRules
    from policy.reasons import Reason
    from policy.reviews.proposal import Case

LOW, HIGH, EFFICIENCY, NONE = "low", "high", "efficiency", ""
DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a case's change rests on most: unused allowance (`low`), allowance used up (`high`), or `efficiency`.

    Shares are of the regular grants, in the last quarter and the one before; None where they are not known. `peers` are
    the medians. Use above `ends_low` ends the cuts, above `raises` it raises a grant by `high`, below `ends_high` it no
    longer does.
    """

    name: str
    used: Decimal | None
    used_before: Decimal | None
    peers: Decimal | None
    peers_before: Decimal | None
    ends_low: Decimal
    raises: Decimal
    ends_high: Decimal
    high: Decimal
    is_spared: bool = False


def of(case: Case, utilisation: Sequence[Decimal | None], rules: AdjustmentRules) -> Ground:
    """The ground of what is proposed in a case; `utilisation` is that of the last quarters."""
    by_code = {reason.code: reason for reason in case.reasons}
    peers = _share(by_code.get("use"), "peers")
    leave = rules.use.low_leave
    if rules.use.low_leave_of_peers is not None and peers is not None:
        leave = min(leave, rules.use.low_leave_of_peers * peers)
    return Ground(
        name=_name(case.delta_thousandths, by_code),
        used=utilisation[-1] if utilisation else None,
        used_before=utilisation[-2] if len(utilisation) > 1 else None,
        peers=peers,
        peers_before=_share(by_code.get("use"), "peers_before"),
        ends_low=leave,
        raises=rules.use.high_enter,
        ends_high=rules.use.high_leave,
        high=rules.change.high,
        is_spared="spared" in by_code,
    )


def _name(delta: int, by_code: dict[str, Reason]) -> str:
    """The term that moves the grant the most in the direction in which it moves."""
    if not delta:
        return NONE
    sign = 1 if delta > 0 else -1
    terms = {name: sign * (_share(by_code.get(name), DELTA) or Decimal(0)) for name in (LOW, HIGH, EFFICIENCY)}
    most = max(terms, key=lambda name: terms[name])
    return most if terms[most] > 0 else NONE


def _share(reason: Reason | None, figure: str) -> Decimal | None:
    said = reason.figures.get(figure) if reason else None
    return Decimal(said) if said else None
