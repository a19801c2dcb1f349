"""What a report of the return says in words: one rendering for Slack, the page and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.counting import many
from policy.period import Month
from templates import formats, render
from templates.charts import native

if TYPE_CHECKING:
    from decimal import Decimal

    from policy.returns import Judged, Returns, Uplift
    from policy.roi.report import Effect, Report
    from policy.units import NanoUSD
    from templates.render import Message
    from views.roi import FrozenReport

ANSWERS = {
    "pays": "It pays.",
    "does_not_pay": "It does not pay.",
    "not_established": "Not established whether it pays.",
}
BECAUSE = {
    "interval": "Both ends of the effect's interval are on the same side of the break-even point.",
    "spans": "The effect's interval holds the break-even point: the figures allow that it pays, and that it does not.",
    "few_teams": "Too few teams for more than a direction.",
    "not_parallel": "Teams did not run in parallel before they joined, so the comparison is not to be trusted.",
    "no_interval": "There are too few teams or waves for an interval.",
}
REFUSED = {
    "nobody_to_compare": "While some teams took part, no others had yet to join: there is nothing to compare with.",
    "nobody_treated": "No team has joined that was seen before.",
    "panel_too_small": "No team has outcomes in every month.",
    "panel_too_fine": "There are too many dates on which teams joined.",
    "no_counterfactual": "Without the effect there would have been no output to compare it with.",
}
FACTORS = {
    "uplift": "Uplift of output (its interval)",
    "value": "Value of a dollar of pay (m)",
    "realised": "Share of gained time that becomes output (r)",
    "loaded": "Pay with all that comes on top (λ)",
    "ramp": "Months until the full effect",
}
MISSING = {
    "outcomes_waiting": "outcomes whose authors are not known",
    "events_quarantined": "usage events in quarantine",
    "months_without_outcomes": "months before any outcome was told",
    "people_without_team": "people at a time without a manager on record: in the costs, in no team",
    "people_without_midpoint": "people at a time whose pay band has no midpoint: in the costs, not in the payroll",
}


def message(shown: FrozenReport) -> Message:
    """The answer to `/tokens roi`."""
    charts = {"effect_chart": native.event_study(shown.report), "net_chart": native.cumulative(shown.report)}
    return render.message("roi/roi", lines=lines(shown.report), shown=shown, through=through(shown), **charts)


def through(shown: FrozenReport) -> Month:
    return Month.parse(shown.report.basis.through)


def lines(report: Report) -> list[tuple[str, str]]:
    """(name, words): the answer first, then what it rests on."""
    return [
        (ANSWERS[report.verdict], because(report)),
        ("Output:", output(report)),
        ("Money:", money(report)),
        ("Break-even:", break_even(report)),
        ("Not known:", "; ".join(not_known(report)) or "nothing is missing."),
    ]


def because(report: Report) -> str:
    return REFUSED[report.refused] if report.because == "refused" else BECAUSE[report.because]


def output(report: Report) -> str:
    """What changed in the work of teams, as far as their number allows to tell."""
    effect = report.effect
    if effect is None:
        return "no comparison is possible yet."
    lot = "drawn by lot" if effect.found.inference.method == "permutation" else "not drawn by lot"
    teams = f"{many(effect.found.units, 'team')} in waves {lot}"
    if effect.found.trust == "directional":
        return f"{direction(effect)} than teams that had not joined; {teams}."
    span = interval(effect.uplift)
    return f"{formats.change(effect.uplift.estimate)} per post beside teams that had not joined{span}; {teams}."


def direction(effect: Effect) -> str:
    return "more" if effect.uplift.estimate > 0 else "less" if effect.uplift.estimate < 0 else "no more"


def interval(uplift: Uplift) -> str:
    """`, 90 %: +4 % to +27 %`; an end that is not known is said to be so."""
    if uplift.low is None and uplift.high is None:
        return ""
    return f", 90 %: {_end(uplift.low)} to {_end(uplift.high)}"


def _end(end: Decimal | None) -> str:
    return "not known" if end is None else formats.change(end)


def money(report: Report) -> str:
    """What it cost to the cent, and what is left at the horizon."""
    spent = report.one_off
    for one in report.real:
        spent += one.cost
    cost = f"{formats.usd(spent)} spent in {many(len(report.real), 'month')}"
    judged = report.told
    if judged is None:
        return f"{cost}."
    net, ends = usd(judged.middle.net), ""
    if judged.low is not None and judged.high is not None:
        ends = f" ({usd(judged.low.net)} to {usd(judged.high.net)})"
    return f"{cost}; {net} net over {len(report.months)} months{ends}{_roi(judged.middle)}."


def usd(amount: NanoUSD) -> str:
    """What is only estimated, with its sign: `USD −4,000,000`."""
    return formats.about_usd(amount).replace("-", formats.MINUS)


def _roi(found: Returns) -> str:
    return "" if found.roi is None else f", {formats.change(found.roi)} on what it costs"


def break_even(report: Report) -> str:
    """From which uplift on it pays, and when it has paid back."""
    judged = report.judged
    if judged is None or judged.break_even is None:
        return "not known."
    needed = f"at an uplift of {formats.percent(judged.break_even)}"
    return f"{needed}." if report.told is None else f"{needed}; {paid_back(judged, len(report.months))}."


def paid_back(judged: Judged, horizon: int) -> str:
    """When, and when at the ends of the interval."""
    middle = judged.middle.payback
    when = f"not paid back within {horizon} months" if middle is None else f"paid back after {middle:.1f} months"
    if judged.low is None or judged.high is None or judged.low.payback == judged.high.payback:
        return when
    best, worst = (
        "not at all" if one.payback is None else f"after {one.payback:.1f}" for one in (judged.high, judged.low)
    )
    return f"{when} (at best {best}, at worst {worst})"


def _share(share: float) -> str:
    return formats.change(share).removeprefix("+")


def not_known(report: Report) -> list[str]:
    """What could not have been found, who was left out, and what is missing."""
    told = []
    if report.effect is not None:
        found = report.effect.found
        if found.detectable is not None and found.trust != "directional":
            told.append(f"effects below {_share(report.effect.relative(found.detectable))} would hardly be seen")
        if not found.leads.tested:
            told.append("whether teams ran in parallel before: there are no earlier months")
        if found.left_out:
            left_out = len(found.left_out)
            lacks = (
                "which lacks a month or has none before" if left_out == 1 else "which lack a month or have none before"
            )
            told.append(f"{many(left_out, 'team is', 'teams are')} left out, {lacks}")
    return told + [f"{count:,} {MISSING[code]}" for code, count in report.basis.missing]
