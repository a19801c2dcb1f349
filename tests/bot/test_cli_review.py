"""The commands of the quarterly review: draft, show, work out again, try other thresholds."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot import wiring
from bot.cli import main
from policy import handbook
from policy.period import Month
from programme.reviews import calendar, drafting, grounds
from store.reviews import drafts
from store.tables.reviews import review_cases, reviews
from tests.support import books, cast, reviewed
from tests.support.reviewed import IDLE, UNPAID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from programme.app import App
    from tests.support.clock import Clock

    Run = Callable[..., Result]

DRAFT = ("review", "draft", "--quarter", "2026-Q4")


@pytest.fixture
def run(sqlite_url: str, sqlite_app: App, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`tokens-bot …` in a company of seven teams, on the first working day after the quarter."""
    reviewed.settle(sqlite_app, clock)
    monkeypatch.setattr("bot.wiring.open_app", partial(wiring.open_app, clock=clock))

    def invoke(*arguments: str, code: int = 0) -> Result:
        env: dict[str, str | None] = {"TOKENS_DATABASE_URL": sqlite_url, "TOKENS_TIME_ZONE": "Europe/Berlin"}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def read(result: Result) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(result.stdout)


def test_a_dry_run_keeps_nothing_and_the_draft_is_the_same(run: Run, sqlite_app: App) -> None:
    """What the dry run shows is what the draft keeps, once; a second call says so."""
    shown = run(*DRAFT, "--dry-run").stdout
    assert "16 raised, 6 cut, 17 unchanged" in shown
    assert "Nothing was changed. It would be: Inputs are frozen" in shown
    dry = read(run(*DRAFT, "--dry-run", "--json"))
    assert books.count(sqlite_app, reviews) == 0
    kept = read(run(*DRAFT, "--json"))
    assert (dry["drafted"], kept["drafted"]) == (False, True)
    assert dry | {"drafted": True} == kept
    assert read(run(*DRAFT, "--json")) == {"quarter": "2026-Q4", "drafted": False}
    assert "already drafted" in run(*DRAFT).stdout


def test_before_its_time_the_command_says_not_yet(run: Run) -> None:
    """Exit 1 with the first quarter that is reviewed, or the day from which it can be; 2 for what is no quarter."""
    assert (
        "It is too early; grants are adjusted for the first time after 2026-Q2"
        in run("review", "draft", "--quarter", "2026-Q1", code=1).stderr
    )
    assert "Draft it from 2027-04-01 on" in run("review", "draft", "--quarter", "2027-Q1", code=1).stderr
    run("review", "draft", "--quarter", "2026-Q5", code=2)
    assert "No review has been drafted yet." in run("review", "show", code=1).stderr


def test_the_review_is_shown(run: Run, sqlite_app: App) -> None:
    """Everyone's case in a line with the figures for the board below; for programs with amounts as strings."""
    run(*DRAFT)
    shown = run("review", "show").stdout
    for text in (
        "T1P1 Example",
        "-10.0 %",
        "floor",
        "few_in_team",
        "16 raised, 6 cut, 17 unchanged",
        "index 1",
        "team M0 Example      6 people, mean +8.3 %, 83 % raised, 0 % cut",
        "not shown (too few people)",
        "in too small a team",
        "no review was adopted before",
    ):
        assert text in shown
    content = read(run("review", "show", "--quarter", "2026-Q4", "--json"))
    assert content["summary"]["counted"] == {"raised": 16, "cut": 6, "unchanged": 17}
    money = content["summary"]["figures"]["money"]
    assert money["issued_usd"].partition(".")[2] == money["issued_usd"][-9:]
    by_person = {case["person_id"]: case for case in content["cases"]}
    idle = by_person[cast.person_id(sqlite_app, IDLE)]
    assert (idle["delta"], idle["state_after"], idle["decision"]) == ("-0.100", "low", "proposed")
    assert idle["grant_after_tokens"].endswith("00.000000")
    assert by_person[cast.person_id(sqlite_app, UNPAID)]["grant_after_tokens"] is None


