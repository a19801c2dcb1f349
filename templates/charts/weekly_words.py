"""What a team's weeks say in words: the finding, the line below it, and the text for those who cannot see the chart."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from templates import formats, labels
from templates.charts import canvas
from views.reports import APART

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from policy.units import NanoUSD
    from views.reports import TeamReport, WeekOfSpend

SAME = Fraction(5, 100)
"""A change below this is none."""
TIMES, MANY_TIMES = 2, 100
"""From here on a rise is told in times."""
NAME_IN_TITLE = 24
WEEKS_COMPARED = 2
WORDS = {"few_people": "too few people", "few_spenders": "too few spenders", "team_changed": "the team changed"}


def finding(report: TeamReport) -> str:
    """What there is to see, in one line."""
    over = report.weeks[:-1]
    if report.hidden or not over:
        return f"Nothing is shown: {WORDS.get(report.hidden, 'no week is over yet')}"
    if over[-1].hidden:
        return f"Last week is left out: {WORDS.get(over[-1].hidden, over[-1].hidden)}"
    shown = [one for one in report.weeks if not one.hidden]
    if not any(one.spent for one in shown):
        whole = len(shown) == len(report.weeks)
        return f"No tokens were spent in {f'these {_number(len(shown))} weeks' if whole else 'the weeks shown'}"
    return _begun(report) or _changed(report, over)


def _begun(report: TeamReport) -> str:
    """What to say where there is nothing before the last week or this one to compare with."""
    *past, last, this = report.weeks
    if any(one.spent or one.hidden for one in past):
        return ""
    if last.spent:
        return f"Spend began last week: {_usd(last.spent)}"
    return f"Spend began this week: {_usd(this.spent)} so far"


def _changed(report: TeamReport, over: Sequence[WeekOfSpend]) -> str:
    if len(over) < WEEKS_COMPARED or over[-2].hidden:
        return f"{_usd(over[-1].spent)} last week; the week before is left out"
    if not over[-2].same_team:
        return f"{_usd(over[-1].spent)} last week; the week before the team was another"
    before, last = over[-2:]
    if not last.spent:
        return "Nothing was spent last week"
    if not before.spent:
        return f"{_usd(last.spent)} last week, after a week of nothing"
    return f"Last week {_compared(report.services, before, last)}"


def _compared(services: Sequence[str], before: WeekOfSpend, last: WeekOfSpend) -> str:
    by = Fraction(int(last.spent) - int(before.spent), int(before.spent))
    if abs(by) < SAME:
        return "much as before"
    most = _most_of_it(services, before, last)
    if by < 0:
        return f"down {round(-by * 100)} %{most and f', less of {most}'}"
    mostly = most and f", mostly {most}"
    if by + 1 > MANY_TIMES:
        return f"more than {MANY_TIMES} times the week before{mostly}"
    if by + 1 >= TIMES:
        times = f"{float(by + 1):,.1f}".removesuffix(".0")
        return f"{times} times the week before{mostly}"
    return f"up {round(by * 100)} %{mostly}"


def _most_of_it(services: Sequence[str], before: WeekOfSpend, last: WeekOfSpend) -> str:
    """The service that makes up most of the change between two weeks, if one of several does."""
    change = int(last.spent) - int(before.spent)
    sign = 1 if change > 0 else -1
    changes = [sign * (int(now) - int(then)) for now, then in zip(last.usd, before.usd, strict=True)]
    at = max(range(len(changes)), key=changes.__getitem__, default=0)
    if len(services) > 1 and 2 * changes[at] > abs(change):
        return canvas.name(services[at], NAME_IN_TITLE)
    return ""


def subtitle(report: TeamReport) -> str:
    """Last week in USD and tokens, where it is told, and what the bars are."""
    over = report.weeks[:-1]
    if report.hidden or not over:
        return canvas.people(report.people)
    if over[-1].hidden:
        return f"USD a week by service, {canvas.people(report.people)}"
    last = over[-1]
    return f"{_usd(last.spent)} ({canvas.in_tokens(last.tokens)}) last week, {canvas.people(last.people)}"


def left_out(report: TeamReport) -> list[str]:
    """How many weeks have no bar, by reason: `2 weeks left out: the team changed`."""
    reasons = Counter(one.hidden for one in report.weeks if one.hidden)
    return [
        f"{'1 week' if count == 1 else f'{count} weeks'} left out: {WORDS.get(reason, reason)}"
        for reason, count in reasons.items()
    ]


def notes(report: TeamReport) -> list[str]:
    """Whose spend is not in the bars, and what is in them under no name."""
    words = []
    if APART in report.services:
        words.append("Not told apart: services of too few people, and small ones.")
    if below := len(report.teams) + report.teams_hidden:
        teams = "The team below is" if below == 1 else f"{below} teams below are"
        few = f"; {report.teams_hidden} of them: too few people to tell" if report.teams_hidden else ""
        few = "; it has too few people to tell" if below == report.teams_hidden == 1 else few
        words.append(f"Direct reports only. {teams} not in this picture{few}.")
    return words


def alt_text(report: TeamReport) -> str:
    """The finding, every week, the services' shares, the pace and what is expected."""
    begin = f"{finding(report)}. {subtitle(report)}."
    shown = [one for one in report.weeks if not one.hidden]
    if report.hidden or len(report.weeks) < WEEKS_COMPARED:
        return " ".join([f"Bar chart without bars. {begin}", *notes(report)])
    parts = [f"Bar chart of USD spent a week, by service. {begin} By week: {', '.join(_weeks_in_words(report))}."]
    total = sum(int(one.spent) for one in shown if one.usd)
    if total:
        sums = [sum(int(one.usd[i]) for one in shown if one.usd) for i in range(len(report.services))]
        shares = (
            f"{formats.short(name)} {_share(part, total)}" for name, part in zip(report.services, sums, strict=True)
        )
        parts.append(f"Services in the weeks that are over: {', '.join(shares)}.")
    parts += [*_pace_in_words(report), *_forecast_in_words(report), *notes(report)]
    return " ".join(parts)


def _weeks_in_words(report: TeamReport) -> Iterator[str]:
    for one in report.weeks:
        when = "this week so far" if one is report.weeks[-1] else canvas.of(one.week.first_day)
        yield f"{when} left out ({WORDS.get(one.hidden, one.hidden)})" if one.hidden else f"{when} {_usd(one.spent)}"


def _pace_in_words(report: TeamReport) -> Iterator[str]:
    paces = [(one, one.pace) for one in report.weeks if one.pace is not None]
    if paces:
        steps = [(one.week, pace) for i, (one, pace) in enumerate(paces) if not i or paces[i - 1][1] != pace]
        told = ", ".join(f"from {canvas.of(week.first_day)} {_usd(pace)}" for week, pace in steps)
        yield f"The grants come to, a week: {told}."


def _forecast_in_words(report: TeamReport) -> Iterator[str]:
    if report.ahead:
        weeks = ", ".join(
            f"{canvas.of(one.week.first_day)} {_usd(one.middle)} ({canvas.usd(one.low)} to {canvas.usd(one.high)})"
            for one in report.ahead
        )
        yield f"Expected, this week as a whole and the next ones: {weeks}."


def _share(part: int, total: int) -> str:
    percent = round(Fraction(100 * part, total))
    return f"{percent} %" if percent or not part else "under 1 %"


def _number(count: int) -> str:
    return {12: "twelve", 1: "one"}.get(count, labels.number_word(count))


def _usd(amount: NanoUSD) -> str:
    return f"USD {canvas.usd(amount)}"
