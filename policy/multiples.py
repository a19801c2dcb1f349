"""How an amount compares with a monthly grant, in words that rounding never makes untrue."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

GRANT = "the monthly grant"
ONE_GRANT = "one month's grant"
PARTS = (
    (Fraction(1, 10), "a tenth"),
    (Fraction(1, 8), "an eighth"),
    (Fraction(1, 6), "a sixth"),
    (Fraction(1, 5), "a fifth"),
    (Fraction(1, 4), "a quarter"),
    (Fraction(1, 3), "a third"),
    (Fraction(2, 5), "two fifths"),
    (Fraction(1, 2), "half"),
    (Fraction(3, 5), "three fifths"),
    (Fraction(2, 3), "two thirds"),
    (Fraction(3, 4), "three quarters"),
    (Fraction(4, 5), "four fifths"),
    (Fraction(9, 10), "nine tenths"),
)
"""So close to each other that the nearest is at most a sixth away from what it stands for."""
LITTLE, BELOW_PARTS, ABOVE_PARTS = Fraction(1, 20), Fraction(9, 100), Fraction(95, 100)
MANY = 10
"""From here on a tenth of a grant no longer matters."""


def grants(amount: int, grant: int) -> str:
    """What an amount is beside a monthly grant: `about a fifth of the monthly grant`, `1.6 times the monthly grant`."""
    times = Fraction(amount, grant)
    if times < BELOW_PARTS:
        return f"far less than {ONE_GRANT}" if times < LITTLE else f"less than a tenth of {GRANT}"
    if times <= ABOVE_PARTS:
        part, name = min(PARTS, key=lambda one: abs(one[0] - times))
        return f"{'' if part == times else 'about '}{name} of {GRANT}"
    if times < 1:
        return f"almost {ONE_GRANT}"
    return f"as much as {ONE_GRANT}" if times == 1 else _more(times)


def _more(times: Fraction) -> str:
    """More than one grant. A limit is a whole number of them as a rule, so it is told on which side of one this is."""
    exact = Decimal(times.numerator) / times.denominator
    rounded = exact.quantize(Decimal(1) if times >= MANY else Decimal("0.1"), ROUND_HALF_EVEN)
    said = f"{rounded:,.0f}" if rounded == rounded.to_integral_value() else f"{rounded:,f}"
    if Fraction(rounded) == times:
        return f"{said} times {GRANT}"
    if rounded != rounded.to_integral_value():
        return f"about {said} times {GRANT}"
    side = "slightly more than" if times > Fraction(rounded) else "almost"
    return f"{side} {ONE_GRANT}" if rounded == 1 else f"{side} {said} times {GRANT}"


def limit(times: Decimal, of: str = GRANT) -> str:
    """So many monthly grants, as a limit, to the last digit: `the monthly grant`, `half of the monthly grant`."""
    exact = Fraction(times)
    if exact == 1:
        return of
    if exact > 1:
        return f"{_plain(times)} times {of}"
    name = next((name for part, name in PARTS if part == exact), "")
    return f"{name or _plain(times * 100) + ' %'} of {of}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
