"""Offers as people type them: `EUR 180k`, and another company's on a line: `B: 240k base; 20k bonus; 5k credits`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handlers import numbers
from policy import texts
from policy.units import NanoUSD
from policy.value.currencies import USD, Money
from views.offers import GivenRival

if TYPE_CHECKING:
    from decimal import Decimal

MONEY = "Write an amount such as 180k or EUR 180,000."
RIVAL = "Write it as in: B: 240k base; 20k bonus; 30k equity; 5k credits; 2 seats at 39; 50M tokens."
_SIGNS = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP"}
_CURRENCY = r"(?!pay)[a-z]{3}|us\$|[$€£]"
_MONEY = rf"(?P<before>{_CURRENCY})? ?{numbers.NUMBER} ?(?P<after>{_CURRENCY})?(?: (?:a|per) year)?"
_AMOUNT = re.compile(_MONEY, re.IGNORECASE)
_PART = re.compile(rf"{_MONEY}(?: ?(?P<kind>base|salary|pay|bonus|equity|stock|credits?))?", re.IGNORECASE)
_SEATS = re.compile(
    rf"(?:(?P<count>[0-9]{{1,4}}) )?seats? (?:at|for|of) (?P<before>{_CURRENCY})? ?{numbers.NUMBER}"
    rf" ?(?P<after>{_CURRENCY})?(?: (?:a|per) month)?",
    re.IGNORECASE,
)
_TOKENS = re.compile(rf"{numbers.NUMBER} tokens?(?: (?:a|per) month)?", re.IGNORECASE)
_LABEL = re.compile(r"(?P<label>[^:;]{1,60}):(?P<rest>.*)", re.DOTALL)
_BETWEEN = re.compile(r"\s*(?:;|\+|\n|,\s)\s*")
_FIELDS = {
    "": "base",
    "base": "base",
    "salary": "base",
    "pay": "base",
    "bonus": "bonus",
    "equity": "equity",
    "stock": "equity",
    "credit": "credits",
    "credits": "credits",
}


def money(text: str, currency: str) -> Money:
    """An amount, in the `currency` where it names none; ValueError says what to write instead."""
    if wrong := numbers.unfit(text):
        raise ValueError(f"{texts.quoted(text)} {wrong}")
    found = _AMOUNT.fullmatch(numbers.western(text))
    if found is None:
        raise ValueError(f"{texts.quoted(text)} is no amount to me. {MONEY}")
    return _money(found, text, currency)


def _money(found: re.Match[str], text: str, currency: str) -> Money:
    named = [one for one in (found["before"], found["after"]) if one]
    if len(named) > 1:
        raise ValueError(f"{texts.quoted(text)} names two currencies. {MONEY}")
    code = _SIGNS.get(named[0].lower(), named[0].upper()) if named else currency
    return Money(code, int(NanoUSD.parse(_number(found, text))))


def _number(found: re.Match[str], text: str) -> Decimal:
    try:
        return numbers.read(found)
    except ValueError as error:
        raise ValueError(f"{texts.quoted(text)} {str(error) or 'is no number to me.'}") from error


def rival(text: str, label: str, currency: str) -> GivenRival:
    """Another company's offer on a line, under its own label or the given one."""
    named = _LABEL.fullmatch(text.strip())
    label, rest = (texts.plain(named["label"]), named["rest"]) if named else (label, text)
    found: dict[str, Money] = {}
    seats, model_tokens = Money(currency, 0), 0
    for part in filter(None, (numbers.western(one) for one in _BETWEEN.split(rest.strip()))):
        if priced := _SEATS.fullmatch(part):
            one = _money(priced, part, currency)
            seats = Money(one.currency, one.nano * int(priced["count"] or 1))
        elif counted := _TOKENS.fullmatch(part):
            model_tokens = int(_number(counted, part))
        else:
            field, amount = _part(part, currency)
            if field in found:
                raise ValueError(f"{texts.quoted(text)} says its {field} twice. {RIVAL}")
            found[field] = amount
    nothing = Money(currency or USD, 0)
    told = {name: found.get(name, nothing) for name in ("base", "bonus", "equity", "credits")}
    if not told["base"].nano:
        raise ValueError(f"{texts.quoted(text)} has no base salary. {RIVAL}")
    return GivenRival(label=label, seats_a_month=seats, model_tokens_a_month=model_tokens, **told)


def _part(part: str, currency: str) -> tuple[str, Money]:
    found = _PART.fullmatch(part)
    if found is None:
        raise ValueError(f"{texts.quoted(part)} is nothing that I know. {RIVAL}")
    return _FIELDS[(found["kind"] or "").lower()], _money(found, part, currency)


def written_money(amount: Money) -> str:
    """An amount as it can be typed: `USD 180,000`."""
    number = f"{amount.decimal:,f}"
    return f"{amount.currency} {number.rstrip('0').rstrip('.') if '.' in number else number}"


def written(one: GivenRival) -> str:
    """Another company's offer as it can be typed."""
    parts = [
        f"{written_money(getattr(one, name))} {name}"
        for name in ("base", "bonus", "equity", "credits")
        if getattr(one, name).nano
    ]
    if one.seats_a_month.nano:
        parts.append(f"1 seat at {written_money(one.seats_a_month)}")
    if one.model_tokens_a_month:
        parts.append(f"{one.model_tokens_a_month:,} tokens")
    return f"{one.label}: {'; '.join(parts)}"
