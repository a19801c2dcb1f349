"""The pack of a review on one screen: what is asked, whom it changes, what is unusual, the money; the rest if asked."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from policy.units import MicroTokens
from templates import review_shown, review_unusual, reviews
from tests.support import packs
from tests.support.letters import ENDLESS

if TYPE_CHECKING:
    from templates.render import Message
    from views.reviews import Pack

PACKS = [name for name in packs.CASES if name.startswith("pack")]
MOST_LINES = 12


def lines(message: Message) -> list[str]:
    """What is read of a message before anything is pressed."""
    said = [block["text"]["text"] for block in message.blocks if block["type"] == "section"]
    said += [note["text"] for block in message.blocks if block["type"] == "context" for note in block["elements"]]
    return [line for text in said for line in text.split("\n") if line]


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_is_a_screen(name: str) -> None:
    """However much there is to say, at most twelve lines are read before a button is pressed."""
    assert len(lines(packs.CASES[name]())) <= MOST_LINES


def test_a_pack_of_endless_texts_is_a_screen() -> None:
    """Neither many groups nor many votes, nor what people write, make it longer."""
    assert len(lines(reviews.pack(packs.stuffed(ENDLESS, most=40)))) <= MOST_LINES


def test_the_first_line_asks_with_the_date() -> None:
    """While the vote is open, the first line says what is asked and until when; afterwards what was decided."""
    asked, adopted, lapsed = (
        lines(reviews.pack(one))[0] for one in (packs.OPEN, packs.ADOPTED_PACK, packs.LAPSED_PACK)
    )
    assert asked.startswith("*Review of 2026-Q4: adopt it, or vote against it, by <!date^1800259200^")
    assert adopted.startswith("*Review of 2026-Q4: adopted* on <!date^")
    assert lapsed.startswith("*Review of 2026-Q4: lapsed* on <!date^")


def test_no_command_line_is_asked_of_the_board() -> None:
    """Neither a pack nor what its buttons show tells a member of the board to run a command."""
    said = [json.dumps(packs.CASES[name]().blocks) for name in PACKS]
    said += [json.dumps(view()) for name, view in packs.MODALS.items() if name.startswith("review_shown")]
    assert not [text for text in said if "tokens-bot" in text]


@pytest.mark.parametrize("what", review_shown.TITLES)
def test_every_part_has_its_button_and_takes_endless_texts(what: str) -> None:
    """Each part is one press away, and stays within Slack's limits whatever people wrote."""
    buttons = json.dumps(reviews.pack(packs.OPEN).blocks)
    assert f"review_show_{what}" in buttons
    assert review_shown.part(packs.stuffed(ENDLESS, most=40), what)["blocks"]


QUIET: Pack = dataclasses.replace(
    packs.OPEN,
    summary=dataclasses.replace(
        packs.SUMMARY,
        figures=dataclasses.replace(packs.FIGURES, quarantined_events=0),
        appealed=dataclasses.replace(packs.SUMMARY.appealed, upheld=0, rejected=1) if packs.SUMMARY.appealed else None,
    ),
)


def test_a_usual_quarter_has_nothing_unusual() -> None:
    """A few people without a score, one of unknown use, a ratified break-glass and an appeal rejected are usual."""
    assert review_unusual.of(QUIET) == ()
    assert "*Unusual:* nothing." in lines(reviews.pack(QUIET))


def test_what_matters_most_is_told_first() -> None:
    """Of much that is unusual, three are told: a vote against, an appeal upheld, more spent than granted."""
    assert review_unusual.of(packs.UNUSUAL) == ("against", "upheld", "overspent")


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ({"unknown_use": 3}, ()),
        ({"unknown_use": 4}, ("unknown_use",)),
        ({"missing": {"few_in_team": 16}}, ()),
        ({"missing": {"few_in_team": 17}}, ("unscored",)),
    ],
)
def test_what_is_not_known_is_unusual_of_many(summary: dict[str, object], found: tuple[str, ...]) -> None:
    """More than one in ten people of unknown use, or more than half without a score, of 32."""
    pack = dataclasses.replace(QUIET, summary=dataclasses.replace(QUIET.summary, **summary))  # type: ignore[arg-type]
    assert review_unusual.of(pack) == found


def test_grants_that_are_not_told_are_not_told_in_short_either() -> None:
    """Where a total would tell of one person's grant, the screen has no line of it."""
    assert "Grants for February 2027" in json.dumps(reviews.pack(packs.OPEN).blocks)
    assert "Grants for February 2027" not in json.dumps(reviews.pack(packs.FEW_CHANGES).blocks)
    assert packs.SUMMARY.grants_after == MicroTokens.parse("2409900")
