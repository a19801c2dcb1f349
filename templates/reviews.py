"""A quarter's review as its board sees it: the one rendering of the pack, and words for its figures."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from policy.counting import many
from policy.parameters.grants import LEVELS
from policy.period import Month
from policy.units import MicroTokens
from templates import render, review_unusual, roi
from views.reviews import CUT, HELD_BACK, RAISE, SAME, kind_of_change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from policy.period import Quarter
    from policy.reasons import Reason
    from policy.reviews.proposal import Case
    from templates.render import Message
    from views.appeals import Card
    from views.review_figures import Appealed, QuarterFigures
    from views.reviews import Call, CaseFilter, Changed, Pack, Page, Review, ReviewedCase

MISSING_NAMES = {
    "few_weeks": "with too few weeks of figures",
    "few_in_team": "in too small a team",
    "few_peers": "with too few peers",
    "no_output": "with no output known",
}
STATES = {"low": "LOW", "usual": "usual", "high": "HIGH"}
LIMITS = {"floor": "at the floor", "cap": "at the cap"}
TERMS = {"efficiency", "low", "high", "bounded"}
OUTCOME = "delta"
"""The reason that only repeats the heading."""
DELTA = "delta"
"""The figure of a reason that says what it adds, or what all add together."""
NOTICEABLE = 5
"""Thousandths between two changes that a reader would ask about."""
EVERYBODY = "everybody"
"""The key of peers of all role families (policy/reviews/efficiency)."""
KINDS_OF_CHANGE = {RAISE: "Raises", CUT: "Cuts", SAME: "No change", HELD_BACK: "Held"}
KINDS = {"level": "by level", "team": "by team", "wave": "by wave"}


def unasked(quarter: Quarter, needed: int) -> Message:
    """That a review is drafted, and the board is too small to be asked: so many would have to agree."""
    return render.message("reviews/unasked", quarter=quarter, needed=needed)


def pack(shown: Pack) -> Message:
    """A review for those who decide it: in the channel, in a conversation. The rest is behind its buttons."""
    return render.message(
        "reviews/pack",
        pack=shown,
        unusual=review_unusual.of(shown),
        not_ratified=review_unusual.not_ratified(shown),
        button_value=button_value(shown),
        mean=mean,
        sized_for=Month.parse(shown.summary.month),
        **brings(shown),
    )


def brings(shown: Pack) -> dict[str, object]:
    """What the programme brings, a line each as (name, words), and through which month; nothing without a report."""
    report = shown.brings
    return {
        "brings": roi.lines(report.report) if report else [],
        "brings_through": roi.through(report) if report else None,
    }


def outcome(shown: Pack) -> Message:
    """A message that a review is adopted, or has lapsed."""
    return render.message("reviews/outcome", pack=shown, button_value=button_value(shown))


def button_value(shown: Pack | Call) -> str:
    """What a button carries: which review, and which package was shown."""
    return f"{shown.review.quarter}:{shown.package}"


def group_name(kind: str, name: str, *, names: Mapping[str, str]) -> str:
    """A level, a wave, or a team by whom it reports to."""
    if kind == "wave":
        return "in no wave" if name == "none" else f"wave {name}"
    if kind == "team":
        return f"{names[name]}'s reports" if name else "reporting to no one"
    return name or "no level"


def change(thousandths: int) -> str:
    """A change with its sign: `+2.5 %`, `−10 %`, `no change`."""
    if not thousandths:
        return "no change"
    return f"{'+' if thousandths > 0 else '−'}{abs(thousandths) / 10:g} %"


def kind_of(case: ReviewedCase) -> str:
    """Whether a case is a raise, a cut, neither, or held."""
    return kind_of_change(case.delta_thousandths, case.decision)


def mean(percent: float) -> str:
    """A change on average, in tenths of a per cent: `+4.2 %`, `−0.4 %`, `±0 %`."""
    tenths = round(percent * 10)
    return f"{'+' if tenths > 0 else '−'}{abs(tenths) / 10:.1f} %" if tenths else "±0 %"


def share(permille: int) -> str:
    """A share of a group, to the whole per cent: that of few people has no tenths."""
    return f"{(permille + 5) // 10} %" if permille else "none"


def lines(reasons: Iterable[Reason]) -> list[str]:
    """Reasons as lines; terms with what they add."""
    return [_line(reason) for reason in reasons if reason.code != OUTCOME]


def _line(reason: Reason) -> str:
    added = reason.figures.get(DELTA) if reason.code in TERMS else None
    if added is None:
        return reason.text
    return f"{reason.text}: {change(int(Decimal(added) * 1_000)) if Decimal(added) else 'nothing'}"


def notice(changed: Changed, today: date, *, has_appealed: bool = False) -> Message:
    """What a person is told about their own case; on a day on which it may be too late to appeal."""
    return render.message(
        "reviews/notice",
        notice=changed,
        told=_told(changed),
        has_appealed=has_appealed,
        may_appeal=changed.appeal_until is not None and today <= changed.appeal_until and not has_appealed,
    )


class Told(NamedTuple):
    """A change in the words and figures of a letter; `moved` is None where no amounts are known.

    `real` is what limits, budget and rounding make of `change`, where that is noticeably something else.
    """

    change: str
    proposed: str
    moved: MicroTokens | None
    real: str
    sized_for: Month


def _told(changed: Changed) -> Told:
    before, after = changed.grant_before, changed.grant_after
    moved, real = None, ""
    if before is not None and after is not None:
        moved = MicroTokens(abs(int(after) - int(before)))
        permille = round(1000 * (int(after) - int(before)) / int(before)) if before else 0
        if abs(permille - changed.delta_thousandths) >= NOTICEABLE:
            real = change(permille)
    return Told(change(changed.delta_thousandths), _proposed(changed), moved, real, Month.parse(changed.sized_for))


def _proposed(changed: Changed) -> str:
    """The change that the reasons come to: what the board was asked about."""
    was = next((reason.figures.get(DELTA) for reason in changed.because if reason.code == OUTCOME), None)
    return change(int(Decimal(was) * 1_000)) if was else ""


def mine(quarter: Quarter | None, changed: Changed | None, *, card: Card | None, may_appeal: bool) -> Message:
    """A person's case in the last adopted review, as often as they ask; no notice where they have none."""
    return render.message(
        "reviews/mine",
        quarter=quarter,
        notice=changed,
        card=card,
        may_appeal=may_appeal,
        told=None if changed is None else _told(changed),
    )


