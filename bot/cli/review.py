"""`review draft|show|pack|recompute|backtest`: the quarterly review for those who run the programme."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from bot.cli import common, listing
from policy import handbook as handbooks
from policy.counting import many
from policy.reasons import Refusal
from policy.reviews.adjustment import THOUSANDTH
from policy.reviews.proposal import PROPOSED
from programme.people import directory
from programme.reviews import backtests, drafting, file, grounds
from store.people import directory as people_store
from store.reviews import drafts as store
from templates import review_page as written
from templates import reviews as words
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policy.period import Quarter
    from policy.reasons import Reason
    from policy.reviews.proposal import ChangeCounts
    from policy.units import MicroTokens
    from programme.moment import Moment
    from programme.reviews.drafting import DraftOutcome
    from programme.reviews.grounds import Grant
    from store.engine import Session
    from views.review_figures import Fairness, Summary
    from views.reviews import Review, ReviewedCase

quarter_option = click.option("--quarter", type=common.QuarterType(), help="The latest draft when left out.")
CASE_HEADING = ("name", "use", "state", "score", "change", "factor", "before", "after", "decision")


@click.group()
def review() -> None:
    """The quarterly review: what is proposed for everyone, and why."""


@review.command("draft")
@click.option("--quarter", type=common.QuarterType(), required=True, help="The quarter, which has to be over.")
@common.dry_run_option
@common.json_option
def draft_review(quarter: Quarter, *, dry_run: bool, as_json: bool) -> None:
    """Draft a quarter's review, once.

    The draft freezes its inputs; no one's grant changes.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        drafted = drafting.draft(moment, quarter, actor=common.actor())
        if dry_run and drafted is not None and not as_json:
            _print_cases(moment, drafting.require(moment, quarter))
    if as_json:
        common.print_json(_drafted(quarter, drafted, kept=not dry_run))
    elif drafted is None:
        click.echo(f"The review of {quarter} is already drafted.")
    else:
        click.echo(f"{quarter}: {_counted(drafted.counted)}; {drafted.missing} without a score.")
        common.told(f"Inputs are frozen, SHA-256 {drafted.inputs_digest}.", dry_run=dry_run)


def _drafted(quarter: Quarter, drafted: DraftOutcome | None, *, kept: bool) -> dict[str, object]:
    if drafted is None:
        return {"quarter": str(quarter), "drafted": False}
    return {
        "quarter": str(quarter),
        "drafted": kept,
        "month": str(drafted.month),
        **common.plain(drafted.counted),
        "without_score": drafted.missing,
        "inputs_digest": drafted.inputs_digest,
    }


def _counted(counted: ChangeCounts) -> str:
    return f"{counted.raised} raised, {counted.cut} cut, {counted.unchanged} unchanged"


@review.command("show")
@quarter_option
@click.option("--person", "email", metavar="EMAIL", help="One person's case with its reasons.")
@common.json_option
def show_review(quarter: Quarter | None, *, email: str | None, as_json: bool) -> None:
    """Show a review, or a person's case.

    Shows the figures and each case on a line, or one person's case with all its reasons.
    """
    with common.app() as app, app.reading() as moment:
        kept = drafting.require(moment, quarter)
        if email is not None:
            one = drafting.case_of(moment, kept.quarter, directory.require(moment, email).id)
            _show_case(moment, kept, email, one, as_json=as_json)
            return
        summary = drafting.summary(moment, kept.quarter)
        if as_json:
            cases = store.cases(moment.session, kept.quarter)
            granted = grounds.grants(moment, kept, cases)
            common.print_json(
                {
                    "summary": common.plain(summary),
                    "inputs_digest": kept.inputs_digest,
                    **_standing(kept),
                    "cases": [_plain(case, granted[case.case.person_id]) for case in cases],
                }
            )
            return
        names = _names(moment.session)
        click.echo(_state(kept, names))
        _print_cases(moment, kept)
        _print_summary(summary, names)


