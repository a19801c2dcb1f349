"""What letters of grants say can be worked out again, and says nothing that it should not."""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.parameters.grants import COMPLEXITIES, LEVELS
from policy.sizing import Claim, size
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import TokenValue
from policy.weights import Assignment
from sandbox import block_kit
from scheduler.composers import grants
from tests.support import depth, letters
from tests.support.letters import HIGH, LOW, NARROW, PART, RULES, STAFF, VALUE, factors, tokens
from tests.templates.test_messages import USUAL, why
from views.codec import read, written
from views.grants import Digest, LapseNotice, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.parameters.grants import SizingRules
    from policy.sizing import Factors
    from programme.app import App
    from templates.render import Message

STEP = RULES.round_to_tokens * 1_000_000
LARGEST = MicroTokens(2**63 - 1)
UNBOUNDED = dataclasses.replace(RULES, floor_share=Decimal(0), floor_usd=NanoUSD(0))
"""Rules under which any budget is enough."""


def text_of(message: Message) -> str:
    """Everything that a message shows, a line for a line."""
    lines = []
    for block in message.blocks:
        parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        lines += [part["text"] for part in parts if part and isinstance(part["text"], str)]
    return "\n".join(lines)


def worked_out(grant: Factors) -> str:
    """The arithmetic of a grant, which the statement's button shows."""
    text = text_of(why(USUAL, grant=grant, exact=False))
    return text.partition("was worked out*\n")[2].partition("\nNothing has been used")[0]


# --- The arithmetic ------------------------------------------------------------------------------------------------


claims = st.builds(
    Claim,
    person_id=st.uuids().map(str),
    level=st.sampled_from(LEVELS),
    midpoint=st.integers(1_000, 500_000).map(lambda usd: NanoUSD(usd * 10**9)),
    fte_permille=st.integers(1, 1_000) | st.decimals("0.001", "1000", places=6),
    days_active=st.integers(1, 31),
    days_in_month=st.just(31),
    projects=st.lists(
        st.builds(Assignment, st.just("Atlas"), st.sampled_from(COMPLEXITIES), st.integers(1, 1_000))
    ).map(tuple),
    utilisation=st.decimals(0, 2, places=4),
    peers=st.decimals(0, 2, places=4),
    adjustment=st.decimals("0.6", "1.5", places=4),
)


