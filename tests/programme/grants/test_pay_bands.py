"""Pay bands count as one only where they are near; where too few share one, the grant is exact and stays private."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.bands import Width
from policy.period import Month
from policy.sizing import Factors
from policy.units import MicroTokens, NanoUSD
from programme.exceptions import asking, cards
from programme.grants import monthly, sizing
from programme.people import directory, terms
from store.tables.grants import grants
from templates import exceptions as words
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN, MARA
from views import codec

if TYPE_CHECKING:
    from programme.app import App

DECEMBER = Month(2026, 12)
FIRST = datetime(2026, 12, 1, 9, tzinfo=UTC)
THREE = {"people_per_band = 1": "people_per_band = 3"}


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


def launch(app: App, changes: dict[str, str] = THREE) -> None:
    """Two principals at 220,000 and Ada at 190,000, which is near; Tess at 140,000 and Ben at 90,000, which are not."""
    rollout.launch(app, changes=changes)
    with app.transaction() as moment:
        terms.set_band(moment, "P4", usd("190000"), holds_from=date(2026, 1, 1), actor="test")


def granted(app: App) -> dict[str, Factors]:
    with app.transaction(FIRST) as moment:
        monthly.run(moment, DECEMBER)
    return {who: codec.read(Factors, rollout.factors(app, who, "2026-12")) for who in (ADA, BEN, MARA)}


def test_near_bands_count_as_one_and_others_by_themselves(app: App) -> None:
    """Ada and the principals share 210,000; of Ben, in a small group, his own 90,000 counts; all of it is proved."""
    launch(app)
    found = granted(app)
    assert found[ADA].band == Width(usd("210000"), usd("190000"), ("P4", "P5"))
    assert found[MARA].band == Width(usd("210000"), usd("220000"), ("P4", "P5"))
    assert found[BEN].band == Width(usd("90000"), usd("90000"), is_small=True)
    # A quarter of 210,000 a year, and of 90,000 for 0.6 of a post.
    assert found[ADA].entitlement == usd("4375")
    assert found[BEN].entitlement == usd("1125")
    assert books.findings(app) == {}


def test_by_a_handbook_of_before_any_neighbour_will_do(app: App) -> None:
    """Without `band_distance` Ben and Tess are merged with whoever is nearest, and nothing is said of it."""
    launch(app, THREE | {"band_distance = 0.20\n": ""})
    found = granted(app)
    assert found[BEN].band is None
    assert found[BEN].entitlement > usd("1125")
    assert books.findings(app) == {}


@pytest.mark.parametrize("change", ["midpoint", "own"])
def test_a_band_that_was_moved_too_far_is_found(app: App, change: str) -> None:
    """`verify` works the entitlement out again, and says by how much a midpoint was moved."""
    launch(app)
    granted(app)
    with books.rolled_back(app) as moment:
        g, ada = grants.c, cast.id_of(moment.session, ADA)
        kept = moment.session.execute(sa.select(g.factors).where(g.person_id == ada)).scalar_one()
        kept = kept | {"band": kept["band"] | {change: 120_000 * 10**9}}
        moment.session.execute(sa.update(grants).where(g.person_id == ada).values(factors=kept))
        assert "bands_as_merged" in books.findings_in(moment)


def test_the_board_reads_no_grant_of_a_small_group(app: App) -> None:
    """Ben's card has class and USD, but neither his grant nor how many of them he asks for; Ada's has both."""
    launch(app)
    granted(app)
    texts = {}
    for who in (ADA, BEN):
        with app.transaction(FIRST + timedelta(hours=1)) as moment:
            person = directory.require(moment, who)
            wanted = asking.NewRequest(amount=MicroTokens.parse("5000"), purpose="A demo", last_day=date(2026, 12, 20))
            request = asking.submit(moment, person, wanted, key=who).request
            texts[who] = json.dumps(words.card(cards.of(moment, request.id)).blocks, ensure_ascii=False)
    assert "*Monthly grant*" in texts[ADA]
    assert "*Monthly grant*" not in texts[BEN]
    assert "USD 50" in texts[BEN]
    grant = rollout.granted(app, "2026-12")[BEN]
    assert f"{grant.decimal:,.0f}" not in texts[BEN]


def test_the_dry_run_names_what_counts(app: App) -> None:
    """The plan itself says so of each person, before anything is posted."""
    launch(app)
    with app.reading(FIRST) as moment:
        planned = sizing.plan(moment, DECEMBER)
    by_name = {planned.people[id_].name: factors.band for id_, factors in planned.sizing.grants.items()}
    assert by_name["Tess Novak"] == Width(usd("140000"), usd("140000"), is_small=True)
    assert by_name["Iris Tan"] == by_name["Mara Quist"]
