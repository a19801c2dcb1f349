"""Groups of the annual review: finance imports them, whole or not at all, and January's grants follow."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Month
from policy.reasons import Refusal
from policy.sizing import Factors
from policy.weights import Annual
from programme.balance import balance
from programme.grants import monthly
from programme.reviews import annual
from store.reviews import annual as store
from store.tables.annual import annual_groups
from store.tables.audit import audit_log
from templates import workings
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from programme.reviews.annual import AnnualImport

OMAR = "omar@example.com"
"""Of finance."""
DECEMBER, JANUARY, FEBRUARY = Month(2026, 12), Month(2027, 1), Month(2027, 2)
GROUPS = '[[sizing.annual]]\nname = "above"\nfactor = 1.05\n[[sizing.annual]]\nname = "below"\nfactor = 0.95\n'
CHANGES = {"[lots]\n": f"{GROUPS}[lots]\n"}
FILE = "email,group\nada@example.com,above\nben@example.com,Below\n"


def take(app: App, text: str = FILE, *, month: Month = JANUARY, by: str = OMAR, year: int = 2026) -> AnnualImport:
    with app.transaction() as moment:
        return annual.import_csv(moment, io.StringIO(text), year=year, month=month, by=by)


def run(app: App, month: Month) -> None:
    with app.transaction(datetime(month.year, month.month, 1, 9, tzinfo=UTC)) as moment:
        monthly.run(moment, month)


def granted(app: App, who: str, month: str) -> Factors:
    return codec.read(Factors, rollout.factors(app, who, month))


@pytest.fixture
def launched(sqlite_app: App) -> App:
    rollout.launch(sqlite_app, changes=CHANGES)
    return sqlite_app


@pytest.mark.every_database
def test_january_has_the_factor_with_its_reason(app: App) -> None:
    """Ada's weight is 1.10 × 1.05; December's was 1.10; who is in no group has no factor; all of it is proved."""
    rollout.launch(app, changes=CHANGES)
    run(app, DECEMBER)
    assert take(app) == annual.AnnualImport(2, {"above": 1, "below": 1})
    run(app, JANUARY)
    before, after = granted(app, ADA, "2026-12"), granted(app, ADA, "2027-01")
    assert (before.weight, after.weight) == (Decimal("1.1000"), Decimal("1.1550"))
    assert (before.annual, after.annual) == (None, Annual(2026, "above", Decimal("1.05")))
    assert granted(app, BEN, "2027-01").annual == Annual(2026, "below", Decimal("0.95"))
    assert granted(app, "tess@example.com", "2027-01").annual is None
    assert books.findings(app) == {}


def test_why_tells_the_group(launched: App) -> None:
    """The reason stands in the balance of whoever it is about."""
    take(launched)
    run(launched, JANUARY)
    with launched.reading(datetime(2027, 1, 5, 9, tzinfo=UTC)) as moment:
        card = balance.of_email(moment, ADA)
    assert card is not None
    assert card.grant is not None
    assert workings.of(card.grant).numbered == 2
    assert [one.text for one in card.grant.because if one.code == "annual"] == [
        "your group in the annual review of 2026"
    ]


def test_only_finance_imports(launched: App) -> None:
    """The board, managers and administrators don't: it comes from the compensation review."""
    for who in ("iris@example.com", ADA):
        with pytest.raises(Refusal, match="role `finance`"):
            take(launched, by=who)


def test_every_bad_line_is_named_and_nothing_is_imported(launched: App) -> None:
    """An unknown group, an unknown person, one who is there twice, an empty cell."""
    rows = ("ada@example.com,superb", "x@example.com,above", "ben@example.com,above", "ben@example.com,below")
    text = "\n".join(("email,group", *rows, "tess@example.com,\n"))
    with pytest.raises(Refusal) as refused:
        take(launched, text)
    said = str(refused.value)
    for words in (
        "line 2: group = 'superb': expected one of above, below",
        "line 3",
        "line 5: this person is in an",
        "line 6: group is empty",
    ):
        assert words in said, said
    assert books.rows(launched, sa.select(annual_groups)) == []


def test_what_is_granted_stays(launched: App) -> None:
    """A month with grants, or before one with grants, takes no other groups."""
    run(launched, JANUARY)
    for month in (DECEMBER, JANUARY):
        with pytest.raises(Refusal, match="is granted, and stays as it is"):
            take(launched, month=month)
    assert take(launched, month=FEBRUARY).people == 2


def test_without_groups_in_the_handbook_there_is_nothing_to_import(sqlite_app: App) -> None:
    """The permanent policy comes first."""
    rollout.launch(sqlite_app)
    with pytest.raises(Refusal, match="has no groups of an annual review"):
        take(sqlite_app)


def test_a_later_import_counts_from_its_month(launched: App) -> None:
    """A month's import is replaced whole; the one of a later month leaves the earlier as it is."""
    take(launched)
    take(launched, "email,group\nben@example.com,above\n")
    take(launched, "email,group\nada@example.com,below\n", month=FEBRUARY, year=2027)
    with launched.reading() as moment:
        groups = [store.on(moment.session, month) for month in (DECEMBER, JANUARY, FEBRUARY)]
    found = [{row.group_name for row in of_month.values()} for of_month in groups]
    assert found == [set(), {"above"}, {"below"}]


def test_it_is_on_record_without_the_groups(launched: App) -> None:
    """The audit log says who imported how many for which month, and nothing of a person."""
    take(launched)
    query = sa.select(audit_log.c.actor, audit_log.c.subject, audit_log.c.after)
    [row] = books.rows(launched, query.where(audit_log.c.action == "reviews.annual"))
    assert tuple(row) == (cast.person_id(launched, OMAR), "2027-01", {"year": 2026, "people": 2})


def test_a_factor_that_nobody_imported_is_found(launched: App) -> None:
    """A group that was changed behind the grant's back, or a factor that is not the handbook's."""
    take(launched)
    run(launched, JANUARY)
    with launched.transaction() as moment:
        moment.session.execute(sa.update(annual_groups).values(group_name="below"))
    found = books.findings(launched)
    assert "its annual review says (2026, 'above'), the import (2026, 'below')" in str(found)
