"""Reads a message as a person does at one minute in one place: what it says of time has to be so then.

Only what the bot says is read: lines that begin with `>` quote people.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from templates.render import Message

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DATE = (
    rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(MONTHS)})\b(?! at the)(?: (?P<year>\d{{4}}))?(?: at (?P<time>\d\d:\d\d))?"
)
SLACK_DATE = re.compile(r"<!date\^(\d+)\^([^|^>]*)(?:\^[^|>]*)?\|[^>]*>")
A_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])|\s+·\s+|;\s+(?=[A-Z])")
PAST = re.compile(r"\b(?:could appeal|had asked|asked for|was|were|expired|ended|used to|took|had)\b")
AHEAD = (
    rf"comes on {DATE}",
    rf"lapse on {DATE}",
    rf"(?:lapse|ends?) at (?:the end of )?{DATE}",
    rf"lapse after (?:the end of )?{DATE}",
    rf"goes? into the shared pool on {DATE}",
    rf"{DATE}, [\d,]+ of your tokens lapse",
    rf"Next: .* from {DATE}",
    rf"Next review: {DATE}",
    rf"[Dd]ecides? by {DATE}",
    rf"alternate by {DATE}",
)
"""What is said to be still to come."""
BEHIND = (
    rf"lapsed on {DATE}",
    rf"went into the shared pool on {DATE}",
    rf"(?:Adopted|Approved|Upheld|Rejected|Lapsed|Confirmed|Declined|Withdrawn|Ratified|Appealed)\b.* on {DATE}",
    rf"since {DATE}",
    rf"asked for on {DATE}",
    rf"ended (?:at the end of|on|at) {DATE}",
    rf"in the week of {DATE}",
    rf"As of {DATE}",
)
"""What is said to be over."""
UNTIL = rf"(?:until|by) (?P<whole>the end of |about )?{DATE}"
RELATIVE = re.compile(r"\b(?:[Tt]oday|[Tt]omorrow|[Yy]esterday|(?<![Dd]ecided )[Ii]n \d+ days?)\b")
NONSENSE = re.compile(
    r"\bNone\b(?! (?:of|in)\b)|\bnan\b|\b0\.00 ×|[+−-] ?−|\bin [01] days\b|\b(?:have|room for) −|USD −[\d,.]+ of USD"
)
AMOUNT = re.compile(r"\b[\d,]+ tokens?\b|\bUSD −?[\d,.]+|\d %")


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: how many sentences, how many words about time and amounts, and what is not so."""

    sentences: int = 0
    times: int = 0
    amounts: int = 0
    untrue: tuple[str, ...] = ()

    def __add__(self, other: Read) -> Read:
        return Read(
            self.sentences + other.sentences,
            self.times + other.times,
            self.amounts + other.amounts,
            self.untrue + other.untrue,
        )


def read(message: Message, now: datetime, zone: ZoneInfo) -> Read:
    """A message as it is read at an instant by somebody in a zone."""
    found = Read()
    told = [shown(text, zone) for text in _texts(message.blocks)]
    local = now.astimezone(zone)
    for sentence in (one for text in told for one in sentences(text)):
        dates = list(_dates(sentence, local))
        wrong = [*_tenses(sentence, local), *_relative(sentence, dates, local), *_weekdays(sentence, dates)]
        wrong += [f"{word!r} makes no sense" for word in NONSENSE.findall(sentence)]
        times = len(dates) + len(RELATIVE.findall(sentence)) + len(THIS.findall(sentence))
        untrue = tuple(f"{why}: {sentence}" for why in wrong)
        found += Read(1, times, len(AMOUNT.findall(sentence)), untrue)
    return found + Read(untrue=tuple(_of_periods(" ".join(told), local)))