def _standing(kept: Review) -> dict[str, str | None]:
    """Where a review stands, for programs."""
    return {
        "state": kept.state,
        "decided_at": kept.decided_at.isoformat() if kept.decided_at else None,
        "decided_by": kept.decided_by,
        "holds_from": str(kept.holds_from) if kept.holds_from else None,
    }


def _state(kept: Review, names: Mapping[str, str]) -> str:
    """Whether a review is a draft, adopted or lapsed, since when, by whose deciding vote, and from when it holds."""
    if kept.decided_at is None:
        until = f" until {kept.vote_until:%Y-%m-%d %H:%M} UTC" if kept.vote_until else ""
        return f"{kept.quarter} is a draft{', with the board' + until if until else ''}; no grant has changed."
    said = f"{kept.quarter} {'was adopted' if kept.state == ADOPTED else 'lapsed'} on {kept.decided_at:%Y-%m-%d}"
    if kept.state != ADOPTED:
        return f"{said}; no grant has changed."
    by = names.get(kept.decided_by or "")
    return f"{said}{f' by the deciding vote of {by}' if by else ''}; it holds from {kept.holds_from}."


def _names(session: Session) -> dict[str, str]:
    return {person["id"]: person["name"] for person in people_store.all_by_email(session).values()}


def _print_cases(moment: Moment, kept: Review) -> None:
    names = _names(moment.session)
    cases = store.cases(moment.session, kept.quarter)
    granted = grounds.grants(moment, kept, cases)
    common.print_table(CASE_HEADING, [_line(one, granted[one.case.person_id], names) for one in cases])


def _line(one: ReviewedCase, granted: Grant, names: Mapping[str, str]) -> tuple[str, ...]:
    case = one.case
    used = "-" if case.utilisation_permille is None else f"{case.utilisation_permille / 10:.0f} %"
    return (
        names[case.person_id],
        used,
        case.state_after,
        case.missing or f"{case.theta:+.2f}",
        _percent(one.delta_thousandths),
        f"{one.factor:.4f}",
        _whole(case.grant_before),
        _whole(granted.amount),
        _decision(one, names),
    )


def _decision(one: ReviewedCase, names: Mapping[str, str]) -> str:
    """What became of a case, by whom and when: `held by Tess Vance, 2027-01-12`."""
    if one.decision == PROPOSED or one.decided_at is None:
        return one.decision
    who = names.get(one.decided_by or "", one.decided_by)
    return f"{one.decision} by {who}, {one.decided_at:%Y-%m-%d}; {_percent(one.case.delta_thousandths)} was proposed"


def _percent(thousandths: int) -> str:
    return f"{thousandths / 10:+.1f} %" if thousandths else "0"


def _whole(amount: MicroTokens | None) -> str:
    return "-" if amount is None else f"{amount.decimal:,.0f}"


def _show_case(moment: Moment, kept: Review, email: str, one: ReviewedCase, *, as_json: bool) -> None:
    granted = grounds.grant_of(moment, kept, one)
    if as_json:
        common.print_json({"quarter": str(kept.quarter), **_plain(one, granted)})
        return
    case, names = one.case, _names(moment.session)
    click.echo(_state(kept, names))
    click.echo(f"{email} in {kept.quarter}: {_percent(one.delta_thousandths)} ({_decision(one, names)})")
    if one.decision_reason:
        click.echo(f"The board's reason: {one.decision_reason}")
    click.echo(f"All adjustments together: {case.factor_before} -> {one.factor}")
    click.echo(
        f"Monthly grant, tokens: {_whole(case.grant_before)} -> {_whole(granted.amount)} {granted.bound}".rstrip()
    )
    _print_reasons("Because", case.reasons)
    _print_reasons("What would change it", case.would_change)


def _print_reasons(heading: str, reasons: Sequence[Reason]) -> None:
    click.echo(f"{heading}:")
    for reason in reasons:
        figures = ", ".join(f"{name} {figure}" for name, figure in reason.figures.items() if figure)
        click.echo(f"- {reason.text}" + (f" ({figures})" if figures else ""))


