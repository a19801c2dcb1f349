"""How usage is taken in."""

from __future__ import annotations

from dataclasses import dataclass

from policy.declared import Share  # noqa: TC001 - the types of fields are read at run time


@dataclass(frozen=True, slots=True)
class UsageRules:
    """From what share of a gateway's own price on ours counts as another one, so that somebody should look."""

    quote_tolerance: Share
