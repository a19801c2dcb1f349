"""What someone could take at once in an incident (break-glass)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy import exceptions
from policy.exceptions import BREAK_GLASS
from policy.period import Quarter
from policy.units import MICRO_PER_TOKEN, MicroTokens
from programme.exceptions import crediting
from programme.value import valuation
from store.exceptions import requests as store

if TYPE_CHECKING:
    from programme.moment import Moment


def available(moment: Moment, person_id: str) -> MicroTokens:
    """In whole tokens; nothing for whoever took some in the last weeks."""
    rules = moment.handbook.exceptions
    lately = store.since(moment.session, person_id, moment.now - timedelta(days=rules.break_glass.every_days))
    if any(request.class_name == BREAK_GLASS for request in lately):
        return MicroTokens(0)
    value = valuation.expected(moment, Quarter.containing(moment.today), moment.handbooks)
    limit = exceptions.break_glass_limit(crediting.monthly_grant(moment, person_id), value, rules)
    return MicroTokens(int(limit) // MICRO_PER_TOKEN * MICRO_PER_TOKEN)
