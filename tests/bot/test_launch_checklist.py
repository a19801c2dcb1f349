"""The doctor's launch checklist: whom the next grants reach, who is left out and why, and what is missing for them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot import backups
from bot.checks import launch
from bot.cli import main
from policy.period import Month
from policy.units import NanoUSD
from policy.value.currencies import Money
from programme.grants import monthly
from programme.people import terms
from programme.usage import keys
from store.tables.grants import grants
from store.usage import keys as keys_store
from tests.support import books, rollout
from tests.support.books import ADA, BEN

if TYPE_CHECKING:
    from pathlib import Path

    from bot.findings import Finding
    from programme.app import App
    from tests.support.clock import Clock


def found(app: App, text: str) -> Finding:
    """The one finding that says so."""
    [finding] = [one for one in launch.examine(app) if text in one.what]
    return finding


def budgeted(app: App) -> None:
    with app.transaction() as moment:
        terms.set_budget(moment, Month(2026, 11), NanoUSD.parse("20000"), actor="test")


def test_without_a_launch_there_is_nothing_to_check(sqlite_app: App) -> None:
    """That no launch is set is a warning with the way to set one; nothing else is said of grants."""
    first, *others = launch.examine(sqlite_app)
    assert (first.level, first.what) == ("warning", "No launch is set, so there are no monthly grants.")
    assert "rollout.launched_on" in first.remedy
    assert [one.what for one in others] == [
        "No gateway has a key, so no usage comes in.",
        "No back-up was ever made with `tokens-bot backup`.",
    ]


def test_the_checklist_tells_what_the_run_then_does(sqlite_app: App) -> None:
    """People and tokens of the checklist are those of the run; then the next month is looked at. Nothing is kept."""
    rollout.launch(sqlite_app)
    budgeted(sqlite_app)
    told = found(sqlite_app, "The grants of 2026-11")
    assert told.level == "good"
    assert books.rows(sqlite_app, sa.select(grants)) == []
    with sqlite_app.transaction() as moment:
        run = monthly.run(moment, Month(2026, 11))
    assert run is not None
    assert f"{run.people} people, {run.granted.decimal:,.0f} tokens, USD " in told.what
    assert "of a budget of USD 20,000." in told.what
    assert found(sqlite_app, "The grants of 2026-12").level == "good"


def test_whoever_is_left_out_is_named_with_the_reason(sqlite_app: App) -> None:
    """A band without a midpoint, nobody's band and no budget are warnings with their command; another family is not."""
    rollout.launch(sqlite_app, without_midpoints=True)
    with sqlite_app.transaction() as moment:
        for band in ("P1", "P3", "P5"):
            terms.set_band(moment, band, NanoUSD.parse("90000"), holds_from=date(2020, 1, 1), actor="test")
    finding = found(sqlite_app, "pay band 'P4' has no midpoint for 2026-11-01")
    assert (finding.level, finding.who) == ("warning", (ADA,))
    assert "`tokens-bot bands set BAND MIDPOINT --from 2026-11-01`" in finding.remedy
    outside = found(sqlite_app, "role family 'finance' has no part")
    assert (outside.level, outside.remedy, outside.who) == ("good", "", ("omar@example.com",))
    assert found(sqlite_app, "No budget").remedy == "`tokens-bot budgets set 2026-11 USD`."


def test_a_wave_that_was_never_drawn_is_found(sqlite_app: App) -> None:
    """In the pilot seniors without a wave get nothing, and everyone without one is told to begin last."""
    rollout.launch(sqlite_app, on=date(2026, 12, 1))
    finding = found(sqlite_app, "in no wave")
    assert (finding.level, BEN in finding.who, "tess@example.com" in finding.who) == ("warning", False, True)
    assert found(sqlite_app, "No grant for 2026-12: no wave").remedy.startswith("`tokens-bot rollout draw")
    assert "1 person" in found(sqlite_app, "The grants of 2026-12").what


def test_a_budget_below_the_floors_is_a_problem(sqlite_app: App) -> None:
    """What the run would refuse is told before it, with the same words and the same way out."""
    rollout.launch(sqlite_app)
    with sqlite_app.transaction() as moment:
        terms.set_budget(moment, Month(2026, 11), NanoUSD.parse("1000"), actor="test")
    finding = found(sqlite_app, "cannot be made")
    assert finding.level == "problem"
    assert "The floors of 5 people need USD" in finding.what
    assert "budgets set" in finding.remedy


def test_a_currency_without_next_quarters_rate_is_found(sqlite_app: App) -> None:
    """Of a band that someone has; today's quarter is told by the people it leaves out."""
    rollout.launch(sqlite_app)
    with sqlite_app.transaction() as moment:
        for band in ("P1", "P9"):
            terms.set_band(moment, band, Money("EUR", 90_000 * 10**9), holds_from=date(2026, 10, 1), actor="test")
    assert "no rate for 2026-Q4" in found(sqlite_app, "pay band 'P1' is in EUR").what
    with sqlite_app.transaction() as moment:
        terms.set_band(moment, "P1", Money("CHF", 90_000 * 10**9), holds_from=date(2026, 12, 1), actor="test")
    finding = found(sqlite_app, "for 2027-Q1 yet")
    assert finding.what.startswith("CHF has no rate")
    assert "`tokens-bot rates set 2027-Q1 CHF USD`" in finding.remedy


def test_a_key_that_never_reported_is_found(sqlite_app: App) -> None:
    """Until its first use; revoked keys are left alone."""
    with sqlite_app.transaction() as moment:
        made = keys.create(moment, name="litellm", source="litellm-eu", scopes=["usage:write"], actor="test")
        gone = keys.create(moment, name="gone", source="gone", scopes=["usage:write"], actor="test")
        keys.revoke(moment, gone.id, actor="test")
    assert "never reported" in found(sqlite_app, "Key 'litellm' of litellm-eu").what
    with sqlite_app.transaction() as moment:
        keys_store.note_use(moment.session, made.id, now=moment.now)
    assert [one.what for one in launch.examine(sqlite_app) if "Key" in one.what or "key" in one.what] == []


def test_an_old_backup_is_found(sqlite_app: App, clock: Clock, tmp_path: Path) -> None:
    """A back-up is good for two days; the copy is told by its instant."""
    backups.make(sqlite_app, tmp_path / "copy.db")
    assert found(sqlite_app, "The last back-up was made on 2026-11-20 12:00 UTC").level == "good"
    clock.move(days=2, seconds=1)
    assert found(sqlite_app, "The last back-up").level == "warning"


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("problem", 1), ("warning", 1)])
def test_the_exit_code_follows_the_severity(sqlite_url: str, fail_on: str, code: int) -> None:
    """Without a Slack token there is a problem; whoever only looks asks for no failure."""
    environ: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
    result = CliRunner().invoke(main, ["doctor", "--fail-on", fail_on], env=environ)
    assert result.exit_code == code
    assert "No launch is set" in result.stdout


def test_an_empty_database_has_no_checklist(sqlite_app: App) -> None:
    """The doctor has told that it must be migrated; nobody counts people in it."""
    with sqlite_app.database.transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    assert list(launch.examine(sqlite_app)) == []
