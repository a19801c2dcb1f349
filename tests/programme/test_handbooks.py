"""Handbook versions are applied in order, once each, and each day is judged by the version that held on it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy import handbook
from policy.period import Quarter
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.handbook import applying
from programme.handbooks import RecentHandbooks
from programme.value import valuation
from store.handbook import reference
from store.tables.audit import audit_log
from store.tables.handbook import handbooks as handbook_table
from store.tables.usage import services
from store.tables.value import token_values
from tests.support import books
from tests.support.books import apply_handbook, handbook_text
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

MORE = """
[[services]]
key = "lambda"
name = "Lambda"
kind = "training"
providers = ["lambda"]
approved_from = 2026-01-01
"""


def version_on(app: App, day: date) -> str:
    with app.reading() as moment:
        return moment.handbooks.on(day).version


def refused(app: App, text: str) -> Refusal:
    """How a text is refused, and proof that it left nothing."""
    before = books.rows(app, handbook_table), books.rows(app, services)
    with pytest.raises(Refusal) as refusal, app.transaction() as moment:
        applying.apply(moment, text, actor="cli:test")
    assert (books.rows(app, handbook_table), books.rows(app, services)) == before
    return refusal.value


def test_a_version_holds_from_its_first_day(sqlite_app: App) -> None:
    """The day before, the older one holds; before the first one, the first does."""
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    apply_handbook(sqlite_app, "2027.1", date(2027, 1, 1))
    days = (
        date(2020, 1, 1),
        date(2026, 1, 1),
        date(2026, 11, 30),
        date(2026, 12, 1),
        date(2026, 12, 31),
        date(2030, 1, 1),
    )
    assert [version_on(sqlite_app, day) for day in days] == [
        "2026.1",
        "2026.1",
        "2026.1",
        "2026.2",
        "2026.2",
        "2027.1",
    ]


def test_of_two_versions_of_one_day_the_later_applied_holds(app: App) -> None:
    """A mistake is corrected by a version with the same date."""
    app_clock = NOON
    for number in range(2, 5):
        app_clock += timedelta(minutes=1)
        text = handbook_text(f"2026.{number}", date(2026, 12, 1))
        with app.transaction(app_clock) as moment:
            applying.apply(moment, text, actor="cli:test")
    assert version_on(app, date(2026, 12, 1)) == "2026.4"


def test_applying_the_same_text_again_changes_nothing(sqlite_app: App) -> None:
    """A deployment may apply its handbook every time it starts."""
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    before = books.rows(sqlite_app, handbook_table), books.count(sqlite_app, audit_log)
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    assert (books.rows(sqlite_app, handbook_table), books.count(sqlite_app, audit_log)) == before


def test_a_version_number_stands_for_one_text(sqlite_app: App) -> None:
    """What was decided under a version cannot be changed under it."""
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    refusal = refused(sqlite_app, handbook_text("2026.2", date(2026, 12, 1), usd_per_token="0.02"))
    assert refusal.code == "handbook_version_taken"
    assert "'2026.2'" in refusal.text


def test_a_version_cannot_begin_before_the_one_in_force(sqlite_app: App) -> None:
    """The past is not decided again."""
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    refusal = refused(sqlite_app, handbook_text("2026.3", date(2026, 11, 30)))
    assert refusal.code == "handbook_backdated"
    assert "effective_from = 2026-11-30 is before that of version '2026.2'" in refusal.text


def test_a_text_with_mistakes_is_refused_with_all_of_them(sqlite_app: App) -> None:
    """Every mistake of the text is told at once."""
    text = handbook_text("2026.2", date(2026, 12, 1), usd_per_token="-1").replace('contact = "', 'kontact = "')
    refusal = refused(sqlite_app, text)
    assert refusal.code == "handbook_invalid"
    assert "usd_per_token = -1" in refusal.text
    assert "kontact" in refusal.text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('key = "gpu-cluster"', f'key = "{"k" * 151}"', "expected at most 150 characters"),
        ('contact = "', 'contact = "\\u0000', "expected text without NUL"),
        ('name = "GPU cluster"', 'name = "\\u3164"', "expected a text that shows something"),
    ],
)
def test_a_text_that_could_not_be_stored_or_shown_is_refused(sqlite_app: App, old: str, new: str, said: str) -> None:
    """A service's key has to fit into a menu, and TOML can write a NUL: told before it closes a form to everyone."""
    text = handbook_text("2026.2", date(2026, 12, 1))
    assert old in text
    refusal = refused(sqlite_app, text.replace(old, new, 1))
    assert refusal.code == "handbook_invalid"
    assert said in refusal.text


