"""What a reader needs of every message: the answer in its first line, a unit at each amount, and few lines."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HERE = Path(__file__).parent
RENDERED: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8"))
    for folder in ("golden", "played")
    for path in sorted((HERE / folder).glob("*.json"))
    if "hostile" not in path.stem
}
"""Hostile texts are their writers' lines, not ours."""
VIEWS = {name: view for name, view in RENDERED.items() if name.startswith(("modal_", "home_"))}
MESSAGES = {name: message for name, message in RENDERED.items() if name not in VIEWS}
MOST_LINES = 12

ASKED_FOR = {
    "all_rules": "*Show all* of the rules",
    "rules_with_more_to_come": "what comes is listed to those who open the rules",
    "rules_proposed": "what is proposed is listed to those who open the rules",
    "why": "`/tokens why`: the arithmetic",
    "help": "`/tokens help`: all commands that its reader can use, a line each",
    "queue_of_many": "`/tokens board`: each request with its buttons",
    "queue_with_everything": "`/tokens board`: each request with its buttons",
    "queue_with_an_appeal_and_a_proposal": "`/tokens board`: each duty with its buttons",
    "balance_of_many_lots": "`/tokens balance` of ten lots, of which eight are listed",
    "balance_in_euros": "`/tokens balance` with its rate of exchange",
    "balance_of_which_some_is_held": "`/tokens balance` while calls run and a cap is near",
    "balance_with_merged_bands": "`/tokens balance` with the pay bands that count as one",
    "card_under_way": "votes, questions and what the person had are what its voters decide by",
    "card_rejected": "the same once it is decided",
    "card_overdue": "the same when its time is over",
    "card_over": "the same when what was granted has ended",
    "copied_offer": "*Copy the text* of an offer",
    "listing": "`/tokens listing`: the text of a job listing, and the same for careers pages",
    "card_major": "a request that takes a majority says why it does",
}
"""Longer than twelve lines: beginnings of names, with the reason."""

HEADED = {
    "For you to decide": "`/tokens board`: the heading of a list, whose entries begin with what is asked",
    "Review of 2026-Q4": "the same: how the reader voted stands below it",
    "Your requests": "`/tokens requests`: the heading of a list",
    "*Your tokens*": "`/tokens help`: the heading of a list of commands",
    "*Where you can use your tokens*": "`/tokens services`: the heading of a list",
}
"""First lines that are headings of lists which somebody asked for, with the reason."""

GREETING = re.compile(r"^\W*(hello|hi|dear|welcome|good (morning|day)|greetings)\b", re.IGNORECASE)
DECIDES = re.compile(
    r"\b(is|are|was|were|has|have|had|can|get|got|goes|said|comes|asks?|answers?|appeals?|appealed|proposed|wrote|know|"
    r"lapses?|lapsed|changes|stays|seems|used|took|vote|adopts?|adopted|approved|rejected|waiting|credited|"
    r"ratified|limits|stops|pass|confirmed|declined|withdrawn|counted|went|pays|stands|applies|granted|came|call|click)\b",
    re.IGNORECASE,
)
UNIT = re.compile(
    r"^\W*(?:tokens?\b|%|×|÷|x\b|calls?\b|people\b|person\b|days?\b|hours?\b|weeks?\b|months?\b|minutes?\b|events?\b|"
    r"(GPU|input|output|cached|trained) |more tokens|of your tokens|of (the )?[\d,]+ tokens|in open grants|left)",
    re.IGNORECASE,
)
AMOUNT = re.compile(r"(?<![\w.,:/=-])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w,:-])")
"""A figure of four digits or more, as amounts are written."""
TYPED = re.compile(r"^'[^']*' ")
CURRENCY = re.compile(r"(?:USD|EUR|to|instead of|about|−|\+|=|÷|row) ?\*?$")


def lines(message: dict[str, Any]) -> list[str]:
    """What is read from top to bottom; tables and pictures are looked at, not read."""
    found: list[str] = []
    for block in message["blocks"]:
        texts = [block["text"]] if "text" in block else []
        texts += block.get("fields", [])
        texts += block.get("elements", []) if block["type"] == "context" else []
        found += [line for text in texts for line in text["text"].split("\n") if line.strip()]
    return found


def texts(view: object) -> Iterator[str]:
    """Every text of a form or Home, but for the choices of its lists."""
    if isinstance(view, list):
        for one in view:
            yield from texts(one)
    elif isinstance(view, dict):
        if view.get("type") in {"mrkdwn", "plain_text"}:
            yield view["text"]
        for key, value in view.items():
            if key not in {"confirm", "private_metadata", "options", "option_groups"}:
                yield from texts(value)


def bare(told: Iterable[str]) -> list[str]:
    """Lines with an amount that has no unit beside it."""
    return [
        line
        for line in map(seen, told)
        for found in AMOUNT.finditer(line)
        if not CURRENCY.search(line[: found.start()]) and not UNIT.match(line[found.end() :])
    ]


def seen(line: str) -> str:
    """A line as it is seen: dates of Slack's are dates, mentions are names."""
    return re.sub(r"<@\w+>", "Somebody", re.sub(r"<!date[^|]*\|([^>]*)>", r"\1", line))


@pytest.mark.parametrize("name", MESSAGES)
def test_the_first_line_has_the_answer(name: str) -> None:
    """It greets no one and is no mere label: it has a figure, or says what is, was done, or is asked."""
    first = seen(lines(MESSAGES[name])[0])
    assert not GREETING.search(first)
    if first in HEADED:
        return
    figures = re.sub(r"\b20\d\d(-Q?\d+)?(\.\d)?\b", "", first)
    assert re.search(r"\d", figures) or DECIDES.search(first), first


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_short_unless_more_was_asked_for(name: str) -> None:
    """What comes by itself has at most twelve lines; what is longer was asked for, and is named with the reason."""
    count = len(lines(MESSAGES[name]))
    if count > MOST_LINES:
        assert any(name.startswith(prefix) for prefix in ASKED_FOR), f"{count} lines"


@pytest.mark.parametrize("name", MESSAGES)
def test_an_amount_has_its_unit_beside_it(name: str) -> None:
    """Tokens, USD, per cent, people, calls, days: no large figure stands alone, but in the arithmetic of `why`."""
    if name.startswith("why"):
        return
    assert bare(lines(MESSAGES[name])) == []


@pytest.mark.parametrize("name", VIEWS)
def test_an_amount_of_a_form_has_its_unit(name: str) -> None:
    """The same in forms, their hints and labels, and on Home; what somebody typed stands in quotation marks."""
    assert bare(line for text in texts(VIEWS[name]) for line in text.split("\n") if not TYPED.search(line)) == []


def test_every_exception_is_needed() -> None:
    """No name stays on a list that would pass without it."""
    long = [name for name, message in MESSAGES.items() if len(lines(message)) > MOST_LINES]
    assert [prefix for prefix in ASKED_FOR if not any(name.startswith(prefix) for name in long)] == []
    firsts = {seen(lines(message)[0]) for message in MESSAGES.values()}
    assert HEADED.keys() <= firsts