def _plain(one: ReviewedCase, granted: Grant) -> dict[str, Any]:
    """A case for programs, with what became of it."""
    decided = replace(one.case, grant_after=granted.amount, bound=granted.bound)
    case: dict[str, Any] = common.plain(decided)
    return case | {
        "proposed_delta": str(one.case.delta_thousandths * THOUSANDTH),
        "decided_at": None if one.decided_at is None else one.decided_at.isoformat(),
        "decision": one.decision,
        "delta": str(one.delta_thousandths * THOUSANDTH),
        "factor": str(one.factor),
        "decided_by": one.decided_by,
        "decision_reason": one.decision_reason,
    }


def _resized(summary: Summary) -> dict[str, str]:
    """A line of its own where the grants are too large for many."""
    resize = summary.figures.resize
    if resize is None:
        return {}
    return {
        "share of pay": f"{resize.share} -> {resize.proposed}; {_whole(resize.grants_before)} ->"
        f" {_whole(resize.grants_after)} tokens, USD {resize.usd_before.decimal:,.2f} ->"
        f" {resize.usd_after.decimal:,.2f}"
    }


def _of_state(summary: Summary) -> str:
    return "adopted" if summary.state == ADOPTED else "proposed"


def _print_summary(summary: Summary, names: Mapping[str, str]) -> None:
    money, value = summary.figures.money, summary.figures.value
    lines = {
        _of_state(summary): f"{_counted(summary.counted)}, mean {summary.mean_percent:+} %; {summary.held} held, "
        f"{summary.amended} amended",
        f"grants of {summary.month}": f"{_whole(summary.grants_before)} -> {_whole(summary.grants_after)} tokens",
        **_resized(summary),
        "bounded": _counts(summary.bounds),
        "states": _counts(summary.states),
        "without a score": words.counts(summary.missing, words.MISSING_NAMES) or "none",
        "use not known": str(summary.unknown_use),
        "entitled, USD": f"{money.entitled.decimal:,.2f}, issued {money.issued.decimal:,.2f}, "
        f"consumed {money.consumed.decimal:,.2f}",
        "funded, USD": f"{money.funded.decimal:,.2f} of {money.worst_case.decimal:,.2f} at worst; "
        f"the buffer holds {money.buffer_held.decimal:,.2f}",
        "value": f"{value.version}, USD {listing.written(value.per_token)}, index {value.index}",
        "value proposed": _proposed(summary),
        "held by a limit": _counts(summary.figures.bounds),
        "quarantined events": str(summary.figures.quarantined_events),
        "unknown outcomes": str(summary.figures.unknown_outcomes),
        "appeals before": _appeals(summary),
        "use in tenths": " ".join("·" if count is None else str(count) for count in summary.utilisation),
    }
    for label, text in lines.items():
        click.echo(f"{label:<20} {text}")
    for one in summary.figures.exceptions:
        took = "-" if one.median_minutes is None else words.duration(one.median_minutes)
        click.echo(
            f"{one.class_name:<20} {one.made} made: {_counts(one.states)}; median {took}; {_counts(one.outcomes)}"
        )
    for fairness in summary.fairness:
        _print_fairness(fairness, names)
    for version, test in summary.backtests.items():
        by = f"; proposed by {test.proposed_by}" if test.proposed_by else ""
        click.echo(f"{'handbook ' + version:<20} {_counted(test.then)}; {test.differ} differ{by}")


def _appeals(summary: Summary) -> str:
    one = summary.appealed
    if one is None:
        return "no review was adopted before"
    return f"{one.quarter}: {words.appeals_in_words(one) if one.cut else 'no grant was cut'}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


