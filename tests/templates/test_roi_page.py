"""The page of the return: it says what the report says, fetches and runs nothing, and whatever is text stays text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from templates import roi as words
from templates import roi_page
from tests.support import roi
from tests.support.roi import KINDS, Planted


@pytest.mark.parametrize("planted", KINDS.values(), ids=KINDS)
def test_it_says_what_the_message_says(planted: Planted) -> None:
    """The answer and its lines, every month's costs to the cent, the assumptions, the digest."""
    shown = roi.shown(planted)
    page = roi_page.page(shown)
    for name, line in words.lines(shown.report):
        assert name.replace("'", "&#39;") in page
        assert line.replace("'", "&#39;") in page
    for one in shown.report.real:
        assert f"<td>{one.month}</td>" in page
    assert shown.digest in page
    assert "Value of a dollar of pay (m)" in page
    assert page.count("data:image/png;base64,") == 2
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_it_names_no_team_and_no_wave() -> None:
    """The board reads of all teams together, never of one."""
    page = roi_page.page(roi.shown(roi.PAYS))
    assert "per_0" not in page
    assert "wave 1" not in page.lower()


def test_whatever_is_text_stays_text() -> None:
    """Who made it is written by people."""
    page = roi_page.page(replace(roi.shown(roi.PAYS), made_by="<script>alert(1)</script>"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_six_teams_read_no_amount_of_return() -> None:
    """With fewer than eight teams the money has only what it cost."""
    page = roi_page.page(roi.shown(roi.FEW_TEAMS))
    assert "Return on what it costs" not in page
    assert "Net at the low end" not in page


def test_weeks_apart_are_called_an_association() -> None:
    """Output that follows tokens by two weeks is seen at two weeks, and is no effect."""
    page = roi_page.page(roi.shown(roi.PAYS))
    assert "An association, and no effect" in page
    assert "Output goes before tokens here" not in page
    found = roi.made(roi.PAYS).association
    assert found is not None
    assert max(found.lags, key=lambda lag: lag.correlation).weeks == 2