@settings(max_examples=depth.examples(60), deadline=None)
@given(
    everybody=st.lists(claims, min_size=1, max_size=8),
    percent=st.integers(30, 120),
    weighted=st.booleans(),
    rules=st.sampled_from([RULES, NARROW, UNBOUNDED]),
)
def test_steps_lead_to_the_grant(*, everybody: list[Claim], percent: int, weighted: bool, rules: SizingRules) -> None:
    """Of each grant the last step is the amount but for rounding, or lies beyond the bound that holds."""
    budget = None
    if rules is UNBOUNDED:
        whole = size(everybody, rules, VALUE, budget=None, weighted=weighted)
        budget = NanoUSD(sum(int(grant.usd) for grant in whole.grants.values()) * percent // 100)
    for grant in size(everybody, rules, VALUE, budget=budget, weighted=weighted).grants.values():
        steps = grant.steps
        if grant.bound == "floor":
            assert steps.scaled < grant.amount
        elif grant.bound == "cap":
            assert steps.scaled > grant.amount
        else:
            assert abs(int(steps.scaled - grant.amount)) < STEP
        part = Decimal(grant.fte_permille) / 1_000 * grant.days_active / grant.days_in_month
        assert (steps.full * part).quantize(Decimal(1), ROUND_HALF_EVEN) == int(grant.entitlement)


GRANTS: dict[str, Callable[[], Factors]] = {
    "usual": factors,
    "within a budget": lambda: factors(leaves="0.8547"),
    "part of a post and of the month": lambda: factors(PART),
    "kept within the bounds of the weight": lambda: factors(HIGH, rules=NARROW),
    "at the floor": lambda: factors(LOW),
    "pilot": lambda: factors(weighted=False),
    "adjusted": lambda: factors(dataclasses.replace(STAFF, adjustment=Decimal("0.9405"))),
    "only adjusted": lambda: factors(
        dataclasses.replace(STAFF, level="mid", projects=(), adjustment=Decimal("1.045")), leaves="0.8547"
    ),
    "only a history": lambda: factors(dataclasses.replace(STAFF, level="mid", projects=())),
}


def decimals_of(figure: str) -> Decimal:
    return Decimal(1).scaleb(-len(figure.partition(".")[2]))


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


class Calculator:
    """Does with a message's lines what a reader does, and finds each figure after `=` on its display."""

    def __init__(self) -> None:
        self.display = Decimal(0)
        self.before_the_weight = Decimal(0)
        self.product = Decimal(1)
        self.results = 0

    def enter(self, line: str) -> None:
        if matched := re.match(r"USD ([\d,.]+): ", line):
            self._restart(number(matched[1]))
        elif matched := re.match(r"Together that is × ([\d.]+?)(?:, which the limits make × ([\d.]+?))?\.$", line):
            assert self.product.quantize(Decimal("0.0001"), ROUND_HALF_EVEN) == Decimal(matched[1])
            self.display = self.before_the_weight * Decimal(matched[2] or matched[1])
        elif matched := re.match(r"× ([\d.]+) ÷ (\d+):", line):
            self.display = self.display * int(matched[1]) / int(matched[2])
        elif matched := re.match(r"× ([\d.]+)( %)?:", line):
            factor = Decimal(matched[1]) / (100 if matched[2] else 1)
            self.display, self.product = self.display * factor, self.product * factor
        elif matched := re.match(r"÷ \(USD ([\d.]+) × ([\d.]+)\):", line):
            self.display /= Decimal(matched[1]) * Decimal(matched[2])
        elif matched := re.match(r"÷ USD ([\d.]+):", line):
            self.display /= Decimal(matched[1])
        elif matched := re.match(r"= (?:USD )?([\d,.]+)(: your entitlement)?", line):
            self._compare(matched[1].rstrip("."), restart=bool(matched[2]))

    def _restart(self, figure: Decimal) -> None:
        self.display = self.before_the_weight = figure
        self.product = Decimal(1)

    def _compare(self, figure: str, *, restart: bool) -> None:
        unit = decimals_of(figure)
        shown = number(figure)
        assert abs(self.display - shown) <= max(unit, Decimal("1e-6")), f"{self.display} is not {figure}"
        self.results += 1
        self.display = shown
        if restart:
            self._restart(shown)


@pytest.mark.parametrize("name", GRANTS)
def test_a_calculator_gives_the_same_figures(name: str) -> None:
    """Each line of a statement, entered as it stands, leads to the figure after the next `=`, and to the grant."""
    grant = GRANTS[name]()
    calculator = Calculator()
    arithmetic = worked_out(grant)
    for line in arithmetic.splitlines():
        calculator.enter(line)
    assert calculator.results >= 1
    if not grant.bound:
        assert abs(calculator.display - grant.amount.decimal) < RULES.round_to_tokens
    assert f"*{grant.amount.decimal:,f} tokens*" in arithmetic or calculator.display == grant.amount.decimal


def test_the_example_of_the_rules() -> None:
    """Staff, midpoint 220,000, S 1.10, P 1.20, H 1, k .8547, V .0102, b 15 %: 440,800 tokens before all are rounded."""
    claim = Claim("per_1", "staff", NanoUSD.parse("220000"), 1_000, 31, 31, (Assignment("Atlas", "novel", 1_000),))
    grant = dataclasses.replace(factors(claim), budget_share=Decimal("0.8547"), amount=tokens("440800"))
    steps = grant.steps
    assert steps.weighted == NanoUSD.parse("6050")
    exact = (Decimal(6050) / (Decimal("0.0102") * Decimal("1.15"))).quantize(Decimal("1e-6"), ROUND_DOWN)
    assert steps.issued.decimal == exact
    assert abs(steps.scaled.decimal - Decimal(440_800)) < 100
    assert "× 0.8547: the share of everyone's grants that" in worked_out(grant)


def test_without_a_buffer_nothing_is_held_back() -> None:
    """A value without a buffer divides by itself alone."""
    value = TokenValue(VALUE.quarter, "2026-Q4.1", 10_000_000)
    grant = size([STAFF], RULES, value, budget=None).grants["per_1"]
    text = worked_out(grant)
    assert "\n÷ USD 0.01: a token's value\n" in text
    assert "held back" not in text


# --- The letters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "letter"),
    [
        (Statement, letters.statement()),
        (LapseNotice, letters.notice()),
        (Digest, letters.digest()),
        (Digest, letters.too_few()),
    ],
)
def test_letters_survive_the_outbox(kind: type, letter: object) -> None:
    """What is read from JSON is what was written, with the types of its amounts, dates and months."""
    again: object = read(kind, json.loads(written(letter)))
    assert again == letter
    assert repr(again) == repr(letter)