def _proposed(summary: Summary) -> str:
    value = summary.figures.value
    if value.proposed is None:
        return value.note or "none"
    apart = "no spend to weight by" if value.divergence is None else f"|L/F - 1| {value.divergence:f}"
    largest = ""
    if one := value.largest:
        largest = f"; {one.provider} has {one.share:.1%} of the basket, its prices alone moved it by {one.change:+.2%}"
    return f"USD {listing.written(value.proposed)}, index {value.proposed_index}; {apart}{largest}"


def _print_fairness(fairness: Fairness, names: Mapping[str, str]) -> None:
    for group in fairness.groups:
        name = names.get(group.name, group.name) or "no one's"
        people = many(group.people, "person", "people")
        click.echo(
            f"{fairness.kind + ' ' + name:<20} {people}, mean {group.mean_percent:+} %, "
            f"{_share(group.raised_permille)} raised, {_share(group.cut_permille)} cut"
        )
    if fairness.hidden:
        click.echo(f"{fairness.kind:<20} {fairness.hidden} not shown (too few people)")


def _share(permille: int) -> str:
    return f"{(permille + 5) // 10} %"


@review.command("pack")
@quarter_option
@click.option("--cases", is_flag=True, help="With every case, for auditors. Needs --by, and is in the audit log.")
@click.option("--by", metavar="EMAIL", help="Who exports the cases: an auditor, the chair, or a person from finance.")
@click.option("--out", type=click.File("w", encoding="utf-8", lazy=True), required=True, help="The HTML file.")
def pack_of_review(quarter: Quarter | None, *, cases: bool, by: str | None, out: TextIO) -> None:
    """Write the board's pack as a page of HTML.

    For filing and printing; the page loads nothing else. It says what the pack in Slack says, and with --cases also
    each case: the change, the decision with its reason, the peers; no amounts.
    """
    if cases and by is None:
        raise click.UsageError("--cases needs --by EMAIL.")
    with common.app() as app, app.transaction() as moment:
        found = file.with_cases(moment, quarter, by=by) if cases and by else file.of(moment, quarter)
    out.write(written.page(found, found.pack.summary.figures.money))
    told = f"with {len(found.cases.rows):,} cases" if found.cases else "without cases"
    click.echo(f"The review of {found.pack.review.quarter}, {found.pack.review.state}, {told}.", file=sys.stderr)


@review.command("recompute")
@quarter_option
@common.json_option
def recompute_review(quarter: Quarter | None, *, as_json: bool) -> None:
    """Recompute a review from the inputs frozen with it.

    Exits 1 and lists what differs.
    """
    with common.app() as app, app.reading() as moment:
        kept = drafting.require(moment, quarter)
        differences = drafting.recompute(moment, kept.quarter)
    if as_json:
        common.print_json({"quarter": str(kept.quarter), "holds": not differences, "differences": differences})
    else:
        for difference in differences:
            click.echo(difference)
        click.echo(f"{kept.quarter}: " + (f"{len(differences)} differ." if differences else "every figure follows."))
    sys.exit(1 if differences else 0)


@review.command("backtest")
@click.option("--handbook", "path", type=click.Path(path_type=Path), required=True, help="A TOML file to try.")
@quarter_option
@common.json_option
def backtest_review(path: Path, quarter: Quarter | None, *, as_json: bool) -> None:
    """Try another handbook on a quarter.

    Shows how its thresholds would have turned out for the frozen quarter. Nothing changes.
    """
    try:
        rules = handbooks.parse(common.text_of(path)).adjustment
    except handbooks.HandbookError as error:
        raise Refusal("handbook_invalid", f"The handbook has mistakes:\n{error}", next_step="Correct them.") from error
    with common.app() as app, app.reading() as moment:
        kept = drafting.require(moment, quarter)
        test = backtests.of(moment, kept, rules)
    if as_json:
        common.print_json({"quarter": str(kept.quarter), **common.plain(test)})
    else:
        click.echo(f"{kept.quarter} as drafted: {_counted(test.now)}")
        click.echo(f"With this handbook: {_counted(test.then)}; {test.differ} differ.")
