"""Taking in what a parser found: usage as it was reported, and then the later versions of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.versions import Version
from programme.usage import corrections, intake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from programme.usage.intake import Outcome


def take_in(
    app: App,
    items: Sequence[UsageEvent | Version],
    *,
    actor: str,
    and_then: Callable[[Moment, Sequence[Outcome]], None] = lambda _moment, _outcomes: None,
) -> list[Outcome]:
    """Take items in; the outcomes are in their order. `and_then` is called in the last transaction.

    Versions have a transaction of their own: in one with new usage they would lock accounts out of order. When only the
    first commits, sending it all again does the rest.
    """
    versions = [item for item in items if type(item) is Version]
    if not versions:
        with app.transaction() as moment:
            outcomes = intake.take_in(moment, items)  # type: ignore[arg-type]  # there is no version among them
            and_then(moment, outcomes)
            return outcomes
    taken: list[Outcome] = []
    if reported := [item for item in items if type(item) is not Version]:
        with app.transaction() as moment:
            taken = intake.take_in(moment, reported)  # type: ignore[arg-type]  # as above
    with app.transaction() as moment:
        put_right = iter(corrections.take_in(moment, versions, actor=actor))
        rest = iter(taken)
        outcomes = [next(put_right if type(item) is Version else rest) for item in items]
        and_then(moment, outcomes)
    return outcomes