def test_services_are_kept_under_their_present_names(app: App) -> None:
    """A service that a handbook no longer lists is still known by name, since old usage speaks of it."""
    apply_handbook(app, "2026.2", date(2026, 12, 1), more=MORE)
    apply_handbook(app, "2026.3", date(2026, 12, 2), more=MORE.replace('"Lambda"', '"Lambda Cloud"'))
    apply_handbook(app, "2026.4", date(2026, 12, 3))
    with app.database.reading() as session:
        assert reference.service_names(session)["lambda"] == "Lambda Cloud"


def test_an_application_is_audited(sqlite_app: App) -> None:
    """The log says which version followed which, and who applied it."""
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    row = books.audited(sqlite_app, "handbook.apply")[-1]
    assert (row["actor"], row["subject"], row["handbook_version"]) == ("system", "2026.2", "2026.2")
    assert row["before"] == {"version": "2026.1"}
    assert row["after"] == {"version": "2026.2", "effective_from": "2026-12-01"}


def test_a_new_ledger_has_the_packaged_handbook_and_keeps_its_own(sqlite_app: App) -> None:
    """The first start applies ours; later starts leave what was applied."""
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    with sqlite_app.transaction(NOON) as moment:
        applying.ensure_first(moment)
        bodies = reference.handbook_bodies(moment.session)
    assert bodies == [handbook.packaged(), handbook_text("2026.2", date(2026, 12, 1))]


def test_without_a_handbook_nothing_is_judged(sqlite_app: App) -> None:
    """A ledger that has none says what to do."""
    with books.rolled_back(sqlite_app) as moment:
        moment.session.execute(sa.delete(handbook_table))
        with pytest.raises(Refusal, match="No handbook is applied") as refusal:
            moment.handbooks  # noqa: B018 - it is loaded when it is asked for
    assert refusal.value.code == "no_handbook"


def test_what_messages_say_is_at_most_a_minute_old(sqlite_app: App) -> None:
    """A new version is seen after a minute, and at once when the clock was set back."""
    recent = RecentHandbooks()

    def newest(seconds: float) -> str:
        with sqlite_app.database.reading() as session:
            return recent.get(session, NOON + timedelta(seconds=seconds)).versions[-1].version

    assert newest(0) == "2026.1"
    apply_handbook(sqlite_app, "2026.2", date(2026, 12, 1))
    assert newest(59) == "2026.1"
    assert newest(60) == "2026.2"
    apply_handbook(sqlite_app, "2026.3", date(2026, 12, 1))
    assert newest(61) == "2026.2"
    assert newest(59) == "2026.3"


def test_a_quarters_value_is_that_of_its_first_day(app: App) -> None:
    """A version that begins within a quarter changes the value from the next one on."""
    apply_handbook(app, "2026.2", date(2026, 10, 2), usd_per_token="0.02")
    quarters = [Quarter.parse(text) for text in ("2026-Q3", "2026-Q4", "2027-Q1")]
    with app.transaction(NOON) as moment:
        known = moment.handbooks
        values = [valuation.value_of(moment, quarter, known) for quarter in quarters]
    assert [value.per_token for value in values] == [
        NanoUSD.parse("0.01"),
        NanoUSD.parse("0.01"),
        NanoUSD.parse("0.02"),
    ]
    adopted = sa.select(token_values.c.version, token_values.c.handbook_version)
    assert sorted(books.rows(app, adopted)) == [
        ("2026-Q3.1", "2026.1"),
        ("2026-Q4.1", "2026.1"),
        ("2027-Q1.1", "2026.2"),
    ]