def shown(text: str, zone: ZoneInfo) -> str:
    """A text with Slack's dates as this reader sees them, in our own way of writing."""

    def date_of(match: re.Match[str]) -> str:
        at = datetime.fromtimestamp(int(match[1]), UTC).astimezone(zone)
        clock = f" at {at:%H:%M}" if "{time}" in match[2] else ""
        return f"{at.day} {MONTHS[at.month - 1]} {at.year}{clock}"

    return SLACK_DATE.sub(date_of, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def sentences(text: str) -> list[str]:
    """What a text says, a sentence at a time, without marks and quotations."""
    lines = (line.removeprefix("• ") for line in text.splitlines() if line.strip() and not line.startswith(">"))
    return [one for line in lines for one in A_SENTENCE.split(re.sub(r"[*_]", "", line).strip()) if one]


def _texts(blocks: object) -> Iterator[str]:
    """Every text that a reader sees."""
    if isinstance(blocks, list):
        for one in blocks:
            yield from _texts(one)
    elif isinstance(blocks, dict):
        if isinstance(blocks.get("text"), str):
            yield blocks["text"]
        for key, value in blocks.items():
            if key not in {"confirm", "private_metadata"} and not isinstance(value, str):
                yield from _texts(value)


def _dates(sentence: str, local: datetime) -> Iterator[date]:
    for match in re.finditer(DATE, sentence):
        yield _day(match, local)


def _day(match: re.Match[str], local: datetime) -> date:
    """A day that is named; without a year it is the nearest."""
    number, month = int(match["day"]), MONTHS.index(match["month"]) + 1
    if match["year"]:
        return date(int(match["year"]), month, number)
    # A leap day is in one year of four.
    years = [year for year in range(local.year - 4, local.year + 5) if number <= monthrange(year, month)[1]]
    return min((date(year, month, number) for year in years), key=lambda one: abs(one - local.date()))


def _tenses(sentence: str, local: datetime) -> Iterator[str]:
    for pattern in AHEAD:
        for match in re.finditer(pattern, sentence):
            if _is_over(match, local):
                yield "said to come, and is past"
    for pattern in BEHIND:
        for match in re.finditer(pattern, sentence):
            if _begin(match, local) > local:
                yield "said to be past, and is to come"
    for match in re.finditer(UNTIL, sentence):
        is_said_past = PAST.search(sentence[: match.start()]) or "over by now" in sentence
        if not is_said_past and _is_over(match, local):
            yield "ended before it is read"


def _begin(match: re.Match[str], local: datetime) -> datetime:
    day = _day(match, local)
    hour, minute = map(int, (match["time"] or "00:00").split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=local.tzinfo)


def _is_over(match: re.Match[str], local: datetime) -> bool:
    """An instant is over once it is past, a day once the next one has begun."""
    if match["time"]:
        return _begin(match, local) < local.replace(second=0, microsecond=0)
    return _day(match, local) < local.date()


def _relative(sentence: str, dates: list[date], local: datetime) -> Iterator[str]:
    """`tomorrow` and its kind stand beside a date, and mean it."""
    for word in RELATIVE.findall(sentence):
        said = word.lower()
        days = {"today": 0, "tomorrow": 1, "yesterday": -1}.get(said)
        days = int(said.split()[1]) if days is None else days
        if not dates:
            yield f"{word!r} without a date"
        elif local.date() + timedelta(days=days) not in dates:
            yield f"{word!r} is another day"


def _weekdays(sentence: str, dates: list[date]) -> Iterator[str]:
    for name in re.findall(rf"\b({'|'.join(WEEKDAYS)}),? {DATE.replace('?P<', '?P<_')}", sentence):
        if all(WEEKDAYS[one.weekday()] != name[0] for one in dates):
            yield f"{name[0]!r} is another weekday"


THIS = re.compile(r"\b(?:[Tt]his|[Ll]ast|[Nn]ext) (?:week|month|quarter)\b")


def _of_periods(told: str, local: datetime) -> Iterator[str]:
    """Weeks and months that are named by where the reader stands."""
    monday = local.date() - timedelta(days=local.weekday())
    weeks = [_day(match, local) for match in re.finditer(rf"the week of {DATE}", told)]
    if re.search(r"\bthis week\b", told) and weeks and max(weeks) != monday - timedelta(days=7):
        yield f"'this week' beside the week of {max(weeks)}: {told[:300]}"
    named = re.search(rf"in ({MONTH})\b[^.;]*; [^.;]* this month's", told)
    if named and named[1] != f"{local:%B}":
        yield f"'this month' is {named[1]}: {told[:300]}"
    used = re.search(rf"what you can spend in ({MONTH} \d{{4}})", told)
    if used and used[1] != f"{local:%B %Y}":
        yield f"said of {used[1]}: {told[:300]}"
    if re.search(r"(?:are|is) in your wallet now", told):
        ends = [_is_over(match, local) for match in re.finditer(UNTIL, told)]
        if all(ends) and ends:
            yield f"'in your wallet now', and ended: {told[:300]}"


def blocks_of(view: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of a view, to be read like a message."""
    return list(view["blocks"])
