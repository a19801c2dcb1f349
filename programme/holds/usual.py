"""What calls usually are: how long a model's answers, and what a person's calls of it cost; as it was lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from policy import estimates
from store.holds import usual as store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.handbook import Handbook
    from policy.units import NanoUSD
    from programme.moment import Moment

MOST_ENTRIES = 500
"""So many of each service's latest entries say how long answers are."""
MOST_KEPT = 20_000


class UsualCalls:
    """What was found at most ten minutes ago: nothing is asked of the database for most calls.

    What was not known is asked for again after seconds: whoever begins has a history soon.
    """

    KEPT, UNKNOWN_KEPT = timedelta(minutes=10), timedelta(seconds=10)

    def __init__(self) -> None:
        self._outputs: tuple[datetime, Mapping[str, int]] | None = None
        self._costs: dict[tuple[int, str], tuple[datetime, NanoUSD | None]] = {}

    def output(self, moment: Moment, model: str) -> int | None:
        """What most answers of a model stay within, else those of its class; None while too few are known."""
        found = self._outputs
        if found is None or not self._holds(moment, found[0], is_known=model in found[1]):
            found = self._outputs = (moment.now, _outputs(moment))
        return found[1].get(model)

    def cost(self, moment: Moment, account_id: int, model: str) -> NanoUSD | None:
        """What a person's calls of a model cost on average; None while too few are known."""
        found = self._costs.get((account_id, model))
        if found is None or not self._holds(moment, found[0], is_known=found[1] is not None):
            if len(self._costs) >= MOST_KEPT:
                self._costs.clear()
            found = self._costs[account_id, model] = (moment.now, _cost(moment, account_id, model))
        return found[1]

    def _holds(self, moment: Moment, since: datetime, *, is_known: bool) -> bool:
        return timedelta(0) <= moment.now - since < (self.KEPT if is_known else self.UNKNOWN_KEPT)


def _outputs(moment: Moment) -> Mapping[str, int]:
    """By the model; a model of a class that is called too seldom has the figure of all of its class."""
    rules = moment.handbook.holds
    since = moment.now - timedelta(days=rules.usual_days)
    services = [one.key for one in moment.handbook.services]
    sizes = store.outputs(moment.session, services, since, entries=MOST_ENTRIES)
    known = {model: some for model, some in sizes.items() if len(some) >= rules.usual_calls}
    for models in _classes(moment):
        together = [size for model in models for size in sizes.get(model, ())]
        if len(together) >= rules.usual_calls:
            known |= {model: together for model in models if model not in known}
    found = {model: estimates.quantile(some, rules.usual_quantile) for model, some in known.items()}
    return {model: size for model, size in found.items() if size is not None}


def _classes(moment: Moment) -> list[set[str]]:
    """The models of each class of the basket."""
    found: dict[str, set[str]] = {}
    for class_, _, model in models_of_classes(moment.handbook, moment):
        found.setdefault(class_, set()).add(model)
    return list(found.values())


def models_of_classes(book: Handbook, moment: Moment) -> set[tuple[str, str, str]]:
    """(class, provider, model) of all that fills a slot of the basket today, or is an item of it."""
    filled = {(slot.class_, slot.filled_on(moment.today)) for slot in book.value.slots}
    found = {(class_, one.provider, one.model) for class_, one in filled}
    return found | {(item.class_, item.provider, item.model) for item in book.value.basket}


def _cost(moment: Moment, account_id: int, model: str) -> NanoUSD | None:
    rules = moment.handbook.holds
    first_day = moment.today - timedelta(days=rules.usual_days - 1)
    days = [first_day + timedelta(days=n) for n in range(rules.usual_days)]
    return estimates.usual(*store.calls(moment.session, account_id, model, days), rules)
