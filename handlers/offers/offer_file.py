"""An offer in a file: TOML, with every mistake named by its key."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING

from policy.parameters.grants import LEVELS
from policy.reasons import Refusal
from policy.toml_table import Table
from policy.units import NanoUSD
from policy.value.currencies import USD, Money, require_code
from views.offers import GivenOffer, GivenRival

if TYPE_CHECKING:
    from collections.abc import Sequence

MILLION = 1_000_000
LABELS = ("Offer B", "Offer C", "Offer D")
MOST_SEATS = 10_000


def parse(text: str, languages: Sequence[str]) -> GivenOffer:
    """What a file asks for; a Refusal that lists everything that is wrong with it."""
    try:
        table = Table(tomllib.loads(text, parse_float=Decimal), "", [])
    except tomllib.TOMLDecodeError as error:
        raise Refusal("offer_file", f"The file is not TOML: {error}.") from error
    given = _offer(table, languages)
    if table.problems:
        raise Refusal("offer_file", "\n".join(table.problems))
    return given


def _offer(table: Table, languages: Sequence[str]) -> GivenOffer:
    currency = _currency(table, USD)
    given = GivenOffer(
        label=table.text("label"),
        level=table.choice("level", LEVELS) if table.has("level") else "",
        band=table.text("band") if table.has("band") else "",
        base=_money(table, "base", currency) if table.has("base") else None,
        bonus=_optional(table, "bonus", currency),
        equity=_optional(table, "equity", currency),
        start=table.optional_day("start"),
        language=table.choice("language", tuple(languages)) if table.has("language") else "en",
        rivals=tuple(_rival(one, label, currency) for one, label in _rivals(table)),
    )
    table.done()
    return given


def _rivals(table: Table) -> list[tuple[Table, str]]:
    found = table.tables("rivals")
    if len(found) > len(LABELS):
        table.wrong("rivals", len(found), f"at most {len(LABELS)} of them")
    return list(zip(found, LABELS, strict=False))


def _rival(table: Table, label: str, currency: str) -> GivenRival:
    currency = _currency(table, currency)
    rival = GivenRival(
        label=table.text("label") if table.has("label") else label,
        base=_money(table, "base", currency),
        bonus=_optional(table, "bonus", currency),
        equity=_optional(table, "equity", currency),
        credits=_optional(table, "credits", currency),
        seats_a_month=Money(currency, sum(_seats(one, currency) for one in table.tables("seats"))),
        model_tokens_a_month=int(table.number("million_tokens_a_month") * MILLION)
        if table.has("million_tokens_a_month")
        else 0,
    )
    table.done()
    return rival


def _seats(table: Table, currency: str) -> int:
    """What the seats of one kind cost a month."""
    count = table.count("count", 1, MOST_SEATS) if table.has("count") else 1
    if table.has("name"):
        table.text("name")
    price = _money(table, "a_month", currency)
    table.done()
    return count * price.nano


def _currency(table: Table, usual: str) -> str:
    if not table.has("currency"):
        return usual
    text = table.text("currency")
    try:
        return require_code(text)
    except Refusal:
        table.wrong("currency", text, "three letters such as EUR")
        return usual


def _money(table: Table, key: str, currency: str) -> Money:
    number = table.number(key)
    try:
        return Money(currency, int(NanoUSD.parse(number)))
    except ValueError as error:
        table.wrong(key, number, f"an amount with at most nine decimals ({error})")
        return Money(currency, 0)


def _optional(table: Table, key: str, currency: str) -> Money:
    return _money(table, key, currency) if table.has(key) else Money(currency, 0)
