"""How amounts, dates and what people wrote are written in messages."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup

from policy.units import MICRO_PER_TOKEN, NANO_PER_USD, divide_half_even

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from policy.period import Month, Quarter
    from policy.units import MicroTokens, NanoUSD, Permille
    from policy.value.currencies import Money
    from views.people import PersonName

NANO_PER_CENT = NANO_PER_USD // 100
LONGEST_NAME = 80
MINUS = "−"
LITTLE = "under 1 %"

_ENTITY_LENGTHS = {"&": len("&amp;"), "<": len("&lt;"), ">": len("&gt;")}
PER_NAMES = {1_000_000: "million", 1_000: "thousand", 3_600: "hour", 1: "one"}


def tokens(amount: MicroTokens) -> str:
    """Whole tokens, halves to the even one: `4,120`; what is less than one, but not nothing, is `under 1`."""
    whole = divide_half_even(abs(int(amount)), MICRO_PER_TOKEN)
    if amount and not whole:
        return "under 1"
    return f"{MINUS if amount < 0 else ''}{whole:,}"


def in_tokens(amount: MicroTokens) -> str:
    """Whole tokens with their unit: `1 token`, `4,120 tokens`."""
    said = tokens(amount)
    return f"{said} {'token' if said in {'1', 'under 1'} else 'tokens'}"


def exact_tokens(amount: MicroTokens) -> str:
    """Every decimal that the amount has: `3,323.529412`."""
    return _trimmed(amount.decimal)


def usd(amount: NanoUSD) -> str:
    """USD to the cent; an amount below one cent keeps two significant digits."""
    if amount and abs(int(amount)) < NANO_PER_CENT:
        value = amount.decimal
        return f"USD {value:.2g}" if abs(value) >= Decimal("0.0001") else f"USD {value:f}"
    cents = divide_half_even(abs(int(amount)), NANO_PER_CENT)
    return f"USD {MINUS if amount < 0 else ''}{cents // 100:,}.{cents % 100:02}"


def fine_usd(amount: NanoUSD) -> str:
    """USD to a hundredth of a cent, for a figure that is multiplied further: `USD 4,583.3333`."""
    whole, _, decimals = f"{amount.decimal.quantize(Decimal('0.0001'), ROUND_HALF_EVEN):,f}".partition(".")
    return f"USD {whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def exact_usd(amount: NanoUSD) -> str:
    """Every decimal that the amount has: `USD 0.003375`."""
    return f"USD {_trimmed(amount.decimal)}"


def _trimmed(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def about_usd(amount: NanoUSD) -> str:
    """USD of what is only estimated, to two significant digits: `USD 3,900`, `USD 0.42`."""
    rounded = Decimal(f"{amount.decimal:.1e}")
    return f"USD {rounded:,.0f}" if abs(rounded) >= 10 or not rounded else f"USD {rounded:,.2f}"  # noqa: PLR2004 - two digits


def whole_usd(amount: NanoUSD) -> str:
    """USD without cents, where there are enough of them: `USD 4,212`, `USD 3.15`."""
    return f"USD {amount.decimal:,.0f}" if abs(amount.decimal) >= 100 else usd(amount)  # noqa: PLR2004 - three digits


def usd_to(low: NanoUSD, high: NanoUSD) -> str:
    """A range of what is only estimated: `USD 640 to 960`."""
    ends = [about_usd(low), about_usd(high).removeprefix("USD ")]
    return ends[0] if ends[0] == f"USD {ends[1]}" else " to ".join(ends)


def changed(change: Decimal) -> str:
    """A change in words that end before what it is compared with: `18 % more than`, `3.5 times`."""
    percents = (change * 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    if not percents:
        return "as much as"
    if change >= 1:
        return f"{_trimmed((change + 1).quantize(Decimal('0.1'), ROUND_HALF_EVEN))} times"
    return f"{abs(percents)} % {'more' if change > 0 else 'less'} than"


def money(amount: Money) -> str:
    """An amount in another currency than USD: `EUR 38.15`."""
    return f"{amount.currency} {amount.decimal.quantize(Decimal('0.01'), ROUND_HALF_EVEN):,}"


def moved(change: Decimal) -> str:
    """What something did to the index: `raised it by 3.5 %`, `lowered it by 0.2 %`, `left it as it was`."""
    percents = (abs(change) * 100).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    if not percents:
        return "left it as it was"
    return f"{'raised' if change > 0 else 'lowered'} it by {_trimmed(percents)} %"


def whole_percent(share: Decimal | float) -> str:
    """A share of a whole without decimals: `62 %`, `under 1 %`."""
    percents = (Decimal(share) * 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    return f"{percents} %" if percents or not share else LITTLE


def count(number: int) -> str:
    return f"{number:,}"


def people(number: int) -> str:
    """`1 person`, `1,200 people`."""
    return f"{number:,} {'person' if number == 1 else 'people'}"


def short_count(number: int) -> str:
    """A count that is read at a glance: `950`, `12.3 k`, `4.6 M`."""
    for size, suffix in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        # What would round to a thousand of the smaller unit is one of this.
        if number >= size - size // 20_000:
            return f"{number / size:.1f} {suffix}".replace(".0 ", " ")
    return str(number)


def factor(value: Decimal) -> str:
    """What something is multiplied by, with two decimals or as many more as it has: `1.10`, `0.854712`."""
    whole, _, decimals = f"{value:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def plain(value: Decimal) -> str:
    """A number with no more decimals than it has: `3`, `0.5`."""
    return _trimmed(value)


def percent(share: Decimal) -> str:
    """A share of a whole, to a tenth of a percent: `62.3 %`; what would round to nothing, but is not, `under 1 %`."""
    percents = (share * 100).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    return f"{_trimmed(percents)} %" if percents or not share else LITTLE


def change(share: Decimal | float) -> str:
    """A change with its sign: `+15 %`, `−3.5 %`, `0 %`; from ten per cent on without decimals."""
    value = Decimal(share) * 100
    step = Decimal(1) if abs(value) >= 10 else Decimal("0.1")  # noqa: PLR2004 - two digits
    percents = value.quantize(step, ROUND_HALF_EVEN)
    return f"{'+' if percents > 0 else MINUS if percents < 0 else ''}{_trimmed(abs(percents))} %"


def permille(share: Permille) -> str:
    """Thousandths as percent with all their decimals: `60 %`, `34.5 %`, `96.25 %`."""
    return f"{_trimmed(Decimal(share).scaleb(-1))} %"


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def short_day(value: date) -> str:
    """A day of about now: `16 Nov`."""
    return f"{value.day} {value:%b}"


def month_name(value: Month) -> str:
    """A month of about now: `November`."""
    return f"{value.first_day:%B}"


def day_before(value: date) -> str:
    """The last day of what ends on the first day without it."""
    return day(value - timedelta(days=1))


@lru_cache(maxsize=64)
def month(value: Month) -> str:
    return f"{value.first_day:%B %Y}"


def months_of(value: Quarter) -> str:
    """`October to December 2026`."""
    return f"{value.first_month.first_day:%B} to {value.first_month.plus(2).first_day:%B %Y}"


def per(units: int) -> str:
    return PER_NAMES.get(units, f"{units:,}")


def short(text: str, longest: int = LONGEST_NAME) -> str:
    """A text from outside (a reason, a model's name) on one line, cut to the room that a message has for it.

    Room is counted as Slack counts it: `&`, `<` and `>` take as much as their entities.
    """
    words = " ".join(text.split())
    if len(words) + sum(words.count(letter) * (length - 1) for letter, length in _ENTITY_LENGTHS.items()) <= longest:
        return words
    ends = list(accumulate(_ENTITY_LENGTHS.get(letter, 1) for letter in words))
    return f"{words[: bisect_right(ends, longest - 1)].rstrip()}…"


def code(text: str, longest: int = LONGEST_NAME) -> str:
    """What a person typed, for display between backticks, so without any of its own."""
    return short(text.replace("`", "'"), longest)


def moment(instant: datetime) -> Markup:
    """An instant that Slack shows in the reader's own zone; as a date, since a sentence with "on today" is none."""
    fallback = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Markup(f"<!date^{int(instant.timestamp())}^{{date_short}} at {{time}}|{fallback}>")  # noqa: S704 - our own text


def on(instant: datetime) -> Markup:
    """The day of an instant, which Slack shows in the reader's own zone."""
    fallback = f"{instant.astimezone(UTC):%Y-%m-%d}"
    return Markup(f"<!date^{int(instant.timestamp())}^{{date_short}}|{fallback}>")  # noqa: S704 - our own text


def slack_day(value: date) -> Markup:
    """A day beside instants, as Slack writes both: at ten o'clock UTC it is that day from Hawaii to Auckland."""
    seconds = int(datetime.combine(value, time(10), tzinfo=UTC).timestamp())
    return Markup(f"<!date^{seconds}^{{date_short}}|{day(value)}>")  # noqa: S704 - our own text


def until(end: datetime, zone: ZoneInfo) -> str:
    """When something ends, in its reader's zone: `the end of 31 Dec 2026`, `1 Jan 2027 at 06:00`."""
    local = end.astimezone(zone)
    is_midnight = local.time() == time()
    return f"the end of {day_before(local.date())}" if is_midnight else f"{day(local.date())} at {local:%H:%M}"


def from_when(begin: datetime, zone: ZoneInfo) -> str:
    """When something begins, in its reader's zone: `1 Dec 2026`, `1 Dec 2026 at 06:00`."""
    local = begin.astimezone(zone)
    return day(local.date()) if local.time() == time() else f"{day(local.date())} at {local:%H:%M}"


def clock_time(value: datetime) -> str:
    """The time of an instant that is in its reader's zone already: `09:14`."""
    return f"{value:%H:%M}"


def when_over(end: datetime, zone: ZoneInfo) -> str:
    """The same behind a verb: `at the end of 31 Dec 2026`, `on 1 Jan 2027 at 06:00`."""
    said = until(end, zone)
    return f"at {said}" if said.startswith("the end of ") else f"on {said}"


def short_from(begin: datetime, zone: ZoneInfo) -> str:
    """When something of about now begins, in its reader's zone: `1 Dec`, `30 Nov at 18:00`."""
    local = begin.astimezone(zone)
    return short_day(local.date()) if local.time() == time() else f"{short_day(local.date())} at {local:%H:%M}"


def soon(when: date, today: date) -> str:
    """How far away a day is: `today`, `tomorrow`, `in 7 days`."""
    days = (when - today).days
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def mention(person: PersonName) -> Markup | str:
    """A person's Slack mention, which notifies them; their name where they have no Slack user."""
    return Markup(f"<@{person.slack}>") if person.slack else short(person.name)  # noqa: S704 - an id of Slack's


FILTERS = {
    f.__name__: f
    for f in (
        tokens,
        in_tokens,
        exact_tokens,
        usd,
        fine_usd,
        exact_usd,
        count,
        people,
        short_count,
        factor,
        plain,
        percent,
        permille,
        about_usd,
        whole_usd,
        usd_to,
        changed,
        money,
        moved,
        whole_percent,
        short_day,
        clock_time,
        month_name,
        day,
        day_before,
        month,
        months_of,
        per,
        short,
        code,
        moment,
        on,
        slack_day,
        until,
        from_when,
        when_over,
        short_from,
        soon,
        mention,
    )
}