def working(quarter: Quarter, kept: ReviewedCase, *, who: str = "") -> Message:
    """The statistics behind a case, for the person themself or for a member of the board, who reads whose it is."""
    case = kept.case
    return render.message(
        "reviews/working",
        quarter=quarter,
        who=who,
        proposed=change(case.delta_thousandths),
        before=case.factor_before,
        after=kept.factor,
        because=lines(case.reasons),
        would_change=lines(case.would_change),
    )


def not_counted(figures: QuarterFigures) -> str:
    """`14 events of the quarter, in quarantine; 1 outcome without a known owner`."""
    events, outcomes = figures.quarantined_events, figures.unknown_outcomes
    said = [f"{events:,} {'event' if events == 1 else 'events'} of the quarter, in quarantine"] if events else []
    said += [f"{outcomes:,} {'outcome' if outcomes == 1 else 'outcomes'} without a known owner"] if outcomes else []
    return "; ".join(said) or "nothing"


def milestone(kept: Review, step: str, appealed: Appealed) -> Message:
    """A message that an adopted review applies from now, or that the time for appeals is over."""
    return render.message("reviews/milestone", review=kept, step=step, appealed=appealed, became=became(appealed))


def appeals_in_words(appealed: Appealed) -> str:
    """`2 of 12 cuts appealed against: 1 upheld, 1 still open`."""
    cuts = f"{appealed.cut:,} {'cut' if appealed.cut == 1 else 'cuts'}"
    if not appealed.filed:
        return f"none against {cuts}"
    return f"{appealed.filed:,} of {cuts} appealed against: {became(appealed)}"


def became(appealed: Appealed) -> str:
    """`1 upheld, 2 rejected`: what became of appeals, without what became of none."""
    by_end = {"upheld": appealed.upheld, "rejected": appealed.rejected, "lapsed": appealed.lapsed}
    return counts({end: count for end, count in (by_end | {"still open": appealed.open}).items() if count})


def counts(counted: Mapping[str, int], words: Mapping[str, str] | None = None) -> str:
    """`3 granted, 1 rejected`; with other words for some names."""
    said = words or {}
    return ", ".join(f"{count:,} {said.get(name, name.replace('_', ' '))}" for name, count in counted.items())


def peers(case: Case) -> str:
    """`12 people of engineering (junior, mid)`, `4 teams of all kinds of work`."""
    if case.peers is None or not case.peers_size:
        return "–"
    units = (("person", "people") if case.unit == "person" else ("team", "teams"))[case.peers_size != 1]
    family, _, levels = case.peers.partition("/")
    kind = "all kinds of work" if family == EVERYBODY else family
    return f"{case.peers_size:,} {units} of {kind}" + (f" ({levels.replace('+', ', ')})" if levels else "")


def duration(minutes: int) -> str:
    """How long a decision took, such as `40 minutes`, `6 hours` or `3 days`."""
    for size, name in ((1_440, "day"), (60, "hour")):
        if minutes >= 2 * size:
            return f"{round(minutes / size)} {name}s"
    return many(minutes, "minute")


def pages(number: int, of: int) -> Iterator[tuple[str, int]]:
    """The buttons that turn the page: (words, number)."""
    if number > 0:
        yield "Previous", number - 1
    if number < of - 1:
        yield "Next", number + 1


def page(
    shown: Page, lines: Sequence[object], *, turns: Sequence[tuple[str, int]], private: str = ""
) -> dict[str, object]:
    """A page of the cases, as a modal."""
    return render.modal(
        "reviews/cases",
        page=shown,
        lines=lines,
        turns=turns,
        change=change,
        states=STATES,
        narrowed_to=narrowed_to(shown.narrowed),
        private=private,
    )


def narrowed_to(chosen: CaseFilter) -> str:
    """What a list is narrowed to: `cuts, level senior, team of “Mara”, name with “ada”`."""
    said = [KINDS_OF_CHANGE[chosen.change].lower()] if chosen.change else []
    said += [f"level {chosen.level}"] if chosen.level else []
    said += [f"team of “{chosen.team}”"] if chosen.team else []
    said += [f"name with “{chosen.name}”"] if chosen.name else []
    return ", ".join(said)


def case_filter(quarter: Quarter, chosen: CaseFilter, *, private: str) -> dict[str, object]:
    """The form that narrows a list of cases."""
    return render.modal(
        "reviews/filter",
        quarter=quarter,
        chosen=chosen,
        levels=[(level, level) for level in LEVELS],
        kinds=list(KINDS_OF_CHANGE.items()),
        private=private,
    )
