"""What pays for a lot, and when it burns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.units import MicroTokens
from store.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.ledger.ledger import Account

LARGEST_LOT = MicroTokens.parse("1000000000")
"""That anyone can ask for or be given at once: accounts hold nine thousand times as much."""

PRIORITY = 100
"""Of every lot that is granted: they burn by their ends. A lower number would burn first."""


def from_pool_first(held: Mapping[str, Account], amount: MicroTokens) -> list[tuple[int, int]]:
    """The postings that pay for a lot: out of the shared pool as far as that reaches, else issued by the treasury."""
    treasury, pool = held[ledger.TREASURY], held[ledger.POOL]
    from_pool = min(max(pool.balance, 0), int(amount))
    return [leg for leg in ((pool.id, -from_pool), (treasury.id, from_pool - int(amount))) if leg[1]]
