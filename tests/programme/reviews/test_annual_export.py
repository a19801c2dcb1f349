"""What the compensation review gets: bands and counts of adopted reviews, for finance, without those who opted out."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy import handbook
from policy.reasons import Refusal
from programme.reviews import annual_export
from store.reviews import drafts as store
from store.tables.audit import audit_log
from tests.support import appealed, books, cast
from tests.support.appealed import CASE
from tests.support.clock import Clock
from tests.support.requests import IRIS
from tests.support.reviewed import BUSY, IDLE, Q4, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App
    from programme.moment import Moment
    from programme.reviews.annual_export import Exported

LATER = datetime(2027, 3, 1, 9, tzinfo=UTC)
USE = handbook.parse(handbook.packaged()).adjustment.use
FINA = "fina@example.com"


@pytest.fixture(scope="module")
def company(shared_app: App) -> App:
    """The company with its draft, its board, and someone of finance."""
    assert isinstance(shared_app.clock, Clock)
    appealed.settle(shared_app, shared_app.clock)
    heading = "email,name,level,role_family,time_zone,hired_on,roles"
    cast.hire(shared_app, f"{heading}\n{FINA},Fina,senior,management,UTC,2022-01-01,finance\n")
    return shared_app


@pytest.fixture
def moment(company: App) -> Iterator[Moment]:
    """A transaction that leaves nothing, in which the review is adopted."""
    with books.rolled_back(company) as moment:
        appealed.adopt(moment)
        yield moment


def export(moment: Moment, by: str = FINA, year: int = 2026) -> Exported:
    return annual_export.export(moment.at(LATER), year, by=by)


def test_bands_and_no_figure_from_which_anybody_could_be_ranked(company: App, moment: Moment) -> None:
    """Every line is of words, small counts and yes or no, in the order of the person ids: no score and no amount."""
    lines = export(moment).lines
    assert len(lines) == len(store.cases(moment.session, Q4))
    assert [one.person_id for one in lines] == sorted(one.person_id for one in lines)
    names = {field.name for field in dataclasses.fields(annual_export.Line)}
    assert not names & {"theta", "lcb", "factor", "delta", "grant", "amount", "utilisation", "rank", "name", "email"}
    for line in lines:
        for name, value in dataclasses.asdict(line).items():
            assert isinstance(value, str | int), name
            if isinstance(value, str) and name not in {"person_id", "quarter", "model_version"}:
                assert not re.search(r"\d", value), (name, value)
            elif isinstance(value, int):
                assert 0 <= value <= 3, (name, value)
    of = {one.person_id: one for one in lines}
    idle, busy, stopped = (of[cast.person_id(company, who)] for who in (IDLE, BUSY, STOPPED))
    assert (idle.state, idle.utilisation_band, idle.stewardship_met) == ("low", "low", False)
    assert (busy.state, busy.utilisation_band, busy.stewardship_met) == ("high", "high", True)
    assert (stopped.state, stopped.utilisation_band, stopped.stewardship_met) == ("usual", "low", True)
    assert {one.efficiency_band for one in lines} >= {"above", "not enough data"}


def test_an_upheld_appeal_is_a_reason(company: App, moment: Moment) -> None:
    """LOW with an appeal that is open says so; once it is upheld, stewardship is met."""
    who = cast.person_id(company, IDLE)
    appeal = appealed.file(moment)
    line = next(one for one in export(moment).lines if one.person_id == who)
    assert (line.appeal, line.stewardship_met) == ("open", False)
    appealed.decide(moment, IRIS, appeal, upheld=True)
    line = next(one for one in export(moment).lines if one.person_id == who)
    assert (line.appeal, line.stewardship_met) == ("upheld", True)


def test_who_opted_out_is_left_out(company: App, moment: Moment) -> None:
    """No line of theirs, their number is told; and they are back once they want to be. Each change is audited once."""
    who, everybody = cast.person_id(company, IDLE), len(export(moment).lines)
    assert annual_export.opt_out(moment.at(LATER), IDLE, back=False, actor="test")
    assert not annual_export.opt_out(moment.at(LATER), IDLE, back=False, actor="test")
    without = export(moment)
    assert (len(without.lines), without.left_out) == (everybody - 1, 1)
    assert who not in {one.person_id for one in without.lines}
    assert annual_export.opt_out(moment.at(LATER), IDLE, back=True, actor="test")
    assert len(export(moment).lines) == everybody
    log = sa.select(audit_log.c.action).where(audit_log.c.subject == who, audit_log.c.action.like("review.opt%"))
    assert moment.session.execute(log.order_by(audit_log.c.seq)).scalars().all() == ["review.opt_out", "review.opt_in"]


def test_only_finance_takes_it_and_that_is_on_record(company: App, moment: Moment) -> None:
    """A member of the board is refused; who takes it is in the audit log, with how much and never whose."""
    with pytest.raises(Refusal, match="finance"):
        export(moment, IRIS)
    count = len(export(moment).lines)
    [(actor, after)] = moment.session.execute(
        sa.select(audit_log.c.actor, audit_log.c.after).where(audit_log.c.action == "review.export")
    )
    assert actor == cast.person_id(company, FINA)
    assert after == {"quarters": ["2026-Q4"], "lines": count, "left_out": 0}


def test_only_what_was_adopted_in_the_year(moment: Moment) -> None:
    """Another year has no lines."""
    assert export(moment, year=2027).lines == ()


def test_a_draft_is_not_exported(company: App) -> None:
    """What no one adopted says nothing about anybody."""
    with books.rolled_back(company) as moment:
        assert export(moment).lines == ()


@pytest.mark.parametrize(
    ("theta", "lcb", "band"),
    [
        (None, None, "not enough data"),
        ("0.9", "0.55", "above"),
        ("0.45", "-0.16", "typical"),
        ("-0.45", "-0.95", "typical"),
        ("-0.9", "-1.25", "below"),
    ],
)
def test_efficiency_is_banded_by_what_is_beyond_chance(theta: str | None, lcb: str | None, band: str) -> None:
    """Above where the lower bound is above zero, below where the upper bound is below it, else typical."""
    scores = {"theta": theta and Decimal(theta), "lcb": lcb and Decimal(lcb)}
    assert annual_export.efficiency_band(dataclasses.replace(CASE, **scores)) == band  # type: ignore[arg-type]


@pytest.mark.parametrize(("permille", "band"), [(None, "not known"), (399, "low"), (400, "usual"), (901, "high")])
def test_use_is_banded_by_the_thresholds(permille: int | None, band: str) -> None:
    """The handbook's own thresholds part low, usual and high use."""
    assert annual_export.utilisation_band(dataclasses.replace(CASE, utilisation_permille=permille), USE) == band
