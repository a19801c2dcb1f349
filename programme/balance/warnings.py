"""No one is stopped without a warning: people are told once at each share of what they can spend in a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import warnings as policy
from policy.period import Month
from policy.units import MicroTokens
from policy.warnings import USUAL, Choice
from programme.balance import balance, outlook
from store import audit, time_zones
from store.balance import warnings as store
from store.ledger import ledger, wallets
from store.outbox import messages
from store.outbox.messages import NewMessage
from views import codec
from views.warnings import SpendWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.balance.warnings import MonthlySpend

AT_A_TIME = 500
TEMPLATE = "warnings/warning"


def look(moment: Moment) -> int:
    """Look at wallets that usage was posted to, and owe their owners what they are to be told; how many were looked at.

    The wallets are locked first: a batch that is just being posted is waited for, and the next one notes them anew.
    """
    waiting = store.waiting(moment.session, limit=AT_A_TIME)
    if not waiting:
        return 0
    ledger.lock(moment.session, waiting)
    store.looked_at(moment.session, waiting)
    today = moment.today
    book, month = moment.handbooks.on(today), Month.containing(today)
    told = store.told(moment.session, waiting, month)
    standings = store.standings(moment.session, waiting, month, now=moment.now)
    if book.warnings.count_anew:
        # A lot that has begun, or a leave that moved an end, may have put a share below what was told.
        told = _still_so(moment, told, standings, month)
    reached = {
        standing: crossed
        for standing in standings
        if (crossed := policy.crossed(_share(standing), book.warnings, told.get(standing.account_id, ())))
    }
    store.reached(
        moment.session,
        [(s.account_id, percent) for s, some in reached.items() for percent in some],
        month,
        now=moment.now,
    )
    wanted = store.choices(moment.session, [standing.person_id for standing in reached])
    owed = [
        _letter(moment, standing, percent, choice, month, book)
        for standing, crossed in reached.items()
        for choice in [wanted.get(standing.person_id, USUAL)]
        if (percent := policy.to_tell(crossed, choice)) is not None
    ]
    messages.owe(moment.session, owed, now=moment.now)
    return len(waiting)


def _share(standing: MonthlySpend) -> int:
    return policy.permille(standing.spent, standing.left)


def _letter(  # noqa: PLR0917 - private, called once
    moment: Moment, standing: MonthlySpend, percent: int, choice: Choice, month: Month, book: Handbook
) -> NewMessage:
    view = _view(moment, standing, percent, month, book)
    due = policy.due_at(moment.now, percent, choice, time_zones.zone(standing.time_zone, moment.zone))
    key = f"warning:{month}:{percent}:{standing.person_id}"
    if messages.is_owed(moment.session, key):
        # It was said before and taken back: see `credited`.
        key = f"warning:{month}@{moment.now:%dT%H%M%S}:{percent}:{standing.person_id}"
    return NewMessage(key, TEMPLATE, codec.written(view), standing.person_id, None, due, at_once=True)


def as_it_stands(moment: Moment, kept: SpendWarning) -> SpendWarning | None:
    """A warning as it is true now, with the share that is spent by now.

    None once the month is over, once more tokens have put the share below it, and where a later warning says more.
    """
    if not kept.person_id:  # Owed by a release that did not say whose it is.
        return kept
    month, account_id = Month.containing(moment.today), wallets.account_of(moment.session, kept.person_id)
    if kept.month != month or account_id is None:
        return None
    standings = store.standings(moment.session, [account_id], month, now=moment.now)
    if not standings or not policy.holds(share := _share(standings[0]), kept.percent):
        return None
    reached = sorted(store.told(moment.session, [account_id], month).get(account_id, ()))
    choice = store.choices(moment.session, [kept.person_id]).get(kept.person_id, USUAL)
    if policy.to_tell(tuple(percent for percent in reached if percent > kept.percent), choice) is not None:
        return None
    return _view(moment, standings[0], min(policy.in_percent(share), policy.ALL), month, moment.handbook)


def _view(moment: Moment, standing: MonthlySpend, percent: int, month: Month, book: Handbook) -> SpendWarning:
    today = moment.today
    past = outlook.past(moment, standing.account_id, today=today)
    ahead = outlook.ahead(past, month=month, today=today, spent=standing.spent, left=standing.left)
    card = balance.of_email(moment, standing.email)
    assert card is not None  # noqa: S101 - the wallet is theirs
    return SpendWarning(
        percent=percent,
        month=month,
        spent=MicroTokens(standing.spent),
        left=MicroTokens(max(standing.left, 0)),
        debt=MicroTokens(max(-standing.left, 0)),
        per_token=card.value.per_token,
        can_tell=ahead is not None,
        earliest=ahead.runs_out[0] if ahead else None,
        lasts_until=ahead.runs_out[1] if ahead else None,
        next_grant_on=card.next_grant_on,
        contact=book.contact,
        debt_grants=card.debt_grants,
        has_grant=card.grant is not None,
        person_id=standing.person_id,
    )


def corrected(moment: Moment, account_ids: Iterable[int]) -> None:
    """Usage of wallets was put right: have someone look at them, and take back what was said and is not so.

    Their locks are held. A share that was never reached will be told of once it is.
    """
    wallets = sorted(set(account_ids))
    store.note(moment.session, wallets)
    _take_back(moment, wallets)


def credited(moment: Moment, account_ids: Iterable[int]) -> None:
    """More tokens came to wallets, whose locks are held: what their share is below by now counts anew.

    At once, not with the next look: use that comes until then may have reached it again.
    """
    wallets = sorted(set(account_ids))
    if wallets and moment.handbooks.on(moment.today).warnings.count_anew:
        _take_back(moment, wallets)


def _take_back(moment: Moment, wallets: list[int]) -> None:
    month = Month.containing(moment.today)
    if said := store.told(moment.session, wallets, month):
        _still_so(moment, said, store.standings(moment.session, sorted(said), month, now=moment.now), month)


def _still_so(
    moment: Moment, said: Mapping[int, set[int]], standings: Iterable[MonthlySpend], month: Month
) -> dict[int, set[int]]:
    """What was said of wallets and is so; the rest is forgotten."""
    below = {s.account_id: policy.fallen_below(_share(s), said.get(s.account_id, ())) for s in standings}
    store.unsay(moment.session, [(id_, percent) for id_, some in below.items() for percent in some], month)
    return {id_: some - set(below.get(id_, ())) for id_, some in said.items()}


def choose(moment: Moment, person_id: str, wanted: Choice) -> None:
    """Keep what a person wants to be told, audited."""
    store.choose(moment.session, person_id, wanted)
    after = {"percent": sorted(wanted.percent or ()), "quiet": [wanted.quiet_from, wanted.quiet_until]}
    audit.note(moment.session, person_id, "warnings.choose", person_id, at=moment.now, after=after)


def rules_of(moment: Moment, today: date) -> tuple[int, ...]:
    """The percentages at which the programme warns."""
    return moment.handbooks.on(today).warnings.percent
