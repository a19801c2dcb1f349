"""Whatever files of a bill come, in whatever order and how often: what stands is the one that was issued last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.bills import Sum, shares
from store.tables.invoices import bill_lines, bill_shares
from store.tables.ledger import accounts
from tests.support import bills as trial
from tests.support import books, cast, depth
from tests.support.bills import AZURE, BEDROCK, CLAUDE, GPU, Row, user
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from programme.app import App
    from programme.moment import Moment

ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
TAGS: tuple[dict[str, str], ...] = ({}, user(ADA), user(BEN, project="zeus"), {"project": "zeus"}, user("stranger"))
costs = st.decimals(min_value=-50, max_value=500, places=11, allow_nan=False, allow_infinity=False).map("{:f}".format)
rows = st.builds(
    Row,
    cost=costs,
    service=st.sampled_from((BEDROCK, AZURE, GPU, CLAUDE, "Amazon EC2")),
    day=st.integers(1, 3),
    tags=st.sampled_from(TAGS),
    meter=st.sampled_from(("input", "output")),
)
versions = st.lists(st.lists(rows, min_size=1, max_size=8), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def used(shared_app: App) -> App:
    """With usage of Bedrock that gateways reported, which shares by use follow."""
    trial.rule(shared_app)
    at = datetime(2026, 10, 5, 12, tzinfo=UTC)
    model = ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    for who, count in ((ADA, 100_000), (BEN, 300_000)):
        event = cast.event(who, at=at, who=who, model=model, meters={"output": count})
        assert books.take_in(shared_app, event) == ["accepted"]
    return shared_app


def balances(moment: Moment) -> dict[str, int]:
    query = sa.select(accounts.c.code, accounts.c.balance).where(accounts.c.balance != 0)
    return {code: balance for code, balance in moment.session.execute(query)}


def posted(moment: Moment) -> int:
    """Nano-USD of everything that was posted for bills, or waits."""
    usage = moment.session.execute(sa.select(sa.func.sum(bill_lines.c.posted_nano_usd))).scalar_one()
    shared = moment.session.execute(sa.select(sa.func.sum(bill_shares.c.nano_usd))).scalar_one()
    return int(usage or 0) + int(shared or 0)


@pytest.mark.every_database
@settings(max_examples=depth.examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=versions, data=st.data())
def test_neither_order_nor_repetition_decides(used: App, told: list[list[Row]], data: st.DataObject) -> None:
    """The balances are those of the last file alone, money is conserved to the nano-USD, and the books hold."""
    order = data.draw(
        st.permutations([*range(len(told)), *data.draw(st.lists(st.integers(0, len(told) - 1), max_size=2))])
    )
    with books.rolled_back(used) as moment:
        trial.take(moment, told[-1], ISSUED)
        expected = balances(moment)
    with books.rolled_back(used) as moment:
        for number in order:
            trial.take(moment, told[number], ISSUED + timedelta(hours=number))
        assert balances(moment) == expected
        ours = [row for row in told[-1] if row.service in {BEDROCK, AZURE, GPU}]
        assert posted(moment) == Sum(0, int(trial.total(ours).scaleb(18))).nano_usd
        assert books.findings_in(moment) == {}


@given(
    st.integers(-(10**15), 10**15),
    st.integers(-(10**12), 10**12),
    st.dictionaries(st.integers(1, 50), st.integers(1, 10**12), min_size=1),
)
def test_shares_conserve_what_is_shared(nano_usd: int, tokens: int, weights: dict[int, int]) -> None:
    """They add up to the whole, in USD and in tokens, and nobody is more than a unit away from their part."""
    found = shares(nano_usd, tokens, weights)
    assert sum(share.nano_usd for share in found.values()) == nano_usd
    assert sum(share.micro_tokens for share in found.values()) == tokens
    whole = sum(weights.values())
    for account, share in found.items():
        assert abs(share.nano_usd - Decimal(nano_usd) * weights[account] / whole) < 1