def test_what_was_decided_is_shown_and_not_the_draft(run: Run, sqlite_app: App) -> None:
    """After the vote: the state, who held and amended what and when, and the grants that the decisions make."""
    run(*DRAFT)
    assert "2026-Q4 is a draft; no grant has changed." in run("review", "show").stdout
    drafted = {one["person_id"]: one for one in read(run("review", "show", "--json"))["cases"]}
    idle, busy, tess = (cast.person_id(sqlite_app, who) for who in (IDLE, reviewed.BUSY, "tess@example.com"))
    with sqlite_app.transaction(reviewed.MORNING) as moment:
        by = {"decided_at": reviewed.MORNING, "decided_by": tess, "decision_reason": "A new project"}
        assert drafts.decide(moment.session, reviewed.Q4, busy, decision="held", **by)
        amended = {"amended_thousandths": -20, "amended_factor": "0.9800"}
        assert drafts.decide(moment.session, reviewed.Q4, idle, decision="amended", **amended, **by)
        reviewed.adopt(moment, reviewed.Q4, Month(2027, 2))
        kept = drafting.require(moment, reviewed.Q4)
        granted = grounds.grants_as_decided(moment, kept)
    shown = run("review", "show").stdout
    on = f"{reviewed.MORNING:%Y-%m-%d}"
    assert f"2026-Q4 was adopted on {on}" in shown
    assert "it holds from 2027-02." in shown
    assert "held by Tess" in shown
    assert "amended by Tess" in shown
    assert f"{on}; -10.0 % was proposed" in shown
    assert "adopted              15 raised, 6 cut, 18 unchanged" in shown
    content = read(run("review", "show", "--json"))
    assert (content["state"], content["holds_from"]) == ("adopted", "2027-02")
    decided = {one["person_id"]: one for one in content["cases"]}
    for who in (idle, busy):
        amount = granted[who].amount
        assert amount is not None
        assert decided[who]["grant_after_tokens"] == f"{amount.decimal:.6f}"
    assert decided[busy]["grant_after_tokens"] != drafted[busy]["grant_after_tokens"]
    assert (decided[idle]["delta"], decided[idle]["proposed_delta"]) == ("-0.020", "-0.100")
    one = run("review", "show", "--person", IDLE).stdout
    assert "The board's reason: A new project" in one
    assert f"{IDLE} in 2026-Q4: -2.0 % (amended by Tess" in one


def test_a_persons_case_is_explained(run: Run) -> None:
    """Inputs, state, each term, and what would change it; who weren't in the programme is refused."""
    run(*DRAFT)
    shown = run("review", "show", "--person", IDLE).stdout
    for text in (
        f"{IDLE} in 2026-Q4: -10.0 % (proposed)",
        "All adjustments together: 1 -> 0.9000",
        "LOW",
        "Because:",
        "What would change it:",
        "ends LOW",
    ):
        assert text in shown
    assert read(run("review", "show", "--person", IDLE, "--json"))["reasons"]
    assert "weren't in the programme" in run("review", "show", "--person", "omar@example.com", code=1).stderr


def test_the_proposal_is_worked_out_again(run: Run, sqlite_app: App) -> None:
    """Exit 0 as long as every figure follows from the frozen inputs, else 1 with what does not; so does verify."""
    run(*DRAFT)
    assert run("review", "recompute").stdout == "2026-Q4: every figure follows.\n"
    assert read(run("verify", "--json"))["holds"] is True
    idle = review_cases.c.person_id == cast.person_id(sqlite_app, IDLE)
    with sqlite_app.database.transaction() as session:
        session.execute(sa.update(review_cases).where(idle).values(delta_thousandths=0))
    differs = read(run("review", "recompute", "--json", code=1))
    assert (differs["holds"], len(differs["differences"])) == (False, 2)
    assert "delta_thousandths" in run("verify", code=1).stdout


def test_other_thresholds_are_tried(run: Run, tmp_path: Path) -> None:
    """Counts now and then, nothing changed; a file with mistakes is refused with them."""
    run(*DRAFT)
    path = tmp_path / "handbook.toml"
    path.write_text(handbook.packaged().replace("low = 0.10", "low = 0"))
    shown = run("review", "backtest", "--handbook", str(path)).stdout
    assert "2026-Q4 as drafted: 16 raised, 6 cut, 17 unchanged" in shown
    assert "With this handbook: 16 raised, 0 cut, 23 unchanged; 6 differ." in shown
    tried = read(run("review", "backtest", "--handbook", str(path), "--json"))
    assert tried["then"] == {"raised": 16, "cut": 0, "unchanged": 23}
    path.write_text(handbook.packaged().replace("low_enter = 0.40", "low_enter = 0.95"))
    assert "low_enter" in run("review", "backtest", "--handbook", str(path), code=1).stderr


def test_the_pack_is_written_for_the_file(run: Run, sqlite_app: App, tmp_path: Path) -> None:
    """A page without cases for anybody; with them only for a role, by name; before the board was asked, none."""
    run(*DRAFT)
    out = tmp_path / "pack.html"
    assert "has not been asked" in run("review", "pack", "--out", str(out), code=1).stderr
    assert not out.exists()
    with sqlite_app.transaction(reviewed.MORNING) as moment:
        assert calendar.advance(moment, reviewed.Q4) == "convene"
    assert "2026-Q4, draft, without cases" in run("review", "pack", "--out", str(out)).stderr
    assert "T1P1 Example" not in out.read_text("utf-8")
    with_cases = ("review", "pack", "--quarter", "2026-Q4", "--cases", "--out", str(out))
    assert "--by" in run(*with_cases, code=2).stderr
    assert "none of the roles" in run(*with_cases, "--by", "tess@example.com", code=1).stderr
    assert "with 39 cases" in run(*with_cases, "--by", "omar@example.com").stderr
    assert "T1P1 Example" in out.read_text("utf-8")
