"""The sentence that an agent shows: cap, figures, reset and next step, in words that no client takes for a hiccup."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from templates import holds
from tests.support import capped

if TYPE_CHECKING:
    from views.holds import Denial

BERLIN = ZoneInfo("Europe/Berlin")


WALLET = (
    "Budget limit reached (quota exceeded): your wallet has room for 50 tokens (USD 0.50) more while running calls"
    " hold USD 0.75, and this call to claude-sonnet-4-5 may cost up to USD 2.00; trying again does not help, so stop"
    " here and ask for more with `/tokens request` in Slack."
)
SLOW = (
    'Budget limit reached (quota exceeded): the cap "Care" allows USD 100.00 a day for you, of which USD 98.00'
    " is used and USD 1.50 held by running calls, and this call to claude-sonnet-4-5 may cost up to USD 2.00; trying"
    " again does not help, so stop here and use gpt-5-mini, which still passes, or wait until 2026-11-21 00:00"
    " (Europe/Berlin)."
)


@pytest.mark.parametrize(("denial", "sentence"), [(capped.EMPTY, WALLET), (capped.SLOWED, SLOW)])
def test_a_denial_is_one_sentence(denial: Denial, sentence: str) -> None:
    """It begins with what clients sniff for, and ends with what to do."""
    assert holds.sentence(denial, BERLIN) == sentence


def test_a_denial_is_plain_text() -> None:
    """What people named is passed on as it is: an agent has no use for Slack's escapes."""
    assert "<!channel>" in holds.sentence(capped.hostile(capped.CAPPED), BERLIN).replace("&", "")
    assert "&lt;" not in holds.sentence(capped.hostile(capped.CAPPED), BERLIN)
    assert holds.next_step(capped.CAPPED, BERLIN).startswith("Ask for more with `/tokens request` in Slack, or wait")
    assert holds.warning(capped.PROJECT).endswith("for now that only warns.")