def test_a_statement_lists_three_ends() -> None:
    """The soonest three are listed, the others counted; the day that is named is the last with the tokens."""
    text = text_of(letters.told(letters.hostile_statement("Atlas")))
    assert text.count("until the end of") == 3
    assert "until the end of 31 Dec 2026" in text
    assert "and 17 more that end later" in text


def test_a_statement_without_a_past_has_no_lines_about_it() -> None:
    """Nothing carried, lapsed or settled: nothing is said of it."""
    text = text_of(letters.told(letters.statement(carried=tokens("0"))))
    for words in ("carried over", "shared pool", "settled"):
        assert words not in text


@pytest.mark.parametrize(("days", "words"), [(1, "Tomorrow, on 1 Dec 2026, "), (7, "In 7 days, on 1 Dec 2026, ")])
def test_a_notice_says_when(days: int, words: str) -> None:
    """The date stands beside the distance, which is that of the day on which the notice was owed."""
    text = text_of(letters.told(letters.notice(days=days)))
    assert text.startswith(f"*{words}4,120 of your tokens lapse*")
    assert "until the end of 30 Nov 2026" in text


def test_a_digest_of_too_few_tells_no_spend(sqlite_app: App) -> None:
    """Where spend may not be told there is neither a figure of it nor a picture."""
    message, picture = grants.compose_digest(sqlite_app, json.loads(written(letters.too_few())))
    text = text_of(message)
    assert picture is None
    assert "Too few people spent" in text
    for words in ("Services", "Kinds of work", "Projects", "entitled to", "average"):
        assert words not in text


def test_a_digest_has_its_picture(sqlite_app: App) -> None:
    """The picture is that of the month before the one whose grants were posted."""
    _, picture = grants.compose_digest(sqlite_app, json.loads(written(letters.digest())))
    assert picture is not None
    assert picture.filename == "tokens-2026-11.png"
    assert "November 2026" in picture.alt_text


def test_shares_of_a_digest_are_of_the_whole_spend() -> None:
    """A portion is told in percent of the tokens that were spent, which stand above it."""
    text = text_of(letters.told(letters.digest()))
    assert "*Services:* Anthropic API 65.6 %, GPU cluster 34.4 %" in text
    assert "523,600 tokens, worth USD 5,340.72: 3.3 % of what everyone was entitled to" in text


@pytest.mark.parametrize(
    ("days", "words"), [(5, "The last 5 days took more than their share."), (1, "The last day took")]
)
def test_a_rush_is_mentioned_only_when_there_is_one(days: int, words: str) -> None:
    """The line is there after a rush and not otherwise."""
    assert words in text_of(letters.told(letters.digest(rush=True, rush_days=days)))
    assert words not in text_of(letters.told(letters.digest(rush_days=days)))


def test_the_largest_amounts_are_still_messages() -> None:
    """Amounts of any size that the database can hold are shown, never cut."""
    huge = dataclasses.replace(
        factors(),
        entitlement=NanoUSD(2**63 - 1),
        per_token=NanoUSD(1),
        amount=LARGEST,
        budget_share=Decimal("0.123456"),
    )
    every = {"settled": LARGEST, "carried": LARGEST, "lapsed": LARGEST, "worth": NanoUSD(2**63 - 1)}
    for letter in (
        letters.statement(huge, **every),
        letters.notice(over="9223372036854.775807", endings=9),
        letters.digest(granted=LARGEST, spent=LARGEST, carried=LARGEST, lapsed=LARGEST),
    ):
        message = letters.told(letter)
        assert block_kit.problems(message.blocks) == ()
        assert "9,223,372,036,855" in text_of(message) or "18,4" in text_of(message)
