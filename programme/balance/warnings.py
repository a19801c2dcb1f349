"""No one is stopped without a warning: people are told once at each share of what they can spend in a month."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from policy import warnings as policy
from policy.period import Month, day_of
from policy.units import MicroTokens
from policy.warnings import USUAL, Choice
from programme import handbooks, letters
from programme.balance import balance, outlook
from programme.letters import Warned
from store import audit
from store.balance import warnings as store
from store.ledger import ledger
from store.outbox import messages
from store.outbox.messages import NewLetter

if TYPE_CHECKING:
    from datetime import date, datetime

    from policy.handbook import Handbook
    from programme.app import Desk
    from store.balance.warnings import Standing
    from store.engine import Session

AT_A_TIME = 500
TEMPLATE = "warnings/warning"


def look(session: Session, *, desk: Desk, now: datetime) -> int:
    """Look at wallets that usage was posted to, and owe their owners what they are to be told; how many were looked at.

    The wallets are locked first: a batch that is just being posted is waited for, and the next one notes them anew.
    """
    waiting = store.waiting(session, limit=AT_A_TIME)
    if not waiting:
        return 0
    ledger.lock(session, waiting)
    store.looked_at(session, waiting)
    today = day_of(now, desk.zone)
    book, month = handbooks.load(session).on(today), Month.containing(today)
    told = store.told(session, waiting, month)
    reached = {
        standing: crossed
        for standing in store.standings(session, waiting, month, now=now)
        if (crossed := policy.crossed(_share(standing), book.warnings, told.get(standing.account_id, ())))
    }
    store.reached(session, [(s.account_id, percent) for s, some in reached.items() for percent in some], month, now=now)
    wanted = store.choices(session, [standing.person_id for standing in reached])
    owed = [
        _letter(session, standing, percent, choice, month, book, desk=desk, now=now)
        for standing, crossed in reached.items()
        for choice in [wanted.get(standing.person_id, USUAL)]
        if (percent := policy.to_tell(crossed, choice)) is not None
    ]
    messages.owe(session, owed, now=now)
    return len(waiting)


def _share(standing: Standing) -> int:
    return policy.permille(standing.spent, standing.left)


def _letter(  # noqa: PLR0917 - private, called once
    session: Session, standing: Standing, percent: int, choice: Choice, month: Month, book: Handbook, *, desk: Desk,
    now: datetime,
) -> NewLetter:  # fmt: skip
    today = day_of(now, desk.zone)
    past = outlook.past(session, standing.account_id, today=today, zone=desk.zone)
    ahead = outlook.ahead(past, month=month, today=today, spent=standing.spent, left=standing.left)
    card = balance.of_email(session, standing.email, desk=desk, now=now)
    assert card is not None  # noqa: S101 - the wallet is theirs
    view = Warned(
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
    )
    due = policy.due_at(now, percent, choice, ZoneInfo(standing.time_zone))
    key = f"warning:{month}:{percent}:{standing.person_id}"
    return NewLetter(key, TEMPLATE, letters.written(view), standing.person_id, None, due, at_once=True)


def choose(session: Session, person_id: str, wanted: Choice, *, now: datetime) -> None:
    """Keep what a person wants to be told, audited."""
    store.choose(session, person_id, wanted)
    after = {"percent": sorted(wanted.percent or ()), "quiet": [wanted.quiet_from, wanted.quiet_until]}
    audit.note(session, person_id, "warnings.choose", person_id, at=now, after=after)


def rules_of(session: Session, today: date) -> tuple[int, ...]:
    """The percentages at which the programme warns."""
    return handbooks.load(session).on(today).warnings.percent
