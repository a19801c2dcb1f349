"""The next month's grants before they are made: who gets one, who doesn't and why, and what is still missing for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from bot import backups, wiring
from bot.findings import Finding, some
from policy.counting import many
from policy.period import Month
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.grants import monthly, nobody, sizing
from programme.value import rates
from store import pulses
from store.people import directory, terms
from store.usage import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from programme.app import App
    from programme.grants.sizing import Plan
    from programme.moment import Moment

LAUNCH = (
    "Set rollout.launched_on in your handbook, and `tokens-bot handbook apply FILE` (`propose` where there is a board)."
)

DRAW = "`tokens-bot rollout draw --seed SEED` puts every team into a wave."
REPORTS = "usage:write"
BACK_UP = "Let a timer run `tokens-bot backup FILE`, and keep the files elsewhere; or copy the database another way."
OLD = timedelta(days=2)
"""A back-up each day, and one that may have failed."""


class _Remedy(NamedTuple):
    """What is to be done about people who are left out for a reason; nothing where that is as it should be."""

    begins: str
    command: str


REMEDIES = (
    _Remedy("no pay band", "Give them one: `tokens-bot people import`, column pay_band."),
    _Remedy("pay band", "`tokens-bot bands set BAND MIDPOINT --from {day}`; in another currency also `rates set`."),
    _Remedy("no wave", DRAW),
)


def examine(app: App) -> Iterator[Finding]:
    """The launch, the next month's grants, and the rates of the quarter after it.

    The plan is that of `grants run --dry-run`: its cost grows with the number of people.
    """
    try:
        wiring.require_ready(app)
    except (Refusal, sa.exc.DBAPIError):
        return  # The doctor has told that before.
    with app.undone() as moment:
        findings = [*_of_next_month(moment), *_keys(moment), _backup(moment)]
    yield from findings


def _backup(moment: Moment) -> Finding:
    """When the ledger was last copied by our own command; what else copies it is not known here."""
    known = pulses.latest(moment.session).get(backups.DONE)
    if known is None or known.well_at is None:
        return Finding("warning", "No back-up was ever made with `tokens-bot backup`.", BACK_UP)
    told = f"The last back-up was made on {known.well_at:%Y-%m-%d %H:%M} UTC."
    return Finding("warning", told, BACK_UP) if moment.now - known.well_at > OLD else Finding("good", told)


def _keys(moment: Moment) -> Iterator[Finding]:
    """What a month's use comes through: keys that open, and have opened something."""
    open_ones = [key for key in keys.listed(moment.session) if REPORTS in key.scopes and not key.state(moment.now)]
    if not open_ones:
        yield Finding("warning", "No gateway has a key, so no usage comes in.", "`tokens-bot keys create NAME`.")
    for key in open_ones:
        if key.last_used_at is None:
            what = f"Key {key.name!r} of {key.source} has never reported anything."
            remedy = f"Put its secret into the gateway. If that is lost: `tokens-bot keys rotate {key.name} --keep 0`."
            yield Finding("warning", what, remedy)


def _of_next_month(moment: Moment) -> Iterator[Finding]:
    if (month := next_month(moment)) is None:
        yield Finding("warning", "No launch is set, so there are no monthly grants.", LAUNCH)
        return
    try:
        planned = sizing.plan(moment, month)
    except Refusal as refusal:
        what = f"The grants of {month} cannot be made: {refusal.text}"
        yield Finding("problem", what, refusal.next_step or "`tokens-bot grants run --dry-run` shows more.")
        return
    yield _total(planned)
    yield from _left_out(moment, planned)
    yield from _without_wave(moment, planned)
    if planned.budget is None:
        what = f"No budget bounds the grants of {month}."
        yield Finding("warning", what, f"`tokens-bot budgets set {month} USD`.")
    yield from _rates_to_come(moment, planned)


def next_month(moment: Moment) -> Month | None:
    """The first month, from this one and the launch on, whose grants are not made; None while no launch is set."""
    launched_on = moment.handbooks.versions[-1].rollout.launched_on
    if launched_on is None:
        return None
    month = max(Month.containing(moment.today), Month.containing(launched_on))
    while monthly.is_done(moment, month):
        month = month.next()
    return month


def _total(planned: Plan) -> Finding:
    count = len(planned.sizing.grants)
    if not count:
        what = f"No one gets a grant for {planned.month}."
        return Finding("problem", what, f"`tokens-bot grants run --month {planned.month} --dry-run` says why.")
    issued = sum((factors.usd for factors in planned.sizing.grants.values()), NanoUSD(0))
    bound = f" of a budget of USD {planned.budget.decimal:,.0f}" if planned.budget is not None else ""
    return Finding(
        "good",
        f"The grants of {planned.month}: {many(count, 'person', 'people')}, "
        f"{planned.sizing.total.decimal:,.0f} tokens, USD {issued.decimal:,.0f}{bound}.",
    )


def _left_out(moment: Moment, planned: Plan) -> Iterator[Finding]:
    """By reason: those where something is missing are a warning, the others as the handbook has it."""
    found = nobody.left_out(moment, planned)
    for why, mails in _by_reason(found, directory.emails(moment.session, found)).items():
        command = next((one.command for one in REMEDIES if why.startswith(one.begins)), "")
        what = f"No grant for {planned.month}: {why}: {some(mails)}."
        remedy = command.format(day=planned.month.first_day)
        yield Finding("warning" if remedy else "good", what, remedy, tuple(mails))


def _by_reason(reasons: Mapping[str, str], mails: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for person_id, why in sorted(reasons.items(), key=lambda one: (one[1], mails[one[0]])):
        found.setdefault(why, []).append(mails[person_id])
    return found


def _without_wave(moment: Moment, planned: Plan) -> Iterator[Finding]:
    """People of the programme's families who wait, and have no wave to wait for: they begin with the last."""
    rules = planned.book.rollout
    everybody = terms.participants(moment.session, planned.month, rules.role_families)
    waiting = [one.id for one in everybody if one.wave is None and one.id not in planned.people]
    if waiting:
        mails = sorted(directory.emails(moment.session, waiting).values())
        what = f"{len(mails):,} are in no wave, and begin with the last: {some(mails)}."
        yield Finding(
            "warning", what, "`tokens-bot rollout draw --seed SEED` puts every team into a wave.", tuple(mails)
        )


def _rates_to_come(moment: Moment, planned: Plan) -> Iterator[Finding]:
    """Currencies of pay bands that someone has, without a rate for the quarter after the next grants."""
    quarter = planned.month.quarter.next()
    midpoints = terms.midpoints(moment.session, quarter.first_month.first_day)
    used = {person.pay_band for person in planned.people.values()}
    missing = rates.in_usd(moment, midpoints, quarter).without_rate
    for currency in _currencies(missing, used):
        what = f"{currency} has no rate for {quarter} yet; pay bands in it get nothing then."
        yield Finding("warning", what, f"`tokens-bot rates set {quarter} {currency} USD`, adopted by two people.")


def _currencies(without_rate: Mapping[str, str], bands: Iterable[str | None]) -> list[str]:
    used = set(bands)
    return sorted({currency for band, currency in without_rate.items() if band in used})
